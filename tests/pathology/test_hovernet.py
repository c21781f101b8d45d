"""HoVer-Net: planted maps give their nuclei back, the network's windows do not depend on the tile, and weights are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from isthmus.errors import WeightsError
from isthmus.pathology import PathologySettings, compare_nuclei
from isthmus.pathology.hovernet import PANNUKE, HoverMaps, HoverNet, HoverNetSettings, instances, load_hovernet

SETTINGS = HoverNetSettings(path=Path("none.safetensors"), device="cpu")


def planted() -> tuple[np.ndarray, HoverMaps, list[str]]:
    """Ellipses, four of them touching; the distances run from -1 to 1 over each one's own width."""
    shape = (160, 180)
    labels = np.zeros(shape, np.int32)
    across, down = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    classes = np.zeros((6, *shape), np.float32)
    classes[0] = 1
    y, x = np.mgrid[: shape[0], : shape[1]]
    places = [
        (30, 30, 12, 9, 1),
        (30, 47, 12, 8, 2),
        (53, 38, 11, 14, 3),
        (110, 60, 18, 10, 5),
        (110, 78, 18, 8, 4),
        (60, 130, 10, 20, 1),
    ]
    for number, (j, i, high, wide, kind) in enumerate(places, 1):
        here = (((y - j) / high) ** 2 + ((x - i) / wide) ** 2 <= 1) & (labels == 0)
        labels[here] = number
        across[here], down[here] = ((x - i) / wide)[here], ((y - j) / high)[here]
        classes[:, here] = 0
        classes[kind, here], classes[0, here] = 0.7, 0.3
    return (
        labels,
        HoverMaps((labels > 0) * np.float32(0.9), across, down, classes),
        [PANNUKE[place[4]] for place in places],
    )


def test_planted_maps_give_their_nuclei_back() -> None:
    """All of them, none divided, pixel by pixel but for a rim where two touch."""
    labels, maps, _ = planted()
    agreement = compare_nuclei(labels, instances(maps, SETTINGS)[0])
    assert (agreement.matched, agreement.found, agreement.segmentation_quality > 0.95) == (6, 6, True)


def test_each_nucleus_has_its_class() -> None:
    """The background says most of nothing: the best of the other classes counts."""
    labels, maps, classes = planted()
    found, names, probability = instances(maps, SETTINGS)
    of = {int(found[labels == n][0]): name for n, name in enumerate(classes, 1)}
    assert [names[label - 1] for label in of] == list(of.values())
    assert probability == pytest.approx(0.9)


def test_noise_on_the_maps_divides_no_nucleus() -> None:
    labels, maps, _ = planted()
    draw = np.random.default_rng(0)
    noisy = HoverMaps(
        maps.nucleus,
        maps.across + draw.normal(0, 0.1, labels.shape).astype(np.float32),
        maps.down + draw.normal(0, 0.1, labels.shape).astype(np.float32),
        maps.classes,
    )
    assert compare_nuclei(labels, instances(noisy, SETTINGS)[0]).f1 == 1


def test_another_cut_gives_the_same_nuclei() -> None:
    """Nothing depends on the extremes of the picture."""
    _, maps, _ = planted()
    cut = HoverMaps(maps.nucleus[:90], maps.across[:90], maps.down[:90], maps.classes[:, :90])
    whole, part = instances(maps, SETTINGS)[0], instances(cut, SETTINGS)[0]
    assert np.array_equal(whole[:75] > 0, part[:75] > 0)


class _Stand:
    """In place of the network: answers with the window's own colours, as the network cuts them."""

    def __call__(self, tensor: Any) -> dict[str, Any]:
        inner = tensor[..., 46:-46, 46:-46]
        red = inner[:, :1]
        return {
            "nucleus_prediction": __import__("torch").cat([-red, red], 1),
            "horizontal_vertical": inner[:, :2],
            "type_prediction": inner[:, :1].repeat(1, 6, 1, 1),
        }


