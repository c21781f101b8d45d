"""Early, late and intermediate fusion, and a network end to end, on a signal that only the image carries, and on none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.study import Plan
from isthmus.study.data import prepare
from isthmus.study.evaluate import candidate_of, null_study
from isthmus.study.plan import with_default_steps
from isthmus.study.run import run_study
from isthmus.study.store import RunFolder
from study.test_trained_blocks import SIMPLE, TEXTURED, textured  # noqa: F401 - the cohort

CLINICAL: dict[str, Any] = {"columns": {"age": {}}}
JOINT = {"name": "joint_network", "block": "net", "blocks": ["clinical"], "folds": 3}
MODELS: list[dict[str, Any]] = [
    {
        "name": "end to end",
        "blocks": ["net"],
        "steps": [{"name": "network", "block": "net", "makes": "score", "folds": 3}, "impute", "scale"],
        **SIMPLE,
    },
    {"name": "radiomics", "blocks": ["first"], **SIMPLE},
    {
        "name": "early",
        "blocks": ["first", "net", "clinical"],
        "steps": ["impute", "scale", {"name": "pca", "components": 4, "blocks": ["net"]}],
        **SIMPLE,
    },
    {"name": "late", "risks": ["end to end", "radiomics"], "blocks": ["clinical"], **SIMPLE},
    {"name": "intermediate", "blocks": ["net", "clinical"], "steps": ["impute", "scale", JOINT], **SIMPLE},
]
FUSIONS = ("end to end", "early", "late", "intermediate")
"""The radiomics model has first-order features of the whole lesion, which hardly see how coarse the noise is."""


def plan_of(folder: Path, **sections: Any) -> Plan:
    return Plan.parse({**TEXTURED, "clinical": CLINICAL, "models": MODELS, **sections}, base=folder)


@pytest.fixture(scope="module")
def cohort(textured: Path) -> Path:  # noqa: F811
    """The textured lesions, with an age that says nothing."""
    cases = pd.read_csv(textured / "cases.csv")
    cases["age"] = np.random.default_rng(5).normal(60, 8, len(cases)).round(1)
    cases.to_csv(textured / "cases.csv", index=False)
    return textured


def external(folder: Path, table: pd.DataFrame, run: Path) -> pd.DataFrame:
    table.to_csv(folder / "cases.csv", index=False)
    found = run_study(plan_of(folder), run, workers=2).metrics
    return found[(found["metric"] == "auc") & (found["split"] == "external")].set_index("model")


@pytest.mark.slow
def test_every_fusion_finds_a_texture_in_another_centre_and_none_where_there_is_none(
    cohort: Path, tmp_path: Path
) -> None:
    """External AUC: intervals above 0.5; with outcomes permuted within the centres they hold it."""
    cases = pd.read_csv(cohort / "cases.csv")
    planted = external(cohort, cases, tmp_path / "planted")
    assert (planted.loc[list(FUSIONS), "lower"] > 0.5).all(), planted[["estimate", "lower", "upper"]]
    rng = np.random.default_rng(3)
    mixed = cases.groupby("centre")["metastasis"].transform(lambda outcomes: rng.permutation(outcomes.to_numpy()))
    shuffled = cases.assign(metastasis=mixed)
    none = external(cohort, shuffled, tmp_path / "none")
    cases.to_csv(cohort / "cases.csv", index=False)
    print(planted[["estimate", "lower", "upper"]], none[["estimate", "lower", "upper"]], sep="\n")
    assert ((none["lower"] < 0.5) & (none["upper"] > 0.5)).all(), none[["estimate", "lower", "upper"]]


@pytest.mark.slow
def test_permuted_outcomes_give_a_half_training_included(cohort: Path, tmp_path: Path) -> None:
    """Over permutations the mean out-of-fold AUC of every fusion is 0.5 within three standard errors."""
    plan = plan_of(cohort)
    store = RunFolder(tmp_path)
    data = prepare(plan, workers=2, store=store)
    candidates = [candidate_of(plan, data, with_default_steps(plan, model)) for model in plan.models]
    train = data.outcome_of("train")
    null = null_study(
        candidates, train, data.centre.loc[train.patients], plan.validation, permutations=6, store=store, workers=2
    )
    found = null.groupby("model")["auc"].agg(["mean", "sem"])
    print(found)
    assert ((found["mean"] - 0.5).abs() < 3 * found["sem"].clip(lower=0.02)).all(), found
