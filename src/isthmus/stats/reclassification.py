"""Does a new model move patients in the right direction? Net reclassification and integrated discrimination improvement.

Pencina et al., Stat Med 2008;27:157 and 2011;30:11; standard errors of the difference form, as Hmisc and nricens. Both can be
positive for a useless or miscalibrated marker (Hilden and Gerds, Stat Med 2014;33:3405; Kerr et al., Epidemiology
2014;25:114): never without the difference in AUC, in net benefit and in calibration. `CAUTION` says so to a reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_probabilities
from isthmus.stats.interval import Interval

__all__ = ["CAUTION", "Reclassification", "integrated_discrimination", "net_reclassification"]

CAUTION = (
    "NRI and IDI can be positive for a marker that adds nothing, or for a miscalibrated model (Hilden and Gerds 2014; Kerr "
    "2014). Read them only beside the differences in AUC, net benefit and calibration."
)

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Reclassification:
    """The improvement, its two components, its standard error, z and p (NaN where a class is empty)."""

    total: Interval
    events: float
    nonevents: float
    se: float
    z: float
    p: float


def net_reclassification(
    y: ArrayLike, old: ArrayLike, new: ArrayLike, *, cuts: Sequence[float] | None = None, confidence: float = 0.95
) -> Reclassification:
    """Net reclassification improvement of `new` over `old`.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    old, new : arrays of probabilities, shape (n,)
    cuts : sequence of float, optional
        Limits between the risk categories, declared beforehand; a category holds its lower limit. Without them any change
        of the probability counts (continuous NRI).
    confidence : float

    Returns
    -------
    Reclassification
        events: share of events moved up minus share moved down; nonevents: share of non-events moved down minus up; the
        total is their sum, between -2 and 2.
    """
    event, before = check_probabilities(y, old)
    _, after = check_probabilities(y, new)
    if cuts is not None:
        limits = np.asarray(cuts, dtype=np.float64)
        if limits.size == 0 or (np.diff(limits) <= 0).any() or limits[0] <= 0 or limits[-1] >= 1:
            raise TableError(f"cut-offs {list(cuts)}: expected rising probabilities between 0 and 1")
        before, after = (np.digitize(p, limits).astype(np.float64) for p in (before, after))
    direction = np.sign(after - before)
    what = "NRI, any change" if cuts is None else f"NRI, categories at {', '.join(f'{c:g}' for c in cuts)}"
    return _improvement(direction[event], -direction[~event], what, confidence, ddof=0)


def integrated_discrimination(
    y: ArrayLike, old: ArrayLike, new: ArrayLike, *, confidence: float = 0.95
) -> Reclassification:
    """Integrated discrimination improvement: mean change of probability in events minus that in non-events."""
    event, before = check_probabilities(y, old)
    _, after = check_probabilities(y, new)
    change = after - before
    return _improvement(change[event], -change[~event], "IDI", confidence, ddof=1)


def _improvement(events: Array, nonevents: Array, what: str, confidence: float, *, ddof: int) -> Reclassification:
    """Sum of two independent means with its normal interval."""
    if min(events.size, nonevents.size) < 2:
        nothing = Interval(_NAN, _NAN, _NAN, f"{what}; not computed: fewer than two patients in one class")
        return Reclassification(nothing, _NAN, _NAN, _NAN, _NAN, _NAN)
    first, second = float(events.mean()), float(nonevents.mean())
    total = first + second
    se = float(np.sqrt(sum(part.var(ddof=ddof) / part.size for part in (events, nonevents))))
    if se <= 0:
        if total == 0:
            nothing = Interval(total, _NAN, _NAN, f"{what}; no interval: no change at all")
            return Reclassification(nothing, first, second, 0.0, 0.0, 1.0)
        nothing = Interval(total, _NAN, _NAN, f"{what}; no interval: no variation")
        return Reclassification(nothing, first, second, 0.0, _NAN, _NAN)
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * se
    z = total / se
    interval = Interval(total, total - half, total + half, f"{what}, normal")
    return Reclassification(interval, first, second, se, z, float(2 * stats.norm.sf(abs(z))))
