"""`isthmus deep explain`: maps on the image's grid, a figure, the check, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.weights import save
from isthmus.image.io import read_image

Cli = Callable[..., int]
SMALL = ["--network", "resnet10_narrow", "--set", "crop.size=64", "--set", "crop.margin_mm=4"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights with a head for three classes."""
    path = tmp_path_factory.mktemp("weights") / "narrow.safetensors"
    save(build(NETWORKS["resnet10_narrow"], 2, channels=1, size=64, classes=3, seed=3), path)
    return path


@pytest.fixture(scope="module")
def one(good_cohort: Path) -> list[object]:
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    return ["--image", good_cohort / case["image:ct"], "--mask", good_cohort / case["mask:ct"]]


def test_maps_and_figure(one: list[object], weights: Path, printed: None, cli: Cli, tmp_path: Path) -> None:
    """A volume a method, from 0 to 1 where the network looked and NaN elsewhere, on the image's grid; facts, figure, check."""
    methods = ["--method", "grad_cam", "--method", "occlusion", "--set", "crop.slices=2", "--check"]
    assert cli("deep", "explain", *one, *SMALL, "--weights", weights, "--class", 2, *methods, "--out", tmp_path) == 0
    image = read_image(Path(str(one[1])))
    for name in ("grad_cam", "occlusion"):
        volume = read_image(tmp_path / f"{name}.nii.gz")
        assert image.geometry.difference(volume.geometry) is None
        seen = np.isfinite(volume.values)
        assert seen.any(axis=(1, 2)).sum() == 2
        assert 0 <= volume.values[seen].min() <= volume.values[seen].max() <= 1
    facts = json.loads((tmp_path / "explanation.json").read_text())
    assert [(one["method"], one["target"], len(one["probability"])) for one in facts["maps"]] == [
        ("grad_cam", 2, 2),
        ("occlusion", 2, 2),
    ]
    assert facts["called"] == "explanation of a trained network"
    assert pd.read_csv(tmp_path / "randomisation.csv").groupby("method")["step"].max().to_dict() == {
        "grad_cam": 9,
        "occlusion": 9,
    }
    assert {path.suffix for path in tmp_path.glob("network_maps.*")} == {".csv", ".svg", ".pdf", ".png"}
    assert "UNTRAINED" not in (tmp_path / "network_maps.svg").read_text()


def test_an_untrained_network_says_so(one: list[object], cli: Cli, tmp_path: Path) -> None:
    """In the facts and in the figure."""
    assert cli("deep", "explain", *one, *SMALL, "--weights", "random", "--out", tmp_path) == 0
    assert json.loads((tmp_path / "explanation.json").read_text())["called"] == "explanation of an untrained network"
    assert "UNTRAINED network" in (tmp_path / "network_maps.svg").read_text()


def test_the_head_of_the_file_is_the_one_explained(one: list[object], weights: Path, cli: Cli, tmp_path: Path) -> None:
    """The probability is that of the module that was saved."""
    assert cli("deep", "explain", *one, *SMALL, "--weights", weights, "--class", 1, "--out", tmp_path) == 0
    from isthmus.deep import seen
    from isthmus.deep.train import predict
    from isthmus.roi import read_roi
    from isthmus.study.deep import deep_extract_settings

    settings = deep_extract_settings(
        network="resnet10_narrow", weights="random", settings=["crop.size=64", "crop.margin_mm=4"]
    )
    image = read_image(Path(str(one[1])))
    crops = seen(image, read_roi(Path(str(one[3])), image), settings.deep)
    module = build(NETWORKS["resnet10_narrow"], 2, channels=1, size=64, classes=3, seed=3)
    found = json.loads((tmp_path / "explanation.json").read_text())["maps"][0]["probability"]
    np.testing.assert_allclose(found, predict(module, crops)[:, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--method", "gradcam"], "grad_cam"),
        (["--class", "3"], "tells 3 classes apart"),
        (["--layer", "avgpool"], "one place"),
        (["--method", "attention"], "no attention"),
    ],
)
def test_what_is_refused(
    one: list[object],
    weights: Path,
    cli: Cli,
    tmp_path: Path,
    wrong: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and the reason; nothing is written."""
    assert cli("deep", "explain", *one, *SMALL, "--weights", weights, *wrong, "--out", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_without_a_head_is_refused(
    one: list[object], cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It tells no classes apart."""
    import safetensors.torch

    state = build(NETWORKS["resnet10_narrow"], 2, channels=1, size=64, seed=3).state_dict()
    path = tmp_path / "body.safetensors"
    safetensors.torch.save_file({name: tensor for name, tensor in state.items() if not name.startswith("fc.")}, path)
    assert cli("deep", "explain", *one, *SMALL, "--weights", path, "--out", tmp_path / "out") != 0
    assert "holds no head (fc)" in capsys.readouterr().err
