"""How well each model does on each split: every number with its interval and the method that made it.

On the cross-validated split a patient has one prediction per repeat. Numbers that need many patients (AUC over pooled
rows, calibration) are computed per repeat and averaged; numbers that are means over patients average a patient's
repeats first. Either way the unit of every interval is the patient. `docs/explanation/statistics.md` lists the
definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.stats import calibration, classification, roc
from isthmus.stats.binary import Array, check_outcome
from isthmus.stats.bootstrap import patient_multiplicities, percentile_interval
from isthmus.stats.classification import Counts
from isthmus.stats.corrected import corrected_interval
from isthmus.stats.interval import Interval
from isthmus.stats.seeds import child_seed
from isthmus.validate.settings import ValidateSettings

__all__ = ["SPLITS", "fold_aucs", "performance", "prepare"]

SPLITS = ("train", "cv", "internal", "external")
_COLUMNS = ("patient", "model", "split", "repeat", "fold", "outcome", "probability")
_NAN = float("nan")
_LOESS_DRAWS = 500  # a loess per draw is what costs; the interval of the ICI is rough anyway
_CHUNK = 4_000_000  # weights held at once by a weighted statistic

Rows = NDArray[np.intp]
Weighted = Callable[[int, Array], Array]  # which repeat, weights of shape (draws, patients) -> (draws,)


# ---- predictions --------------------------------------------------------------------------------------------------


def prepare(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions checked and in a fixed order, so that the order of rows can never change a number.

    Raises
    ------
    TableError
        A column is missing, an outcome is not 0 or 1, a probability lies outside [0, 1], a split is unknown, a
        cross-validated row has no repeat or fold, or a patient has two rows where there may be one, or two outcomes.
    """
    missing = [c for c in _COLUMNS if c not in predictions.columns]
    if missing:
        raise TableError(f"predictions lack the columns {', '.join(missing)}; expected {', '.join(_COLUMNS)}")
    frame = predictions.loc[:, list(_COLUMNS)].copy()
    for name in ("repeat", "fold", "outcome", "probability"):
        frame[name] = pd.to_numeric(frame[name]).astype(np.float64)
    frame["patient"] = frame["patient"].astype(str)
    check_outcome(frame["outcome"].to_numpy())
    unknown = sorted(set(frame["split"]) - set(SPLITS))
    if unknown:
        raise TableError(f"predictions of unknown splits {', '.join(map(str, unknown))}. Known: {', '.join(SPLITS)}")
    outside = frame[(frame["probability"] < 0) | (frame["probability"] > 1)]
    if len(outside):
        first = outside.iloc[0]
        raise TableError(
            f"model {first['model']}, patient {first['patient']}: probability {first['probability']} lies outside "
            "[0, 1]; these are not probabilities"
        )
    loose = frame[(frame["split"] == "cv") & (frame["repeat"].isna() | frame["fold"].isna())]
    if len(loose):
        first = loose.iloc[0]
        raise TableError(
            f"model {first['model']}, patient {first['patient']}: a cross-validated prediction without repeat or fold; "
            "number both"
        )
    twice = frame.duplicated(["patient", "model", "split", "repeat"])
    if twice.any():
        first = frame[twice].iloc[0]
        raise TableError(
            f"model {first['model']}, split {first['split']}: patient {first['patient']} has two predictions in one "
            "repeat; aggregate the rows of a patient first"
        )
    outcomes = frame.groupby(["patient", "split"])["outcome"].nunique()
    if (outcomes > 1).any():
        raise TableError(f"patient {outcomes[outcomes > 1].index[0][0]} has two different outcomes")
    return frame.sort_values(["repeat", "fold", "patient"], kind="stable", na_position="first", ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Sample:
    """The predictions of one model on one split, rows in order of repeat, fold, patient."""

    split: str
    event: NDArray[np.bool_]
    probability: Array
    called: NDArray[np.bool_]
    threshold: Array
    patient: Rows  # index of each row's patient
    repeats: tuple[Rows, ...]
    folds: tuple[tuple[Rows, ...], ...]  # per repeat
    missing: int  # rows without a probability, left out

    @cached_property
    def n(self) -> int:
        """Number of patients."""
        return int(self.patient.max()) + 1 if self.patient.size else 0

    @cached_property
    def rows_of_patient(self) -> Array:
        return np.bincount(self.patient, minlength=self.n).astype(np.float64)

    @cached_property
    def patient_event(self) -> NDArray[np.bool_]:
        """Outcome of each patient."""
        return self.mean_per_patient(self.event) > 0.5

    def mean_per_patient(self, values: NDArray[np.bool_] | Array) -> Array:
        """Mean of a patient's rows (repeats)."""
        return np.bincount(self.patient, values, minlength=self.n) / self.rows_of_patient

    @property
    def why_not(self) -> str:
        """Why nothing that compares the classes can be computed, or nothing."""
        events = int(self.patient_event.sum())
        if not self.n:
            return "not computed: no patients with a prediction"
        if events in {0, self.n}:
            return f"not computed: only one class ({events} events among {self.n} patients)"
        return ""


def _sample(frame: pd.DataFrame, thresholds: pd.DataFrame, model: str, split: str) -> _Sample:
    """Collect what one model predicted on one split, with the threshold that belongs to each row."""
    there = frame["probability"].notna().to_numpy()
    rows = frame[there]
    cut = _threshold_of_rows(rows, thresholds, model, split)
    probability = rows["probability"].to_numpy()
    by_repeat = rows.groupby("repeat", dropna=False, sort=True).indices if len(rows) else {}
    fold = rows["fold"].to_numpy()
    repeats = tuple(np.asarray(found, dtype=np.intp) for found in by_repeat.values())
    return _Sample(
        split=split,
        event=rows["outcome"].to_numpy() == 1,
        probability=probability,
        called=probability >= cut,
        threshold=cut,
        patient=np.unique(rows["patient"].to_numpy(dtype=str), return_inverse=True)[1],
        repeats=repeats,
        folds=tuple(tuple(found[fold[found] == k] for k in np.unique(fold[found])) for found in repeats),
        missing=int((~there).sum()),
    )


def _threshold_of_rows(rows: pd.DataFrame, thresholds: pd.DataFrame, model: str, split: str) -> Array:
    """Threshold of each row: its outer fold's on cv, the final model's elsewhere."""
    own = thresholds[thresholds["model"] == model]
    repeat, fold = (pd.to_numeric(own[name]).astype(np.float64) for name in ("repeat", "fold"))
    if split != "cv":
        final = own[repeat.isna() & fold.isna()]
        if len(final) != 1:
            raise TableError(
                f"model {model}: {len(final)} thresholds of the final model; expected one row without repeat and fold"
            )
        return np.full(len(rows), float(final["threshold"].iloc[0]))
    table = dict(zip(zip(repeat, fold, strict=True), own["threshold"].astype(np.float64), strict=True))
    keys = list(zip(rows["repeat"], rows["fold"], strict=True))
    absent = sorted({key for key in keys if key not in table})
    if absent:
        raise TableError(f"model {model}: no threshold for repeat {absent[0][0]:g}, fold {absent[0][1]:g}")
    return np.array([table[key] for key in keys], dtype=np.float64)


# ---- the table ----------------------------------------------------------------------------------------------------


def performance(
    predictions: pd.DataFrame, thresholds: pd.DataFrame, *, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Discrimination, decisions, calibration and overall accuracy of every model on every split, with intervals.

    Parameters
    ----------
    predictions : DataFrame
        patient, model, split, repeat, fold, outcome (0/1), probability; on `cv` one row per patient and repeat,
        elsewhere one row per patient. Rows without a probability are left out and counted in the method of `n`.
    thresholds : DataFrame
        model, repeat, fold, threshold; the row without repeat and fold is the final model's.
    settings : ValidateSettings
        `bootstrap` (draws) and `confidence`.
    seed : int
        Study seed; every model and split derives its own.

    Returns
    -------
    DataFrame
        model, split, metric, estimate, lower, upper, method. A number that cannot be computed is NaN, and
        `method` says why.

    Raises
    ------
    TableError
        The predictions are malformed (see `prepare`) or a threshold is missing.
    """
    frame = prepare(predictions)
    rows = []
    for model in dict.fromkeys(predictions["model"]):
        for split in SPLITS:
            part = frame[(frame["model"] == model) & (frame["split"] == split)]
            if not len(part):
                continue
            sample = _sample(part, thresholds, model, split)
            rng = np.random.default_rng(child_seed(seed, "performance", model, split))
            for metric, value in _metrics(sample, settings, rng):
                rows.append((model, split, metric, value.estimate, value.lower, value.upper, value.method))
    return pd.DataFrame(rows, columns=["model", "split", "metric", "estimate", "lower", "upper", "method"])


def _metrics(sample: _Sample, settings: ValidateSettings, rng: np.random.Generator) -> Iterator[tuple[str, Interval]]:
    """Every metric of one model on one split."""
    event, draws = sample.patient_event, settings.bootstrap
    # ranking metrics hold the number of events fixed; the others also carry the uncertainty of the prevalence
    stratified = patient_multiplicities(event, draws=draws, rng=rng) if sample.n else np.empty((draws, 0))
    plain = patient_multiplicities(event, draws=draws, rng=rng, stratified=False) if sample.n else np.empty((draws, 0))
    yield from _discrimination(sample, settings, stratified)
    yield from _decisions(sample, settings, plain)
    yield from _overall(sample, settings, plain)
    yield from _calibration(sample, settings, plain)
    yield from _facts(sample, settings)


def _missing(reason: str) -> Interval:
    return Interval(_NAN, _NAN, _NAN, reason)


# ---- repeats and draws --------------------------------------------------------------------------------------------


def _estimate(sample: _Sample, statistic: Weighted) -> float:
    """Mean of a statistic over the repeats where it is defined."""
    one = np.ones((1, sample.n))
    values = np.array([statistic(r, one)[0] for r in range(len(sample.repeats))])
    there = values[np.isfinite(values)]
    return float(there.mean()) if there.size else _NAN


def _draw(sample: _Sample, weights: Array, statistic: Weighted) -> Array:
    """The statistic in every draw: of resampled patients in one repeat, the repeats taking turns.

    Averaging the repeats inside a draw would hide the noise of the partition; intervals then cover far too rarely
    (docs/evidence/cv-interval-coverage.md).
    """
    count = len(sample.repeats)
    drawn = np.full(len(weights), _NAN)
    step = max(1, _CHUNK // max(sample.n, 1))
    for r in range(count):
        turns = np.arange(r, len(weights), count)
        for at in range(0, turns.size, step):
            chosen = turns[at : at + step]
            drawn[chosen] = statistic(r, weights[chosen])
    return drawn


def _bootstrapped(
    sample: _Sample, weights: Array, statistic: Weighted, settings: ValidateSettings, method: str
) -> Interval:
    """A statistic averaged over repeats, with its interval over resampled patients and repeats."""
    if sample.why_not:
        return _missing(sample.why_not)
    estimate = _estimate(sample, statistic)
    drawn = _draw(sample, weights, statistic) if np.isfinite(estimate) else np.empty(0)
    return percentile_interval(estimate, drawn, settings.confidence, method)


def _averaged(sample: _Sample, what: str = "") -> str:
    """How the repeats were combined, for the method."""
    count = len(sample.repeats)
    return f"mean over {count} repeats{what}; " if count > 1 else ""


def _resampled(sample: _Sample, *, stratified: bool = False) -> str:
    """How the draws were made, for the method."""
    turns = ", one repeat a draw" if len(sample.repeats) > 1 else ""
    return f"bootstrap over patients{turns}{', stratified by outcome' if stratified else ''}"


def _over(top: Array, bottom: Array) -> Array:
    """Quotient of each draw; NaN where nobody stands in the denominator."""
    return np.divide(top, bottom, out=np.full(len(top), _NAN), where=bottom > 0)


# ---- discrimination -----------------------------------------------------------------------------------------------


def fold_aucs(event: NDArray[np.bool_], probability: Array, folds: tuple[Rows, ...]) -> Array:
    """AUC within each outer fold; NaN where a fold has one class."""
    return np.array([roc.auc(event[rows], probability[rows]) for rows in folds])


def _discrimination(sample: _Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """AUC and PR-AUC; on cv the mean of the fold AUCs, the pooled AUC, and how much the partition matters."""
    if sample.split == "cv":
        yield from _cross_validated_auc(sample, settings, weights)
    elif sample.why_not:
        yield "auc", _missing(sample.why_not)
    else:
        yield "auc", roc.delong_interval(sample.event, sample.probability, settings.confidence)

    def average_precision(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return roc.weighted_average_precision(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])

    how = _resampled(sample, stratified=True)
    method = f"{_averaged(sample)}average precision (compare with the prevalence); {how}"
    yield "pr_auc", _bootstrapped(sample, weights, average_precision, settings, method)
    events = float(sample.patient_event.sum())
    yield "prevalence", classification.proportion_interval(events, sample.n, settings.confidence)


def _cross_validated_auc(sample: _Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    folds = tuple(rows for repeat in sample.folds for rows in repeat)
    areas = fold_aucs(sample.event, sample.probability, folds)
    defined = int(np.isfinite(areas).sum())
    how = _resampled(sample, stratified=True)

    def mean_of_folds(r: int, w: Array) -> Array:
        values = np.array(
            [
                roc.weighted_auc(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])
                for rows in sample.folds[r]
            ]
        )
        there = np.isfinite(values)
        total, used = np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0)
        return _over(total, used)

    def pooled(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return roc.weighted_auc(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])

    if not defined:
        reason = sample.why_not or "not computed: no fold holds both classes; see auc_pooled"
        for metric in ("auc", "auc_corrected_t", "auc_fold_sd"):
            yield metric, _missing(reason)
    else:
        others = "" if defined == areas.size else f" ({areas.size - defined} more folds hold one class)"
        drawn = _draw(sample, weights, mean_of_folds)
        method = f"mean of {defined} fold AUCs{others}; {how}"
        yield "auc", percentile_interval(float(np.nanmean(areas)), drawn, settings.confidence, method)
        yield "auc_corrected_t", _corrected(sample, areas, settings)
        yield "auc_fold_sd", _spread(areas, "folds")
    method = f"{_averaged(sample)}AUC of the pooled out-of-fold predictions; {how}"
    yield "auc_pooled", _bootstrapped(sample, weights, pooled, settings, method)
    yield "auc_repeat_sd", _spread(fold_aucs(sample.event, sample.probability, sample.repeats), "repeats (pooled)")


def _corrected(sample: _Sample, areas: Array, settings: ValidateSettings) -> Interval:
    """The same mean with the corrected resampled t interval, within 0 and 1."""
    test = float(np.mean([rows.size for repeat in sample.folds for rows in repeat]))
    if sample.n <= test:
        return Interval(float(np.nanmean(areas)), _NAN, _NAN, "no interval: one fold holds every patient")
    value = corrected_interval(areas, test_train_ratio=test / (sample.n - test), confidence=settings.confidence)
    return Interval(value.estimate, max(0.0, value.lower), min(1.0, value.upper), value.method)


def _spread(areas: Array, over: str) -> Interval:
    """Standard deviation of the AUC over folds or repeats: partition noise, never a standard error."""
    there = areas[np.isfinite(areas)]
    if there.size < 2:
        return _missing(f"not computed: fewer than two {over}")
    what = f"partition noise: standard deviation of the AUC over {there.size} {over}; not a standard error, no interval"
    return Interval(float(there.std(ddof=1)), _NAN, _NAN, what)


# ---- decisions ----------------------------------------------------------------------------------------------------


def _decisions(sample: _Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Sensitivity and its relatives at the threshold fixed on training predictions."""
    e, c = sample.event, sample.called
    cells = [e & c, ~e & c, ~e & ~c, e & ~c]
    here = Counts(*(float(sample.mean_per_patient(cell).sum()) for cell in cells))
    averaged = _averaged(sample, " of the two-by-two table")
    for name, parts in classification.PROPORTIONS.items():
        part, whole = parts(here)
        value = classification.proportion_interval(float(part), float(whole), settings.confidence)
        yield name, Interval(value.estimate, value.lower, value.upper, f"{averaged}{value.method}")
    if sample.why_not:
        for name in classification.SUMMARIES:
            yield name, _missing(sample.why_not)
        return
    per_cell = [_draw(sample, weights, _total(sample, cell)) for cell in cells]
    for name, formula in classification.SUMMARIES.items():
        method = f"{averaged}{_resampled(sample)}"
        yield name, percentile_interval(float(formula(here)), formula(Counts(*per_cell)), settings.confidence, method)


def _total(sample: _Sample, values: NDArray[np.bool_] | Array) -> Weighted:
    """Weighted sum of one value per row, over the rows of a repeat."""
    return lambda r, w: w[:, sample.patient[sample.repeats[r]]] @ np.asarray(values, dtype=float)[sample.repeats[r]]


# ---- overall accuracy and calibration -----------------------------------------------------------------------------


def _overall(sample: _Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Brier score, scaled Brier score and log-loss."""
    if not sample.n:
        for name in ("brier", "scaled_brier", "log_loss"):
            yield name, _missing(sample.why_not)
        return
    inside = np.clip(sample.probability, 1e-12, 1 - 1e-12)
    squared = (sample.probability - sample.event) ** 2
    surprise = -np.log(np.where(sample.event, inside, 1 - inside))
    size = _draw(sample, weights, _total(sample, np.ones(sample.event.size)))
    share = _over(_draw(sample, weights, _total(sample, sample.event)), size)
    error = _over(_draw(sample, weights, _total(sample, squared)), size)
    prevalence, brier = float(sample.patient_event.mean()), float(sample.mean_per_patient(squared).mean())
    method, level = f"{_averaged(sample)}{_resampled(sample)}", settings.confidence
    yield "brier", percentile_interval(brier, error, level, method)
    if sample.why_not:
        yield "scaled_brier", _missing(sample.why_not)
    else:
        reference = share * (1 - share)
        scaled = 1 - _over(error, reference)
        estimate = 1 - brier / (prevalence * (1 - prevalence))
        yield "scaled_brier", percentile_interval(estimate, scaled, level, method)
    drawn = _over(_draw(sample, weights, _total(sample, surprise)), size)
    yield "log_loss", percentile_interval(float(sample.mean_per_patient(surprise).mean()), drawn, level, method)


def _calibration(sample: _Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Slope, intercept, calibration in the large, O:E and ICI; formulas on one set of predictions, else bootstrap."""
    if sample.why_not:
        for name in ("calibration_slope", "calibration_intercept", "calibration_in_the_large", "o_e", "ici"):
            yield name, _missing(sample.why_not)
        return
    if len(sample.repeats) == 1:
        y, p, level = sample.event, sample.probability, settings.confidence
        slope, intercept = calibration.calibration_slope(y, p, level)
        yield "calibration_slope", slope
        yield "calibration_intercept", intercept
        yield "calibration_in_the_large", calibration.calibration_in_the_large(y, p, level)
        yield "o_e", calibration.observed_expected(y, p, level)
    else:
        yield from _repeated_calibration(sample, settings, weights)
    yield "ici", _ici(sample, settings, weights)


def _repeated_calibration(
    sample: _Sample, settings: ValidateSettings, weights: Array
) -> Iterator[tuple[str, Interval]]:
    """Calibration of repeated cross-validation: fitted per repeat, averaged, resampled by patient."""
    lp, moved = calibration.linear_predictor(sample.probability)
    note = f" ({moved} predictions of exactly 0 or 1 moved by 1e-12)" if moved else ""
    how = _resampled(sample)

    def recalibrated(which: int) -> Weighted:
        def statistic(r: int, w: Array) -> Array:
            rows = sample.repeats[r]
            return calibration.weighted_slope(lp[rows], sample.event[rows], w[:, sample.patient[rows]])[which]

        return statistic

    method = f"{_averaged(sample)}logistic recalibration{note}; {how}"
    yield "calibration_slope", _bootstrapped(sample, weights, recalibrated(0), settings, method)
    yield "calibration_intercept", _bootstrapped(sample, weights, recalibrated(1), settings, method)

    def in_the_large(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return calibration.weighted_in_the_large(lp[rows], sample.event[rows], w[:, sample.patient[rows]])

    method = f"{_averaged(sample)}logistic, slope fixed at 1; {how}"
    yield "calibration_in_the_large", _bootstrapped(sample, weights, in_the_large, settings, method)
    expected = float(sample.mean_per_patient(sample.probability).sum())
    if expected == 0:
        yield "o_e", _missing("not computed: no events expected")
        return
    total = _draw(sample, weights, _total(sample, sample.probability))
    events = _draw(sample, weights, _total(sample, sample.event))
    drawn = _over(events, total)
    ratio = float(sample.patient_event.sum()) / expected
    yield "o_e", percentile_interval(ratio, drawn, settings.confidence, f"{_averaged(sample)}{how}")


def _ici(sample: _Sample, settings: ValidateSettings, weights: Array) -> Interval:
    """Integrated calibration index; one smoother for all repeats and draws."""
    distinct = [calibration.smoother_for(sample.probability[rows]) for rows in sample.repeats]
    smoother: calibration.Smoother = "loess" if all(kind == "loess" for kind in distinct) else "grouped"
    methods: list[str] = []

    def ici(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        values = np.full(len(w), _NAN)
        for b, times in enumerate(w[:, sample.patient[rows]].astype(np.intp)):
            chosen = np.repeat(rows, times)
            event = sample.event[chosen]
            if event.all() or not event.any():
                continue
            distance, method = calibration.calibration_distances(event, sample.probability[chosen], smoother)
            methods.append(method)
            if distance.size:
                values[b] = distance.mean()
        return values

    estimate = _estimate(sample, ici)
    if not np.isfinite(estimate):
        return _missing(f"not computed: {methods[0]} is singular on these predictions")
    drawn = _draw(sample, weights[:_LOESS_DRAWS], ici)
    return percentile_interval(
        estimate, drawn, settings.confidence, f"{_averaged(sample)}{methods[0]}; {_resampled(sample)}"
    )


# ---- facts --------------------------------------------------------------------------------------------------------


def _facts(sample: _Sample, settings: ValidateSettings) -> Iterator[tuple[str, Interval]]:
    """Number of patients and events, and the threshold that was applied."""
    left_out = f"; {sample.missing} rows without a probability left out" if sample.missing else ""
    yield "n", Interval(sample.n, _NAN, _NAN, f"count of patients{left_out}")
    yield "n_events", Interval(int(sample.patient_event.sum()), _NAN, _NAN, "count of patients with the event")
    if not sample.n:
        yield "threshold", _missing(sample.why_not)
    elif sample.split == "cv":
        per_fold = np.array([sample.threshold[rows[0]] for repeat in sample.folds for rows in repeat])
        what = f"mean of {per_fold.size} folds, each fixed on its training predictions; limits: smallest and largest"
        yield "threshold", Interval(float(per_fold.mean()), float(per_fold.min()), float(per_fold.max()), what)
    else:
        value = float(sample.threshold[0])
        yield "threshold", Interval(value, _NAN, _NAN, "fixed on training predictions, carried over")
