"""How stable a selection of features is over samples of the patients: Nogueira's index."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.interval import Interval

__all__ = ["stability_index"]


def stability_index(chosen: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Agreement of several selections beyond chance: 1 where all are the same, 0 on average for random ones.

    Parameters
    ----------
    chosen : array of booleans, shape (M, d)
        Which of the d columns each of M selections chose.
    confidence : float

    Returns
    -------
    Interval
        NaN where it is not defined: fewer than two selections, or every selection empty or complete.

    References
    ----------
    Nogueira, Sechidis and Brown, J Mach Learn Res 2018;18(174). The interval takes the selections for independent; those
    of overlapping training sets are not, so it is too narrow for them.
    """
    z = np.asarray(chosen, dtype=np.float64)
    if z.ndim != 2 or not np.isin(z, (0.0, 1.0)).all():
        raise TableError(f"stability: expected a table of true and false (selections x columns); got shape {z.shape}")
    samples, columns = z.shape
    method = f"Nogueira's index over {samples} selections"
    if samples < 2 or columns < 1:
        return Interval(np.nan, np.nan, np.nan, f"{method}; not computed: fewer than two selections")
    frequency = z.mean(axis=0)
    size = z.sum(axis=1)
    share = size.mean() / columns
    chance = share * (1 - share)
    if chance <= 0:
        return Interval(
            np.nan, np.nan, np.nan, f"{method}; not defined: every selection is empty, or holds every column"
        )
    spread = samples / (samples - 1) * frequency * (1 - frequency)
    index = float(1 - spread.mean() / chance)
    each = (
        (z * frequency).mean(axis=1)
        - size * share / columns
        + index / 2 * (2 * size * share / columns - size / columns - share + 1)
    ) / chance
    error = float(np.sqrt(4 / samples**2 * ((each - each.mean()) ** 2).sum()))
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * error
    return Interval(index, index - half, min(1.0, index + half), method)
