"""Maps of where a network looks: the definitions by hand and as MONAI computes them, and that they show what was learned."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from isthmus.deep.augment import AugmentSettings
from isthmus.deep.crop import crops as crops_of
from isthmus.deep.crop import on_image
from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.explain import METHODS, RANDOMISATION, explain, randomisation_check
from isthmus.deep.networks import NETWORKS, Layer, Network, build
from isthmus.deep.settings import CropSettings
from isthmus.deep.train import TrainSettings, train
from isthmus.errors import PlanError
from isthmus.image import Geometry, Image
from isthmus.roi import Roi


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    """Small maps gain nothing from threads that wait for each other."""
    with one_torch_thread():
        yield


class Tiny(nn.Module):
    """A convolution, a ReLU, and a head: on the mean of each map, or on every place."""

    def __init__(self, dims: int = 2, places: int = 0) -> None:
        super().__init__()
        self.maps = nn.Sequential((nn.Conv2d if dims == 2 else nn.Conv3d)(1, 5, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(5 * places if places else 5, 3)
        self.mean = not places

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.maps(x).flatten(2)
        return self.head(maps.mean(2) if self.mean else maps.flatten(1))


def row(**changes: Any) -> Network:
    layers = MappingProxyType({"maps": Layer("maps")})
    said = {"name": "tiny", "build": lambda dims, *_: Tiny(dims), "dims": (2, 3), "size": MappingProxyType({2: 12, 3: 12}), "smallest": 1,
            "layers": layers, "default": "maps", "first": "maps.0", "heads": ("head",), "reference": "", "explained": "maps"}  # fmt: skip
    return Network(**{**said, **changes})


def tiny(dims: int = 2, places: int = 0) -> Tiny:
    torch.manual_seed(7)
    module = Tiny(dims, places).eval()
    with torch.no_grad():
        module.head.weight *= 30
    return module


def batch(n: int, dims: int = 2, size: int = 12) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(n, 1, *[size] * dims)).astype(np.float32)


def raw(found: Any) -> np.ndarray:
    return found.low + found.map.astype(np.float64) * (found.high - found.low)


def test_grad_cam_by_hand() -> None:
    """A head on the means of maps: a map's weight is its weight in the head, by the number of places."""
    module, crop = tiny(), batch(1)
    maps = module.maps(torch.from_numpy(crop)).detach().numpy()[0]
    expected = np.maximum(np.tensordot(module.head.weight.detach().numpy()[1] / 144, maps, 1), 0)
    np.testing.assert_allclose(raw(explain(module, row(), crop, target=1))[0], expected, atol=1e-6)


def test_grad_cam_plus_plus_by_hand() -> None:
    """Equation 19 of Chattopadhyay et al., place by place, for a head whose gradient differs from place to place."""
    module, crop = tiny(places=144), batch(1)
    maps = module.maps(torch.from_numpy(crop)).detach().double().numpy()[0]
    gradient = module.head.weight.detach().double().numpy()[2].reshape(maps.shape)
    weights = []
    for one, slope in zip(maps, gradient, strict=True):
        total = 0.0
        for place in np.ndindex(one.shape):
            g = slope[place]
            total += g**2 / (2 * g**2 + one.sum() * g**3) * max(g, 0.0)
        weights.append(total)
    expected = np.maximum(np.tensordot(np.array(weights), maps, 1), 0)
    found = explain(module, row(), crop, method="grad_cam_plus_plus", target=2)
    np.testing.assert_allclose(found.map[0], expected / expected.max(), atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("method", "theirs"), [("grad_cam", "GradCAM"), ("grad_cam_plus_plus", "GradCAMpp")])
def test_gradients_are_monai_s(dims: int, method: Any, theirs: str) -> None:
    """The same map, from 0 to 1, to 1e-5."""
    import monai.visualize

    module, other, crop = tiny(dims), tiny(dims), batch(1, dims)
    with (
        torch.no_grad()
    ):  # gradients far above the 1e-7 that MONAI adds, and scores whose exponential, a factor there, is 1
        for one in (module, other):
            one.head.weight *= 300
            one.head.bias -= one(torch.from_numpy(crop))[0]
    maker = getattr(monai.visualize, theirs)(module, "maps", postprocessing=lambda x: x)
    expected = maker(torch.from_numpy(crop).requires_grad_(), class_idx=1).detach().numpy()[:, 0]
    np.testing.assert_allclose(
        explain(other, row(), crop, method=method, target=1).map, expected / expected.max(), atol=1e-5
    )


