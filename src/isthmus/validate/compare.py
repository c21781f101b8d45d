"""Is one model better than another? Pairwise tests on the same patients, corrected for their number.

DeLong's test is not valid for nested regression models judged on the rows they were fitted on (Demler et al., Stat Med
2012;31:2577), so the train split is never compared; every comparison here is on patients the models did not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.stats import calibration, corrected, reclassification, roc
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import patient_multiplicities, percentile_interval
from isthmus.stats.comparison import Comparison
from isthmus.stats.groups import adjust_p
from isthmus.stats.logistic import likelihood_ratio_test, logistic_regression
from isthmus.stats.mcnemar import mcnemar
from isthmus.stats.seeds import child_seed
from isthmus.validate.discrimination import mean_fold_auc, pooled_auc
from isthmus.validate.draws import Weighted, draw, estimate_of, over, resampled, total
from isthmus.validate.sample import Sample, prepare, sample_of
from isthmus.validate.settings import ValidateSettings

__all__ = ["COLUMNS", "compare"]

COLUMNS = [
    "model_a", "model_b", "split", "test", "statistic", "p", "p_adjusted", "df", "difference", "lower", "upper", "method",
]  # fmt: skip
_NAN = float("nan")

Events = NDArray[np.bool_]


@dataclass(frozen=True)
class _Row:
    """One line of the table, without its models and split."""

    test: str
    result: Comparison
    difference: float = _NAN
    lower: float = _NAN
    upper: float = _NAN


@dataclass(frozen=True, eq=False)
class _Judged:
    """One model on the patients of a pair, with the draws every pair of the split looks at."""

    sample: Sample
    stratified: Array
    plain: Array
    thresholds: tuple[float, ...]

    @cached_property
    def auc(self) -> tuple[float, Array]:
        """AUC (on cv the mean of the fold AUCs) and its draws."""
        statistic = mean_fold_auc(self.sample) if self.sample.split == "cv" else pooled_auc(self.sample)
        return estimate_of(self.sample, statistic), draw(self.sample, self.stratified, statistic)

    @cached_property
    def net_benefit(self) -> tuple[tuple[float, Array], ...]:
        """Net benefit at each declared threshold, and its draws."""
        return tuple(
            (estimate_of(self.sample, benefit), draw(self.sample, self.plain, benefit))
            for benefit in (_benefit(self.sample, t) for t in self.thresholds)
        )

    @cached_property
    def correct(self) -> Array:
        """Share of a patient's repeats in which the decision was right."""
        return self.sample.mean_per_patient(self.sample.called == self.sample.event)

    @cached_property
    def probability(self) -> Array:
        """Mean probability of each patient over the repeats."""
        return self.sample.mean_per_patient(self.sample.probability)


