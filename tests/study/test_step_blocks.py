"""Steps that keep to the columns of some blocks, from the plan to the model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.study.model import Model
from isthmus.study.plan import Plan, with_default_steps
from isthmus.study.run import run_study
from study.structured import write_blob_study

STEPS: list[Any] = [
    "impute",
    "scale",
    {"name": "pca", "components": 3, "blocks": ["first"]},
    {"name": "univariate", "k": 1, "blocks": ["shape"]},
]


def plan_of(folder: Path, models: list[dict[str, Any]], **features: Any) -> Plan:
    """Two blocks of features of one region."""
    blocks = [
        {"name": name, "image": "ct", "families": [family]}
        for name, family in (("first", "firstorder"), ("shape", "shape"))
    ]
    document = {
        "cohort": {"table": "cases.csv", "outcome": "metastasis"},
        "features": features.get("features", blocks),
        "models": [{"estimator": "logistic", "settings": {"C": 0.1}, "threshold": 0.5, **model} for model in models],
        "validate": {"folds": 2, "repeats": 1, "bootstrap": 100},
        "audit": {"permutations": 0, "controls": []},
        "report": {"pictures": 0, "embedding": "none"},
    }
    return Plan.parse(document, base=folder)


def test_a_model_leaves_out_steps_of_blocks_it_does_not_use(tmp_path: Path) -> None:
    """One list of steps serves models of other blocks."""
    plan = plan_of(tmp_path, [{"name": "shape", "blocks": ["shape"], "steps": STEPS}])
    steps = with_default_steps(plan, plan.models[0]).steps
    assert [step if isinstance(step, str) else step.name for step in steps or []] == ["impute", "scale", "univariate"]


def test_an_unknown_block_is_refused(tmp_path: Path) -> None:
    """A misspelt block is not a step that does nothing."""
    with pytest.raises(PlanError, match="unknown block 'firzt'. Did you mean 'first'"):
        plan_of(tmp_path, [{"name": "m", "steps": [{"name": "pca", "blocks": ["firzt"]}]}])


def test_in_a_study_of_one_block_the_step_works_on_all_columns(tmp_path: Path) -> None:
    """Columns do not carry the name of the only block."""
    alone = [{"name": "first", "image": "ct", "families": ["firstorder"]}]
    plan = plan_of(tmp_path, [{"name": "m", "steps": STEPS[:3]}], features=alone)
    steps = with_default_steps(plan, plan.models[0]).steps or []
    assert steps[2].settings == {"components": 3}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A study whose model reduces one block, selects from the other and tunes the first."""
    folder = tmp_path_factory.mktemp("blocks")
    write_blob_study(folder, patients=24, second_centre=0, shape=(8, 26, 28))
    again = [*STEPS[:3], {"name": "pca", "components": 2, "blocks": ["shape"]}]
    models = [
        {"name": "two", "steps": again, "tuning": {"pca first.components": [1, 2]}},
        {"name": "one", "steps": STEPS, "tuning": {"pca.components": [1, 3]}},
    ]
    return run_study(plan_of(folder, models), folder / "run", workers=1)


def test_the_estimator_sees_components_of_one_block_and_columns_of_the_other(fused: Any) -> None:
    """Made columns carry the block's name."""
    names = {model: set(rows["feature"]) for model, rows in fused.selected.groupby("model")}
    assert names["two"] >= {"first.PC1", "shape.PC1", "shape.PC2"}
    assert len({name for name in names["one"] if not name.startswith("first.PC")}) >= 1


def test_what_the_components_replaced_is_told(fused: Any) -> None:
    """`tables/dropped.csv` names the step with its blocks where another has its name."""
    dropped = pd.read_csv(fused.folder / "tables" / "dropped.csv")
    reasons = dropped.loc[(dropped["model"] == "two") & dropped["feature"].str.startswith("shape."), "reason"]
    assert reasons.str.startswith("pca shape: ").all()


def test_the_model_file_holds_the_blocks_of_its_steps(fused: Any) -> None:
    """Read back, the steps have their names and blocks."""
    pipeline = Model.load(fused.folder / "model.isthmus").pipeline
    assert [(name, step.blocks) for name, step in pipeline.chain[2:]] == [
        ("pca first", ("first",)),
        ("pca shape", ("shape",)),
    ]