@pytest.mark.parametrize("name", ["resnet10_narrow", "densenet121"])
def test_grad_cam_of_a_registered_network_is_monai_s(name: str) -> None:
    """Enlarged from the layer to the crop as MONAI does, to 1e-5."""
    from monai.visualize import GradCAM

    network, crop = NETWORKS[name], batch(2, size=64)
    module = build(network, 2, channels=1, size=64, classes=3)
    shown = [explain(module, network, crop, target=target) for target in range(3)]
    found = next(one for one in shown if not one.empty)
    theirs = GradCAM(
        build(network, 2, channels=1, size=64, classes=3),
        network.layers[network.explained].module,
        postprocessing=lambda x: x,
    )
    expected = theirs(torch.from_numpy(crop).requires_grad_(), class_idx=found.target).detach().numpy()[:, 0]
    np.testing.assert_allclose(found.map, expected / expected.max(), atol=1e-5)


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
@pytest.mark.parametrize(("dims", "patch", "overlap", "stride"), [(2, 4, 0.5, 2), (2, 5, 0.0, 5), (3, 6, 0.5, 3)])
def test_occlusion_is_monai_s(dims: int, patch: int, overlap: float, stride: int) -> None:
    """What the probability falls by, to 1e-5; MONAI gives what is left of it."""
    from monai.visualize import OcclusionSensitivity

    module, crop = tiny(dims), batch(1, dims)
    theirs = OcclusionSensitivity(
        module, mask_size=patch, overlap=overlap, mode=0.25, verbose=False, activate=lambda x: x.softmax(1)
    )
    left = theirs(torch.from_numpy(crop))[0].detach().numpy()[:, 1]
    before = module(torch.from_numpy(crop)).softmax(1)[0, 1].item()
    found = explain(module, row(), crop, method="occlusion", target=1, patch=patch, stride=stride, fill=0.25)
    np.testing.assert_allclose(raw(found), np.maximum(before - left, 0), atol=1e-5)


def test_rollout_by_hand() -> None:
    """Of two layers: the product of (attention + identity) / 2, each attention the softmax of its queries and keys."""
    from isthmus.deep.nets.vit import VisionTransformer

    torch.manual_seed(1)
    module = VisionTransformer(2, 12, 4, 1, 2, width=8, depth=2, heads=2, hidden=8).eval()
    with torch.no_grad():
        for block in module.blocks:
            block.qkv.weight *= 4
    crop, joint = batch(1), np.eye(10)
    with torch.no_grad():
        x = torch.cat([module.class_token, module.patch(torch.from_numpy(crop)).flatten(2).transpose(1, 2)], 1)
        x = x + module.positions
        for block in module.blocks:
            query, key = (
                (block.norm1(x) @ block.qkv.weight.T + block.qkv.bias)[0]
                .numpy()
                .reshape(10, 3, 2, 4)[:, :2]
                .transpose(1, 2, 0, 3)
            )
            each = np.exp(query @ key.transpose(0, 2, 1) / 2)
            joint = ((each / each.sum(-1, keepdims=True)).mean(0) + np.eye(10)) / 2 @ joint
            x = block(x)
    expected = joint[0, 1:].reshape(3, 3)
    found = explain(module, NETWORKS["vit_b_16"], crop, method="attention")
    assert found.low >= expected.min() - 1e-7
    # the middle of a patch has its patch's value, as all middles lie on the crop's grid to half a pixel
    shares = torch.nn.functional.interpolate(torch.tensor(expected)[None, None], size=(12, 12), mode="bilinear")[0, 0]
    np.testing.assert_allclose(raw(found)[0], shares.numpy(), atol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_attention_of_an_autoencoder_is_its_last_gate(dims: int) -> None:
    """From 0 to 1 over the crop, with the gate's own limits kept, and no class."""
    network, size = NETWORKS["autoencoder_128"], 32
    module = build(network, dims, channels=1, size=size)
    found = explain(module, network, batch(2, dims, size), method="attention")
    assert found.map.shape == (2, *[size] * dims)
    assert (found.target, found.layer, float(found.map.min()), float(found.map.max())) == (-1, "encoder.27", 0.0, 1.0)
    assert 0 < found.low < found.high < 1


@pytest.mark.parametrize(
    ("name", "dims", "size"),
    [("resnet10_narrow", 3, 32), ("alexnet", 2, 128), ("efficientnet_b0", 2, 64),
     *[pytest.param(name, 2, None, marks=pytest.mark.slow) for name in ("inception_v3", "swin_t", "vit_b_16", "densenet121", "resnet50")],
     *[pytest.param(name, 3, None, marks=pytest.mark.slow) for name in ("swin_t", "vit_b_16", "densenet121", "resnet18")]],
)  # fmt: skip
def test_every_network_with_a_head(name: str, dims: int, size: int | None) -> None:
    """A map on the crop's grid from 0 to 1 that is not flat, from its default layer."""
    network = NETWORKS[name]
    side = size or network.size[dims]
    module = build(network, dims, channels=1, size=side, classes=2)
    shown = [explain(module, network, batch(1, dims, side), target=target).map for target in (0, 1)]
    assert {one.shape for one in shown} == {(1, *[side] * dims)}
    assert max(float(one.max()) for one in shown) == 1.0


def test_networks_that_tell_classes_apart_have_a_layer_to_explain() -> None:
    """Those with a head, and no other; the layer is one of the registry."""
    for network in NETWORKS.values():
        assert bool(network.explained) == (not network.name.startswith("autoencoder")), network.name
        assert not network.explained or network.explained in network.layers


def test_the_network_is_left_as_it_was() -> None:
    """Parameters, gradients wanted or not, mode of training, hooks."""
    network = NETWORKS["resnet10_narrow"]
    module = build(network, 2, channels=1, size=64, classes=2).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for method in METHODS[:3]:
        explain(module, network, batch(2, size=64), method=method, **({"patch": 32} if method == "occlusion" else {}))
    randomisation_check(module, network, batch(2, size=64), steps=2)
    assert module.training
    assert all(one.requires_grad and one.grad is None for one in module.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert not any(part._forward_hooks for part in module.modules())


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        ("resnet10_narrow", {"method": "gradcam"}, "grad_cam"),
        ("resnet10_narrow", {"layer": "layer5"}, "no layer 'layer5'"),
        ("resnet10_narrow", {"layer": "avgpool"}, "one place"),
        ("resnet10_narrow", {"target": 2}, "tells 2 classes apart"),
        ("resnet10_narrow", {"method": "attention"}, "no attention"),
        ("resnet10_narrow", {"method": "occlusion", "patch": 8, "stride": 9}, "stride = 9"),
        ("autoencoder_128", {"method": "grad_cam"}, "no classes apart"),
        ("autoencoder_128", {"method": "attention", "layer": "encoder.5"}, "encoder.27"),
    ],
)
def test_what_cannot_be_shown(name: str, said: dict[str, Any], message: str) -> None:
    """The message says why, and what there is."""
    module = build(NETWORKS[name], 2, channels=1, size=64, classes=2)
    with pytest.raises(PlanError, match=message):
        explain(module, NETWORKS[name], batch(1, size=64), **said)


