"""Does the patient with the higher risk have the event first? Concordance.

Harrell et al., J Am Med Assoc 1982;247:2543: of the pairs whose order is known, the share that the risk puts in the same
order; equal risks count half. Its standard error is the infinitesimal jackknife (Therneau). Uno et al., Stat Med 2011;30:1105:
the same with pairs weighted by the inverse squared probability of being uncensored, up to a time tau.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from isthmus.stats.binary import Array
from isthmus.stats.interval import Interval
from isthmus.stats.survival.censoring import censoring_free
from isthmus.stats.survival.follow_up import check_follow_up, check_risk

__all__ = ["concordance_error", "harrell_c", "harrell_interval", "pairs", "uno_c", "weighted_concordance"]

_NAN = float("nan")
_CHUNK = 8_000_000


def pairs(time: ArrayLike, event: ArrayLike, risk: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Which pairs can be compared, and what each scores.

    Returns
    -------
    comparable, score : arrays, shape (n, n)
        Row i, column j: 1 where i is known to have the event before j (at equal times, a censored j outlives i);
        the score is 1 where i has the larger risk, one half where the risks are equal.
    """
    when, happened, value = check_risk(time, event, risk)
    earlier = when[:, None] < when[None, :]
    outlived = (when[:, None] == when[None, :]) & ~happened[None, :]
    comparable = happened[:, None] & (earlier | outlived)
    above = value[:, None] > value[None, :]
    equal = value[:, None] == value[None, :]
    score = np.where(above, np.float32(1), np.where(equal, np.float32(0.5), np.float32(0)))
    return comparable.astype(np.float32), np.where(comparable, score, np.float32(0))


def weighted_concordance(comparable: NDArray[np.float32], score: NDArray[np.float32], weights: Array) -> Array:
    """Harrell's C under many sets of patient weights (draws, n) at once; NaN where no pair can be compared."""
    w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    top, bottom = np.empty(len(w)), np.empty(len(w))
    step = max(1, _CHUNK // max(comparable.shape[0], 1))
    for at in range(0, len(w), step):
        part = w[at : at + step].astype(np.float32)
        top[at : at + step] = np.einsum("ij,ij->i", (part @ score).astype(np.float64), w[at : at + step])
        bottom[at : at + step] = np.einsum("ij,ij->i", (part @ comparable).astype(np.float64), w[at : at + step])
    return np.divide(top, bottom, out=np.full(len(w), _NAN), where=bottom > 0)


def harrell_c(time: ArrayLike, event: ArrayLike, risk: ArrayLike) -> float:
    """Harrell's C: probability that of two patients the one with the larger risk has the event first.

    Parameters
    ----------
    time, event, risk : arrays, shape (n,)

    Returns
    -------
    float
        NaN where no pair of patients can be compared.
    """
    comparable, score = pairs(time, event, risk)
    count = comparable.sum(dtype=np.float64)
    return float(score.sum(dtype=np.float64) / count) if count else _NAN


def concordance_error(time: ArrayLike, event: ArrayLike, risk: ArrayLike) -> float:
    """Standard error of Harrell's C by the infinitesimal jackknife."""
    comparable, score = pairs(time, event, risk)
    total = comparable.sum(dtype=np.float64)
    if not total:
        return _NAN
    c = score.sum(dtype=np.float64) / total
    own = score.sum(axis=0, dtype=np.float64) + score.sum(axis=1, dtype=np.float64)
    taken = comparable.sum(axis=0, dtype=np.float64) + comparable.sum(axis=1, dtype=np.float64)
    return float(np.sqrt(np.sum(((own - c * taken) / total) ** 2)))


def harrell_interval(time: ArrayLike, event: ArrayLike, risk: ArrayLike, confidence: float = 0.95) -> Interval:
    """Harrell's C with the Wald interval of its infinitesimal jackknife, cut at 0 and 1."""
    c, error = harrell_c(time, event, risk), concordance_error(time, event, risk)
    if np.isnan(c):
        return Interval(_NAN, _NAN, _NAN, "not computed: no two patients whose order of events is known")
    if error <= 1e-12:
        return Interval(c, _NAN, _NAN, "Harrell's C; no interval: the jackknife has no variance")
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * error
    return Interval(c, max(0.0, c - half), min(1.0, c + half), "Harrell's C, infinitesimal jackknife")


def uno_c(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, *, tau: float | None = None,
    training: tuple[ArrayLike, ArrayLike] | None = None,
) -> float:  # fmt: skip
    """Uno's C up to the time `tau`, which does not depend on how patients were censored.

    Parameters
    ----------
    time, event, risk : arrays, shape (n,)
    tau : float, optional
        Events after it do not count; by default the largest time of an event.
    training : (time, event), optional
        Patients from whom the censoring distribution is taken; by default those given.
    """
    when, happened, _ = check_risk(time, event, risk)
    if not happened.any():
        return _NAN
    limit = float(when[happened].max()) if tau is None else tau
    free = censoring_free(*(check_follow_up(*training) if training is not None else (when, happened)))
    comparable, score = pairs(when, happened, risk)
    weight = np.where(happened & (when <= limit), 1.0 / np.maximum(free.before(when), 1e-12) ** 2, 0.0)
    bottom = float(weight @ comparable.sum(axis=1, dtype=np.float64))
    return float(weight @ score.sum(axis=1, dtype=np.float64)) / bottom if bottom > 0 else _NAN
