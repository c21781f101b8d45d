"""How well models of three classes or more do on each split; see `validate.performance` for what all tasks share.

Numbers of one class bear its label after a colon (`auc:stage 2`): that class against the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.stats import calibration, classification, multiclass, roc
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.interval import Interval
from isthmus.stats.seeds import child_seed
from isthmus.validate.discrimination import corrected, spread
from isthmus.validate.draws import Weighted, averaged, bootstrapped, draw, missing, over, resampled, total
from isthmus.validate.sample import SPLITS, Sample, prepare_rows, sample_of
from isthmus.validate.settings import ValidateSettings

__all__ = ["ClassSample", "class_performance", "class_sample", "probability_columns"]

_NAN = float("nan")
Matrices = Callable[[Array], Array]


def probability_columns(classes: Sequence[str]) -> list[str]:
    """The columns of predictions.csv that hold the probability of each class."""
    return [f"probability:{name}" for name in classes]


@dataclass(frozen=True, eq=False)
class ClassSample(Sample):
    """The predictions of one model on one split: codes (rows,), probabilities (rows, K) and the called class."""

    codes: NDArray[np.int64]
    shares: Array
    picked: NDArray[np.int64]

    @cached_property
    def n_classes(self) -> int:
        return self.shares.shape[1]

    @cached_property
    def patient_code(self) -> NDArray[np.int64]:
        """Class of each patient."""
        return np.rint(self.mean_per_patient(self.codes.astype(np.float64))).astype(np.int64)

    @property
    def why_not(self) -> str:
        if not self.n:
            return "not computed: no patients with a prediction"
        counts = np.bincount(self.patient_code, minlength=self.n_classes)
        if (counts == 0).any():
            return f"not computed: a class has no patient here (counts {counts.tolist()})"
        return ""


def class_sample(frame: pd.DataFrame, model: str, split: str, classes: Sequence[str]) -> ClassSample:
    """Collect what one model predicted on one split; `frame` as `prepare_rows` gives it."""
    part = frame[(frame["model"] == model) & (frame["split"] == split)]
    rows = part[part["probability"].notna()]
    plain = sample_of(part, None, model, split)
    shares = rows[probability_columns(classes)].to_numpy(dtype=np.float64)
    return ClassSample(
        **{name: getattr(plain, name) for name in Sample.__dataclass_fields__},
        codes=rows["outcome"].to_numpy(dtype=np.int64),
        shares=shares,
        picked=shares.argmax(axis=1) if len(shares) else np.zeros(0, dtype=np.int64),
    )


def class_performance(
    predictions: pd.DataFrame, classes: Sequence[str], *, ordered: bool, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Discrimination, decisions, calibration and overall accuracy of every model on every split, with intervals.

    Parameters
    ----------
    predictions : DataFrame
        As for `performance`; `outcome` holds class codes, and `probability:<class>` their probabilities.
    classes : sequence of str
        In the order of the codes.
    ordered : bool
        An ordinal outcome: with the ordinal C-index, quadratic kappa and the mean absolute error.
    settings : ValidateSettings
    seed : int

    Returns
    -------
    DataFrame
        model, split, metric, estimate, lower, upper, method.
    """
    frame = prepare_rows(predictions, probability_columns(classes))
    rows = []
    for model in dict.fromkeys(predictions["model"]):
        for split in SPLITS:
            if not len(frame[(frame["model"] == model) & (frame["split"] == split)]):
                continue
            sample = class_sample(frame, model, split, classes)
            rng = np.random.default_rng(child_seed(seed, "performance", model, split))
            for metric, value in _metrics(sample, classes, ordered, settings, rng):
                rows.append((model, split, metric, value.estimate, value.lower, value.upper, value.method))
    return pd.DataFrame(rows, columns=["model", "split", "metric", "estimate", "lower", "upper", "method"])


def _metrics(
    sample: ClassSample, classes: Sequence[str], ordered: bool, settings: ValidateSettings, rng: np.random.Generator
) -> Iterator[tuple[str, Interval]]:
    # ranking metrics hold the number of patients of each class fixed; the others also carry its uncertainty
    stratified = _multiplicities(sample, settings.bootstrap, rng, stratified=True)
    plain = _multiplicities(sample, settings.bootstrap, rng, stratified=False)
    yield from _ranking(sample, classes, ordered, settings, stratified)
    yield from _decisions(sample, classes, ordered, settings, plain)
    yield from _overall(sample, settings, plain)
    yield from _calibration(sample, classes, settings, plain)
    left_out = f"; {sample.missing} rows without a probability left out" if sample.missing else ""
    yield "n", Interval(sample.n, _NAN, _NAN, f"count of patients{left_out}")
    for code, name in enumerate(classes):
        yield f"n:{name}", Interval(int((sample.patient_code == code).sum()), _NAN, _NAN, "count of patients")


