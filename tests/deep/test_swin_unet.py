"""Swin-UNet: the published size, logits at the size of the image, places where they were, learning."""

from __future__ import annotations

import pytest

from isthmus.deep.networks import parameter_count

torch = pytest.importorskip("torch")

from isthmus.deep.nets.swin_unet import SwinUNet, _Expanding  # noqa: E402

SMALL = {"width": 12, "depths": (2, 2), "heads": (1, 2), "window": 4, "patch": 2}


def test_the_parameter_count_is_the_published_one() -> None:
    """27,168,420 for three channels and the four classes of ACDC; the paper says 27.17 million."""
    with torch.device("meta"):
        assert parameter_count(SwinUNet(channels=3, classes=4)) == 27_168_420


@pytest.mark.parametrize("size", [(32, 32), (30, 45), (7, 5), (9, 12, 16)])
def test_logits_have_the_size_of_the_image(size: tuple[int, ...]) -> None:
    """Also where the size is no multiple of anything, and in three dimensions."""
    network = SwinUNet(dims=len(size), channels=2, classes=3, **SMALL)
    assert network(torch.randn(2, 2, *size)).shape == (2, 3, *size)


@pytest.mark.parametrize("dims", [2, 3])
def test_expanding_leaves_places_where_they_were(dims: int) -> None:
    """A place's channels go to its own finer places and to no other."""
    torch.manual_seed(1)
    expanding = _Expanding(dims, 6, 3)
    x = torch.randn(1, *[4] * dims, 6)
    moved = x.clone()
    moved[(0, *[2] * dims)] += 1
    changed = (expanding(moved) - expanding(x)).abs().sum(-1)[0].nonzero()
    assert {tuple(place.tolist()) for place in changed // 2} == {(2,) * dims}


def test_every_parameter_gets_a_gradient() -> None:
    """No part of the U-shape is left out of the way from the image to the logits."""
    torch.manual_seed(2)
    network = SwinUNet(**SMALL)
    network(torch.randn(2, 1, 32, 32)).square().mean().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


def test_a_step_lowers_the_loss() -> None:
    """Of one batch, in which a bright square is the lesion."""
    torch.manual_seed(3)
    network = SwinUNet(**SMALL)
    truth = torch.zeros(2, 32, 32, dtype=torch.long)
    truth[:, 8:20, 10:22] = 1
    image = truth[:, None] + 0.3 * torch.randn(2, 1, 32, 32)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(2):
        loss = torch.nn.functional.cross_entropy(network(image), truth)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[1] < losses[0]
