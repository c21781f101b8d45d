"""The demos of neighbouring recipes from images to report: what was planted is found on unseen patients, and nothing where nothing was."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from isthmus.report import write_report
from isthmus.study import Plan
from isthmus.study.recipes import demo_text, run_recipe_demo
from isthmus.study.result import Result
from isthmus.study.run import run_study
from isthmus.synthetic.cohorts import make_recipe_cohort

FOUND = {
    "alzheimer": "cv",
    "brain-mets": "cv",
    "cervix-lvsi": "internal",
    "clnm-peritumoural": "internal",
    "colorectal": "external",
    "esophagus": "internal",
    "glioma": "internal",
    "hnc-survival": "internal",
    "hnc-survival-time": "internal",
    "meningioma-3d": "external",
    "meningioma-attention": "external",
    "nsclc-histology": "external",
    "osteoporosis": "external",
    "pancreas": "cv",
    "parkinson": "cv",
    "parkinson-year-4": "cv",
    "wrist": "internal",
}
"""Where the final model, which the plan names, is judged."""


def final_auc(result: Result, split: str) -> tuple[float, float]:
    """Lower and upper limit (95 %) of the final model's AUC; of several classes the macro AUC, of a time its C-index."""
    table = result.metrics
    row = table[(table["model"] == result.plan["report"]["final"]) & (table["split"] == split)].set_index("metric")
    metric = next(name for name in ("auc", "macro_auc", "c_index") if name in row.index)
    return float(row.loc[metric, "lower"]), float(row.loc[metric, "upper"])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "split"), FOUND.items())
def test_the_final_model_finds_what_was_planted(name: str, split: str, tmp_path: Path) -> None:
    """The interval of its AUC lies above 0.5, which the null cohort's does not; the report has the printed numbers beside."""
    result = run_recipe_demo(name, tmp_path / "run", workers=1)
    lower, _ = final_auc(result, split)
    assert lower > 0.5
    assert "Beside the published study" in write_report(result).read_text(encoding="utf-8")


@pytest.mark.slow
def test_harmonised_features_keep_the_disease_and_lose_the_scanner(tmp_path: Path) -> None:
    """liver-combat: fewer features differ in held-out patients, too, and the disease is found above chance."""
    result = run_recipe_demo("liver-combat", tmp_path / "run", workers=1)
    shares = result.tables["liver-combat_shares"]
    assert shares["after"].max() == 0.0
    assert shares["held_out_after"].mean() < shares["held_out_before"].mean()
    assert final_auc(result, "cv")[0] > 0.5
    assert "Beside the published study" in write_report(result).read_text(encoding="utf-8")


@pytest.mark.slow
def test_where_nothing_was_planted_nothing_is_found(tmp_path: Path) -> None:
    """The same radiographs with outcomes by luck, the final model alone: the interval of its AUC holds 0.5."""
    make_recipe_cohort("osteoporosis", tmp_path, signal=0.0, workers=1)
    document = tomllib.loads(demo_text("osteoporosis"))
    final = {"name": document["report"]["final"], "estimator": "logistic", "blocks": ["clinical", "radiomics", "deep"]}
    document |= {"models": [final], "explain": {}}
    plan = Plan.parse(document, base=tmp_path)
    lower, upper = final_auc(run_study(plan, tmp_path / "run", workers=1), FOUND["osteoporosis"])
    assert lower < 0.5 < upper
