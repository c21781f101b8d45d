"""How many are still free of the event: the Kaplan-Meier estimate, its interval, median and restricted mean.

Kaplan and Meier, J Am Stat Assoc 1958;53:457; Greenwood's variance. The default interval is that of R's `survfit`: on the
log scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.survival.follow_up import check_follow_up

__all__ = ["KaplanMeier", "kaplan_meier", "step_value"]

Scale = Literal["log", "log-log"]


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """The estimate at every distinct time of the table.

    Parameters
    ----------
    time : array, shape (k,)
        Rising.
    at_risk, events, censored : arrays, shape (k,)
    survival, standard_error, lower, upper : arrays, shape (k,)
        Just after each time; Greenwood's standard error. NaN limits where the curve has reached 0.
    """

    time: Array
    at_risk: Array
    events: Array
    censored: Array
    survival: Array
    standard_error: Array
    lower: Array
    upper: Array

    def at(self, times: ArrayLike) -> Array:
        """Probability of being free of the event just after these times; beyond the last time it stays as it was."""
        return step_value(self.time, self.survival, times, start=1.0)

    def before(self, times: ArrayLike) -> Array:
        """The same just before these times."""
        return step_value(self.time, self.survival, times, start=1.0, left=True)

    @property
    def median(self) -> float:
        """First time at which half have had the event; the middle of the flat part where the curve is exactly one half.

        NaN where the curve stays above one half.
        """
        return _quantile(self.time, self.survival)

    def median_interval(self) -> tuple[float, float]:
        """Where the limits of the curve cross one half (Brookmeyer and Crowley); NaN where they do not."""
        return _quantile(self.time, self.lower), _quantile(self.time, self.upper)

    def restricted_mean(self, until: float) -> float:
        """Mean time free of the event within [0, until]: the area under the curve."""
        inside = self.time < until
        edges = np.concatenate([[0.0], self.time[inside], [until]])
        heights = np.concatenate([[1.0], self.survival[inside]])
        return float(np.sum(np.diff(edges) * heights))


def step_value(time: Array, values: Array, at: ArrayLike, *, start: float, left: bool = False) -> Array:
    """Value of a step function that jumps at `time` (rising), at or just before (`left`) the times `at`."""
    position = np.searchsorted(time, np.asarray(at, dtype=np.float64), side="left" if left else "right")
    return np.concatenate([[start], values])[position]


def kaplan_meier(time: ArrayLike, event: ArrayLike, *, confidence: float = 0.95, scale: Scale = "log") -> KaplanMeier:
    """Kaplan-Meier estimate of the patients given.

    Parameters
    ----------
    time : array, shape (n,)
    event : array of 0 (censored) and 1, shape (n,)
    confidence : float
    scale : {"log", "log-log"}
        On which the interval is symmetric.

    Raises
    ------
    TableError
        There are no patients, or a time is missing or negative.
    """
    when, happened = check_follow_up(time, event)
    if not when.size:
        raise TableError("no patients: a Kaplan-Meier estimate needs at least one")
    times, where = np.unique(when, return_inverse=True)
    events = np.bincount(where, happened, minlength=len(times)).astype(np.float64)
    leaving = np.bincount(where, minlength=len(times)).astype(np.float64)
    at_risk = when.size - np.concatenate([[0.0], np.cumsum(leaving)[:-1]])
    survival = np.cumprod(1.0 - events / at_risk)
    last = at_risk == events
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.sqrt(np.cumsum(np.where(last, np.inf, events / (at_risk * (at_risk - events)))))
        error = np.where(survival > 0, survival * relative, np.nan)
    lower, upper = _limits(survival, np.where(survival > 0, relative, np.nan), confidence, scale)
    return KaplanMeier(times, at_risk, events, leaving - events, survival, error, lower, upper)


def _limits(survival: Array, relative: Array, confidence: float, scale: Scale) -> tuple[Array, Array]:
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(survival)
        if scale == "log":
            lower, upper = np.exp(log - z * relative), np.minimum(1.0, np.exp(log + z * relative))
        else:
            half = z * relative / np.abs(log)
            lower, upper = np.exp(log * np.exp(half)), np.exp(log * np.exp(-half))
            untouched = survival == 1.0
            lower, upper = np.where(untouched, 1.0, lower), np.where(untouched, 1.0, upper)
    return lower, upper


def _quantile(time: Array, curve: Array) -> float:
    """First time the curve is at or below one half (within rounding, as R)."""
    known = np.isfinite(curve)
    below = np.flatnonzero((curve <= 0.5 + 1e-12) & known)
    if not below.size:
        # a limit that ends where the curve reaches 0
        return float("nan")
    first = int(below[0])
    if abs(curve[first] - 0.5) <= 1e-12:
        after = np.flatnonzero((curve < 0.5 - 1e-12) & known)
        if after.size:
            return float((time[first] + time[after[0]]) / 2)
    return float(time[first])
