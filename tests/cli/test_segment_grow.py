"""`isthmus segment grow`, and on from its mask: features that note where it comes from, agreement with the drawn one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.image.io import read_image, read_labels

Cli = Callable[..., int]


def test_from_a_click_to_features(
    cli: Cli, good_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A lesion of the synthetic neck CT from one click in millimetres: near the truth, on the image's grid, noted as semi-automatic."""
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    image, drawn = good_cohort / case["image:ct"], good_cohort / case["mask:ct"]
    scan, truth = read_image(image), read_labels(drawn)
    middle = np.argwhere(truth.values > 0).mean(axis=0).round()
    click = ",".join(f"{x:.3f}" for x in (scan.geometry.affine @ [*middle, 1])[:3])
    grown = tmp_path / "grown.nii.gz"
    given = ["--image", image, "--inside", click, "--set", "reach_mm=25", "--set", "denoise_mm=1"]
    assert cli("segment", "grow", *given, "--out", grown) == 0
    assert capsys.readouterr().out.split() == [str(grown), str(tmp_path / "grown.origin.json")]
    assert read_labels(grown).geometry.difference(scan.geometry) is None
    assert cli("segment", "assess", "--reference", drawn, "--prediction", grown, "--out", tmp_path / "a.csv") == 0
    dice = pd.read_csv(tmp_path / "a.csv").set_index("metric").loc["dice", "value"]
    assert dice > 0.5  # one click, nothing clicked outside
    assert cli("extract", "--image", image, "--mask", grown, "--out", tmp_path / "features.csv") == 0
    assert "the mask is semi-automatic (growcut)" in caplog.text + capsys.readouterr().err


def test_a_wrong_method_is_told(
    cli: Cli, good_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With those there are, as an error of the user's, not a fault."""
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    image = good_cohort / case["image:ct"]
    given = ["--image", image, "--inside", "5,5,5", "--voxels", "--method", "magic"]
    assert cli("segment", "grow", *given, "--out", tmp_path / "m.nii.gz") == 2
    assert "method 'magic' is not known" in capsys.readouterr().err
