"""The volume of the lesion in a study on images: said of every block, and known to the steps that ask for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus.errors import PlanError
from isthmus.report.tables import TABLES
from isthmus.study import Plan, Result
from isthmus.study.apply import apply_model
from isthmus.study.model import Model
from isthmus.study.run import run_study
from study.structured import write_structured_study
from study.tables import feature_table, write_study

PLAN = """
[cohort]
table = "cases.csv"
outcome = "two_tissues"

[[features]]
name = "ct"
image = "ct"
families = ["shape", "firstorder"]

[[models]]
name = "m"
estimator = "logistic"
settings = { C = 1.0 }
steps = ["volume_correlation", "volume_adjust", "impute", "scale", "correlation", { name = "univariate", k = 3 }]

[validate]
folds = 2
repeats = 1
inner_folds = 2
bootstrap = 100

[audit]
permutations = 0
controls = []
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("volume")
    write_structured_study(folder, patients=24)
    (folder / "plan.toml").write_text(PLAN)
    return run_study(Plan.read(folder / "plan.toml"), folder / "run", workers=1)


def test_every_feature_stands_beside_the_volume(finished: Result) -> None:
    """What is the volume by another name has rho 1; the mean density has not."""
    table = finished.tables["volume_dependence"].set_index("feature")
    assert set(table["block"]) == {"ct"}
    assert table.loc["original_shape_VoxelVolume", "rho"] == pytest.approx(1)
    mean = table.loc["original_firstorder_Mean"]
    assert mean["lower"] < abs(mean["rho"]) < 0.9
    assert table.loc["original_shape_MeshVolume", "vif_volume"] > 10


def test_the_steps_know_the_volume(finished: Result) -> None:
    """Features that are the volume in other words are in no model, and the reason is listed."""
    dropped = finished.tables["dropped"].set_index("feature")["reason"]
    assert "with the volume (lesion_ml)" in dropped["original_shape_VoxelVolume"]
    assert not {"original_shape_VoxelVolume", "original_shape_MeshVolume"} & set(finished.selected["feature"])


def test_new_images_bring_their_volume(finished: Result) -> None:
    """The model applied to the same images gives the predictions of the run."""
    found = apply_model(Model.load(finished.folder / "model.isthmus"), finished.folder.parent / "cases.csv", workers=1)
    run = finished.predictions.query("split == 'train'").set_index("patient")["probability"]
    again = found.predictions.set_index("patient")["probability"]
    np.testing.assert_allclose(again.loc[run.index], run, atol=1e-12)


def test_the_table_of_the_report_has_a_row_a_block(finished: Result) -> None:
    """How many features, and how many are the volume in other words."""
    found = TABLES["volume_dependence"].view(finished)
    assert found is not None
    (row,) = found.frame.to_dict("records")
    assert (row["Block"], row["Features"], int(row["|ρ| ≥ 0.9"]) >= 4) == ("ct", "32", True)


@pytest.mark.slow
def test_the_report_says_it(finished: Result) -> None:
    """In a section of its own."""
    page = isthmus.report(finished).read_text()
    assert "which features are the volume in other words?" in page


def test_a_table_without_images_has_no_volume(tmp_path: Path) -> None:
    """A step that asks for it is told so before anything is fitted."""
    plan = """
    [table]
    path = "features.csv"
    outcome = "outcome"
    ignore = ["centre"]
    [[models]]
    name = "m"
    estimator = "logistic"
    steps = ["volume_correlation", "impute", "scale"]
    """
    with pytest.raises(PlanError, match="'lesion_ml', which nothing says of a patient"):
        run_study(Plan.read(write_study(tmp_path, feature_table(), plan)), tmp_path / "run", workers=1)
