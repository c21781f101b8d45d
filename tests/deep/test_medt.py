"""MedT: the attention against its equation written out, what each branch sees, gates that learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from isthmus.deep.nets.medt import GatedAxialAttention, MedT  # noqa: E402

SMALL = {"size": 64, "heads": 4, "widths": (8, 16), "depths": (1, 1), "shallow": 2, "patches": 4}


def attended(line: np.ndarray, module: GatedAxialAttention) -> np.ndarray:
    """Equation 2 of the paper for one line, place by place; every norm at its start, which only divides by sqrt(1 + eps)."""
    norm = math.sqrt(1 + 1e-5)
    weight = module.qkv.weight.detach().numpy()[:, :, 0]
    gates = {name: gate.item() for name, gate in module.gates.items()}
    vectors = module.relative.detach().numpy()
    n, each = line.shape[1], module.width // module.heads
    found = np.zeros((module.width, n))
    for head in range(module.heads):
        part = (weight @ line)[2 * each * head : 2 * each * (head + 1)] / norm
        q, k, v = part[: each // 2], part[each // 2 : each], part[each:]
        for i in range(n):
            score = np.zeros(n)
            for j in range(n):
                of_i_from_j = vectors[:, i - j + module.length - 1]
                of_j_from_i = vectors[:, j - i + module.length - 1]
                score[j] = q[:, i] @ k[:, j] / norm
                score[j] += gates["query"] * (q[:, i] @ of_i_from_j[: each // 2]) / norm
                score[j] += gates["key"] * (k[:, j] @ of_j_from_i[each // 2 : each]) / norm
            seen = np.exp(score - score.max())
            seen /= seen.sum()
            places = [vectors[each:, i - j + module.length - 1] for j in range(n)]
            value = sum(seen[j] * v[:, j] for j in range(n)) / norm
            position = sum(seen[j] * places[j] for j in range(n)) / norm
            found[head * each : (head + 1) * each, i] = gates["value"] * value + gates["value_position"] * position
    return found


@pytest.mark.parametrize("axis", [2, 3])
def test_the_attention_is_the_papers_equation(axis: int) -> None:
    """Along columns and along rows, on a map shorter than the longest."""
    torch.manual_seed(1)
    module = GatedAxialAttention(8, 2, axis, 7).eval()
    for gate, value in zip(module.gates.values(), (0.7, -0.4, 0.3, 1.2), strict=True):
        gate.data.fill_(value)
    x = torch.randn(1, 8, 5, 6)
    with torch.no_grad():
        found = module(x).numpy()[0]
    lines = x.numpy()[0].swapaxes(1, 2) if axis == 2 else x.numpy()[0]
    expected = np.stack([attended(lines[:, n], module) for n in range(lines.shape[1])], 1)
    np.testing.assert_allclose(found, expected.swapaxes(1, 2) if axis == 2 else expected, atol=1e-5)


def test_without_positions_places_are_alike() -> None:
    """The local branch's attention moves with its places; the gated one does not."""
    torch.manual_seed(2)
    x, order = torch.randn(1, 8, 6, 3), torch.tensor([3, 0, 5, 1, 4, 2])
    plain = GatedAxialAttention(8, 2, 2, 6, positions=False).eval()
    gated = GatedAxialAttention(8, 2, 2, 6).eval()
    torch.testing.assert_close(plain(x[:, :, order]), plain(x)[:, :, order])
    assert not torch.allclose(gated(x[:, :, order]), gated(x)[:, :, order], atol=1e-3)


def test_a_map_longer_than_its_vectors_is_refused() -> None:
    """With both numbers."""
    with pytest.raises(ValueError, match="has 9 places along an axis, this MedT was made for 6 at most"):
        GatedAxialAttention(8, 2, 2, 6)(torch.randn(1, 8, 9, 2))


@pytest.mark.parametrize("size", [(64, 64), (64, 40), (31, 50)])
def test_logits_have_the_size_of_the_image(size: tuple[int, int]) -> None:
    """Also of smaller images and of those that are no multiple."""
    assert MedT(channels=2, classes=3, **SMALL)(torch.randn(2, 2, *size)).shape == (2, 3, *size)


def test_the_local_branch_sees_each_patch_alone() -> None:
    """A pixel changes the local map inside its own patch; equal patches give equal maps wherever they lie."""
    torch.manual_seed(3)
    network = MedT(**SMALL).eval()
    image = torch.randn(1, 1, 16, 16).repeat(1, 1, 4, 4)
    changed = image.clone()
    changed[0, 0, 20, 40] += 5
    with torch.no_grad():
        before, after = network._in_patches(image), network._in_patches(changed)
    moved = (after - before).abs().amax(1)[0].reshape(4, 16, 4, 16).amax((1, 3)) > 0
    assert moved.nonzero().tolist() == [[1, 2]]
    torch.testing.assert_close(before[..., 16:32, 32:48], before[..., :16, :16])


def test_the_global_branch_sees_the_whole_image() -> None:
    """A pixel in one corner reaches the opposite one."""
    torch.manual_seed(4)
    network = MedT(**SMALL).eval()
    image = torch.randn(1, 1, 64, 64)
    changed = image.clone()
    changed[0, 0, :4, :4] += 5
    with torch.no_grad():
        moved = (network.whole(changed) - network.whole(image)).abs().amax(1)[0]
    assert moved[-8:, -8:].max() > 0


def test_only_the_global_branch_has_gates() -> None:
    """Four in each of its attentions, as published; they begin at 0.1, those of the values at 1."""
    network = MedT()
    assert not [name for name, _ in network.local.named_parameters() if "gates" in name]
    gates = [p.item() for name, p in network.named_parameters() if "gates" in name]
    assert sorted(set(np.round(gates, 6))) == [0.1, 1.0]
    assert len(gates) == 4 * 2 * 3  # two attentions in each of the three blocks


def step(network: MedT, steps: int = 2) -> list[float]:
    truth = torch.zeros(2, 64, 64, dtype=torch.long)
    truth[:, 10:30, 20:50] = 1
    image = truth[:, None] + 0.3 * torch.randn(2, 1, 64, 64)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 1e-3)
    losses = []
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(network(image), truth)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return losses


def test_a_step_lowers_the_loss_and_every_parameter_gets_a_gradient() -> None:
    """Of one batch, in which a bright rectangle is the lesion."""
    torch.manual_seed(5)
    network = MedT(**SMALL)
    losses = step(network)
    assert losses[1] < losses[0]
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("on", [True, False])
def test_gates_learn_when_they_may(on: bool) -> None:
    """Each moves by a step, or stays where it began."""
    torch.manual_seed(6)
    network = MedT(**SMALL)
    network.train_gates(on)
    gates = {name: p.item() for name, p in network.named_parameters() if "gates" in name}
    step(network, 1)
    moved = [name for name, p in network.named_parameters() if name in gates and abs(p.item() - gates[name]) > 1e-5]
    assert moved == (list(gates) if on else [])