def test_windows_cover_a_picture_pixel_by_pixel() -> None:
    """What the network says of a pixel arrives at that pixel, wherever the tile begins."""
    pytest.importorskip("torch")
    rgb = np.random.default_rng(1).integers(0, 256, (300, 421, 3)).astype(np.uint8)
    maps = HoverNet(_Stand(), SETTINGS, "cpu", {}).predict(rgb, 77, 400)
    assert np.allclose(maps.down, rgb[..., 1] / 255, atol=1e-6)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    nets = pytest.importorskip("monai.networks.nets")
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("hover") / "random.safetensors"
    save_file(nets.HoVerNet(mode="fast", out_classes=6).state_dict(), str(path))
    return path


def test_weights_of_a_file_are_recorded_and_run(weights: Path) -> None:
    """Every tensor from the file, its hash kept; one window runs through and the maps have a value everywhere."""
    network = load_hovernet(HoverNetSettings(path=weights, device="cpu", source="random", batch=1))
    maps = network.predict(np.full((60, 70, 3), 200, np.uint8), 200, 200)
    assert (network.record["matched"], network.record["of"], len(network.record["sha256"])) == (667, 667, 64)
    assert np.allclose(maps.classes.sum(0), 1, atol=1e-5)


def _agrees(mode: str, folder: Path) -> None:
    """MONAI's own network, asked by itself, says what ours says of the same window with the same weights."""
    torch = pytest.importorskip("torch")
    nets = pytest.importorskip("monai.networks.nets")
    torch.manual_seed(1)
    module = nets.HoVerNet(mode=mode, out_classes=6).eval()
    # as a training program saves it: a name of the whole before every name, in a table
    torch.save({"state_dict": {f"model.{k}": v for k, v in module.state_dict().items()}}, folder / "saved.pt")
    network = load_hovernet(HoverNetSettings(path=folder / "saved.pt", mode=mode, device="cpu", batch=1))
    rgb = np.random.default_rng(2).integers(0, 256, (network.out, network.out, 3)).astype(np.uint8)
    edge = (network.size - network.out) // 2
    window = np.pad(rgb, ((edge, edge), (edge, edge), (0, 0)), mode="symmetric").transpose(2, 0, 1)[None]
    with torch.no_grad():
        said = {getattr(k, "value", k): v for k, v in module(torch.from_numpy(window.copy()).float() / 255).items()}
    maps = network.predict(rgb)
    assert np.allclose(maps.nucleus, said["nucleus_prediction"].softmax(1)[0, 1], atol=1e-5)
    assert np.allclose(np.stack([maps.across, maps.down]), said["horizontal_vertical"][0], atol=1e-4)
    assert np.allclose(maps.classes, said["type_prediction"].softmax(1)[0], atol=1e-5)


def test_a_loaded_network_is_monais(tmp_path: Path) -> None:
    _agrees("fast", tmp_path)


@pytest.mark.slow
def test_a_loaded_network_of_the_original_size_is_monais(tmp_path: Path) -> None:
    _agrees("original", tmp_path)


def test_a_file_for_the_other_mode_says_so(weights: Path) -> None:
    with pytest.raises(WeightsError, match='it is of mode = "fast"'):
        load_hovernet(HoverNetSettings(path=weights, mode="original", device="cpu"))


def test_the_names_of_other_programs_are_told(tmp_path: Path) -> None:
    """TIAToolbox's and the authors' decoders: what to do stands in the one line."""
    torch = pytest.importorskip("torch")
    torch.save({"desc": {"decoder.np.u3.conva.weight": torch.zeros(1)}}, tmp_path / "tia.pt")
    with pytest.raises(WeightsError, match="isthmus pathology import"):
        load_hovernet(HoverNetSettings(path=tmp_path / "tia.pt", device="cpu"))


def test_a_file_for_other_classes_is_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="the file has 6 classes"):
        load_hovernet(HoverNetSettings(path=weights, classes=("none", "nucleus"), device="cpu"))


def test_another_file_than_the_named_one_is_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="not the file that was named"):
        load_hovernet(HoverNetSettings(path=weights, sha256="0" * 64, device="cpu"))


def test_the_resolution_of_the_weights_is_asked_for() -> None:
    with pytest.raises(ValidationError, match=r"say mpp = 0\.25"):
        PathologySettings.model_validate({"segmenter": "hovernet", "hovernet": {"path": "w.pt"}})
