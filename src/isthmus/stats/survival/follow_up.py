"""The one check of times and events, shared by every function of this folder."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_outcome

__all__ = ["check_follow_up", "check_risk"]


def check_follow_up(time: ArrayLike, event: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Times and events (True), of one length; times finite and not negative."""
    happened = check_outcome(event)
    when = np.asarray(time, dtype=np.float64)
    if when.shape != happened.shape:
        raise TableError(f"{happened.size} events but times of shape {when.shape}; expected one time per patient")
    wrong = ~np.isfinite(when) | (when < 0)
    if wrong.any():
        raise TableError(
            f"{int(wrong.sum())} times are missing, negative or infinite, the first is {when[wrong][0]}; "
            "expected the time from baseline to event or censoring"
        )
    return when, happened


def check_risk(time: ArrayLike, event: ArrayLike, risk: ArrayLike) -> tuple[Array, NDArray[np.bool_], Array]:
    """Times, events and one risk score per patient, larger meaning an earlier event."""
    when, happened = check_follow_up(time, event)
    score = np.asarray(risk, dtype=np.float64)
    if score.shape != when.shape:
        raise TableError(f"{when.size} times but risks of shape {score.shape}; expected one risk per patient")
    missing = int(np.isnan(score).sum())
    if missing:
        raise TableError(f"{missing} of {score.size} risks are missing; leave those patients out, and say so, first")
    return when, happened, score
