"""The odds ratio of a proportional-odds model against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.stats.logistic import logistic_regression
from isthmus.stats.proportional_odds import proportional_odds_ratio


def _data(n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 2, n), rng.normal(50, 10, n)])
    y = np.digitize(1.2 * x[:, 0] + 0.03 * x[:, 1] + rng.logistic(size=n), [1.0, 2.0, 3.5])
    return x, y


def test_estimate_and_limits_are_those_of_statsmodels() -> None:
    """Whose standard error is from the observed information: the limits agree to a percent."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    x, y = _data()
    other = OrderedModel(y, x - x.mean(axis=0), distr="logit").fit(method="bfgs", disp=False, maxiter=500, gtol=1e-8)
    found, p = proportional_odds_ratio(x, y)
    assert found.estimate == pytest.approx(np.exp(other.params[0]), rel=1e-4)
    np.testing.assert_allclose(np.log([found.lower, found.upper]), other.conf_int()[0], rtol=0.02, atol=0.02)
    assert 0 < p < 0.05


def test_two_classes_are_logistic_regression() -> None:
    """One cut: odds ratio, Wald limits."""
    import pandas as pd

    x, y = _data()
    fit = logistic_regression(pd.DataFrame(x, columns=["a", "b"]), y > 1).table.set_index("term").loc["a"]
    found, _ = proportional_odds_ratio(x, y > 1)
    half = 1.959964 * fit["se"]
    np.testing.assert_allclose(
        np.log([found.estimate, found.lower, found.upper]), fit["coefficient"] + np.array([0, -half, half]), rtol=1e-4
    )


def test_separated_classes_have_no_limits() -> None:
    """But a likelihood-ratio p."""
    found, p = proportional_odds_ratio(np.repeat([[0.0], [1.0]], 10, axis=0), np.repeat([0, 1], 10))
    assert np.isnan(found.lower)
    assert p < 1e-4
