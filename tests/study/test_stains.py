"""`isthmus pathology stains`: the cohort's middle, the quality of densities, pictures before and after."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from isthmus.cli.app import app
from isthmus.errors import PlanError
from isthmus.pathology import RUIFROK, cohort_colours
from isthmus.pathology.reinhard import Colours
from isthmus.pathology.stain import BACKGROUND

pytest.importorskip("openslide")

QUICK = ["--mpp", "0.5", "--set", "samples=3", "--set", "sample=96", "--set", "tile=128"]
QUICK += ["--set", "tissue.mpp=2", "--set", "tissue.least_piece_um2=200", "--set", "tissue.most_hole_um2=100"]


def run(*arguments: object) -> int:
    return (
        CliRunner().invoke(app, ["pathology", "stains", *(str(a) for a in arguments)], catch_exceptions=False).exit_code
    )


def picture(path: Path, strength: float) -> None:
    """Tissue in glass, in which each stain is now and then nearly alone."""
    draw = np.random.default_rng(1)
    amount = np.zeros((200, 220, 2))
    kinds = np.kron(draw.integers(0, 3, (20, 22)), np.ones((10, 10), dtype=int))[..., None]
    mixed = np.array([[1.6, 0.4], [0.4, 1.6], [1.0, 1.0]])[kinds[..., 0]] * draw.uniform(0.8, 1.2, (200, 220, 1))
    amount[24:-24, 24:-24] = strength * mixed[24:-24, 24:-24]
    rgb = np.clip(np.rint(BACKGROUND * np.exp(-(amount @ RUIFROK.vectors.T))), 0, 255).astype(np.uint8)
    Image.fromarray(rgb).save(path)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stains")
    for name, strength in (("pale", 0.7), ("middle", 1.0), ("strong", 1.5)):
        picture(folder / f"{name}.png", strength)
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "slides.csv").write_text("patient,slide\nA,pale.png\nB,middle.png\nC,strong.png\nD,broken.png\n")
    assert run("--slides", folder / "slides.csv", "--out", folder / "out", "--tiles", *QUICK) == 1
    return folder


def mean_density(path: Path) -> float:
    with Image.open(path) as opened:
        rgb = np.asarray(opened.convert("RGB")).astype(float)
    return float(-np.log(np.maximum(rgb, 1) / BACKGROUND).mean())


def test_the_cohorts_middle_is_the_reference(cohort: Path) -> None:
    """Median of a pale, a middle and a strong slide: the middle one, whose distance is 0."""
    said, table = (
        json.loads((cohort / "out" / "reference.json").read_text()),
        pd.read_csv(cohort / "out" / "stains.csv"),
    )
    assert (said["nearest"], said["slides"]) == ("middle", ["pale", "middle", "strong"])
    assert table.set_index("slide")["distance"]["middle"] == pytest.approx(0, abs=0.02)


def test_stronger_slides_have_stronger_stains(cohort: Path) -> None:
    table = pd.read_csv(cohort / "out" / "stains.csv").set_index("slide")
    ratio = table.loc["strong", "haematoxylin_strongest"] / table.loc["pale", "haematoxylin_strongest"]
    assert ratio == pytest.approx(1.5 / 0.7, rel=0.1)
    assert table["density_glass"].abs().max() < 0.05


def test_slides_are_alike_after_normalisation(cohort: Path) -> None:
    """Mean density of the pale and the strong slide: over 60 % apart before, within 6 % after."""
    before, after = (
        [mean_density(cohort / "out" / name / f"{when}.png") for name in ("pale", "strong")]
        for when in ("before", "after")
    )
    assert before[1] / before[0] > 1.6
    assert after[1] == pytest.approx(after[0], rel=0.06)


def test_every_tile_is_written(cohort: Path) -> None:
    files = sorted((cohort / "out" / "pale" / "tiles").glob("*.png"))
    shapes = [np.asarray(Image.open(path).convert("L")).shape for path in files]
    assert shapes == [(128, 128), (128, 92), (72, 128), (72, 92)]


def test_a_broken_slide_is_listed(cohort: Path) -> None:
    assert pd.read_csv(cohort / "out" / "failed.csv")["slide"].tolist() == ["broken"]


@pytest.mark.parametrize("method", ["macenko", "vahadane", "reinhard"])
def test_a_slide_is_brought_to_a_given_one(cohort: Path, tmp_path: Path, method: str) -> None:
    """The strong slide with the pale one as reference becomes nearly as pale, by every method."""
    arguments = ["--slide", cohort / "strong.png", "--out", tmp_path, "--method", method, *QUICK]
    assert run(*arguments, "--reference", cohort / "pale.png", "--reference-mpp", 0.5) == 0
    assert mean_density(tmp_path / "after.png") == pytest.approx(
        mean_density(cohort / "out" / "pale" / "before.png"), rel=0.08
    )


def test_an_earlier_reference_serves_again(cohort: Path, tmp_path: Path) -> None:
    """Slides that come later go to the development slides' reference: the same picture as before."""
    reference = cohort / "out" / "reference.json"
    run("--slide", cohort / "strong.png", "--out", tmp_path, "--reference", reference, *QUICK)
    assert (tmp_path / "after.png").read_bytes() == (cohort / "out" / "strong" / "after.png").read_bytes()


def test_a_reference_of_another_method_is_refused(cohort: Path, tmp_path: Path) -> None:
    given = ["--reference", cohort / "out" / "reference.json", "--method", "reinhard"]
    with pytest.raises(PlanError, match="is a reference for macenko"):
        run("--slide", cohort / "strong.png", "--out", tmp_path, *given, *QUICK)


def test_unknown_methods_are_refused(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="did you mean macenko|expected one of macenko"):
        run("--slide", cohort / "strong.png", "--out", tmp_path, "--method", "mackenko")


def test_colours_have_a_middle_too() -> None:
    """One vote a centre."""
    each = [Colours(np.full(3, value), np.ones(3)) for value in (1.0, 1.0, 3.0)]
    assert cohort_colours(each, ["A", "A", "B"]).mean == pytest.approx([2, 2, 2])
