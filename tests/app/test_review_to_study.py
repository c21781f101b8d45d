"""From drawn masks through the review to a study: a plan runs on the `cases.csv` that the review leaves, on the masks that stand."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from app.client import client_of
from app.test_review import Page
from isthmus.app.settings import AppSettings
from isthmus.cli.app import app
from isthmus.image import Geometry, Image
from isthmus.image.io import read_labels, write_image
from isthmus.study import Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.run import run_study

PLAN = """
[cohort]
table = "reviewed/cases.csv"
outcome = "y"

[[features]]
name = "mr"
image = "mr"
profile = "pyradiomics"
features = ["shape_VoxelVolume", "firstorder_Mean"]
bin_width = 10

[[models]]
name = "logistic"
estimator = "logistic"
settings = { C = 1.0 }

[validate]
folds = 2
repeats = 1
inner_folds = 2
bootstrap = 100

[audit]
permutations = 0
controls = []
"""
EDITED, REJECTED, UNDECIDED = "p03", "p05", "p07"


def _command(*words: object) -> str:
    said = CliRunner().invoke(app, [str(word) for word in words])
    assert said.exit_code in (0, 1), said.output
    return said.output


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve images without a mask; masks grown from a click each, reviewed in the application as its page does, and exported."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "images").mkdir()
    k, j, i = np.ogrid[:6, :20, :20]
    names = [f"p{number:02d}" for number in range(12)]
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        inside = ((k - 3) * 2) ** 2 + (j - 10) ** 2 + (i - 10) ** 2 <= 12 + 4 * (number % 4)
        values = np.round(rng.normal(0, 8, inside.shape) + inside * (90 + 30 * (number % 2))).astype(np.int16)
        write_image(Image(values, Geometry(inside.shape, (2.0, 1.0, 1.0))), folder / "images" / f"{name}.nii.gz")
    table = pd.DataFrame(
        {"patient": names, "y": [n % 2 for n in range(12)], "image:mr": [f"images/{n}.nii.gz" for n in names]}
    )
    table.to_csv(folder / "cases.csv", index=False)
    (folder / "seeds.csv").write_text("case,k,j,i\n" + "".join(f"{name},3,10,10\n" for name in names))
    _command(
        "segment", "grow", "--cases", folder / "cases.csv", "--seeds", folder / "seeds.csv", "--method", "threshold",
        "--set", "rule=fixed", "--set", "lower=50", "--out", folder / "grown",
    )  # fmt: skip
    cases = folder / "grown" / "cases.csv"
    page = Page(client_of(AppSettings(study=folder, cases=cases, port=8124)), "AB")
    for name in names:
        if name == EDITED:
            assert page.edit(name, "8,12,8,12,2,4").status_code == 200
        elif name == REJECTED:
            assert page.decide(page.open(name), "rejected", comment="a vessel").status_code == 200
        elif name != UNDECIDED:
            assert page.decide(page.open(name), "accepted").status_code == 200
    _command("review", "export", "--cases", cases, "--study", folder, "--out", folder / "reviewed")
    (folder / "plan.toml").write_text(PLAN)
    return folder


@pytest.fixture(scope="module")
def found(study: Path) -> Result:
    return run_study(Plan.read(study / "plan.toml"), study / "run", workers=1)


def test_check_names_the_cases_without_a_mask_that_stands(study: Path) -> None:
    """One line each, with what became of it in the review; nothing else is wrong."""
    lines = [str(one) for one in check_plan(study / "plan.toml", workers=1).problems if one.severity != "note"]
    assert [(name in line, status in line) for line, (name, status) in zip(
        lines, [(REJECTED, "rejected in the review"), (UNDECIDED, "undecided in the review")], strict=True,
    )] == [(True, True)] * 2  # fmt: skip


def test_what_does_not_stand_is_excluded_with_its_reason(found: Result) -> None:
    """At the step of the files, and all others are in the study."""
    out = found.cases[found.cases["status"] == "excluded"].set_index("row")[["step", "reason"]]
    assert out.to_dict("index") == {
        REJECTED: {"step": "files", "reason": "mask:mr: rejected in the review"},
        UNDECIDED: {"step": "files", "reason": "mask:mr: undecided in the review"},
    }


def test_features_are_of_the_reviewed_masks(study: Path, found: Result) -> None:
    """Of the edited case what the reader drew, of an accepted one what was grown: voxels of 2 mm3."""
    values = pd.read_parquet(study / "run" / "features" / "mr.parquet").set_index("patient")[
        "original_shape_VoxelVolume"
    ]
    reader = next((study / "review").rglob("*.nii.gz"))
    assert values[[EDITED, "p00"]].tolist() == [
        2.0 * (read_labels(path).values > 0).sum() for path in (reader, study / "grown" / "p00.nii.gz")
    ]


def test_a_section_segment_does_not_draw_again_what_was_rejected(study: Path, tmp_path: Path) -> None:
    """Its cell is empty and yet it is not missing; where masks come from is what the review wrote."""
    shutil.copy(study / "seeds.csv", tmp_path / "seeds.csv")
    text = PLAN.replace("reviewed/cases.csv", str(study / "reviewed" / "cases.csv"))
    (tmp_path / "plan.toml").write_text(
        f'{text}\n[segment]\nmethod = "threshold"\nseeds = "seeds.csv"\nsettings = {{ rule = "fixed", lower = 50 }}\n'
    )
    run = run_study(Plan.read(tmp_path / "plan.toml"), tmp_path / "run", workers=1)
    cases = run.cases.fillna({"mask_origin": ""}).set_index("row")
    assert (cases.loc[[REJECTED, UNDECIDED], "step"].tolist(), cases.loc[[EDITED, "p00", REJECTED], "mask_origin"].tolist()) == (
        ["files", "files"], ["edited", "semi-automatic", ""],
    )  # fmt: skip
