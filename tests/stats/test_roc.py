"""AUC, DeLong, ROC curves: identities, ties, degenerate input, and an independent slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.errors import TableError
from isthmus.stats import roc

# a loaded machine is no failure
relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def slow_auc(y: np.ndarray, s: np.ndarray) -> float:
    """The definition, pair by pair."""
    pairs = [(a > b) + 0.5 * (a == b) for a in s[y == 1] for b in s[y == 0]]
    return float(np.mean(pairs))


def slow_covariance(y: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """DeLong's covariance from the full matrix of pairs."""
    kernels = []
    for s in (a, b):
        events, others = s[y == 1][:, None], s[y == 0][None, :]
        kernels.append((events > others) + 0.5 * (events == others))
    x, z = kernels
    n1, n0 = x.shape
    return float(np.cov(x.mean(axis=1), z.mean(axis=1))[0, 1] / n1 + np.cov(x.mean(axis=0), z.mean(axis=0))[0, 1] / n0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def tied(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """60 patients, two scores with many ties."""
    y = (rng.uniform(size=60) < 0.4).astype(int)
    return y, rng.integers(0, 6, 60) + y, rng.integers(0, 4, 60) + y


samples = st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=25).filter(
    lambda rows: 0 < sum(y for y, _ in rows) < len(rows)
)


@relaxed
@given(samples)
def test_auc_is_its_definition(rows: list[tuple[bool, int]]) -> None:
    """Midranks give the share of pairs in the right order, ties half."""
    y, s = np.array(rows, dtype=float).T
    assert roc.auc(y, s) == pytest.approx(slow_auc(y, s), abs=1e-12)


@relaxed
@given(samples)
def test_turning_the_score_round_mirrors_the_auc(rows: list[tuple[bool, int]]) -> None:
    """AUC(s) + AUC(-s) = 1, ties included."""
    y, s = np.array(rows, dtype=float).T
    assert roc.auc(y, s) + roc.auc(y, -s) == pytest.approx(1, abs=1e-12)


@relaxed
@given(samples)
def test_area_under_the_curve_is_the_auc(rows: list[tuple[bool, int]]) -> None:
    """The drawn curve has the area that is printed."""
    y, s = np.array(rows, dtype=float).T
    assert roc.roc_curve(y, s).area == pytest.approx(roc.auc(y, s), abs=1e-12)


@relaxed
@given(st.lists(samples, min_size=1, max_size=6))
def test_averaged_curve_keeps_the_area(folds: list[list[tuple[bool, int]]]) -> None:
    """The averaged curve's area is the mean of the fold AUCs, however the folds are tied."""
    pairs = [tuple(np.array(rows, dtype=float).T) for rows in folds]
    mean = np.mean([roc.auc(y, s) for y, s in pairs])
    assert roc.averaged_roc(pairs).area == pytest.approx(mean, abs=1e-12)


@relaxed
@given(samples, st.integers(0, 2**31))
def test_whole_weights_are_repeated_patients(rows: list[tuple[bool, int]], seed: int) -> None:
    """A patient of weight 2 counts as two patients, of weight 0 as none."""
    y, s = np.array(rows, dtype=float).T
    times = np.random.default_rng(seed).integers(0, 3, y.size)
    again = np.repeat(np.arange(y.size), times)
    ours = roc.weighted_auc(y, s, times[None, :])[0]
    assert ours == pytest.approx(roc.auc(y[again], s[again]), abs=1e-12, nan_ok=True)


def test_weighted_average_precision_is_scikit_learns(tied: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Average precision under weights equals an independent implementation."""
    from sklearn.metrics import average_precision_score

    y, s, _ = tied
    weights = np.random.default_rng(1).integers(0, 4, (3, y.size)).astype(float)
    theirs = [average_precision_score(y, s, sample_weight=w) for w in weights]
    np.testing.assert_allclose(roc.weighted_average_precision(y, s, weights), theirs, rtol=1e-12)


def test_covariance_is_that_of_all_pairs(tied: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """The fast midrank form equals DeLong's definition from the matrix of pairs, ties included."""
    y, a, b = tied
    assert roc.delong_covariance(y, a, b)[1][0, 1] == pytest.approx(slow_covariance(y, a, b), rel=1e-12)


def test_order_of_patients_does_not_matter(tied: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Shuffling the patients leaves the interval unchanged."""
    y, a, _ = tied
    order = np.random.default_rng(3).permutation(y.size)
    first, second = roc.delong_interval(y, a), roc.delong_interval(y[order], a[order])
    np.testing.assert_allclose([first.lower, first.upper], [second.lower, second.upper], rtol=1e-12)


def test_logit_interval_stays_inside() -> None:
    """Near 1 the logit form stays below 1 where the plain form is cut."""
    y = np.r_[np.zeros(20), np.ones(8)]
    s = np.r_[np.arange(20), 18.5, 30, 31, 32, 33, 34, 35, 36]
    plain, logit = roc.delong_interval(y, s), roc.delong_interval(y, s, form="logit")
    assert (plain.upper, logit.upper < 1) == (1.0, True)


def test_swapping_the_scores_changes_the_sign(tied: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """DeLong's Z is antisymmetric."""
    y, a, b = tied
    assert roc.delong_test(y, a, b).statistic == pytest.approx(-roc.delong_test(y, b, a).statistic)


def test_same_ranking_gives_no_difference(tied: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Two scores that rank alike differ by nothing: statistic 0, p 1."""
    y, a, _ = tied
    result = roc.delong_test(y, a, np.exp(a))
    assert (result.statistic, result.p) == (0.0, 1.0)


def test_unpaired_test_of_a_copy_gives_zero(tied: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """A group compared with its own copy differs by nothing."""
    y, a, _ = tied
    assert roc.delong_test_unpaired(y, a, y, a).statistic == 0


@pytest.mark.parametrize(
    ("y", "s", "estimate", "reason"),
    [
        ([1, 1, 1], [0.1, 0.2, 0.3], np.nan, "only one class"),
        ([], [], np.nan, "only one class"),
        ([0, 1], [0.1, 0.2], 1.0, "fewer than two patients in one class"),
        ([0, 0, 1, 1], [1, 2, 3, 4], 1.0, "separated completely"),
        ([0, 0, 1, 1], [4, 3, 2, 1], 0.0, "separated completely"),
        ([0, 0, 1, 1], [2, 2, 2, 2], 0.5, "does not vary"),
    ],
)
def test_interval_of_degenerate_input(y: list[int], s: list[float], estimate: float, reason: str) -> None:
    """Where DeLong's variance says nothing there is no interval, and the method says why."""
    result = roc.delong_interval(y, s)
    np.testing.assert_equal([result.estimate, np.isnan(result.lower), reason in result.method], [estimate, True, True])


@pytest.mark.parametrize(("a", "b"), [([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])])
def test_paired_test_of_one_class_is_not_computed(a: list[float], b: list[float]) -> None:
    """With one class the test has no value, and says so."""
    result = roc.delong_test([1, 1, 1], a, b)
    assert (np.isnan(result.p), "not computed" in result.method) == (True, True)


def test_infinite_scores_are_ranks() -> None:
    """An infinite score is simply the highest."""
    assert roc.auc([0, 1, 0, 1], [0.0, np.inf, -np.inf, 1.0]) == 1.0


def test_missing_score_is_refused() -> None:
    """A missing score is never ranked in silence."""
    with pytest.raises(TableError, match="1 of 3 scores are missing"):
        roc.auc([0, 1, 1], [0.1, np.nan, 0.2])


def test_third_outcome_is_refused() -> None:
    """An outcome that is not 0 or 1 is shown."""
    with pytest.raises(TableError, match=r"outcome holds 2\.0"):
        roc.auc([0, 1, 2], [0.1, 0.2, 0.3])


def test_curve_of_one_class_is_refused() -> None:
    """There is no curve without both classes."""
    with pytest.raises(TableError, match="0 events and 2 non-events"):
        roc.roc_curve([0, 0], [0.1, 0.2])


def test_folds_with_one_class_are_left_out_and_counted() -> None:
    """The averaged curve says how many folds it stands for."""
    folds = [([0, 1], [0.1, 0.9]), ([0, 0], [0.1, 0.9])]
    assert roc.averaged_roc(folds).n_curves == 1


def test_averaging_nothing_is_refused() -> None:
    """No fold with both classes, no curve."""
    with pytest.raises(TableError, match="none of the 1 folds"):
        roc.averaged_roc([([0, 0], [0.1, 0.9])])


def test_partial_area_of_the_whole_is_the_auc(tied: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Down to specificity 0 the partial area is the whole."""
    y, a, _ = tied
    assert roc.partial_auc(y, a, lowest_specificity=0) == pytest.approx(roc.auc(y, a))


def test_band_surrounds_the_curve(rng: np.random.Generator) -> None:
    """The curve of the figure lies within its own band."""
    y = (rng.uniform(size=120) < 0.4).astype(int)
    folds = [(y[k::4], y[k::4] + rng.normal(size=30)) for k in range(4)]
    band = roc.roc_band(folds, draws=200, seed=1)
    inside = (band.lower <= band.tpr + 1e-9) & (band.tpr <= band.upper + 1e-9)
    assert inside.iloc[1:].mean() > 0.95


def test_band_draws_a_patient_in_all_repeats_at_once(rng: np.random.Generator) -> None:
    """The same patients repeated add no information: the band is not narrower than that of one repeat."""
    y = (rng.uniform(size=60) < 0.5).astype(int)
    s = y + rng.normal(size=60)
    once = roc.roc_band([(y, s)], draws=300, seed=1)
    twice = roc.roc_band([(y, s), (y, s)], patients=[np.arange(60)] * 2, draws=300, seed=1)
    np.testing.assert_allclose(twice[["lower", "upper"]], once[["lower", "upper"]], atol=1e-12)


def test_band_holds_the_noise_of_the_partition(rng: np.random.Generator) -> None:
    """Repeats that disagree make the band wider than one in which they are averaged away."""
    y = (rng.uniform(size=60) < 0.5).astype(int)
    repeats = [(y, y + 2 * rng.normal(size=60)) for _ in range(5)]
    who = [np.arange(60)] * 5
    noisy = roc.roc_band(repeats, patients=who, draws=300, seed=1)
    single = [roc.roc_band([fold], draws=300, seed=1) for fold in repeats]
    width = [(band["upper"] - band["lower"]).mean() for band in (noisy, *single)]
    assert width[0] > np.mean(width[1:])


def test_anti_diagonal_average_keeps_the_area() -> None:
    """Averaged along the anti-diagonal, the area is the mean of the fold AUCs too."""
    rng = np.random.default_rng(8)
    folds = [(y := rng.random(30) < 0.4, np.round(rng.normal(size=30) + y, 1)) for _ in range(5)]
    mean = np.mean([roc.auc(y, s) for y, s in folds])
    assert roc.averaged_roc(folds, along="anti-diagonal").area == pytest.approx(mean, abs=1e-12)


def test_anti_diagonal_average_treats_both_classes_alike() -> None:
    """Exchanging the classes and turning the scores round mirrors the averaged curve."""
    rng = np.random.default_rng(9)
    folds = [(y := rng.random(25) < 0.5, rng.normal(size=25) + y) for _ in range(4)]
    curve = roc.averaged_roc(folds, along="anti-diagonal")
    mirrored = roc.averaged_roc([(~y, -s) for y, s in folds], along="anti-diagonal")
    at = np.linspace(0, 2, 21)
    height, other = (np.interp(at, c.fpr + c.tpr, c.tpr - c.fpr) for c in (curve, mirrored))
    np.testing.assert_allclose(height, other[::-1], atol=1e-12)


def test_whole_partial_auc_is_the_auc() -> None:
    """Down to specificity 0 the partial area is the area."""
    rng = np.random.default_rng(10)
    y, s = rng.random(40) < 0.5, np.round(rng.normal(size=40), 1)
    assert roc.partial_auc(y, s, lowest_specificity=0.0) == pytest.approx(roc.auc(y, s), abs=1e-12)


def test_delong_of_ten_thousand_is_fast() -> None:
    """The interval of 10,000 patients takes under 0.1 s."""
    import time

    rng = np.random.default_rng(11)
    y = rng.random(10_000) < 0.3
    s = rng.normal(size=10_000) + y
    roc.delong_interval(y, s)
    start = time.process_time()
    roc.delong_interval(y, s)
    assert time.process_time() - start < 0.1
