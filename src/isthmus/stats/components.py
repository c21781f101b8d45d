"""Principal components of standardised columns, learned from some rows and applied to others; for pictures of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CLIP", "Components", "principal_components"]

CLIP = 5.0
"""Standard deviations beyond which a value is drawn in: one odd patient shall not be the first component."""


@dataclass(frozen=True, eq=False)
class Components:
    """Scores (n, m) of all rows, falling share of the learning rows' variance (m,), and how many columns went in."""

    scores: NDArray[np.float64]
    share: NDArray[np.float64]
    columns: int


def principal_components(values: ArrayLike, learn: ArrayLike, count: int = 2) -> Components:
    """Place all rows in the principal components of some of them.

    Columns are standardised by the rows learned from and cut at `CLIP`; a missing value is their median. Columns that do not vary or
    have no value among them are left out. The sign of a component is that of its largest loading.

    Parameters
    ----------
    values : array, shape (n, p)
        May hold NaN.
    learn : bool array, shape (n,)
        At least two rows.
    count : int
        Components; fewer where the rows do not have as many (at least two columns of scores, 0 beyond).
    """
    table, rows = np.asarray(values, dtype=np.float64), np.asarray(learn, dtype=bool)
    table = table[:, ~np.isnan(table[rows]).all(axis=0)]
    middle, spread = np.nanmean(table[rows], axis=0), np.nanstd(table[rows], axis=0)
    kept = spread > 1e-12 * (1.0 + np.abs(middle))
    table, middle, spread = table[:, kept], middle[kept], spread[kept]
    if not kept.any():
        return Components(np.zeros((len(table), 2)), np.zeros(2), 0)
    filled = np.where(np.isnan(table), np.nanmedian(table[rows], axis=0), table)
    scaled = np.clip((filled - middle) / spread, -CLIP, CLIP)
    origin = scaled[rows].mean(axis=0)
    _, s, vt = np.linalg.svd(scaled[rows] - origin, full_matrices=False)
    vt = vt[:count]
    vt = vt * np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(axis=1)])[:, None]
    scores, share = (scaled - origin) @ vt.T, (s**2 / max(float((s**2).sum()), 1e-300))[: len(vt)]
    short = max(0, 2 - len(vt))
    return Components(np.pad(scores, ((0, 0), (0, short))), np.pad(share, (0, short)), int(kept.sum()))
