"""An outcome with a signal of known strength, planted in real predictors: what would this study have found?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["draw_outcome", "expected_auc", "planted_risk"]

_STEEPEST = 60.0  # slope of the logit per sd beyond which the score decides the outcome all by itself
_TRIES = 10_000


def expected_auc(score: ArrayLike, risk: ArrayLike) -> float:
    """The AUC of a score whose patients are events with these risks: sum of r_i (1 - r_j) over pairs that are in order.

    Parameters
    ----------
    score, risk : array, shape (n,)
        Ties of the score count one half.
    """
    s, r = np.asarray(score, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    weight = r[:, None] * (1 - r)[None, :]
    np.fill_diagonal(weight, 0.0)
    right = (s[:, None] > s[None, :]) + 0.5 * (s[:, None] == s[None, :])
    return float((weight * right).sum() / weight.sum())


def planted_risk(score: ArrayLike, *, auc: float, events: int) -> Array:
    """Risks, logistic in a score and so steep that the score's expected AUC is the one asked for.

    Parameters
    ----------
    score : array, shape (n,)
        Any unit; not constant.
    auc : float in [0.5, 1)
    events : int in (0, n)
        The sum of the risks.

    Raises
    ------
    TableError
        The score has too few distinct values to reach the AUC, or a number is out of range.
    """
    values = np.asarray(score, dtype=np.float64)
    n = len(values)
    if not 0 < events < n:
        raise TableError(f"planted signal: {events} events among {n} patients; both classes must occur")
    if not 0.5 <= auc < 1:
        raise TableError(f"planted signal: AUC {auc:g}; expected a number from 0.5 to below 1")
    if np.ptp(values) == 0:
        raise TableError("planted signal: the score is the same for every patient, so it can tell nothing")
    z = (values - values.mean()) / values.std()
    if expected_auc(z, _risk(z, _STEEPEST, events)) < auc:
        raise TableError(
            f"planted signal: no outcome with {events} events makes this score reach an AUC of {auc:g}; it has only "
            f"{len(np.unique(values))} different values"
        )
    low, high = 0.0, _STEEPEST
    for _ in range(40):
        slope = (low + high) / 2
        low, high = (slope, high) if expected_auc(z, _risk(z, slope, events)) < auc else (low, slope)
    return _risk(z, high if auc > 0.5 else 0.0, events)


def draw_outcome(risk: ArrayLike, *, events: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """An outcome (n,) of 0 and 1 with these risks, given that it has exactly so many events."""
    r = np.asarray(risk, dtype=np.float64)
    for _ in range(_TRIES):
        outcome = (rng.random(len(r)) < r).astype(np.int64)
        if outcome.sum() == events:
            return outcome
    raise TableError(f"planted signal: no draw of {_TRIES} had exactly {events} events; the risks sum to {r.sum():.1f}")


def _risk(z: Array, slope: float, events: int) -> Array:
    """Logistic risks with this slope whose sum is the number of events."""
    low, high = -_STEEPEST * 10, _STEEPEST * 10
    for _ in range(80):
        shift = (low + high) / 2
        total = (0.5 * (1 + np.tanh(0.5 * (slope * z + shift)))).sum()
        low, high = (shift, high) if total < events else (low, shift)
    return np.asarray(0.5 * (1 + np.tanh(0.5 * (slope * z + high))))