# ---------------------------------------------------------------------- what was learned


def squares(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Noise; class 1 has a bright square in the first corner."""
    rng = np.random.default_rng(seed)
    crops, labels = rng.normal(scale=0.3, size=(n, 1, 32, 32)), np.arange(n) % 2
    crops[labels == 1, :, 3:11, 3:11] += 1.5
    return crops.astype(np.float32), labels, [f"p{i}" for i in range(n)]


@pytest.fixture(scope="module")
def learned() -> Any:
    """A small network that tells the squares from noise."""
    calm = AugmentSettings(probability=0.0)
    module = build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32, classes=2)
    with one_torch_thread():
        return train(
            module, *squares(48, 1), TrainSettings(epochs=12, batch=8, learning_rate=3e-3, augment=calm)
        ).module


@pytest.mark.parametrize(("method", "share"), [("grad_cam", 0.6), ("grad_cam_plus_plus", 0.4), ("occlusion", 0.6)])
def test_a_planted_signal_is_found(learned: Any, method: Any, share: float) -> None:
    """The map of new patients of class 1 lies in the quarter of the crop with the square; Grad-CAM++, which hears only what speaks for a
    class, spreads wider."""
    crops, labels, _ = squares(12, 2)
    layer = None if method == "occlusion" else "layer2"
    network, chosen = NETWORKS["resnet10_narrow"], crops[labels == 1]
    found = explain(learned, network, chosen, method=method, layer=layer, target=1)
    assert min(found.probability) > 0.5
    assert found.map[:, :16, :16].sum() / found.map.sum() > share


def test_randomised_weights_destroy_the_map(learned: Any) -> None:
    """From a correlation of 1 with itself, the map loses what it showed when the layers below the head are random, too."""
    crops, labels, _ = squares(12, 2)
    found = randomisation_check(learned, NETWORKS["resnet10_narrow"], crops[labels == 1], layer="layer2", target=1)
    assert tuple(found.columns) == RANDOMISATION
    assert (found["spearman"].iloc[0], found["ssim"].iloc[0]) == (pytest.approx(1), pytest.approx(1))
    assert found["modules"].is_monotonic_increasing
    assert found["to"].iloc[-1] == "conv1"
    last = found.iloc[-1]
    assert last["maps"] == 0 or (abs(last["spearman"]) < 0.5 and last["ssim"] < 0.5)


def test_the_check_finds_a_map_that_shows_the_image_only() -> None:
    """A network whose maps are the image itself keeps its map under random weights of the head: the check has something to find."""

    class Same(Tiny):
        def __init__(self) -> None:
            super().__init__()
            self.maps = nn.Sequential(nn.ReLU())  # no weights: nothing to make random
            self.head = nn.Linear(1, 2)

    torch.manual_seed(0)
    module = Same().eval()
    with torch.no_grad():
        module.head.weight[:] = torch.tensor([[1.0], [-1.0]])

    def fresh(*_: int) -> Same:
        made = Same()
        with torch.no_grad():
            made.head.weight.abs_()
        return made

    found = randomisation_check(module, row(build=fresh, dims=(2,)), batch(3), target=0)
    assert found["spearman"].iloc[-1] == pytest.approx(1)


def test_the_network_of_a_fold_is_explained() -> None:
    """What a step of a plan has trained, and its check; the step still reads its layer afterwards."""
    from isthmus.deep.step import Crops, NetworkStep

    crops, labels, patients = squares(32, 1)
    cells = [Crops(name, one.astype(np.float16)) for name, one in zip(patients, crops, strict=True)]
    read = pd.DataFrame({"age": np.arange(32.0), "@crops": cells}, index=patients)
    encoder = {"network": "resnet10_narrow", "weights": {"origin": "random"}}
    learning = {"epochs": 12, "batch": 8, "learning_rate": 3e-3, "augment": {"probability": 0.0}}
    step = NetworkStep(encoder=encoder, train=learning, random_state=42).fit(read, labels, groups=read.index.to_numpy())
    before = step.transform(read)
    new, classes, _ = squares(8, 2)
    network = NETWORKS["resnet10_narrow"]
    found = explain(step.module(), network, new[classes == 1], method="occlusion", target=1)
    assert found.map[:, :16, :16].sum() / found.map.sum() > 0.5
    table = randomisation_check(step.module(), network, new[classes == 1], layer="layer2", steps=2, draws=1)
    assert table["spearman"].iloc[0] == pytest.approx(1)
    assert step.transform(read).equals(before)


def test_a_sequence_is_explained_as_one() -> None:
    """The slice with the square, and the place in it; one probability for the lesion; attention is 0 where a slice has the least."""
    rng = np.random.default_rng(4)
    lesions = rng.normal(scale=0.3, size=(24, 3, 1, 32, 32)).astype(np.float32)
    labels = np.arange(24) % 2
    lesions[labels == 1, 1, :, 3:11, 3:11] += 1.5
    network = NETWORKS["cnn_lstm"]
    module = build(network, 2, channels=1, size=32, classes=2)
    settings = TrainSettings(epochs=12, batch=8, learning_rate=3e-3, augment=AugmentSettings(probability=0.0))
    with one_torch_thread():
        train(module, lesions, labels, [f"p{i}" for i in range(24)], settings, lengths=np.full(24, 3))
    shown = rng.normal(scale=0.3, size=(3, 1, 32, 32)).astype(np.float32)
    shown[1, :, 3:11, 3:11] += 1.5
    found = explain(module, network, shown, method="occlusion", target=1, patch=8)
    assert (found.map.shape, len(found.probability)) == ((3, 32, 32), 1)
    assert found.map[1, :16, :16].sum() / found.map.sum() > 0.5
    for method in ("grad_cam", "attention"):
        assert explain(module, network, shown, method=method, layer=None, target=1).map.shape == (3, 32, 32)


# ---------------------------------------------------------------------- back onto the image


@pytest.mark.parametrize(("dims", "shape"), [(2, "square"), (2, "box"), (3, "square"), (3, "box")])
def test_a_map_comes_back_to_where_its_crop_was(dims: int, shape: Any) -> None:
    """A ramp that was cropped and brought back is the ramp where the crop was, and NaN elsewhere."""
    k, j, i = np.meshgrid(np.arange(9.0), np.arange(40.0), np.arange(44.0), indexing="ij")
    geometry = Geometry((9, 40, 44), (3.0, 0.8, 1.0))
    mask = np.zeros((9, 40, 44), bool)
    mask[3:6, 12:25, 20:28] = True
    ramp = k + 2 * j + 3 * i
    settings = CropSettings(shape=shape, margin_mm=2, slices="all" if dims == 2 else "largest", window=(-1000, 1000))
    roi = Roi(mask, geometry)
    taken = crops_of(Image(ramp, geometry), roi, settings, dims=dims, size=48, limits=(-1000.0, 1000.0))
    back = on_image(taken, roi, settings, dims=dims)
    there = np.isfinite(back)
    assert there[3 if dims == 2 else slice(3, 6), 12:25, 20:28].all()
    assert not there[: 2 if dims == 2 else 0].any()
    assert not there[:, :, :10].any()
    inner = np.zeros_like(there)
    inner[3:6, 13:24, 21:27] = True  # the edge's half voxel is not interpolated but goes on
    if dims == 3 and shape == "square":
        inner &= (k > 0) & (k < 8)
    np.testing.assert_allclose(back[inner], ramp[inner], atol=0.05 if dims == 2 else 0.6)
