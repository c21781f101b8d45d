"""Neighbouring recipes end to end on a handful of synthetic patients, narrow networks: every block, step and model of the plan runs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from isthmus.study import Plan
from isthmus.study.recipes import demo_text
from isthmus.study.run import run_study
from isthmus.synthetic.cohorts import make_recipe_cohort

NARROW: dict[str, Any] = {"network": "resnet10_narrow", "weights": {"origin": "random"}}


def tiny(name: str) -> dict[str, Any]:
    """The demo's plan with narrow classifiers (attention stays), one epoch, two folds, no filter by p and no pictures."""
    document = tomllib.loads(demo_text(name))
    for part in (document["deep"], *document["features"]):
        encoder = part.get("encoder", {})
        if encoder and not encoder["network"].startswith("autoencoder"):
            part["encoder"] = {**NARROW, **{key: encoder[key] for key in ("attention",) if key in encoder}}
        for said in (part.get("train"), part.get("crop")):
            if isinstance(said, dict):
                said.update({"epochs": 1} if "epochs" in said else {"size": 32})
    for step in document.get("select", {}).get("steps", []):
        if isinstance(step, dict) and "p_at_most" in step:
            step["p_at_most"] = (
                0.999  # of so few patients a filter may leave no column of a block, which the run refuses
            )
    document["validate"] |= {"folds": 2, "inner_folds": 2, "bootstrap": 100}
    document["report"] |= {"pictures": 0, "maps": 0, "embedding": "none"}
    document.pop("explain", None)
    return document


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clnm-peritumoural", "esophagus", "osteoporosis"])
def test_every_model_gives_risks_of_unseen_patients(name: str, tmp_path: Path) -> None:
    """And every printed number finds one beside it."""
    make_recipe_cohort(name, tmp_path, size="tiny", workers=2)
    plan = Plan.parse(tiny(name), base=tmp_path)
    run = run_study(plan, tmp_path / "run", workers=1)
    unseen = run.predictions[run.predictions["split"].isin(["internal", "external"])]
    assert set(unseen["model"]) == {model.name for model in plan.models}
    assert unseen["probability"].notna().all()
    assert run.tables[f"{name}_beside"]["estimate"].notna().all()
