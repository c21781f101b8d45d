"""Negative controls, shift and sensitivity on a cohort whose truth is known: the texture tells the outcome, the size does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from isthmus.errors import PlanError
from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.study import Plan, Result
from isthmus.study.run import run_study

PATIENTS = 36
PLAN = """
[cohort]
table = "cases.csv"
outcome = "y"
[[features]]
name = "ct"
image = "ct"
bin_width = 25
[clinical]
columns = ["age"]
[[models]]
name = "m"
blocks = ["ct", "clinical"]
estimator = "logistic"
settings = { C = 1.0 }
steps = ["impute", "encode", "variance", "scale", "correlation"]
[validate]
folds = 3
repeats = 2
inner_folds = 3
bootstrap = 100
[audit]
permutations = 0
shift = { noise = [8.0], smooth_mm = [1.5] }
sensitivity = { bin_width = [10], margin_mm = [1] }
"""


def write_cohort(folder: Path) -> Path:
    """Lesions of one size and histogram; with the outcome their texture is coarse, without it fine."""
    rng = np.random.default_rng(7)
    shape = (10, 22, 22)
    geometry = Geometry(shape, (1.0, 1.0, 1.0))
    rows = []
    for number in range(PATIENTS):
        event = number % 2
        radius = rng.uniform(6.0, 8.0)
        k, j, i = np.indices(shape) - np.array([5, 11, 11])[:, None, None, None]
        mask = (2 * k) ** 2 + j**2 + i**2 < radius**2
        noise = rng.normal(size=shape)
        texture = gaussian_filter(noise, 1.2) if event else noise
        values = np.full(shape, -100, dtype=np.int16)
        ranks = np.argsort(np.argsort(texture[mask]))
        values[mask] = np.rint(200 * (ranks / mask.sum() - 0.5))  # the same histogram for everybody
        write_image(Image(values, geometry, quantity="HU"), folder / f"{number}.nii.gz")
        write_labels(LabelImage(mask.astype(np.uint8), geometry), folder / f"{number}_mask.nii.gz")
        rows.append(
            {
                "patient": f"P{number:02d}", "image:ct": f"{number}.nii.gz", "mask:ct": f"{number}_mask.nii.gz",
                "y": event, "age": round(float(rng.uniform(30, 80))),
            }
        )  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "cases.csv", index=False)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder / "plan.toml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("audit")
    return run_study(Plan.read(write_cohort(folder)), folder / "run", workers=1)


@pytest.fixture(scope="module")
def controls(finished: Result) -> pd.DataFrame:
    return finished.tables["controls"].set_index("variant")


def test_every_variant_is_there_once(controls: pd.DataFrame) -> None:
    """Three controls, two shifts, two settings."""
    assert list(controls.index) == [
        "volume alone", "clinical alone", "shuffled voxels", "noise x 8", "smooth 1.5 mm", "bin_width = 10", "margin_mm = 1",
    ]  # fmt: skip


def test_the_texture_is_found(controls: pd.DataFrame) -> None:
    """The study itself separates coarse from fine."""
    assert (controls["auc_study"] > 0.95).all()


def test_shuffled_voxels_take_the_signal_away(controls: pd.DataFrame) -> None:
    """The histogram is the same for everybody, so nothing is left once the voxels change places: the interval holds 0.5."""
    row = controls.loc["shuffled voxels"]
    assert row["lower"] < 0.5 < row["upper"]


def test_the_volume_alone_tells_nothing_here(controls: pd.DataFrame) -> None:
    """Sizes were drawn without looking at the outcome."""
    row = controls.loc["volume alone"]
    assert row["lower"] < 0.5 < row["upper"]


def test_the_clinical_block_alone_tells_nothing_here(controls: pd.DataFrame) -> None:
    """Nor was the age."""
    row = controls.loc["clinical alone"]
    assert row["lower"] < 0.5 < row["upper"]


def test_a_soft_kernel_costs_more_than_another_bin_width(controls: pd.DataFrame) -> None:
    """Smoothing makes every test patient look coarse; a bin width changes little."""
    assert controls.loc["smooth 1.5 mm", "flips"] > 0.2
    assert controls.loc["bin_width = 10", "auc"] > 0.95


def test_the_difference_is_that_of_the_same_folds(controls: pd.DataFrame) -> None:
    """auc - auc_study, fold by fold."""
    np.testing.assert_allclose(controls["difference"], controls["auc"] - controls["auc_study"], atol=1e-12)


def test_the_report_shows_what_remains(finished: Result) -> None:
    """One table, with a heading for each kind."""
    from isthmus.report import write_report

    page = write_report(finished).read_text(encoding="utf-8")
    assert all(
        text in page for text in ("Negative controls", "shuffled voxels", "Images of another scanner", "Leakage rules")
    )


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(finished: Result, tmp_path: Path) -> None:
    """Controls included."""
    other = run_study(Plan.read(write_cohort(tmp_path)), tmp_path / "run", workers=2)
    assert (other.folder / "tables/controls.csv").read_bytes() == (finished.folder / "tables/controls.csv").read_bytes()


def test_a_plan_without_images_says_what_is_not_possible(tmp_path: Path) -> None:
    """Volume and shuffled voxels are named with the reason, not left out in silence."""
    from study.tables import write_study

    result = run_study(Plan.read(write_study(tmp_path)), tmp_path / "run", workers=1)
    notes = result.tables["controls"].set_index("variant")["note"]
    assert notes["volume alone"].startswith("not possible")
    assert notes["shuffled voxels"].startswith("not possible")


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        ('models = ["x"]', r"\[audit\] models: no model 'x'"),
        ("sensitivity = { bin_widht = [10] }", "bin_widht"),
        ("sensitivity = { bin_width = [] }", "bin_width has no values"),
        ("shift = { noise = [-1] }", "every amount must be above 0"),
        ('controls = ["volum"]', "volum"),
        ("permutations = 5\npower = { auc = [0.8] }", "power needs at least 20"),
        ("power = { auc = [1.5] }", "AUCs between 0.5 and 1"),
    ],
)
def test_a_wrong_wish_is_refused_before_anything_runs(audit: str, message: str) -> None:
    """Each names the key."""
    text = PLAN[: PLAN.index("[audit]")] + "[audit]\n" + audit
    import tomllib

    with pytest.raises(PlanError, match=message):
        Plan.parse(tomllib.loads(text))