def _multiplicities(sample: ClassSample, draws: int, rng: np.random.Generator, *, stratified: bool) -> Array:
    """How often each patient is drawn, shape (draws, patients)."""
    counts = np.zeros((draws, sample.n))
    strata = sample.patient_code if stratified else np.zeros(sample.n, dtype=np.int64)
    for label in np.unique(strata):
        members = np.flatnonzero(strata == label)
        counts[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), size=draws)
    return counts


# ---- ranking ------------------------------------------------------------------------------------------------------


def _on(sample: ClassSample, statistic: Callable[[NDArray[np.int64], Array, Array], Array]) -> Weighted:
    """A statistic of codes, probabilities and weights as one of repeat and patient weights."""

    def of_repeat(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return statistic(sample.codes[rows], sample.shares[rows], w[:, sample.patient[rows]])

    return of_repeat


def _macro(codes: NDArray[np.int64], p: Array, w: Array) -> Array:
    return np.asarray(multiclass.weighted_class_auc(codes, p, w).mean(axis=1))


def _by_size(codes: NDArray[np.int64], p: Array, w: Array) -> Array:
    sizes = np.column_stack([w[:, codes == k].sum(axis=1) for k in range(p.shape[1])])
    return over((multiclass.weighted_class_auc(codes, p, w) * sizes).sum(axis=1), sizes.sum(axis=1))


def _micro(codes: NDArray[np.int64], p: Array, w: Array) -> Array:
    return roc.weighted_auc(
        (codes[:, None] == np.arange(p.shape[1])).ravel(), p.ravel(), np.repeat(w, p.shape[1], axis=1)
    )


def _hand_till(codes: NDArray[np.int64], p: Array, w: Array) -> Array:
    areas = []
    for i in range(p.shape[1]):
        for j in range(p.shape[1]):
            if i != j:
                both = (codes == i) | (codes == j)
                areas.append(roc.weighted_auc(codes[both] == i, p[both, i], w[:, both]))
    return np.asarray(np.mean(areas, axis=0))


def _ordinal(codes: NDArray[np.int64], p: Array, w: Array) -> Array:
    return multiclass.ordinal_c(codes, multiclass.expected_class(p), w)


def _ranking(
    sample: ClassSample, classes: Sequence[str], ordered: bool, settings: ValidateSettings, weights: Array
) -> Iterator[tuple[str, Interval]]:
    """The measure that models are compared by comes first: on cv as the mean of the folds."""
    leading = [("ordinal_c", "ordinal C-index of the expected class", _ordinal)] if ordered else []
    leading.append(("macro_auc", "mean AUC of the classes against the rest", _macro))
    how = resampled(sample, stratified=True)
    for name, words, statistic in leading:
        if sample.split == "cv":
            yield from _over_folds(sample, name, words, statistic, settings, weights)
        else:
            yield name, bootstrapped(sample, weights, _on(sample, statistic), settings, f"{words}; {how}")
    for name, words, statistic in (
        ("weighted_auc", "AUC of the classes against the rest, weighted by their size", _by_size),
        ("micro_auc", "AUC over all pairs of patient and class", _micro),
        ("hand_till_m", "Hand and Till's M", _hand_till),
    ):
        method = f"{averaged(sample)}{words}; {how}"
        yield name, bootstrapped(sample, weights, _on(sample, statistic), settings, method)
    for code, name in enumerate(classes):
        yield f"auc:{name}", _class_auc(sample, code, settings, weights, how)


def _class_auc(sample: ClassSample, code: int, settings: ValidateSettings, weights: Array, how: str) -> Interval:
    if sample.why_not:
        return missing(sample.why_not)
    if len(sample.repeats) == 1 and sample.split != "cv":
        return roc.delong_interval(sample.codes == code, sample.shares[:, code], settings.confidence)

    def statistic(codes: NDArray[np.int64], p: Array, w: Array) -> Array:
        return roc.weighted_auc(codes == code, p[:, code], w)

    method = f"{averaged(sample)}AUC of the pooled out-of-fold predictions; {how}"
    return bootstrapped(sample, weights, _on(sample, statistic), settings, method)


def _over_folds(
    sample: ClassSample, name: str, words: str, statistic: Callable[[NDArray[np.int64], Array, Array], Array],
    settings: ValidateSettings, weights: Array,
) -> Iterator[tuple[str, Interval]]:  # fmt: skip
    """Mean over the folds, its noise, and the pooled value."""
    how = resampled(sample, stratified=True)

    def of_rows(rows: NDArray[np.intp], w: Array) -> Array:
        return statistic(sample.codes[rows], sample.shares[rows], w[:, sample.patient[rows]])

    folds = [rows for repeat in sample.folds for rows in repeat]
    one = np.ones((1, sample.n))
    values = np.array([of_rows(rows, one)[0] for rows in folds])

    def mean_of_folds(r: int, w: Array) -> Array:
        found = np.array([of_rows(rows, w) for rows in sample.folds[r]])
        there = np.isfinite(found)
        return over(np.where(there, found, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))

    if not np.isfinite(values).any():
        yield name, missing(sample.why_not or f"not computed: no fold holds every class; see {name}_pooled")
    else:
        drawn = draw(sample, weights, mean_of_folds)
        method = f"{words}, mean of {int(np.isfinite(values).sum())} folds; {how}"
        yield name, percentile_interval(float(np.nanmean(values)), drawn, settings.confidence, method)
        yield f"{name}_corrected_t", corrected(sample, values, settings)
        yield f"{name}_fold_sd", spread(values, "folds")
    method = f"{averaged(sample)}{words}, pooled out-of-fold predictions; {how}"
    yield f"{name}_pooled", bootstrapped(sample, weights, _on(sample, statistic), settings, method)


# ---- decisions ----------------------------------------------------------------------------------------------------


def _decisions(
    sample: ClassSample, classes: Sequence[str], ordered: bool, settings: ValidateSettings, weights: Array
) -> Iterator[tuple[str, Interval]]:
    """What the confusion matrix says; a patient is called the class that is most probable for him."""
    formulas = {**multiclass.SUMMARIES, **(multiclass.ORDERED if ordered else {})}
    if not sample.n:
        for name in formulas:
            yield name, missing(sample.why_not)
        return
    k = sample.n_classes
    cells = [(sample.codes == i) & (sample.picked == j) for i in range(k) for j in range(k)]
    here = np.array([sample.mean_per_patient(cell).sum() for cell in cells]).reshape(k, k)
    drawn = np.stack([draw(sample, weights, total(sample, cell)) for cell in cells], axis=-1).reshape(-1, k, k)
    what = averaged(sample, " of the confusion matrix")
    for name, formula in formulas.items():
        estimate = float(formula(here))
        yield name, percentile_interval(estimate, formula(drawn), settings.confidence, f"{what}{resampled(sample)}")
    for code, label in enumerate(classes):
        right, true, called = here[code, code], here[code].sum(), here[:, code].sum()
        everyone = here.sum()
        for name, part, whole in (
            ("sensitivity", right, true),
            ("specificity", everyone - true - called + right, everyone - true),
            ("ppv", right, called),
        ):
            value = classification.proportion_interval(float(part), float(whole), settings.confidence)
            yield f"{name}:{label}", Interval(value.estimate, value.lower, value.upper, f"{what}{value.method}")


# ---- probabilities ------------------------------------------------------------------------------------------------


def _overall(sample: ClassSample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    if not sample.n:
        for name in ("brier", "log_loss"):
            yield name, missing(sample.why_not)
        return
    squared = multiclass.multinomial_brier(sample.codes, sample.shares)
    own = np.clip(sample.shares[np.arange(len(sample.codes)), sample.codes], 1e-12, 1.0)
    size = draw(sample, weights, total(sample, np.ones(len(sample.codes))))
    for name, values, words in (
        ("brier", squared, "sum over the classes of the squared errors (0 to 2)"),
        ("log_loss", -np.log(own), "minus the log of the probability of the true class"),
    ):
        drawn = over(draw(sample, weights, total(sample, values)), size)
        method = f"{averaged(sample)}{words}; {resampled(sample)}"
        yield (
            name,
            percentile_interval(float(sample.mean_per_patient(values).mean()), drawn, settings.confidence, method),
        )


def _calibration(
    sample: ClassSample, classes: Sequence[str], settings: ValidateSettings, weights: Array
) -> Iterator[tuple[str, Interval]]:
    """Slope, intercept and calibration in the large of each class against the rest."""
    for code, label in enumerate(classes):
        names = (f"calibration_slope:{label}", f"calibration_intercept:{label}", f"calibration_in_the_large:{label}")
        if sample.why_not:
            yield from ((name, missing(sample.why_not)) for name in names)
            continue
        event, p = sample.codes == code, sample.shares[:, code]
        if len(sample.repeats) == 1:
            slope, intercept = calibration.calibration_slope(event, p, settings.confidence)
            large = calibration.calibration_in_the_large(event, p, settings.confidence)
            yield from zip(names, (slope, intercept, large), strict=True)
            continue
        yield from zip(names, _repeated(sample, event, p, settings, weights), strict=True)


def _repeated(
    sample: ClassSample, event: NDArray[np.bool_], p: Array, settings: ValidateSettings, weights: Array
) -> Iterator[Interval]:
    """The same over repeats, resampled by patient."""
    lp, _ = calibration.linear_predictor(p)

    def of(which: int) -> Weighted:
        def statistic(r: int, w: Array) -> Array:
            rows = sample.repeats[r]
            return calibration.weighted_slope(lp[rows], event[rows], w[:, sample.patient[rows]])[which]

        return statistic

    def in_the_large(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return calibration.weighted_in_the_large(lp[rows], event[rows], w[:, sample.patient[rows]])

    how = f"{averaged(sample)}logistic recalibration; {resampled(sample)}"
    for statistic in (of(0), of(1), in_the_large):
        yield bootstrapped(sample, weights, statistic, settings, how)
