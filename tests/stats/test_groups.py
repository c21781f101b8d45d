"""Group tests: R's rules of choice, missing values, and groups that cannot be compared."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats import groups


def test_small_samples_without_ties_are_exact() -> None:
    """Fewer than 50 in both groups and no ties: the exact distribution (1/20 doubled for 3 against 3)."""
    result = groups.mann_whitney([1, 2, 3], [4, 5, 6])
    assert (result.p, "exact" in result.method) == (pytest.approx(0.1), True)


def test_ties_use_the_normal_approximation() -> None:
    """One tie is enough to leave the exact distribution."""
    assert "normal approximation" in groups.mann_whitney([1, 2, 3], [3, 5, 6]).method


def test_fifty_in_a_group_use_the_normal_approximation() -> None:
    """R's limit: 49 are exact, 50 are not."""
    x = np.arange(50.0)
    kinds = ["exact" in groups.mann_whitney(x[:n], x[:n] + 0.5).method for n in (49, 50)]
    assert kinds == [True, False]


def test_exact_with_ties_is_refused() -> None:
    """There is no exact test with ties to fall back from in silence."""
    with pytest.raises(TableError, match="tied values"):
        groups.mann_whitney([1, 1], [1, 2], method="exact")


def test_missing_values_take_no_part() -> None:
    """A missing value is left out, not ranked."""
    assert groups.mann_whitney([1, 2, np.nan], [3, 4]) == groups.mann_whitney([1, 2], [3, 4])


@pytest.mark.parametrize(
    "result",
    [
        groups.welch_t([1], [1, 2]),
        groups.student_t([1, 1], [2, 2]),
        groups.mann_whitney([], [1, 2]),
        groups.mann_whitney([1, 1], [1, 1]),
        groups.kruskal([1, 1], [1, 1]),
        groups.kruskal([1, 2]),
        groups.anova([1, 1], [2, 2]),
        groups.anova([1], [2]),
        groups.chi_square([[3, 4], [0, 0]]),
        groups.fisher_exact([[3, 0], [4, 0]]),
    ],
    ids=lambda r: r.method,
)
def test_what_cannot_be_compared_has_a_reason(result: groups.Comparison) -> None:
    """An empty or constant group gives no p-value but a reason."""
    assert (np.isnan(result.p), "not computed" in result.method) == (True, True)


def test_yates_only_for_two_by_two() -> None:
    """A wider table has no continuity correction."""
    assert groups.chi_square([[5, 6, 7], [7, 3, 9]]).method == "chi-square"


def test_empty_categories_do_not_count() -> None:
    """A category nobody has does not change the test."""
    assert groups.chi_square([[5, 0, 6], [7, 0, 3]]) == groups.chi_square([[5, 6], [7, 3]])


LARGE = [[30, 15, 12], [14, 11, 19], [18, 12, 12], [11, 15, 13]]


def test_large_fisher_needs_a_generator() -> None:
    """Random tables are drawn from a generator that was passed, never from a hidden one."""
    with pytest.raises(TableError, match="pass rng"):
        groups.fisher_exact(LARGE)


def test_large_fisher_is_reproducible() -> None:
    """The same generator, the same p-value."""
    p = [groups.fisher_exact(LARGE, rng=np.random.default_rng(1), resamples=500).p for _ in range(2)]
    assert p[0] == p[1]


def test_small_wide_fisher_lists_every_table() -> None:
    """Freeman and Halton's p-value of a small table is that of all tables listed one by one."""
    observed = np.array([[3, 1, 0], [1, 2, 3]])

    def weight(table: np.ndarray) -> float:
        return float(1 / np.prod([math.factorial(int(cell)) for cell in table.ravel()]))

    rows = [np.array(first) for first in itertools.product(range(5), repeat=3)]
    tables = [np.stack([first, observed.sum(axis=0) - first]) for first in rows]
    weights = np.array([weight(t) for t in tables if t.min() >= 0 and t[0].sum() == observed[0].sum()])
    expected = weights[weights <= weight(observed) * (1 + 1e-7)].sum() / weights.sum()
    assert groups.fisher_exact(observed).p == pytest.approx(expected, rel=1e-12)


def test_trend_equals_r() -> None:
    """The example of R's `prop.trend.test` (smokers among patients of four hospitals): chi-square 8.2249, p 0.004132."""
    smokers, patients = np.array([83, 90, 129, 70]), np.array([86, 93, 136, 82])
    test = groups.cochran_armitage(np.column_stack([patients - smokers, smokers]))
    assert (round(test.statistic, 4), round(test.p, 6)) == (8.2249, 0.004132)


def test_trend_ignores_the_origin_and_unit_of_scores() -> None:
    """Scores 10, 20, 30 say what 1, 2, 3 say."""
    counts = [[9, 1], [6, 4], [3, 8]]
    assert groups.cochran_armitage(counts, [10, 20, 30]).p == pytest.approx(groups.cochran_armitage(counts).p)


def test_difference_is_second_minus_first() -> None:
    """The sign of the standardised difference says which group is larger."""
    assert groups.standardised_difference([0, 1, 2], [1, 2, 3]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "value",
    [
        groups.standardised_difference([1, 1], [2, 2]),
        groups.standardised_difference([1], [2, 3]),
        groups.standardised_difference_share(0, 0),
    ],
)
def test_difference_without_variation_is_missing(value: float) -> None:
    """Without variation there is no unit to measure in."""
    assert np.isnan(value)


def test_missing_p_values_are_not_counted() -> None:
    """A test that was not computed does not make the others stricter."""
    np.testing.assert_equal(groups.adjust_p([0.01, np.nan, 0.04], "holm"), [0.02, np.nan, 0.04])


def test_no_p_values() -> None:
    """Nothing to adjust is nothing."""
    assert groups.adjust_p([], "holm").size == 0


def test_unknown_adjustment_names_the_known() -> None:
    """A misspelt adjustment is an error."""
    with pytest.raises(TableError, match="Known: holm, hommel"):
        groups.adjust_p([0.1], "bh")  # type: ignore[arg-type]


def test_odds_ratio_of_an_empty_row() -> None:
    """An empty row has no odds."""
    assert "not computed" in groups.conditional_odds_ratio([[0, 0], [3, 4]]).method


def test_one_group_without_variation_is_tested_in_silence() -> None:
    """A t-test against a constant group has a defined answer (its variance is 0) and raises no warning."""
    other = np.array([1.0, 2.0, 4.0])
    expected = (99.0 - other.mean()) / (other.std(ddof=1) / np.sqrt(3))
    assert groups.welch_t([99.0] * 20, other).statistic == pytest.approx(expected)


def test_hommel_is_closed_testing_with_simes() -> None:
    """Of six p-values each adjusted one is the largest Simes p over all sets of hypotheses that contain it."""
    p = np.array([0.01, 0.03, 0.02, 0.5, 0.04, 0.012])
    sets = [s for size in range(1, 7) for s in itertools.combinations(range(6), size)]
    simes = {s: min(len(s) * q / rank for rank, q in enumerate(sorted(p[list(s)]), 1)) for s in sets}
    expected = [max(value for s, value in simes.items() if j in s) for j in range(6)]
    np.testing.assert_allclose(groups.adjust_p(p, "hommel"), expected, rtol=1e-12)
