"""A frozen encoder: the same crop, the same features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isthmus.deep import DeepSettings, Encoder, seen
from isthmus.deep.encoder import feature_layer, pooled
from isthmus.deep.networks import NETWORKS, Layer, build
from isthmus.deep.settings import EncoderSettings
from isthmus.deep.weights import save
from isthmus.errors import PlanError
from isthmus.image import Geometry, Image
from isthmus.roi import Roi


def settings(dims: int = 2, **encoder: Any) -> DeepSettings:
    said = {"network": "resnet10_narrow", "dims": dims, "weights": {"origin": "random"}, **encoder}
    return DeepSettings.model_validate({"encoder": said, "crop": {"size": 32 if dims == 2 else 16}})


def batch(n: int, dims: int = 2, channels: int = 1) -> np.ndarray:
    size = 32 if dims == 2 else 16
    return np.random.default_rng(n).normal(size=(n, channels, *[size] * dims)).astype(np.float32)


@pytest.mark.parametrize(("name", "dims"), [("resnet10_narrow", 2), ("resnet10_narrow", 3), ("densenet121", 2)])
def test_the_batch_does_not_matter(name: str, dims: int) -> None:
    """One at a time and sixteen at a time: the same features to 1e-5."""
    crops = batch(16, dims)
    one, sixteen = (Encoder(settings(dims, network=name, batch=n)).features(crops) for n in (1, 16))
    np.testing.assert_allclose(one, sixteen, atol=1e-5, rtol=0)


def test_a_repeated_run_gives_the_same_bits() -> None:
    """Twice with one encoder, and with one built anew."""
    first = Encoder(settings())
    crops = batch(5)
    once = first.features(crops)
    assert all(np.array_equal(once, again) for again in (first.features(crops), Encoder(settings()).features(crops)))


@pytest.mark.parametrize("dims", [2, 3])
def test_save_and_load_give_the_same_bits(tmp_path: Path, dims: int) -> None:
    """The written file, read again, is the same encoder: features and fingerprint."""
    first = Encoder(settings(dims))
    sha256 = save(first.module, tmp_path / "w.safetensors")
    weights = {"origin": "file", "path": "w.safetensors", "sha256": sha256, "source": "this test"}
    second = Encoder(settings(dims, weights=weights), tmp_path)
    assert first.record.fingerprint == second.record.fingerprint
    np.testing.assert_array_equal(first.features(batch(3, dims)), second.features(batch(3, dims)))


def test_features_are_the_output_of_the_layer() -> None:
    """What an independent pass through the modules gives."""
    encoder = Encoder(settings(layer="layer2", pooling="max"))
    crops = batch(3)
    m = encoder.module
    with torch.inference_mode():
        x = m.maxpool(torch.relu(m.bn1(m.conv1(torch.from_numpy(crops)))))
        expected = m.layer2(m.layer1(x)).amax((2, 3))
    np.testing.assert_allclose(encoder.features(crops), expected.numpy(), atol=1e-6)


def test_what_follows_cannot_change_a_feature() -> None:
    """A layer whose output the next one changes in place is read before that: the last norm of DenseNet gives negative values."""
    encoder = Encoder(settings(network="densenet121", layer="block4", pooling="flatten"))
    encoder._place = Layer("features.norm5")
    encoder.module.features.norm5.register_forward_hook(encoder._see)
    encoder.module.features.denseblock4._forward_hooks.clear()
    assert encoder.features(batch(2)).min() < 0


def test_untrained_features_say_so_in_every_column() -> None:
    """Their name, family and facts: never "deep features"."""
    encoder = Encoder(settings())
    columns = encoder.columns(image="us")
    assert {(c.family, c.column.rpartition("_")[0], c.image) for c in columns} == {
        ("random projection", "random_projection_resnet10_narrow", "us")
    }
    assert all("untrained, seed 42" in c.parameter for c in columns)
    assert encoder.facts()["called"] == "random projection"


def test_columns_of_a_file_name_it(tmp_path: Path) -> None:
    """Network, layer, pooling, the file's short hash and its source; as many columns as features."""
    sha256 = save(build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32), tmp_path / "w.safetensors")
    weights = {"origin": "file", "path": "w.safetensors", "source": "a study, 2026"}
    encoder = Encoder(settings(weights=weights, layer="layer4", pooling="flatten"), tmp_path)
    columns = encoder.columns()
    assert (len(columns), columns[0].column, columns[-1].column) == (
        64,
        "deep_resnet10_narrow_0001",
        "deep_resnet10_narrow_0064",
    )
    assert columns[4].feature == "resnet10_narrow 2-D, layer4, flatten, 5"
    assert f"w.safetensors (sha256 {sha256[:12]}), a study, 2026" in columns[4].parameter


