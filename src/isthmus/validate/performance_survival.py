"""How well models of a time to event do on each split; see `validate.performance` for what all tasks share.

Numbers that belong to a time bear it after a colon (`auc:24` is the AUC for events by time 24).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.interval import Interval
from isthmus.stats.seeds import child_seed
from isthmus.stats.survival import calibration
from isthmus.stats.survival.at_time import auc_at, brier_at, ipa_at
from isthmus.stats.survival.censoring import CensoringFree, censoring_free
from isthmus.stats.survival.concordance import harrell_c, harrell_interval, pairs, uno_c, weighted_concordance
from isthmus.stats.survival.cox import cox_regression
from isthmus.stats.survival.kaplan_meier import kaplan_meier
from isthmus.stats.survival.log_rank import log_rank
from isthmus.validate.discrimination import corrected, spread
from isthmus.validate.draws import averaged, draw, missing, over, resampled
from isthmus.validate.sample import SPLITS, Sample, prepare_rows, sample_of
from isthmus.validate.settings import ValidateSettings

__all__ = ["TimeSample", "evaluation_times", "survival_performance", "time_sample"]

_NAN = float("nan")
_SLOW_DRAWS = 300  # statistics with their own weights for censoring are computed draw by draw
Of = Callable[["TimeSample", NDArray[np.intp]], float]


@dataclass(frozen=True, eq=False)
class TimeSample(Sample):
    """The predictions of one model on one split: time, risk and group of each row; `probability` is by the horizon."""

    time: Array
    risk: Array
    group: NDArray[np.object_]

    @cached_property
    def patient_time(self) -> Array:
        return self.mean_per_patient(self.time)

    @property
    def why_not(self) -> str:
        if not self.n:
            return "not computed: no patients with a prediction"
        if not self.patient_event.any():
            return f"not computed: none of {self.n} patients has the event"
        return ""


def evaluation_times(settings: ValidateSettings) -> tuple[float, ...]:
    """When the AUC and the Brier score are taken: [validate] times, else the horizon (at which models give a
    probability)."""
    assert settings.horizon is not None
    return tuple(sorted({*settings.times, settings.horizon}))


def time_sample(frame: pd.DataFrame, model: str, split: str) -> TimeSample:
    """Collect what one model predicted on one split; `frame` as `prepare_rows` gives it."""
    part = frame[(frame["model"] == model) & (frame["split"] == split)]
    rows = part[part["probability"].notna()]
    plain = sample_of(part, None, model, split)
    return TimeSample(
        **{name: getattr(plain, name) for name in Sample.__dataclass_fields__},
        time=rows["time"].to_numpy(dtype=np.float64),
        risk=rows["risk"].to_numpy(dtype=np.float64),
        group=rows["group"].to_numpy(dtype=object),
    )


def survival_performance(predictions: pd.DataFrame, *, settings: ValidateSettings, seed: int) -> pd.DataFrame:
    """Discrimination, accuracy and calibration of every model on every split, with intervals.

    Parameters
    ----------
    predictions : DataFrame
        As for `performance`; `outcome` is 1 for an event and 0 for censored, and `time`, `risk`, `group` stand beside.
    settings : ValidateSettings
        With its horizon.
    seed : int

    Returns
    -------
    DataFrame
        model, split, metric, estimate, lower, upper, method.
    """
    frame = prepare_rows(predictions, ["time", "risk"], keep=["group"])
    rows = []
    for model in dict.fromkeys(predictions["model"]):
        for split in SPLITS:
            if not len(frame[(frame["model"] == model) & (frame["split"] == split)]):
                continue
            sample = time_sample(frame, model, split)
            rng = np.random.default_rng(child_seed(seed, "performance", model, split))
            for metric, value in _metrics(sample, settings, rng):
                rows.append((model, split, metric, value.estimate, value.lower, value.upper, value.method))
    return pd.DataFrame(rows, columns=["model", "split", "metric", "estimate", "lower", "upper", "method"])


def _metrics(
    sample: TimeSample, settings: ValidateSettings, rng: np.random.Generator
) -> Iterator[tuple[str, Interval]]:
    weights = np.empty((settings.bootstrap, 0))
    if sample.n:
        weights = rng.multinomial(sample.n, np.full(sample.n, 1 / sample.n), size=settings.bootstrap).astype(np.float64)
    yield from _ranking(sample, settings, weights)
    yield from _at_times(sample, settings, weights)
    yield from _calibration(sample, settings, weights)
    yield from _groups(sample, settings)
    yield from _facts(sample, settings)


# ---- ranking ------------------------------------------------------------------------------------------------------


def _ranking(sample: TimeSample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Harrell's C: on cv the mean of the folds, since risks of different models need not share a scale; Uno's C."""
    if sample.why_not:
        yield "c_index", missing(sample.why_not)
    elif sample.split == "cv":
        yield from _over_folds(sample, settings, weights)
    else:
        yield "c_index", harrell_interval(sample.time, sample.event, sample.risk, settings.confidence)
    limit = max(evaluation_times(settings))

    def uno(s: TimeSample, rows: NDArray[np.intp]) -> float:
        return uno_c(s.time[rows], s.event[rows], s.risk[rows], tau=limit)

    yield "uno_c", _slow(sample, uno, settings, weights, f"Uno's C up to time {limit:g}")


