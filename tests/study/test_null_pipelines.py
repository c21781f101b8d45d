"""The null study over every method: on two small real tables with permuted outcomes each pipeline shows an AUC of 0.5.

About 50 pipelines: every estimator with its default steps, and every step, resampler, map and search once, before a ridge regression.
Permuting keeps the tables' correlations, scales and outliers, which drawn noise does not have. The statistic is the mean of the fold AUCs
over tables and permutations; a pipeline passes within three Monte-Carlo standard errors of one half. The same plans made leaky on purpose
fail by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.models import estimators_of
from isthmus.models.settings import ModelSettings
from isthmus.stats.seeds import child_seed
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.null_study import null_outcome
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import STEPS, build, made

pytestmark = pytest.mark.slow

TABLES = ("Fusco2022", "HNSCC")
PERMUTATIONS = 10
COLUMNS = 40  # drawn from each table, so that fifty pipelines take minutes and not hours
SETTINGS = ValidateSettings(folds=5, repeats=1, inner_folds=3, threshold=0.5)
FRONT = ["impute", "encode", "variance"]
LIGHT: dict[str, dict[str, Any]] = {
    "random_forest": {"trees": 50}, "extra_trees": {"trees": 50}, "quantile_forest": {"trees": 50, "mtry": "sqrt", "tuning_trees": 20},
    "lightgbm": {"rounds": 40}, "xgboost": {"rounds": 40}, "catboost": {"rounds": 40}, "mlp": {"epochs": 40},
    "voting": {"members": ["naive_bayes", "lasso"]}, "stacking": {"members": ["naive_bayes", "lasso"], "folds": 3},
    "best_of": {"members": ["naive_bayes", "lasso"], "folds": 3},
    "logistic": {"C": 0.1},
}  # fmt: skip
STEP_SETTINGS: dict[str, dict[str, Any]] = {
    "boruta": {"rounds": 20}, "stability": {"samples": 20}, "univariate": {"k": 5}, "mrmr": {"k": 5}, "mutual_information": {"k": 5},
    "l21": {"k": 5}, "rfe": {"k": 5}, "representatives": {"method": "pca", "categories": {"all": "*"}},
}  # fmt: skip
NEEDS_MORE = {
    "smote_nc": "needs columns of text; tests/models/test_resampling.py",
    "reliability": "its repeats are of other patients' columns",
}

Leak = Callable[[pd.DataFrame, Any], pd.DataFrame]


def ridge(name: str, **more: Any) -> ModelSettings:
    return ModelSettings(name=name, estimator="logistic", settings={"C": 0.1}, **more)


def with_step(name: str) -> ModelSettings:
    """A ridge regression behind one step; a resampler stands last."""
    step = {"name": name, **STEP_SETTINGS.get(name, {})}
    before = [one for one in [*FRONT, "scale"] if one != name]
    return ridge(
        f"step {name}", steps=[*before, step] if name not in ("drop_missing", "winsorise", "log") else [step, *before]
    )


def pipelines() -> dict[str, ModelSettings]:
    """Every method once."""
    found = {}
    for name in estimators_of("binary"):
        steps = [*FRONT, "scale", "correlation", {"name": "univariate", "k": 3}] if name == "firth" else None
        found[name] = ModelSettings(name=name, estimator=name, settings=LIGHT.get(name, {}), steps=steps)
    for name in STEPS:
        if name not in (*FRONT, "scale", *NEEDS_MORE):
            found[f"step {name}"] = with_step(name)
    for kind in ("logistic", "intercept", "temperature"):
        found[f"calibration {kind}"] = ridge(f"calibration {kind}", steps=[*FRONT, "scale"], calibration=kind)
    grid = {"C": [0.01, 0.1, 1.0], "univariate.k": [3, 10]}
    for method in ("grid", "random", "optuna"):
        search = {"method": method, "draws": 4} if method != "grid" else {"method": "grid"}
        found[f"search {method}"] = ModelSettings(
            name=f"search {method}",
            estimator="logistic",
            steps=[*FRONT, "scale", "univariate"],
            tuning=grid,
            search=search,
        )  # type: ignore[arg-type]
    found["class weights"] = ridge("class weights", steps=[*FRONT, "scale"], class_weight="balanced")
    return found


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> dict[str, tuple[pd.DataFrame, Outcome]]:
    """Forty columns of each table; a made-up centre for the step that harmonises."""
    found = {}
    for name in TABLES:
        frame = pd.read_csv(shared_data / "radmlbench" / "datasets" / f"{name}.csv.gz")
        patients = pd.Index(frame["ID"].astype(str))
        every = [column for column in frame.columns if column not in ("ID", "Target")]
        columns = sorted(np.random.default_rng(1).permutation(every)[:COLUMNS])
        X = frame[columns].astype(float).set_axis(patients)
        y = frame["Target"].astype(str).isin(["1", "True"]).astype(int).set_axis(patients)
        found[name] = X, Outcome("Target", "binary", y)
    return found


def seen(spec: ModelSettings, X: pd.DataFrame) -> pd.DataFrame:
    """The predictors, with the centre where the model harmonises."""
    if spec.name != "step combat":
        return X
    return X.assign(**{"@centre": np.where(np.arange(len(X)) % 2, "A", "B")})


def null_aucs(spec: ModelSettings, tables: dict[str, tuple[pd.DataFrame, Outcome]], leak: Leak | None = None) -> Any:
    """The mean fold AUC of each table and permutation."""
    found = []
    for name, (X, outcome) in tables.items():
        for permutation in range(PERMUTATIONS):
            null = null_outcome(outcome, None, permutation, seed=17)
            shown = seen(spec, X if leak is None else leak(X, null.array(X.index)))
            splits = outer_splits(null.values, folds=5, repeats=1, seed=child_seed(17, name, permutation))
            design = Design(shown, shown.index.to_numpy(), null)
            results = [
                evaluate_fold(spec, design, split, build=build, settings=SETTINGS, seed=split.fold) for split in splits
            ]
            found.append(np.mean([result.auc for result in results]))
    return np.array(found)


def beyond(found: Any) -> float:
    """How many Monte-Carlo standard errors the mean lies above one half (0 where every fold says exactly one half)."""
    spread = float(found.std(ddof=1))
    return 0.0 if spread == 0 and found.mean() == 0.5 else float((found.mean() - 0.5) / (spread / np.sqrt(len(found))))


def test_every_method_is_here() -> None:
    """Estimators, steps, maps and searches: about fifty pipelines, and what is left out has a reason."""
    found = pipelines()
    assert len(found) >= 45
    assert {name for name in STEPS if f"step {name}" not in found} == {*FRONT, "scale", *NEEDS_MORE}


@pytest.mark.parametrize("spec", pipelines().values(), ids=lambda spec: spec.name)
def test_it_finds_nothing_where_there_is_nothing(spec: ModelSettings, tables: Any) -> None:
    """Within three Monte-Carlo standard errors of one half."""
    assert abs(beyond(null_aucs(spec, tables))) < 3


def selected_before(X: pd.DataFrame, events: Any) -> pd.DataFrame:
    """L1: the five best columns of the whole table."""
    return made("univariate", k=5).fit_transform(X, events)


def target_encoded(X: pd.DataFrame, events: Any) -> pd.DataFrame:
    """L10: a column that was made from the outcome, with noise."""
    return X.assign(made=events + np.random.default_rng(int(events.sum())).normal(size=len(X)))


@pytest.mark.parametrize("leak", [selected_before, target_encoded])
def test_the_same_plan_made_leaky_is_caught(leak: Leak, tables: Any) -> None:
    """The ridge that passes above fails by the same rule when it is fed what it must not see."""
    assert beyond(null_aucs(ridge("leaky", steps=[*FRONT, "scale"]), tables, leak)) > 3
