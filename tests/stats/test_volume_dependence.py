"""Features beside the volume of the lesion, and partial correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.correlation import correlation_interval, correlation_test, partial_correlation
from isthmus.stats.vif import vif
from isthmus.stats.volume_dependence import COLUMNS, volume_dependence

RNG = np.random.default_rng(5)
VOLUME = RNG.lognormal(2, 1, 80)
BLOCK = pd.DataFrame(
    {
        "size": VOLUME**0.7,
        "half": np.log(VOLUME) + RNG.normal(0, 1, 80),
        "other": RNG.normal(size=80),
    }
)


def test_every_feature_has_its_correlation_with_interval() -> None:
    """Spearman's, which does not ask whether volumes or their logarithms; over the rows that have both."""
    gaps = BLOCK.assign(half=BLOCK["half"].where(np.arange(80) > 9))
    found = volume_dependence(gaps, VOLUME).set_index("feature")
    expected = correlation_interval(gaps["half"], VOLUME, "spearman")
    assert found.loc["half", ["rho", "lower", "upper", "n"]].tolist() == [
        expected.estimate,
        expected.lower,
        expected.upper,
        70,
    ]
    assert found.loc["size", "rho"] == pytest.approx(1)
    assert ["feature", *found.columns] == COLUMNS


def test_variance_inflation_beside_the_volume_and_in_the_block() -> None:
    """Against the definitions: two columns, and all of a block."""
    found = volume_dependence(BLOCK, VOLUME).set_index("feature")
    np.testing.assert_allclose(found["vif"], vif(BLOCK))
    expected = vif(np.column_stack([BLOCK["half"], np.log(VOLUME)]))[0]
    assert found.loc["half", "vif_volume"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "block",
    [BLOCK.iloc[:3], BLOCK.assign(sum=BLOCK["half"] + BLOCK["other"]), BLOCK.assign(flat=1.0)],
    ids=["few", "sum", "flat"],
)
def test_an_infinite_inflation_is_empty(block: pd.DataFrame) -> None:
    """No more patients than features, a combination, a constant: no number is made up."""
    assert volume_dependence(block, VOLUME[: len(block)])["vif"].isna().all()


def test_partial_correlation_is_what_the_regression_says() -> None:
    """Pearson's against the t of a multiple regression: r = t / sqrt(t² + df); p is that of the coefficient."""
    given = BLOCK[["half", "other"]].to_numpy()
    x = given @ [1.0, -0.5] + RNG.normal(size=80)
    y = x + given[:, 0] + RNG.normal(0, 2, 80)
    fit = sm.OLS(y, sm.add_constant(np.column_stack([x, given]))).fit()
    t = fit.tvalues[1]
    found, p = partial_correlation(x, y, given, "pearson")
    assert (found.estimate, p) == pytest.approx((t / np.sqrt(t**2 + fit.df_resid), fit.pvalues[1]))


def test_partial_spearman_of_one_covariate_is_the_textbook_formula() -> None:
    """(r12 - r13 r23) / sqrt((1 - r13²)(1 - r23²)) of the three Spearman coefficients."""
    a, b, c = BLOCK["size"] + RNG.normal(0, 2, 80), BLOCK["half"], BLOCK["other"] + BLOCK["half"]
    ab, ac, bc = (correlation_test(*pair).statistic for pair in ((a, b), (a, c), (b, c)))
    found, _ = partial_correlation(a, b, c)
    assert found.estimate == pytest.approx((ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2)))
    assert found.lower < found.estimate < found.upper


def test_what_others_explain_is_gone() -> None:
    """Two numbers that follow a third have no correlation given it; the interval holds 0, and holds it in 95 % of draws."""
    rng = np.random.default_rng(8)
    held = []
    for _ in range(300):
        third = rng.normal(size=60)
        found, _ = partial_correlation(third + rng.normal(size=60), third + rng.normal(size=60), third, "pearson")
        held.append(found.lower <= 0 <= found.upper)
    assert stats.binomtest(sum(held), 300, 0.95).pvalue > 0.01


def test_nothing_left_is_no_number() -> None:
    """A copy of what is given, and too few rows: NaN with the reason. Shapes that do not fit are refused."""
    copy, p = partial_correlation(BLOCK["half"], BLOCK["other"], BLOCK["half"])
    few, _ = partial_correlation([1, 2, 3], [3, 1, 2], [1, 3, 2])
    assert np.isnan([copy.estimate, p, few.estimate]).all()
    assert "not computed" in copy.method
    with pytest.raises(TableError, match="needs rows"):
        partial_correlation([1, 2], [1, 2, 3], [1, 2, 3])
