"""[biology]: tables of slides, proteins and stains beside the out-of-fold risk groups of a run, from the plan to the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.report import write_report
from isthmus.report.figures import _save
from isthmus.study import Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.run import run_study
from isthmus.synthetic.biology import PLANTED, draw_biology
from study.outcomes import document as other_outcome

TABLES = [
    {"name": "nuclei", "path": "nuclei.csv", "hypotheses": ["area_cv"]},
    {"name": "proteins", "path": "proteins.csv"},
    {"name": "stains", "path": "stains.csv", "kind": "stains"},
]


def _document(folder: Path, strength: float) -> dict[str, Any]:
    """An image phenotype that two features and the outcome follow, and its biology; three patients have biology only."""
    rng = np.random.default_rng(3)
    names = [f"P{i:03d}" for i in range(123)]
    z = pd.Series(rng.normal(size=123), index=names)
    draw_biology(z, strength=strength, seed=2).write(folder)
    table = pd.DataFrame({"ID": names, "y": (z + 0.5 * rng.logistic(size=123) > 0).astype(int).to_numpy()})
    for j in range(6):
        table[f"f{j}"] = rng.normal(size=123) * (0.5 if j < 2 else 1) + (z.to_numpy() if j < 2 else 0)
    table.iloc[:120].to_csv(folder / "features.csv", index=False)
    return {
        "table": {"path": "features.csv", "id": "ID", "outcome": "y"},
        "models": [{"name": "lasso", "estimator": "lasso"}],
        "validate": {"folds": 4, "repeats": 2, "inner_folds": 3, "bootstrap": 100},
        "audit": {"permutations": 0},
        "biology": {"tables": TABLES},
    }


def _run(folder: Path, strength: float) -> Result:
    return run_study(Plan.parse(_document(folder, strength), base=folder), folder / "run", workers=1)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return _run(tmp_path_factory.mktemp("biology"), 1.2)


@pytest.mark.parametrize("table", ["nuclei", "proteins"])
def test_planted_features_differ_between_risk_groups(table: str, found: Result) -> None:
    """Those that follow the image phenotype, at a false discovery rate of 5 %, and nearly no other."""
    groups = found.tables[f"biology_{table}_groups"].set_index("feature")
    hits = set(groups.index[groups["fdr"] < 0.05])
    assert hits >= set(PLANTED[table])
    assert len(hits) <= len(PLANTED[table]) + 2


def test_planted_stains_are_lower(found: Result) -> None:
    """In the high risk group."""
    markers = found.tables["biology_stains_markers"].set_index("marker").loc[list(PLANTED["stains"])]
    assert (markers["fdr"] < 0.05).all()
    assert (markers["cliffs_delta"] < 0).all()


def test_image_and_biology_correlate_as_blocks(found: Result) -> None:
    """The model's selected features beside the nuclei."""
    assert found.tables["biology_nuclei_blocks"]["p"].max() < 0.05
    assert set(found.tables["biology_nuclei_correlations"]["left"]) <= {f"f{j}" for j in range(6)}


def test_the_report_is_of_the_compared_patients_and_fits_a_page(found: Result) -> None:
    """Figures say how many are low and high; p and false discovery rate stand in a table of at most eleven columns."""
    from isthmus.report.biology.run import biology_parts

    parts = biology_parts(found)
    assert all(part.who.startswith("n = ") for part in parts if part.figure)
    view = next(part.view for part in parts if part.view is not None)
    assert view.frame.shape[1] <= 11
    assert {"p", "FDR", "Cliff's delta (95 %)"} <= set(view.frame.columns)


def test_groups_are_out_of_fold(found: Result) -> None:
    """A patient's group is that of his cross-validated risks, by the thresholds of their folds; patients outside the study take no part."""
    cv = found.predictions[found.predictions["split"] == "cv"].merge(found.thresholds, on=["model", "repeat", "fold"])
    high = (cv["probability"] >= cv["threshold"]).groupby(cv["patient"]).mean() >= 0.5
    groups = found.tables["biology_nuclei_groups"]
    assert groups.loc[0, ["n_low", "n_high"]].tolist() == [int((~high).sum()), int(high.sum())]
    assert "120 of 123 patients of the table" in found.tables["biology"]["sentence"].iloc[0]


def test_the_report_shows_it(found: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences, figures and tables of every table in a part of their own."""
    monkeypatch.setattr(_save, "DPI", 20)
    page = write_report(found, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Biology beside the risk groups" in page
    for name in ("biology_nuclei_effects", "biology_nuclei_pairs", "biology_stains_stains"):
        assert f'id="figure-{name}"' in page
        assert (tmp_path / "figures" / f"{name}.svg").is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "laso"}, "Did you mean 'lasso'"),
        ({"tables": [{**TABLES[0], "hypotheses": ["area"]}]}, "hypotheses name 'area'"),
        ({"tables": [TABLES[0], TABLES[0]]}, "expected different ones"),
        ({"tables": [{**TABLES[0], "pathh": "x"}]}, "Did you mean 'path'"),
        ({"tables": []}, "names no table"),
    ],
)
def test_a_wrong_section_is_refused_before_the_work(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Each with what was expected; no run folder is left in the way."""
    plan = _document(tmp_path, 1.0)
    plan["biology"] |= change
    with pytest.raises(PlanError, match=message):
        run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run", workers=1)


def _checked(folder: Path, **biology: Any) -> list[str]:
    plan = Plan.parse(_document(folder, 1.0) | {"biology": {"tables": TABLES} | biology}, base=folder)
    (folder / "plan.toml").write_text(plan.dump(), encoding="utf-8")
    return [str(one) for one in check_plan(folder / "plan.toml").problems if "[biology]" in one.where]


def test_check_reads_the_tables(tmp_path: Path) -> None:
    """How many patients each shares with the study; a cell that is no number is an error with its place."""
    assert _checked(tmp_path)[0] == "[biology] nuclei: 120 of 123 patients of the table are in the study"
    named = [{**TABLES[0], "columns": ["area_cv"]}]
    nuclei = pd.read_csv(tmp_path / "nuclei.csv", dtype=str)
    assert "area_cv" in nuclei
    (tmp_path / "bad").mkdir()
    _document(tmp_path / "bad", 1.0)
    nuclei.assign(area_cv="many").to_csv(tmp_path / "bad" / "wrong.csv", index=False)
    wrong = _checked(tmp_path / "bad", tables=[{**named[0], "path": "wrong.csv"}])
    assert len(wrong) == 1
    assert "area_cv" in wrong[0]
    assert "many" in wrong[0]


def test_tables_are_read_before_the_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with a wrong table stops before anything is prepared."""
    plan = _document(tmp_path, 1.0) | {"biology": {"tables": [{**TABLES[0], "path": "absent.csv"}]}}
    monkeypatch.setattr("isthmus.study.run.prepare", lambda *_, **__: pytest.fail("prepared"))
    with pytest.raises(TableError, match="absent.csv"):
        run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run", workers=1)


def test_other_outcomes_have_no_risk_groups_here(tmp_path: Path) -> None:
    """Said before the work."""
    draw_biology(pd.Series([0.0, 1.0], index=["P000", "P001"])).write(tmp_path)
    plan = other_outcome(tmp_path, "multiclass", biology={"tables": TABLES})
    with pytest.raises(PlanError, match="this outcome is multiclass"):
        run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run", workers=1)
