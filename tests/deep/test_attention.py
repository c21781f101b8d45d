"""Attention at the end of an encoder: where it stands, that it starts untrained, that it needs training."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from isthmus.deep.networks import NETWORKS, build, parameter_count
from isthmus.deep.settings import DeepSettings, WeightSettings
from isthmus.deep.weights import load, save
from isthmus.errors import PlanError

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    "name", ["densenet121", "efficientnet_b0", "resnet18", "resnet50", "alexnet", "resnet10_narrow"]
)
def test_it_adds_two_gates(name: str) -> None:
    """A hidden layer a sixteenth as wide as the map and one 7 x 7 filter, and nothing else; counted without numbers."""
    plain, attended = NETWORKS[name], NETWORKS[name].attended
    assert plain.attends is not None
    channels = plain.attends[1]
    with torch.device("meta"):
        added = parameter_count(attended.build(2, 1, 2, 224)) - parameter_count(plain.build(2, 1, 2, 224))
    assert added == 2 * channels * (channels // 16) + 2 * 7 * 7


@pytest.mark.parametrize("dims", [2, 3])
def test_it_changes_what_is_pooled(dims: int) -> None:
    """The same body gives other features, of the same number, through the gates."""
    row = NETWORKS["resnet10_narrow"]
    crop = torch.rand(2, 1, *[32] * dims, generator=torch.Generator().manual_seed(1))
    found = []
    for network in (row, row.attended):
        module = build(network, dims, channels=1, size=32, classes=2)
        module.get_submodule("avgpool").register_forward_hook(lambda m, i, out: found.append(out.flatten(1)))
        module(crop)
    plain, weighed = found
    assert plain.shape == weighed.shape == (2, 64)
    assert not torch.allclose(plain, weighed)


def test_weights_of_the_plain_network_are_read(tmp_path: Path) -> None:
    """A file without attention fills the body; the gates start from the seed."""
    row = NETWORKS["resnet10_narrow"]
    module = build(row, 2, channels=1, size=32, classes=2, seed=7)
    save(module, tmp_path / "body.safetensors")
    weights = WeightSettings(origin="file", path="body.safetensors")
    loaded, record = load(row.attended, weights, dims=2, size=32, base=tmp_path, classes=2)
    assert torch.equal(loaded.conv1.weight, module.conv1.weight)
    assert record.matched == sum(not name.startswith("fc.") for name in module.state_dict())


def test_a_frozen_block_has_no_attention() -> None:
    """Untrained gates say nothing, so the block must be trained."""
    said = {"encoder": {"network": "resnet18", "attention": True, "weights": {"origin": "random"}}}
    with pytest.raises(ValidationError, match="give the block train"):
        DeepSettings.model_validate(said)


def test_a_network_without_a_place_for_it_is_refused() -> None:
    """The message says which have one."""
    with pytest.raises(PlanError, match="densenet121"):
        _ = NETWORKS["vit_b_16"].attended
