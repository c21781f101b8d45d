"""The path of a final model's LASSO: the same model at the chosen penalty, and the cross-validation that chose it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.study.plan import Plan
from isthmus.study.result import Result
from isthmus.study.run import run_study

COLUMNS = [f"f{i}" for i in range(8)]
PLAN = """
[table]
path = "table.csv"
id = "ID"
outcome = "y"
[validate]
folds = 2
repeats = 1
inner_folds = 3
bootstrap = 200
[audit]
permutations = 0
[[models]]
name = "estimator"
steps = ["impute", "scale"]
estimator = "lasso"
[[models]]
name = "tuned"
steps = ["impute", "scale"]
estimator = "elastic_net"
tuning = { alpha = [0.3, 0.9] }
[[models]]
name = "step"
steps = ["impute", "scale", "lasso"]
estimator = "logistic"
[[models]]
name = "none"
steps = ["impute", "scale"]
estimator = "knn"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder: Path = tmp_path_factory.mktemp("lasso")
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, len(COLUMNS)))
    table = pd.DataFrame(X, columns=COLUMNS)
    table.insert(0, "ID", [f"p{i}" for i in range(60)])
    table["y"] = (X[:, 0] - X[:, 1] + rng.normal(size=60) > 0).astype(int)
    table.to_csv(folder / "table.csv", index=False)
    return run_study(Plan.parse(tomllib.loads(PLAN), base=folder), folder / "run", workers=1)


@pytest.mark.parametrize("model", ["estimator", "tuned"])
def test_path_holds_the_final_model(run: Result, model: str) -> None:
    """At the penalty used the path's coefficients are those of the final model (columns of standard deviation 1)."""
    path, cv = run.tables[f"lasso_path_{model}"], run.tables[f"lasso_cv_{model}"]
    at = path[path["penalty"] == cv.loc[cv["used"], "penalty"].item()].set_index("feature")["coefficient"]
    chosen = run.selected[(run.selected["model"] == model) & run.selected["coefficient"].notna()].set_index("feature")
    assert at[at != 0].sort_index().to_dict() == pytest.approx(chosen["coefficient"].sort_index().to_dict(), rel=1e-6)


def test_path_of_a_step_ends_in_what_it_kept(run: Result) -> None:
    """At the penalty of a selection step the features with a coefficient are those that the model got."""
    path, cv = run.tables["lasso_path_step"], run.tables["lasso_cv_step"]
    at = path[path["penalty"] == cv.loc[cv["used"], "penalty"].item()]
    chosen = run.selected[(run.selected["model"] == "step") & run.selected["coefficient"].notna()]
    assert set(at.loc[at["coefficient"] != 0, "feature"]) == set(chosen["feature"])


@pytest.mark.parametrize("model", ["estimator", "tuned", "step"])
def test_one_penalty_was_used(run: Result, model: str) -> None:
    """One row of the cross-validation is the penalty used, and it is the best one, as the rule says."""
    cv = run.tables[f"lasso_cv_{model}"]
    assert cv.loc[cv["used"], "mark"].str.contains("min").tolist() == [True]


@pytest.mark.parametrize("model", ["estimator", "tuned", "step"])
def test_marks_follow_glmnet(run: Result, model: str) -> None:
    """`min` is the best mean; `1se` the largest penalty whose mean is within a standard error of it."""
    cv = run.tables[f"lasso_cv_{model}"]
    loss = 1 - cv["score"] if cv["measure"].iloc[0] == "auc" else cv["score"]
    best = int(loss.idxmin())
    within = int(np.flatnonzero(loss <= loss[best] + cv["standard_error"][best])[0])
    marks = cv["mark"].fillna("")
    assert (marks.str.contains("min").idxmax(), marks.str.contains("1se").idxmax()) == (best, within)


def test_curve_is_that_of_the_trials(run: Result) -> None:
    """The mean of each penalty is the one that trials.csv lists for the final model."""
    trials, cv = run.tables["trials"], run.tables["lasso_cv_estimator"]
    own = trials[(trials["model"] == "estimator") & trials["fold"].isna()]
    score = 1 - cv["score"] if cv["measure"].iloc[0] == "auc" else cv["score"]
    assert own["score"].tolist() == pytest.approx(score.tolist())


def test_model_without_a_path_has_no_table(run: Result) -> None:
    """Nothing is written for a model that chose no penalty along a path."""
    assert "lasso_path_none" not in run.tables