def test_several_slices_are_combined() -> None:
    """The mean, or the largest, of each feature over a lesion's slices."""
    crops = [batch(3), batch(1)]
    for combine in ("mean", "max"):
        chosen = settings().model_copy(update={"crop": settings().crop.model_copy(update={"combine": combine})})
        encoder = Encoder(chosen)
        expected = [getattr(np, combine)(encoder.features(one), axis=0) for one in crops]
        np.testing.assert_allclose(encoder.describe(crops), expected, atol=1e-6)


def test_from_image_to_features() -> None:
    """A lesion in a volume; the crop has the channels of the input."""
    geometry = Geometry((6, 30, 30), (3, 1, 1))
    image = Image(np.random.default_rng(0).normal(size=geometry.shape), geometry)
    mask = np.zeros(geometry.shape, bool)
    mask[2:4, 10:20, 12:18] = True
    chosen = settings(weights={"origin": "random", "input": {"channels": 3, "mean": (0.5, 0.4, 0.4), "std": 0.2}})
    encoder = Encoder(chosen)
    crop = seen(image, Roi(mask, geometry), chosen)
    assert (crop.shape, encoder.describe([crop]).shape) == ((1, 3, 32, 32), (1, encoder.width))


def test_poolings() -> None:
    """Of maps with channels first and last, and of tokens, whose first is the class."""
    x = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    first, last = Layer("", "map"), Layer("", "map_last")
    for how in ("avg", "max", "flatten"):
        assert torch.equal(pooled(x, first, how), pooled(x.movedim(1, -1), last, how))
    assert torch.equal(pooled(x, first, "avg"), x.mean((2, 3)))
    tokens = torch.arange(2 * 4 * 3.0).reshape(2, 4, 3)
    assert torch.equal(pooled(tokens, Layer("", "tokens"), "first"), tokens[:, 0])
    assert torch.equal(pooled(tokens, Layer("", "tokens"), "avg"), tokens[:, 1:].mean(1))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"layer": "layer5"}, "has no layer 'layer5'"),
        ({"pooling": "first"}, "expected avg or max or flatten"),
        ({"network": "alexnet", "layer": "fc6", "pooling": "avg"}, "leave pooling out"),
    ],
)
def test_layers_that_are_not_there(said: dict[str, Any], message: str) -> None:
    """The known ones are listed."""
    with pytest.raises(PlanError, match=message):
        feature_layer(EncoderSettings.model_validate({"network": "resnet18", "weights": {"origin": "random"}, **said}))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in NETWORKS.items() if 3 in row.dims])
def test_the_batch_does_not_matter_to_big_networks(name: str) -> None:
    """1e-5 for every network in three dimensions."""
    chosen = {"network": name, "dims": 3, "weights": {"origin": "random"}}
    crops = np.random.default_rng(0).normal(size=(16, 1, 32, 32, 32)).astype(np.float32)
    one, sixteen = (
        Encoder(DeepSettings.model_validate({"encoder": {**chosen, "batch": n}, "crop": {"size": 32}})).features(crops)
        for n in (1, 16)
    )
    np.testing.assert_allclose(one, sixteen, atol=1e-5, rtol=1e-5)
