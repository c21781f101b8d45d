"""`isthmus habitat`: one lesion, and a table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.habitat.case import case_columns
from isthmus.image.io import read_labels
from isthmus.report.figures import _canvas, _save
from isthmus.select.repeats import read_repeats
from isthmus.study.heterogeneity import habitat_to_folder, heterogeneity_settings

Cli = Callable[..., int]
QUICK = [
    "--set",
    "ited.resamples=0",
    "--set",
    "ith3d.resamples=0",
    "--set",
    "ith2d.clusters=[3]",
    "--set",
    "features.bin_width=20",
]


@pytest.fixture(scope="module")
def one(good_cohort: Path) -> tuple[Path, Path]:
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    return good_cohort / case["image:ct"], good_cohort / case["mask:ct"]


@pytest.fixture
def coarse(printed: None) -> Iterator[None]:
    """Figures drawn quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_save, "DPI", 30)
        patch.setitem(_canvas.RC, "pdf.fonttype", 3)
        yield


def test_one_case(one: tuple[Path, Path], cli: Cli, coarse: None, tmp_path: Path) -> None:
    """A row with every column, two label maps on one grid (clusters name supervoxels), and the figures."""
    assert cli("habitat", "--image", one[0], "--mask", one[1], *QUICK, "--out", tmp_path) == 0
    table = pd.read_csv(tmp_path / "features.csv")
    assert table.columns.tolist() == ["patient", *case_columns(heterogeneity_settings(QUICK[1::2]))]
    pieces, clusters = (read_labels(tmp_path / f"{name}.nii.gz").values for name in ("supervoxels", "clusters"))
    assert (pieces.max(), clusters.max()) == (table["supervoxels"][0], table["ith3d_clusters"][0])
    np.testing.assert_array_equal(pieces > 0, clusters > 0)
    assert {path.stem for path in tmp_path.glob("*.svg")} == {"heterogeneity", "multi_resolution"}


def _broken(*_: object) -> None:
    raise RuntimeError("no paper")


def test_a_figure_that_fails_costs_no_number(one: tuple[Path, Path], tmp_path: Path) -> None:
    """It is a reason like any other."""
    image, mask = one
    assert habitat_to_folder(tmp_path, image=image, mask=mask, settings=QUICK[1::2], workers=1, draw=_broken) == 0
    assert pd.read_csv(tmp_path / "features.csv")["supervoxels"].notna().all()
    reasons = pd.read_csv(tmp_path / "reasons.csv").set_index("column")["reason"]
    assert reasons["figures"] == "not drawn (RuntimeError: no paper)"


def test_many_cases_and_one_that_fails(good_cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """A missing file costs its row: NaN, a reason, exit code 1; the others are the same for one worker and two."""
    cases = pd.read_csv(good_cohort / "cases.csv", dtype="str").iloc[:3]
    cases.loc[cases.index[1], "image:ct"] = "gone.nii.gz"
    cases.to_csv(tmp_path / "cases.csv", index=False)
    bytes_of = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        args = ["--cases", tmp_path / "cases.csv", "--root", good_cohort, *QUICK, "--workers", workers, "--out", out]
        assert cli("habitat", *args) == 1
        bytes_of.append((out / "features.csv").read_bytes())
    assert not list(out.rglob("*.svg"))
    table = pd.read_csv(out / "features.csv")
    reasons = pd.read_csv(out / "reasons.csv")
    assert bytes_of[0] == bytes_of[1]
    assert table["ited_firstorder_Mean"].isna().tolist() == [False, True, False]
    assert reasons.loc[reasons["column"].isna(), "reason"].str.contains("gone.nii.gz").tolist() == [True]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--set", "volume_mm3=3"],
        ["--set", "supervoxels.volume=3"],
        ["--set", "ited.variant=best"],
        ["--cases", "c.csv"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_for(one: tuple[Path, Path], cli: Cli, tmp_path: Path, wrong: list[str]) -> None:
    """Exit code 2, and nothing is written."""
    assert cli("habitat", "--image", one[0], "--mask", one[1], *wrong, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_window_and_bins_hold_for_the_slice_too() -> None:
    """Unless it is given its own."""
    found = heterogeneity_settings(["supervoxels.window=[-150, 350]", "features.bin_width=10", "ith2d.bin_width=5"])
    assert (found.ith2d.window, found.ith2d.bin_width, found.features.bin_width) == ((-150, 350), 5, 10)


def test_perturbed_lesions_are_a_table_of_repeats(one: tuple[Path, Path], cli: Cli, tmp_path: Path) -> None:
    """A row as drawn and one a perturbation, other numbers in it; [select] reliability reads the table."""
    perturbed = ["--perturb", "volumes=[-0.1]", "--perturb", "noise=true"]
    assert (
        cli("habitat", "--image", one[0], "--mask", one[1], *QUICK, *perturbed, "--no-figures", "--out", tmp_path) == 0
    )
    table = read_repeats(tmp_path / "features.csv")
    values = table["ited_firstorder_Mean_sd"]
    assert (len(table), table["repeat"].nunique(), values.notna().all(), values.nunique()) == (2, 2, True, 2)
