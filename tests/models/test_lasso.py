"""The LASSO estimator."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.models.lasso import LassoLogistic
from isthmus.stats.lasso import fit_path
from validate.drawn import design


@pytest.fixture(scope="module")
def data():
    made = design(np.random.default_rng(1), n=80, p=20)
    return made.X.to_numpy(), made.events(np.ones(80, dtype=bool))


def test_signal_columns_are_selected(data):
    """Both columns that carry the signal have a coefficient."""
    model = LassoLogistic().fit(*data)
    assert (model.coef_[:2] != 0).all()


def test_the_1se_rule_is_sparser(data):
    """The rule 1se keeps no more columns than min."""
    kept = [np.count_nonzero(LassoLogistic(rule=rule).fit(*data).coef_) for rule in ("1se", "min")]
    assert kept[0] <= kept[1]


def test_a_fixed_penalty_gives_the_path_solution(data):
    """With `penalty` the coefficients are those of the path at that penalty."""
    model = LassoLogistic(penalty=0.07).fit(*data)
    np.testing.assert_allclose(model.coef_, fit_path(*data, [0.07]).coefficients[0], atol=1e-7)


def test_a_penalty_above_the_largest_gives_the_prevalence(data):
    """Beyond lambda_max every patient gets the prevalence."""
    model = LassoLogistic(penalty=10.0).fit(*data)
    np.testing.assert_allclose(model.predict_proba(data[0])[:, 1], data[1].mean(), atol=1e-9)


def test_rows_of_a_patient_stay_together_in_the_choice(data):
    """Copies of rows under one patient name change the folds: grouped and ungrouped choices differ in what they hold out."""
    X, y = np.repeat(data[0], 3, axis=0), np.repeat(data[1], 3)
    grouped = LassoLogistic().fit(X, y, groups=np.repeat(np.arange(80), 3))
    apart = LassoLogistic().fit(X, y)
    assert grouped.penalty_ > apart.penalty_  # with copies on both sides a smaller penalty looks good


def test_the_auc_measure_is_that_of_cv_glmnet(shared_data):
    """Choosing by AUC with R's folds gives cv.glmnet's lambda.min."""
    import json

    import pandas as pd

    table = pd.read_csv(shared_data / "statistics_r" / "lasso.csv")
    X, y, folds = table.iloc[:, 2:].to_numpy(), table["y"].to_numpy(), table["fold"].to_numpy()
    model = LassoLogistic(measure="auc", n_lambdas=100)
    grid = model.path_grid(X, y)
    risks = np.empty((len(y), len(grid)))
    for label in np.unique(folds):
        held = folds == label
        risks[held] = model.path_risks(X[~held], y[~held], X[held], grid)
    index, _ = model.path_choice(grid, risks, y, folds)
    expected = json.loads((shared_data / "statistics_r" / "expected.json").read_text())["cv_glmnet_auc"]["lambda_min"]
    assert grid[index] == pytest.approx(expected, abs=1e-10)


def choice_of(risks: np.ndarray, y: np.ndarray) -> int:
    """Which of three penalties the default takes; the first is the empty model."""
    grid, folds = np.array([1.0, 0.5, 0.1]), np.arange(len(y)) // 2 % 5
    return LassoLogistic().path_choice(grid, risks, y, folds)[0]


def drawn_risks(rank: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The empty model, and two that overstate what `rank` says, so that their deviance is worse."""
    sure = 1 / (1 + np.exp(-40 * (rank - 0.5)))
    return np.column_stack([np.full(len(y), y.mean()), sure, sure])


def test_where_the_deviance_prefers_nothing_a_ranking_counts():
    """Overstated risks that rank well are taken for their AUC although the empty model has the better deviance."""
    rng, y = np.random.default_rng(0), np.arange(60) % 2
    rank = 0.5 + 0.35 * (y - 0.5) + rng.normal(scale=0.25, size=60)
    assert choice_of(drawn_risks(rank, y), y) == 1


def test_without_a_ranking_the_model_stays_empty():
    """Risks that rank nobody are no reason to leave the empty model."""
    y = np.arange(60) % 2
    alike = np.arange(60) // 2 * 0.7 % 1.0  # each event has a non-event with the same value
    assert choice_of(drawn_risks(alike, y), y) == 0
