"""The one check of an outcome coded 0/1 and a number beside it, shared by every statistic of this folder."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError

__all__ = ["Array", "check_outcome", "check_probabilities", "check_scores"]

Array = NDArray[np.float64]


def check_outcome(y: ArrayLike) -> NDArray[np.bool_]:
    """The outcome as booleans (True = event); anything but 0 and 1 is an error that shows what came."""
    values = np.asarray(y)
    if values.ndim != 1:
        raise TableError(f"outcome has {values.ndim} dimensions; expected one number per patient")
    if values.dtype == bool:
        return values
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as exc:
        raise TableError(f"outcome holds {values.dtype} values; expected 0 (no event) and 1 (event)") from exc
    event = numbers == 1.0
    other = ~(event | (numbers == 0.0))
    if other.any():
        shown = ", ".join(str(v) for v in np.unique(numbers[other])[:5])
        raise TableError(f"outcome holds {shown}; expected only 0 (no event) and 1 (event). Code the outcome first")
    return event


def check_scores(y: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.bool_], Array]:
    """Outcome and score, same length, no missing score (infinite ones are ranks like any other)."""
    event = check_outcome(y)
    values = np.asarray(score, dtype=np.float64)
    if values.shape != event.shape:
        raise TableError(f"{event.size} outcomes but scores of shape {values.shape}; expected one score per patient")
    missing = int(np.isnan(values).sum())
    if missing:
        raise TableError(f"{missing} of {values.size} scores are missing; leave those patients out, and say so, first")
    return event, values


def check_probabilities(y: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.bool_], Array]:
    """Outcome and predicted probability, each probability within [0, 1]."""
    event, values = check_scores(y, probability)
    outside = (values < 0) | (values > 1)
    if outside.any():
        raise TableError(
            f"{int(outside.sum())} probabilities lie outside [0, 1], the first is {values[outside][0]}. "
            "Calibration and utility need probabilities, not scores"
        )
    return event, values
