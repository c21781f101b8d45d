"""The outcome as models are given it: one code per row, or an event and a time.

A time to event is a structured array of `event` (True, or False for censored) and `time`, the convention of
scikit-survival, so that rows of it are taken like rows of any array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["TIME_TO_EVENT", "is_time_to_event", "strata", "time_to_event"]

TIME_TO_EVENT = np.dtype([("event", np.bool_), ("time", np.float64)])


def time_to_event(event: ArrayLike, time: ArrayLike) -> NDArray[Any]:
    """Events and times (n,) as one array."""
    made = np.empty(len(np.asarray(time)), dtype=TIME_TO_EVENT)
    made["event"] = np.asarray(event, dtype=np.bool_)
    made["time"] = np.asarray(time, dtype=np.float64)
    return made


def is_time_to_event(outcome: Any) -> bool:
    """Is this array of the kind `time_to_event` makes?"""
    return getattr(getattr(outcome, "dtype", None), "names", None) == ("event", "time")


def strata(outcome: NDArray[Any]) -> NDArray[np.int64]:
    """What folds are balanced by: the class, or whether there was an event."""
    values = outcome["event"] if is_time_to_event(outcome) else outcome
    return np.asarray(values, dtype=np.int64)
