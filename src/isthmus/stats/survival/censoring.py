"""The distribution of censoring, which the inverse probability weights come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isthmus.stats.binary import Array
from isthmus.stats.survival.follow_up import check_follow_up
from isthmus.stats.survival.kaplan_meier import step_value

__all__ = ["CensoringFree", "censoring_free", "inverse_weights"]


@dataclass(frozen=True, eq=False)
class CensoringFree:
    """Probability of not yet being censored (the reverse Kaplan-Meier estimate)."""

    time: Array
    probability: Array

    def at(self, times: ArrayLike) -> Array:
        """Just after these times."""
        return step_value(self.time, self.probability, times, start=1.0)

    def before(self, times: ArrayLike) -> Array:
        """Just before these times."""
        return step_value(self.time, self.probability, times, start=1.0, left=True)


def censoring_free(time: ArrayLike, event: ArrayLike) -> CensoringFree:
    """Reverse Kaplan-Meier: censoring is what happens; who has the event at a moment has left before it."""
    when, happened = check_follow_up(time, event)
    times, where = np.unique(when, return_inverse=True)
    events = np.bincount(where, happened, minlength=len(times)).astype(np.float64)
    leaving = np.bincount(where, minlength=len(times)).astype(np.float64)
    at_risk = when.size - np.concatenate([[0.0], np.cumsum(leaving)[:-1]]) - events
    gone = np.divide(leaving - events, at_risk, out=np.zeros(len(times)), where=at_risk > 0)
    return CensoringFree(times, np.asarray(np.cumprod(1.0 - gone), dtype=np.float64))


def inverse_weights(time: ArrayLike, event: ArrayLike, at: float, free: CensoringFree) -> tuple[Array, Array]:
    """Weights of those who had the event by the time `at`, and of those still free of it; 0 for the others.

    Who is censored before `at` weighs nothing; the others stand for him too.
    """
    when, happened = check_follow_up(time, event)
    had = happened & (when <= at)
    still = when > at
    before = free.before(when)
    now = float(free.at(at))
    case = np.divide(1.0, before, out=np.zeros(when.size), where=had & (before > 0))
    control = np.where(still, 1.0 / now if now > 0 else 0.0, 0.0)
    return case, control
