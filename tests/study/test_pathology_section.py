"""[pathology] of a plan: slides are measured by the run and stand beside the out-of-fold risk groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.study import Plan, Result
from isthmus.study.pathology_section import measure_slides, nuclei_table_of
from isthmus.study.run import run_study
from isthmus.synthetic.slides import SlidePlan, write_slide

pytest.importorskip("openslide")

SLIDES = {
    "slides": "slides.csv", "samples": 2, "sample": 128, "tissue": {"least_piece_um2": 500}, "hypotheses": ["all_area_cv"],
}  # fmt: skip


def _document(folder: Path) -> dict[str, Any]:
    """Eighteen patients; the spread of their nuclei follows what the image feature and the outcome show. One has two slides."""
    rng = np.random.default_rng(4)
    names = [f"P{n:02d}" for n in range(18)]
    z = rng.permutation(np.linspace(-1.5, 1.5, len(names)))
    rows = [(name, f"{name}.tif", spread) for name, spread in zip(names, z, strict=True)] + [("P00", "P00b.tif", z[0])]
    for number, (_, file, spread) in enumerate(rows):
        plan = SlidePlan(
            rows=192, columns=192, margin_um=6, heterogeneity=0.2 + 0.1 * spread, spacing_um=14, seed=number
        )
        write_slide(folder / file, plan)
    pd.DataFrame([row[:2] for row in rows], columns=["patient", "slide"]).to_csv(folder / "slides.csv", index=False)
    table = pd.DataFrame(
        {"ID": names, "y": (z > 0).astype(int), "f0": z + rng.normal(0, 0.3, 18), "f1": rng.normal(size=18)}
    )
    table.to_csv(folder / "features.csv", index=False)
    return {
        "table": {"path": "features.csv", "id": "ID", "outcome": "y"},
        "models": [{"name": "logistic", "estimator": "logistic"}],
        "validate": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 100},
        "audit": {"permutations": 0},
        "pathology": SLIDES,
    }


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    folder = tmp_path_factory.mktemp("slides")
    return folder, Plan.parse(_document(folder), base=folder)


@pytest.fixture(scope="module")
def found(planned: tuple[Path, Plan]) -> Result:
    return run_study(planned[1], planned[0] / "run", workers=1)


def test_the_spread_of_nuclei_stands_beside_the_risk_groups(found: Result) -> None:
    """All patients are compared, and the hypothesis points the way it was planted."""
    groups = found.tables["biology_pathology_groups"].set_index("feature")
    row = groups.loc["all_area_cv"]
    assert (row["n_low"] + row["n_high"], row["family"]) == (18, "prespecified")
    assert row["cliffs_delta"] > 0.3


def test_two_slides_of_a_patient_are_one_row(planned: tuple[Path, Plan], found: Result) -> None:
    """Weighted by their nuclei; counts are summed."""
    folder = planned[0] / "run" / "pathology"
    slides = pd.read_csv(folder / "summary.csv").set_index("patient").loc["P00"]
    patient = pd.read_csv(folder / "patients.csv").set_index("patient").loc["P00"]
    assert patient["slides"] == 2
    assert patient["all_count"] == slides["all_count"].sum()
    mean = np.average(slides["all_area_mean"], weights=slides["all_count"])
    assert patient["all_area_mean"] == pytest.approx(mean, rel=1e-6)


def test_the_report_says_how_many_slides_and_where_their_pictures_are(found: Result) -> None:
    said = found.tables["biology"].query("table == 'pathology'")["sentence"].iloc[0]
    assert said.startswith("19 slides of 18 patients with ")
    assert "pathology/<slide>/overlay.png" in said


def test_the_methods_tell_of_slides_and_groups(found: Result) -> None:
    """How tissue and nuclei were found, whose risk groups, which tests: nothing that is not in the plan."""
    from isthmus.report.manuscript import draft

    text = draft(found).markdown("x")
    assert "Stained slides were read at 0.5 micrometres per pixel" in text
    assert "low and a high risk group by the risk of logistic, by the model's own threshold" in text
    assert "Features named beforehand were a family of their own" in text


def test_what_is_measured_is_not_measured_again(planned: tuple[Path, Plan], found: Result) -> None:
    """A second call leaves the files as they are."""
    file = planned[0] / "run" / "pathology" / "patients.csv"
    before = file.stat().st_mtime_ns
    measure_slides(planned[1], planned[0] / "run", workers=1)
    assert file.stat().st_mtime_ns == before


def test_a_column_that_is_not_there_is_named(planned: tuple[Path, Plan], found: Result) -> None:
    folder, plan = planned
    other = Plan.parse({**plan.document(), "pathology": {**SLIDES, "columns": ["all_area_cw"]}}, base=folder)
    with pytest.raises(TableError, match="Did you mean 'all_area_cv'"):
        nuclei_table_of(other, folder / "run")


def test_biology_without_a_table_is_refused(planned: tuple[Path, Plan], tmp_path: Path) -> None:
    """Neither tables nor slides: nothing could be compared."""
    folder, plan = planned
    document = {key: value for key, value in plan.document().items() if key != "pathology"}
    with pytest.raises(PlanError, match="names no table"):
        run_study(Plan.parse({**document, "biology": {}}, base=folder), tmp_path / "run", workers=1)