def compare(
    predictions: pd.DataFrame, thresholds: pd.DataFrame, *, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Test every pair of models on every split they did not train on.

    Parameters
    ----------
    predictions, thresholds : DataFrame
        As for `performance`; patients without a probability of both models take no part, and `method` counts them.
    settings : ValidateSettings
    seed : int
        Of the bootstraps; all pairs of a split look at the same draws.

    Returns
    -------
    DataFrame
        model_a, model_b, split, test, statistic, p, p_adjusted (over the pairs of one split and test), df, difference (A minus
        B, or what A adds to B), lower, upper, method. `docs/explanation/statistics.md` lists the tests.

    Raises
    ------
    TableError
        The predictions are malformed, or a patient lies in different folds of two models.
    """
    frame = prepare(predictions)
    rows = []
    for split in ("cv", "internal", "external"):
        part = frame[frame["split"] == split]
        models = [m for m in dict.fromkeys(predictions["model"]) if (part["model"] == m).any()]
        known: dict[tuple[str, int], _Judged] = {}
        for a, b in combinations(models, 2):
            kept, note = _in_both(part, a, b, split)
            first, second = (_judged(kept, thresholds, m, split, settings, seed, known) for m in (a, b))
            for row in _tests(first, second, split, settings):
                result = row.result
                found = (result.statistic, result.p, _NAN, result.df if result.df is not None else _NAN)
                rows.append((a, b, split, row.test, *found, row.difference, row.lower, row.upper, result.method + note))
    table = pd.DataFrame(rows, columns=COLUMNS)
    adjusted = table["p_adjusted"].astype(np.float64).copy()
    for _, index in table.groupby(["split", "test"]).groups.items():
        adjusted.loc[index] = adjust_p(table.loc[index, "p"].to_numpy(dtype=np.float64), settings.adjust)
    return table.assign(p_adjusted=adjusted)


# ---- who is compared ------------------------------------------------------------------------------------------------


def _in_both(part: pd.DataFrame, a: str, b: str, split: str) -> tuple[pd.DataFrame, str]:
    """The rows of both models for the patients and repeats both predicted, and a note on who was left out."""
    keys = ["repeat", "patient"]
    first, second = (part[part["model"] == m].set_index(keys)[["fold", "probability"]] for m in (a, b))
    pair = first.join(second.rename(columns={"fold": "other_fold", "probability": "other"}))
    moved = pair[pair["other_fold"].notna() & (pair["fold"] != pair["other_fold"])]
    if len(moved):
        raise TableError(
            f"{split}: patient {moved.index[0][1]} lies in fold {moved['fold'].iloc[0]:g} of model {a} and in fold "
            f"{moved['other_fold'].iloc[0]:g} of model {b}. A paired test needs the same folds for all models"
        )
    both = pair.dropna(subset=["probability", "other"]).index
    mine = part[part["model"].isin([a, b])]
    kept = mine[mine.set_index(keys).index.isin(both)]
    there, everybody = kept["patient"].nunique(), mine["patient"].nunique()
    return kept, f"; on the {there} of {everybody} patients predicted by both models" if there < everybody else ""


def _judged(
    kept: pd.DataFrame, thresholds: pd.DataFrame, model: str, split: str, settings: ValidateSettings, seed: int,
    known: dict[tuple[str, int], _Judged],
) -> _Judged:  # fmt: skip
    """A model on these patients; computed once where the pairs have the same patients."""
    own = kept[kept["model"] == model]
    key = (model, hash(tuple(zip(own["repeat"].fillna(0), own["patient"], strict=True))))
    if key not in known:
        sample = sample_of(own, thresholds, model, split)
        rng = np.random.default_rng(child_seed(seed, "comparisons", split))
        event, draws = sample.patient_event, settings.bootstrap
        stratified, plain = (
            patient_multiplicities(event, draws=draws, rng=rng, stratified=s) if sample.n else np.empty((draws, 0))
            for s in (True, False)
        )
        known[key] = _Judged(sample, stratified, plain, declared_thresholds(settings))
    return known[key]


def declared_thresholds(settings: ValidateSettings) -> tuple[float, ...]:
    """Lowest, middle and highest threshold probability of the declared range: where net benefits are compared."""
    low, high = settings.decision_curve.lowest, settings.decision_curve.highest
    return low, round((low + high) / 2, 6), high


def _benefit(sample: Sample, threshold: float) -> Weighted:
    """Net benefit of treating where the probability reaches the threshold."""
    treated = sample.probability >= threshold
    gain = np.where(sample.event, 1.0, -threshold / (1 - threshold)) * treated
    top, bottom = total(sample, gain), total(sample, np.ones(sample.event.size))
    return lambda r, w: over(top(r, w), bottom(r, w))


# ---- the tests ------------------------------------------------------------------------------------------------------


def _tests(a: _Judged, b: _Judged, split: str, settings: ValidateSettings) -> Iterator[_Row]:
    """The tests of one pair on one split."""
    y = a.sample.patient_event
    if split == "cv":
        yield from _fold_tests(a, b)
        name = "DeLong on probabilities averaged over repeats"
    else:
        name = "DeLong"
    delong = roc.delong_test(y, a.probability, b.probability)
    yield _Row(name, delong, roc.auc(y, a.probability) - roc.auc(y, b.probability))
    yield _difference("bootstrap of the AUC difference", a.auc, b.auc, a.sample, settings, stratified=True)
    for t, mine, other in zip(a.thresholds, a.net_benefit, b.net_benefit, strict=True):
        yield _difference(f"net benefit at {t:g}", mine, other, a.sample, settings, stratified=False)
    first, second = a.correct >= 0.5, b.correct >= 0.5
    share = float(first.mean() - second.mean()) if y.size else _NAN
    yield _Row("McNemar on correct decisions", _noted(mcnemar(first, second), a.sample), share)
    yield _Row("added value of A over B", _added_value(y, a, b))
    yield _Row("added value of B over A", _added_value(y, b, a))
    yield from _reclassified(y, a, b, settings)


def _fold_tests(a: _Judged, b: _Judged) -> Iterator[_Row]:
    """Tests over the outer folds."""
    differences = [
        roc.auc(a.sample.event[rows], a.sample.probability[rows])
        - roc.auc(b.sample.event[rows], b.sample.probability[rows])
        for repeat in a.sample.folds
        for rows in repeat
    ]
    found = np.array(differences)
    mean = float(np.nanmean(found)) if np.isfinite(found).any() else _NAN
    n = a.sample.n
    test = float(np.mean([rows.size for repeat in a.sample.folds for rows in repeat])) if found.size else n
    if test >= n:
        result = Comparison(_NAN, _NAN, "corrected resampled t; not computed: one fold holds every patient")
    else:
        result = corrected.corrected_resampled_t(found, test_train_ratio=test / (n - test))
    yield _Row("corrected resampled t", result, mean)
    if [len(repeat) for repeat in a.sample.folds] == [2] * 5:
        yield _Row("5 x 2 cv F", corrected.five_by_two_f(found.reshape(5, 2)), mean)


def _difference(
    name: str, a: tuple[float, Array], b: tuple[float, Array], sample: Sample, settings: ValidateSettings, *, stratified: bool
) -> _Row:  # fmt: skip
    """A minus B with the percentile interval of the paired draws; p is twice the smaller share of draws beyond 0."""
    estimate, drawn = a[0] - b[0], a[1] - b[1]
    interval = percentile_interval(
        estimate, drawn, settings.confidence, f"paired {resampled(sample, stratified=stratified)}"
    )
    there = drawn[np.isfinite(drawn)]
    p = _NAN
    if np.isfinite(interval.lower):
        p = min(1.0, 2 * (1 + min(int((there <= 0).sum()), int((there >= 0).sum()))) / (1 + there.size))
    elif there.size and not np.ptp(there) and estimate == 0:
        p = 1.0
    return _Row(name, Comparison(_NAN, p, interval.method), estimate, interval.lower, interval.upper)


def _noted(result: Comparison, sample: Sample) -> Comparison:
    """The result, with how a decision was made of several repeats."""
    if len(sample.repeats) < 2:
        return result
    return Comparison(
        result.statistic,
        result.p,
        f"{result.method}; a patient counts as right where at least half of the repeats are",
        result.df,
    )


def _added_value(y: Events, new: _Judged, old: _Judged) -> Comparison:
    """Does the logit of one model's probability add to that of the other? (likelihood-ratio test, both fits on these patients)"""
    name = "likelihood-ratio test of its logit beside the other's, models held fixed"
    logits = pd.DataFrame({k: calibration.linear_predictor(m.probability)[0] for k, m in (("old", old), ("new", new))})
    if not 0 < y.sum() < y.size:
        return Comparison(_NAN, _NAN, f"{name}; not computed: only one class")
    if logits["new"].equals(logits["old"]):
        return Comparison(0.0, 1.0, f"{name}; no difference at all", 1.0)
    try:
        full = logistic_regression(logits, y, profile=False)
        reduced = logistic_regression(logits[["old"]], y, profile=False)
    except TableError as exc:
        return Comparison(_NAN, _NAN, f"{name}; not computed: {exc}")
    found = likelihood_ratio_test(full, reduced)
    return Comparison(found.statistic, found.p, f"{name}; {found.method}", found.df)


def _reclassified(y: Events, a: _Judged, b: _Judged, settings: ValidateSettings) -> Iterator[_Row]:
    """NRI and IDI of A over B, never without the caution."""
    level = settings.confidence
    ways = [
        (
            "NRI of A over B, any change",
            reclassification.net_reclassification(y, b.probability, a.probability, confidence=level),
        )
    ]
    if settings.risk_categories:
        cuts = settings.risk_categories
        found = reclassification.net_reclassification(y, b.probability, a.probability, cuts=cuts, confidence=level)
        ways.append(("NRI of A over B, categories", found))
    ways.append(
        (
            "IDI of A over B",
            reclassification.integrated_discrimination(y, b.probability, a.probability, confidence=level),
        )
    )
    for name, value in ways:
        parts = f"events {value.events:.4g}, non-events {value.nonevents:.4g}; {reclassification.CAUTION}"
        result = Comparison(value.z, value.p, f"{value.total.method}; {parts}")
        yield _Row(name, result, value.total.estimate, value.total.lower, value.total.upper)
