"""Planted signals: carried by the study's own predictors, found where they are strong, and not where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats.roc import auc
from isthmus.study import Plan, Result
from isthmus.study.audit.power import planted
from isthmus.study.run import audit_run, run_study
from isthmus.table import Outcome
from study.tables import feature_table, write_study

PLAN = """
[table]
path = "features.csv"
id = "patient"
outcome = "outcome"
centre = "centre"
[[models]]
name = "ridge"
estimator = "logistic"
settings = { C = 1.0 }
steps = ["impute", "scale"]
[validate]
folds = 3
repeats = 1
bootstrap = 100
[audit]
permutations = 20
power = { auc = [0.6, 0.95], carriers = 2, draws = 8 }
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("power")
    plan = write_study(folder, feature_table(patients=80, signal=0.0), PLAN)
    return run_study(Plan.read(plan), folder / "run", workers=1)


def test_a_strong_signal_is_found_more_often_than_a_weak_one(finished: Result) -> None:
    """0.95 among eight predictors of 80 patients is found every time or nearly, 0.6 less often."""
    found = finished.tables["power"].set_index("planted_auc")["found"]
    assert found[0.95] >= 0.9
    assert found[0.6] < found[0.95]


def test_the_models_auc_stays_below_the_planted_one(finished: Result) -> None:
    """Nobody who has to learn the score does as well as the score."""
    row = finished.tables["power"].set_index("planted_auc").loc[0.95]
    assert row["auc"] < 0.95


def test_audit_plants_on_request(finished: Result) -> None:
    """`isthmus audit RUN --power 0.8` adds what the plan did not ask for."""
    table = audit_run(finished.folder, permutations=20, power=[0.8], workers=1).tables["power"]
    assert list(table["planted_auc"]) == [0.8]


def test_the_report_shows_it(finished: Result) -> None:
    """Its own table under the null study."""
    from isthmus.report import write_report

    assert "What this sample size can find" in write_report(finished).read_text(encoding="utf-8")


def _data(n: int = 60) -> tuple[pd.DataFrame, pd.Series, Outcome]:  # type: ignore[type-arg]
    rng = np.random.default_rng(3)
    names = pd.Index([f"P{i:02d}" for i in range(n)])
    X = pd.DataFrame(rng.normal(size=(n, 4)), index=names, columns=list("abcd"))
    X.loc["P05", "a"] = np.nan
    X["text"] = "x"
    return (
        X,
        pd.Series(names, index=names),
        Outcome("y", "binary", pd.Series((np.arange(n) < 20).astype(int), index=names)),
    )


def test_the_prevalence_stays() -> None:
    """As many events as the study has."""
    X, patients, outcome = _data()
    assert planted(X, patients, outcome, auc=0.8, carriers=2, seed=1).n_events == 20


def test_only_the_carriers_tell_it() -> None:
    """With one carrier and an AUC near one, exactly one column tells the outcome."""
    X, patients, outcome = _data()
    told = planted(X, patients, outcome, auc=0.97, carriers=1, seed=1).array()
    areas = [abs(auc(told, X[name].fillna(0)) - 0.5) for name in "abcd"]
    assert sum(area > 0.4 for area in areas) == 1


def test_the_order_of_the_rows_does_not_matter() -> None:
    """The outcome belongs to patients, not to rows."""
    X, patients, outcome = _data()
    one = planted(X, patients, outcome, auc=0.8, carriers=2, seed=1).values
    other = planted(X[::-1], patients[::-1], outcome, auc=0.8, carriers=2, seed=1).values
    pd.testing.assert_series_equal(one, other)


def test_without_numbers_nothing_can_be_planted() -> None:
    """Text carries no signal, and that is said."""
    X, patients, outcome = _data()
    with pytest.raises(TableError, match="no numeric predictor varies"):
        planted(X[["text"]], patients, outcome, auc=0.8, carriers=2, seed=1)