def _over_folds(sample: TimeSample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    def of(rows: NDArray[np.intp], w: Array) -> Array:
        matrices = pairs(sample.time[rows], sample.event[rows], sample.risk[rows])
        return weighted_concordance(*matrices, w[:, sample.patient[rows]])

    folds = [rows for repeat in sample.folds for rows in repeat]
    values = np.array([harrell_c(sample.time[rows], sample.event[rows], sample.risk[rows]) for rows in folds])

    def mean_of_folds(r: int, w: Array) -> Array:
        found = np.array([of(rows, w) for rows in sample.folds[r]])
        there = np.isfinite(found)
        return over(np.where(there, found, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))

    if np.isfinite(values).any():
        drawn = draw(sample, weights, mean_of_folds)
        method = f"Harrell's C, mean of {int(np.isfinite(values).sum())} folds; {resampled(sample)}"
        yield "c_index", percentile_interval(float(np.nanmean(values)), drawn, settings.confidence, method)
        yield "c_index_corrected_t", corrected(sample, values, settings)
        yield "c_index_fold_sd", spread(values, "folds")
    else:
        yield "c_index", missing("not computed: no fold holds two patients whose order of events is known")
    of_repeats = [harrell_c(sample.time[rows], sample.event[rows], sample.risk[rows]) for rows in sample.repeats]
    method = f"{averaged(sample)}Harrell's C of the pooled out-of-fold risks (of models that need not share a scale)"
    drawn = draw(sample, weights, lambda r, w: of(sample.repeats[r], w))
    estimate = float(np.mean(of_repeats))
    yield "c_index_pooled", percentile_interval(estimate, drawn, settings.confidence, f"{method}; {resampled(sample)}")


# ---- what happens by a time ---------------------------------------------------------------------------------------


def _slow(sample: TimeSample, statistic: Of, settings: ValidateSettings, weights: Array, what: str) -> Interval:
    """A statistic of rows: per repeat and averaged; in a draw a patient drawn twice is there twice."""
    if sample.why_not:
        return missing(sample.why_not)
    values = np.array([statistic(sample, rows) for rows in sample.repeats])
    there = values[np.isfinite(values)]
    if not there.size:
        return missing(
            f"{what}; not computed: not defined on these patients (followed for too short a time, or no event)"
        )

    def of_draws(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        times = w[:, sample.patient[rows]].astype(np.intp)
        return np.array([statistic(sample, np.repeat(rows, often)) for often in times])

    drawn = draw(sample, weights[:_SLOW_DRAWS], of_draws)
    method = f"{averaged(sample)}{what}; {resampled(sample)}"
    return percentile_interval(float(there.mean()), drawn, settings.confidence, method)


def _followed(sample: TimeSample, rows: NDArray[np.intp], at: float) -> CensoringFree | None:
    """The censoring distribution of these rows, where they were followed beyond the time `at`."""
    if not (sample.time[rows] > at).any():
        return None
    return censoring_free(sample.time[rows], sample.event[rows])


def _at_times(sample: TimeSample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """AUC at every time; Brier score and IPA at the horizon, for which there are probabilities."""

    def auc(at: float) -> Of:
        def statistic(s: TimeSample, rows: NDArray[np.intp]) -> float:
            free = _followed(s, rows, at)
            return _NAN if free is None else auc_at(s.time[rows], s.event[rows], s.risk[rows], at, censoring=free)

        return statistic

    for at in evaluation_times(settings):
        what = f"AUC for events by time {at:g}, weighted for censoring"
        yield f"auc:{at:g}", _slow(sample, auc(at), settings, weights, what)
    horizon = float(settings.horizon or _NAN)

    def scored(formula: Callable[..., float]) -> Of:
        def statistic(s: TimeSample, rows: NDArray[np.intp]) -> float:
            free = _followed(s, rows, horizon)
            if free is None:
                return _NAN
            return formula(s.time[rows], s.event[rows], s.probability[rows], horizon, censoring=free)

        return statistic

    words = f"at time {horizon:g}, weighted for censoring"
    yield f"brier:{horizon:g}", _slow(sample, scored(brier_at), settings, weights, f"Brier score {words}")
    what = f"index of prediction accuracy {words}: 1 - Brier / Brier of the Kaplan-Meier probability"
    yield f"ipa:{horizon:g}", _slow(sample, scored(ipa_at), settings, weights, what)


def _calibration(sample: TimeSample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """At the horizon: O:E, slope and ICI."""
    horizon = float(settings.horizon or _NAN)
    names = (f"o_e:{horizon:g}", "calibration_slope", f"ici:{horizon:g}")
    if sample.why_not:
        yield from ((name, missing(sample.why_not)) for name in names)
        return

    def ratio(s: TimeSample, rows: NDArray[np.intp]) -> float:
        return calibration.observed_expected_at(s.time[rows], s.event[rows], s.probability[rows], horizon).estimate

    def slope(s: TimeSample, rows: NDArray[np.intp]) -> float:
        return calibration.calibration_slope(s.time[rows], s.event[rows], s.probability[rows]).estimate

    def ici(s: TimeSample, rows: NDArray[np.intp]) -> float:
        return calibration.ici_at(s.time[rows], s.event[rows], s.probability[rows], horizon)[0]

    if len(sample.repeats) == 1:
        t, e, p, level = sample.time, sample.event, sample.probability, settings.confidence
        yield names[0], calibration.observed_expected_at(t, e, p, horizon, level)
        yield names[1], calibration.calibration_slope(t, e, p, level)
    else:
        what = f"Kaplan-Meier over mean predicted probability at time {horizon:g}"
        yield names[0], _slow(sample, ratio, settings, weights, what)
        yield names[1], _slow(sample, slope, settings, weights, "Cox regression on log(-log(1 - p))")
    what = f"mean distance of predicted from smoothed observed probability at time {horizon:g} (loess of pseudo-values)"
    yield names[2], _slow(sample, ici, settings, weights[:100], what)


# ---- risk groups and facts ----------------------------------------------------------------------------------------


def _groups(sample: TimeSample, settings: ValidateSettings) -> Iterator[tuple[str, Interval]]:
    """Hazard ratio of the highest against the lowest risk group, and the log-rank p of all of them."""
    if sample.why_not:
        yield "hazard_ratio_groups", missing(sample.why_not)
        yield "log_rank_p", missing(sample.why_not)
        return
    rows = sample.repeats[0]
    group, time, event = sample.group[rows], sample.time[rows], sample.event[rows]
    first = " of the first repeat" if len(sample.repeats) > 1 else ""
    note = f"risk groups{first}, cut on training predictions"
    ends = (group == "high") | (group == "low")
    try:
        fit = cox_regression((group[ends] == "high").astype(np.float64)[:, None], time[ends], event[ends])
        line = fit.table(settings.confidence).iloc[0]
        value = Interval(line.hazard_ratio, line.lower, line.upper, f"Cox regression, high against low {note}, Wald")
    except TableError as exc:
        value = missing(f"not computed: {exc}")
    yield "hazard_ratio_groups", value
    test = log_rank(time, event, group.astype(str))
    yield "log_rank_p", Interval(test.p, _NAN, _NAN, f"{test.method}; {note}")


def _facts(sample: TimeSample, settings: ValidateSettings) -> Iterator[tuple[str, Interval]]:
    left_out = f"; {sample.missing} rows without a prediction left out" if sample.missing else ""
    yield "n", Interval(sample.n, _NAN, _NAN, f"count of patients{left_out}")
    yield "n_events", Interval(int(sample.patient_event.sum()), _NAN, _NAN, "count of patients with the event")
    yield "horizon", Interval(float(settings.horizon or _NAN), _NAN, _NAN, "time for which probabilities are given")
    if sample.n:
        follow_up = kaplan_meier(sample.patient_time, ~sample.patient_event).median
        yield "median_follow_up", Interval(follow_up, _NAN, _NAN, "reverse Kaplan-Meier")
