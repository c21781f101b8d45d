"""The registry: each network is the published one, and its layers give features of the widths that papers report."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch

from deep.published_names import PUBLISHED
from isthmus.deep.encoder import pooled
from isthmus.deep.layouts import LAYOUTS, renamed
from isthmus.deep.library import missing_library
from isthmus.deep.networks import NETWORKS, build, parameter_count
from isthmus.errors import PlanError

NAMES = sorted(NETWORKS)


def shapes_only(name: str, dims: int = 2, channels: int = 3, size: int | None = None) -> Any:
    """A network without memory for its numbers."""
    row = NETWORKS[name]
    with torch.device("meta"):
        return row.build(dims, channels, 1000, size or row.size[dims]).eval()


def output(module: Any, name: str, layer: str, dims: int = 2, size: int | None = None) -> Any:
    row = NETWORKS[name]
    seen: list[Any] = []
    module.get_submodule(row.layers[layer].module).register_forward_hook(lambda *call: seen.append(call[-1]))
    module(torch.empty(1, 3, *[size or row.size[dims]] * dims, device="meta"))
    return seen[0]


@pytest.mark.parametrize("name", [name for name in NAMES if NETWORKS[name].published])
def test_parameter_counts_are_the_published_ones(name: str) -> None:
    """For 3 channels and 1,000 classes, to the last parameter."""
    assert parameter_count(shapes_only(name)) == NETWORKS[name].published


@pytest.mark.parametrize(
    ("name", "layer", "pooling", "size", "width"),
    [
        ("densenet121", "last_layer", "flatten", 224, 1568),
        ("resnet50", "avgpool", "flatten", 224, 2048),
        ("inception_v3", "avgpool", "avg", 299, 2048),
        ("resnet50", "layer4", "flatten", 64, 8192),
        ("efficientnet_b0", "stage7", "flatten", 224, 15680),
        ("vit_b_16", "norm", "first", 224, 768),
        ("swin_t", "norm", "avg", 224, 768),
        ("alexnet", "fc7", None, 224, 4096),
    ],
)
def test_widths(name: str, layer: str, pooling: Any, size: int, width: int) -> None:
    """The papers' 1,568, 2,048, 8,192 and 15,680 features are these layers."""
    found = output(shapes_only(name, size=size), name, layer, size=size)
    assert pooled(found, NETWORKS[name].layers[layer], pooling).shape == (1, width)


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_there(name: str) -> None:
    """Each named layer is a module, the first is a convolution of the image, and no feature is read behind a head."""
    row, module = NETWORKS[name], shapes_only(name)
    for layer in row.layers.values():
        module.get_submodule(layer.module)
        assert not any(layer.module == head or layer.module.startswith(f"{head}.") for head in row.heads)
    assert module.get_submodule(row.first).weight.shape[1] == 3


@pytest.mark.parametrize("name", [name for name in NAMES if 3 in NETWORKS[name].dims])
def test_in_three_dimensions(name: str) -> None:
    """A volume goes through, down to the layer that is read by default."""
    size = 32
    row, module = NETWORKS[name], shapes_only(name, dims=3, size=size)
    found = output(module, name, row.default, dims=3, size=size)
    layer = row.layers[row.default]
    assert pooled(found, layer, "first" if layer.kind == "tokens" else "avg").ndim == 2


@pytest.mark.parametrize(("layout", "name"), sorted(PUBLISHED), ids="-".join)
def test_published_files_name_exactly_our_parameters(layout: str, name: str) -> None:
    """Every name in a published file has one of ours, and every one of ours but the heads' is named."""
    row = NETWORKS[name]
    ours = {
        key for key in shapes_only(name).state_dict() if not key.startswith(tuple(f"{head}." for head in row.heads))
    }
    assert set(renamed(dict.fromkeys(PUBLISHED[layout, name]()), name, layout)) == ours


def test_plain_is_for_every_network() -> None:
    """What isthmus writes, it reads."""
    assert set(LAYOUTS["plain"]) == set(NETWORKS)


@pytest.mark.parametrize(("dims", "shift"), [(2, (3, 3)), (3, (3, 0, 3)), (2, (0, 3))])
def test_swin_moved_windows_keep_strangers_apart(dims: int, shift: tuple[int, ...]) -> None:
    """After the move, two places see each other exactly if they were on the same side of the seam along every axis."""
    from isthmus.deep.nets.swin import _apart, _split

    size, window = (14,) * dims, 7
    places = np.indices(size).reshape(dims, -1).T  # where each came to lie
    seam = np.array([[s > 0 and p >= 14 - s for p, s in zip(place, shift, strict=True)] for place in places])
    marks = torch.tensor(seam @ 2 ** np.arange(dims)).reshape(1, *size, 1)
    flat = _split(marks, window, dims)[..., 0].numpy()
    expected = np.where(flat[:, :, None] == flat[:, None, :], 0.0, -100.0)
    np.testing.assert_array_equal(_apart(size, window, shift, torch.device("cpu")).numpy(), expected)


def test_swin_joins_what_it_split() -> None:
    """Windows put together again give the map."""
    from isthmus.deep.nets.swin import _join, _split

    volume = torch.arange(2 * 4 * 6 * 8 * 3).reshape(2, 4, 6, 8, 3)
    assert torch.equal(_join(_split(volume, 2, 3), 2, (4, 6, 8)), volume)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_cbam_weighs_channels_and_places(dims: int) -> None:
    """Every value is multiplied by a gate of its channel and one of its place: the logarithm of the ratio is a sum of the two."""
    from isthmus.deep.nets.cbam import CBAM

    torch.manual_seed(0)
    x = torch.rand(2, 8, *[5] * dims, dtype=torch.float64) + 0.5
    with torch.no_grad():
        gate = (CBAM(dims, 8, reduction=2, kernel=3).double()(x) / x).log().flatten(2)
    rest = gate - gate.mean(1, keepdim=True) - gate.mean(2, keepdim=True) + gate.mean((1, 2), keepdim=True)
    assert float(rest.abs().max()) < 1e-12
    assert float(gate.std()) > 1e-3


def test_the_same_seed_is_the_same_network() -> None:
    """Building draws from its own seed and leaves the world's random numbers alone."""
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    one, two, other = (
        build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32, seed=seed).conv1.weight for seed in (1, 1, 2)
    )
    assert (torch.equal(one, two), torch.equal(one, other), torch.equal(torch.rand(1), before)) == (True, False, True)


@pytest.mark.parametrize(
    ("name", "dims", "size", "said"),
    [
        ("alexnet", 3, 64, "exists in 2-D, not in 3-D"),
        ("inception_v3", 2, 64, "at least 75 pixels"),
        ("vit_b_16", 2, 100, "no multiple of 16"),
    ],
)
def test_what_cannot_be_built(name: str, dims: int, size: int, said: str) -> None:
    """The reason names the network and what it needs."""
    with pytest.raises(PlanError, match=said):
        build(NETWORKS[name], dims, channels=1, size=size)


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which extra to install."""
    missing_library.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(PlanError, match=r'pip install "isthmus\[deep\]"'):
            build(NETWORKS["resnet18"], 2, channels=1, size=64)
    missing_library.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_big_networks_run(name: str) -> None:
    """At its published size every network gives numbers, in each number of dimensions."""
    row = NETWORKS[name]
    for dims in row.dims:
        module = build(row, dims, channels=1, size=row.size[dims])
        with torch.inference_mode():
            assert torch.isfinite(module(torch.rand(1, 1, *[row.size[dims]] * dims))).all()
