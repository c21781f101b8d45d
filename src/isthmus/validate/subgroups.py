"""Does a model do as well in men as in women, in the small as in the large, in every centre?

Every model is judged on the patients of each level by itself, and against all other patients whose level is known. The intervals
are wide where a group is small; below the plan's minimum nothing is estimated, and the row says so. No p-values: with many
groups some will differ, and a difference is a reason to look, not a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import patient_multiplicities, percentile_interval
from isthmus.stats.interval import Interval
from isthmus.stats.seeds import child_seed
from isthmus.validate.accuracy import in_the_large, recalibrated
from isthmus.validate.discrimination import pooled_auc
from isthmus.validate.draws import Weighted, draw, estimate_of, over, resampled, total
from isthmus.validate.sample import Sample, prepare, sample_of
from isthmus.validate.settings import ValidateSettings

__all__ = ["COLUMNS", "METRICS", "subgroups"]

METRICS = ("auc", "sensitivity", "specificity", "calibration_slope", "calibration_in_the_large")
COLUMNS = [
    "subgroup", "level", "model", "split", "n", "n_events", "metric", "estimate", "lower", "upper", "difference",
    "difference_lower", "difference_upper", "method",
]  # fmt: skip
_NAN = float("nan")


@dataclass(eq=False)
class _Group:
    """One model on some of the patients of a split; each metric is drawn once."""

    sample: Sample
    settings: ValidateSettings
    seed: int
    _drawn: dict[str, tuple[float, Array]] = field(default_factory=dict)

    @property
    def events(self) -> int:
        return int(self.sample.patient_event.sum())

    def why_not(self, metric: str) -> str:
        """Why a metric is not estimated here, or nothing."""
        events, others, least = self.events, self.sample.n - self.events, self.settings.subgroup_minimum
        needed = {"sensitivity": events, "specificity": others}.get(metric, min(events, others))
        if needed >= least:
            return ""
        return f"{events} patients with and {others} without the event; the plan estimates nothing below {least}"

    def drawn(self, metric: str) -> tuple[float, Array]:
        """Estimate and draws of a metric."""
        if metric not in self._drawn:
            rng = np.random.default_rng(child_seed(self.seed, metric))
            event = self.sample.patient_event
            weights = patient_multiplicities(event, draws=self.settings.bootstrap, rng=rng, stratified=metric == "auc")
            statistic = _statistic(self.sample, metric)
            self._drawn[metric] = estimate_of(self.sample, statistic), draw(self.sample, weights, statistic)
        return self._drawn[metric]


def subgroups(
    predictions: pd.DataFrame, thresholds: pd.DataFrame, levels: pd.DataFrame, *, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Every model in every level of every subgroup, on every split it did not train on.

    Parameters
    ----------
    predictions, thresholds : DataFrame
        As for `performance`.
    levels : DataFrame
        One column per subgroup, index = patient; the level as text, missing where it is not known.
    settings : ValidateSettings
        `bootstrap`, `confidence`, `subgroup_minimum`.
    seed : int

    Returns
    -------
    DataFrame
        subgroup, level, model, split, n, n_events, metric, estimate, lower, upper, difference (this level minus the rest),
        difference_lower, difference_upper, method. On `cv` the AUC is that of the pooled predictions of each repeat, averaged:
        a fold holds too few patients of a level.
    """
    frame = prepare(predictions)
    rows = []
    for split in ("cv", "internal", "external"):
        part = frame[frame["split"] == split]
        for model in dict.fromkeys(predictions["model"]):
            own = part[part["model"] == model]
            if not len(own):
                continue
            known: dict[tuple[str, ...], _Group] = {}
            for name in levels.columns:
                level_of = own["patient"].map(levels[name])
                for level in sorted(level_of.dropna().unique()):
                    here, rest = (
                        _group(own[chosen], thresholds, model, split, settings, seed, known)
                        for chosen in (level_of == level, level_of.notna() & (level_of != level))
                    )
                    for metric, value, difference in _metrics(here, rest, settings):
                        rows.append(
                            (name, level, model, split, here.sample.n, here.events, metric, value.estimate, value.lower,
                             value.upper, difference.estimate, difference.lower, difference.upper,
                             "; ".join(filter(None, (value.method, difference.method))))
                        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _group(
    own: pd.DataFrame, thresholds: pd.DataFrame, model: str, split: str, settings: ValidateSettings, seed: int,
    known: dict[tuple[str, ...], _Group],
) -> _Group:  # fmt: skip
    """The group of these rows; a group that is another's rest is drawn once."""
    key = tuple(sorted(set(own["patient"])))
    if key not in known:
        sample = sample_of(own, thresholds, model, split)
        known[key] = _Group(sample, settings, child_seed(seed, "subgroups", model, split, *key))
    return known[key]


def _metrics(here: _Group, rest: _Group, settings: ValidateSettings) -> Iterator[tuple[str, Interval, Interval]]:
    """Each metric in the group, and its difference to the rest."""
    how = resampled(here.sample)
    for metric in METRICS:
        reason = here.why_not(metric)
        if reason:
            yield metric, Interval(_NAN, _NAN, _NAN, f"not estimated: {reason}"), Interval(_NAN, _NAN, _NAN, "")
            continue
        estimate, drawn = here.drawn(metric)
        value = percentile_interval(estimate, drawn, settings.confidence, how)
        reason = rest.why_not(metric)
        if reason:
            yield metric, value, Interval(_NAN, _NAN, _NAN, f"no difference: the rest has {reason}")
            continue
        other, other_drawn = rest.drawn(metric)
        difference = percentile_interval(estimate - other, drawn - other_drawn, settings.confidence, "")
        note = (
            "difference: independent draws of both groups"
            if np.isfinite(difference.lower)
            else "no interval of the difference"
        )
        yield metric, value, Interval(difference.estimate, difference.lower, difference.upper, note)


def _statistic(sample: Sample, metric: str) -> Weighted:
    """The weighted statistic behind a metric."""
    if metric == "auc":
        return pooled_auc(sample)
    if metric == "calibration_slope":
        return recalibrated(sample, 0)
    if metric == "calibration_in_the_large":
        return in_the_large(sample)
    of = sample.event if metric == "sensitivity" else ~sample.event
    right = of & (sample.called == sample.event)
    top, bottom = total(sample, right), total(sample, of)
    return lambda r, w: over(top(r, w), bottom(r, w))
