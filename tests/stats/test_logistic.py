"""Logistic regression: units, missing rows, separation, columns that say nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from isthmus.errors import TableError
from isthmus.stats.logistic import likelihood_ratio_test, logistic_regression


@pytest.fixture
def data() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(2)
    x = pd.DataFrame({"age": rng.normal(50, 12, 120), "size": rng.normal(2, 1, 120)})
    lp = -3 + 0.03 * x["age"] + 0.7 * x["size"]
    return x, (rng.uniform(size=120) < 1 / (1 + np.exp(-lp))).astype(int)


def test_gradient_is_zero(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """The estimate is the maximum: residuals are orthogonal to every column."""
    x, y = data
    fit = logistic_regression(x, y, profile=False)
    design = np.column_stack([np.ones(len(x)), x])
    residual = y - 1 / (1 + np.exp(-design @ fit.table["coefficient"].to_numpy()))
    np.testing.assert_allclose(design.T @ residual, 0, atol=1e-8)


def test_units_do_not_matter(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Age in days instead of years leaves its z where it was."""
    x, y = data
    years, days = (logistic_regression(t, y).table["z"] for t in (x, x.assign(age=x["age"] * 365.25)))
    np.testing.assert_allclose(days, years, rtol=1e-8)


def test_profile_is_wider_where_the_likelihood_is_skewed(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Profile and Wald limits bracket the same estimate."""
    table = logistic_regression(*data).table
    assert ((table["profile_lower"] < table["odds_ratio"]) & (table["odds_ratio"] < table["profile_upper"])).all()


def test_missing_rows_are_counted(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Rows with a missing predictor or outcome are left out and counted."""
    x, y = data
    x = x.copy()
    x.loc[3, "age"] = np.nan
    outcome = y.astype(float)
    outcome[5] = np.nan
    fit = logistic_regression(x, outcome)
    assert (fit.n_used, fit.n_dropped) == (118, 2)


@pytest.mark.parametrize("quasi", [False, True])
def test_separation_is_said_not_printed(quasi: bool) -> None:
    """A predictor that separates the outcome gives no odds ratio but the reason, naming it."""
    y = np.array([0] * 10 + [1] * 10)
    perfect = y.astype(float)
    if quasi:
        perfect[0] = 1  # one non-event among the events' value
    x = pd.DataFrame({"noise": np.random.default_rng(0).normal(size=20), "node": perfect})
    fit = logistic_regression(x, y)
    assert (fit.table["odds_ratio"].isna().all(), "separated by" in fit.note, "node" in fit.note) == (True, True, True)


def test_separation_of_the_shared_example(shared_data: object) -> None:
    """The synthetic table made for Firth's method is recognised as separated."""
    table = pd.read_csv(f"{shared_data}/statistics_r/separation.csv")
    assert "meta" in logistic_regression(table[["meta", "x"]], table["y"]).note


def test_overlapping_data_are_not_called_separated(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Ordinary data have no note."""
    assert logistic_regression(*data).note == ""


def test_one_class_has_a_note(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Without events nothing is estimated."""
    assert logistic_regression(data[0], np.zeros(120)).note == "not computed: 0 events among 120 complete patients"


def test_constant_column_is_named(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """A column that does not vary is refused by name."""
    with pytest.raises(TableError, match="columns site do not vary among the 120 complete patients"):
        logistic_regression(data[0].assign(site=1.0), data[1])


def test_combined_column_is_named(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """A column that is the sum of others is refused by name."""
    x = data[0].assign(total=lambda t: t["age"] + t["size"])
    with pytest.raises(TableError, match="columns total are combinations"):
        logistic_regression(x, data[1])


def test_text_is_refused(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Categories must be coded first."""
    with pytest.raises(TableError, match="columns sex are not numeric"):
        logistic_regression(data[0].assign(sex="male"), data[1])


def test_more_coefficients_than_patients_are_refused() -> None:
    """Two patients carry no model."""
    with pytest.raises(TableError, match="2 complete patients for 2 coefficients"):
        logistic_regression(pd.DataFrame({"a": [1.0, 2.0]}), [0, 1])


def test_models_of_other_patients_are_not_compared(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """The likelihood-ratio test needs the same patients in both models."""
    x, y = data
    full, reduced = logistic_regression(x, y), logistic_regression(x[["age"]].iloc[:100], y[:100])
    with pytest.raises(TableError, match="fitted on 120 and 100 patients"):
        likelihood_ratio_test(full, reduced)


def test_larger_model_comes_first(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Models given in the wrong order are refused."""
    x, y = data
    full, reduced = logistic_regression(x, y), logistic_regression(x[["age"]], y)
    with pytest.raises(TableError, match="not larger"):
        likelihood_ratio_test(reduced, full)


@pytest.mark.parametrize(("seed", "noise"), [(6, 1e-4), (7, 1e-3), (8, 1e-4), (11, 0.5)])
def test_profile_of_columns_nearly_alike(seed: int, noise: float) -> None:
    """Mean, median and 90th percentile of a lesion rise together: at the limits of one, the deviance minimised over the others (by a
    general minimiser, on columns freed of their likeness) is the target."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(60, 8, 100)
    frame = pd.DataFrame({"mean": mean, "flat": rng.uniform(0.3, 0.9, 100)})
    frame["median"] = mean + noise * rng.normal(size=100)
    frame["p90"] = mean + 12 + noise * rng.normal(size=100)
    frame[["mean", "median", "p90"]] /= noise  # in units that leave odds ratios which numbers can hold
    event = rng.normal(size=100) + (frame["flat"] - 0.6) * 4 > 0
    fit = logistic_regression(frame, event.astype(float))
    table = fit.table.set_index("term")
    target = fit.deviance + float(stats.chi2.ppf(0.95, 1))
    for name in frame:
        others = np.column_stack([np.ones(100), frame.drop(columns=name)])
        free = np.linalg.qr(others - np.c_[np.zeros(100), np.tile(others[:, 1:].mean(axis=0), (100, 1))])[0] * 10
        for limit in table.loc[name, ["profile_lower", "profile_upper"]]:
            offset = frame[name].to_numpy() * np.log(limit)

            def deviance(beta: np.ndarray, offset: np.ndarray = offset, free: np.ndarray = free) -> float:
                eta = offset - offset.mean() + free @ beta
                return float(2 * np.logaddexp(0, np.where(event, -eta, eta)).sum())

            least = optimize.minimize(deviance, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).fun
            assert least == pytest.approx(target, abs=1e-5)
