"""How far a new patient is from those a model was trained on, measured as fairly for him as for them.

The distance is Mahalanobis' on standardised columns with a covariance shrunk towards a multiple of the identity (Ledoit and
Wolf, J Multivar Anal 2004), so it exists for more columns than patients. Every training patient's own distance is taken
from the mean and covariance of the *others*: in his own covariance he would look nearer than any new patient can, the more
so the more columns there are. The share of training patients at least as far away is then, for a new patient of the same
population, a valid p-value up to the dependence between the leave-one-out fits (the jackknife form of conformal prediction).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.stats.constant import constant_columns

__all__ = ["Novelty", "fit_novelty"]

Array = NDArray[np.float64]

LEAST_SHRINKAGE = 0.01
"""So that columns that are nearly copies of each other cannot make any distance infinite."""


@dataclass(frozen=True, eq=False)
class Novelty:
    """Mean, spread and shrunk covariance of training rows, and how far each training patient is from the others.

    Parameters
    ----------
    centre, scale : arrays, shape (p,)
        Mean and sd of each column; a scale of 0 marks a constant column, which takes no part.
    axes : array, shape (r, p)
        Directions in which the training rows vary, of standardised columns.
    variances : array, shape (r,)
        Shrunk variance along each of them.
    floor : float
        Shrunk variance along every other direction.
    distances : array, shape (patients,)
        Of each training patient from the others, in increasing order.
    shrinkage : float
        Weight of the identity, between 0 and 1.
    """

    centre: Array
    scale: Array
    axes: Array
    variances: Array
    floor: float
    distances: Array
    shrinkage: float

    def distance(self, values: ArrayLike) -> Array:
        """Mahalanobis distance of each row (n, p) from the training rows, per root of the number of columns that take part:
        about 1 for a usual patient."""
        z = self._standardised(np.asarray(values, dtype=np.float64))
        along = z @ self.axes.T
        rest = np.maximum((z**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        squared = (along**2 / self.variances).sum(axis=1) + rest / self.floor
        return np.asarray(np.sqrt(squared / max(z.shape[1], 1)))

    def share(self, distance: ArrayLike) -> Array:
        """Share of patients of the training population at least this far away: (1 + those of training) / (1 + all)."""
        farther = len(self.distances) - np.searchsorted(self.distances, np.asarray(distance), side="left")
        return np.asarray((1.0 + farther) / (1.0 + len(self.distances)))

    @property
    def rare(self) -> float:
        """The share from which a patient counts as unlike those of training: 1 in 100, or farther than all of fewer."""
        return max(0.01, 1.0 / (1.0 + len(self.distances)))

    def _standardised(self, values: Array) -> Array:
        used = self.scale > 0
        away = (values[:, used] - self.centre[used]) / self.scale[used]
        return np.asarray(np.where(np.isnan(away), 0.0, away))


def fit_novelty(values: ArrayLike, patients: ArrayLike | None = None) -> Novelty | None:
    """Learn what training rows look like.

    Parameters
    ----------
    values : array, shape (n, p)
        What is missing counts as the mean of its column; a column without a value takes no part.
    patients : array, shape (n,), optional
        Whose row each is (default: each its own); a patient with several rows is left out with all of them, and his distance
        is the mean of his rows' squared distances.

    Returns
    -------
    Novelty or None
        None where there is nothing to compare: fewer than five patients, or no column that varies.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    held = np.asarray(values, dtype=np.float64)
    who = np.arange(len(held)) if patients is None else np.asarray(patients)
    known = np.isfinite(held)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, held, 0.0).sum(axis=0) / count
    held = np.where(known, held, centre)
    spread = np.sqrt(((held - centre) ** 2).sum(axis=0) / count)
    scale = np.where(constant_columns(held), 0.0, spread) if held.size else np.zeros(held.shape[1])
    if len(np.unique(who)) < 5 or not (scale > 0).any():
        return None
    z = (held[:, scale > 0] - centre[scale > 0]) / scale[scale > 0]
    n, p = z.shape
    shrinkage = float(np.clip(ledoit_wolf_shrinkage(z, assume_centered=True), LEAST_SHRINKAGE, 1.0))
    _, singular, axes = np.linalg.svd(z, full_matrices=False)
    kept = singular > singular[0] * max(n, p) * np.finfo(np.float64).eps
    spread, axes = singular[kept] ** 2 / n, axes[kept]
    level = float(spread.sum()) / p  # mean variance: the multiple of the identity
    squared = _left_out(z @ axes.T, spread, level, shrinkage, who)
    return Novelty(
        centre=centre,
        scale=scale,
        axes=np.ascontiguousarray(axes),
        variances=(1 - shrinkage) * spread + shrinkage * level,
        floor=shrinkage * level,
        distances=np.sort(np.sqrt(np.array(list(squared)) / p)),
        shrinkage=shrinkage,
    )


def _left_out(along: Array, spread: Array, level: float, shrinkage: float, who: NDArray[Any]) -> Iterator[float]:
    """Squared distance of each patient from the mean and covariance of the others' rows.

    Taking rows out changes the covariance by a matrix of low rank, whose inverse follows from that of the whole (Woodbury);
    scale, level and shrinkage stay those of all rows. `along` holds the rows in the basis in which the covariance is diagonal.
    """
    n = len(along)
    for patient in np.unique(who):
        own = along[who == patient]
        k = len(own)
        moved = -own.sum(axis=0) / (n - k)  # mean of the others
        diagonal = (1 - shrinkage) * n / (n - k) * spread + shrinkage * level
        # covariance of the others = diagonal - taken' @ weights @ taken
        taken = np.vstack([own, moved])
        weights = (1 - shrinkage) * np.array([*[1.0 / (n - k)] * k, 1.0])
        away = own - moved
        plain = away / diagonal
        if shrinkage < 1:
            small = np.diag(1.0 / weights) - (taken / diagonal) @ taken.T
            plain = plain + np.linalg.solve(small, (taken / diagonal) @ away.T).T @ (taken / diagonal)
        yield float((away * plain).sum(axis=1).mean())
