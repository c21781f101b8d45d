"""Cohort habitats: tissues that many patients share, learned from the supervoxels of training patients and kept for everybody else.

Clusters of one lesion have no names: the second cluster of one patient is not that of the next. Here the supervoxels of all training
patients are pooled, brought to one scale, reduced to principal components and clustered; a new patient's supervoxels go to the nearest of
the frozen centres, and what is counted is comparable.

References
----------
Number of habitats: Tibshirani and Walther, J Comput Graph Stat 14:511-528, 2005 (prediction strength). Diversity: Hill, Ecology
54:427-432, 1973. Spatial interaction: Wu et al., Radiology 288:26-35, 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError, first_few
from isthmus.habitat.components import cluster
from isthmus.habitat.contacts import Space
from isthmus.habitat.ited import size_adjusted
from isthmus.habitat.measure import SupervoxelTable
from isthmus.habitat.scaling import ENOUGH, Array, Scaling, fit_scaling
from isthmus.habitat.step import OfSupervoxels
from isthmus.stats.pca import principal_components
from isthmus.stats.seeds import child_seed

__all__ = ["Habitats", "habitat_columns", "hill_number", "interaction", "prediction_strength"]

_MOST_MISSING = 0.5  # a supervoxel that lacks more of its features belongs to no habitat


class Habitats(OfSupervoxels):
    """Add to each row how much of which habitat the patient's lesion holds, how diverse and how interwoven they are.

    Reads the context column `@supervoxels`. A row without supervoxels, or with too few, gets NaN.

    Parameters
    ----------
    clusters : int, optional
        How many habitats; unset: the most from 2 to `most` whose prediction strength is at least `strength`, and 2 if none is.
    most : int
    strength : float
        0.8 to 0.9 is usual.
    explained : float
        Share of the variance that the principal components keep.
    splits : int
        Halvings of the training patients for the prediction strength.
    minimum_supervoxels : int
        With fewer assigned supervoxels a patient has no habitats.
    starts : int
        Of k-means.
    seed : int
    block : str
        Whose supervoxels, where a study has several blocks: the context column `@supervoxels:<block>`; its name stands before the columns'.

    Attributes
    ----------
    centre_, spread_, power_, mean_, scale_ : arrays, shape (93,)
        See `Scaling`.
    loadings_ : array, shape (93, components)
    centres_ : array, shape (habitats, components)
        Ascending along the first component: habitat 1 is the same kind of tissue in every fold, as far as folds agree.
    strength_ : array, shape (most,)
        Prediction strength of 1, 2, ... habitats; empty where `clusters` was given.
    """

    name = "habitat"
    kind = "unsupervised"
    learned = ("centre_", "spread_", "power_", "mean_", "scale_", "loadings_", "centres_", "strength_")

    def __init__(
        self,
        clusters: int | None = None,
        most: int = 6,
        strength: float = 0.8,
        explained: float = 0.95,
        splits: int = 5,
        minimum_supervoxels: int = 5,
        starts: int = 10,
        seed: int = 42,
        block: str = "",
    ) -> None:
        self.clusters = clusters
        self.most = most
        self.strength = strength
        self.explained = explained
        self.splits = splits
        self.minimum_supervoxels = minimum_supervoxels
        self.starts = starts
        self.seed = seed
        self.block = block

    def check_settings(self) -> None:
        whole = {key: getattr(self, key) for key in ("most", "splits", "minimum_supervoxels", "starts")}
        wrong = [f"{key} = {value!r}" for key, value in whole.items() if not isinstance(value, int) or value < 1]
        wrong += [f"{key} = {v!r}" for key in ("strength", "explained") if not 0 < (v := getattr(self, key)) <= 1]
        if self.clusters is not None and (not isinstance(self.clusters, int) or self.clusters < 1):
            wrong.append(f"clusters = {self.clusters!r}")
        if wrong:
            raise PlanError(
                f"step 'habitat': {first_few(wrong)}. Numbers from 1 on; strength and explained above 0, at most 1"
            )

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        tables = [size_adjusted(table) for table in self._tables(self.read_) if table is not None and len(table.voxels)]
        if not tables:
            raise TableError(f"step '{self.label}': no training row has supervoxels, so no habitat can be learned")
        scaling = fit_scaling(tables)
        self.centre_, self.spread_, self.power_ = scaling.centre, scaling.spread, scaling.power
        self.mean_, self.scale_ = scaling.mean, scaling.scale
        standard = [scaled for table in tables if len(scaled := self._standard(table)[0])]
        pooled = np.concatenate(standard)
        found = principal_components(pooled)
        count = int(np.searchsorted(np.cumsum(found.share), self.explained - 1e-12)) + 1
        # the features are standardised already: what `found` divides by again goes into the loadings
        self.loadings_: Array = np.ascontiguousarray(found.loadings[:, :count] / found.sd[:, None])
        points = [_projected(values, self.loadings_) for values in standard]
        self.strength_: Array = np.empty(0)
        clusters = self.clusters
        if clusters is None:
            step = -(-len(pooled) // ENOUGH)
            self.strength_ = prediction_strength(
                [own[::step] for own in points], self.most, splits=self.splits, starts=self.starts, seed=self.seed
            )
            strong = np.flatnonzero(self.strength_ >= self.strength) + 1
            clusters = max(int(strong.max(initial=1)), 2)
        together = np.concatenate(points)
        clusters = min(clusters, len(together))
        centres = cluster(together, clusters, starts=self.starts, seed=child_seed(self.seed, "habitat"))[1]
        self.centres_: Array = np.ascontiguousarray(centres[np.argsort(centres[:, 0], kind="stable")])

    def assign(self, table: SupervoxelTable) -> NDArray[np.int32]:
        """The habitat of each supervoxel, from 1; 0 where more than half of its features are missing."""
        standard, used = self._standard(size_adjusted(table))
        found = np.zeros(len(table.voxels), dtype=np.int32)
        points = _projected(standard, self.loadings_)
        found[used] = _nearest(points, self.centres_) + 1
        return found

    def standardised(self, table: SupervoxelTable) -> Array:
        """The features of each supervoxel as the step scales them, shape (n, 93); NaN where missing."""
        scaling = Scaling(self.centre_, self.spread_, self.power_, self.mean_, self.scale_)
        return scaling.apply(size_adjusted(table))

    def _standard(self, values: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Scaled values of the supervoxels that can be assigned, missing ones at the cohort's mean; and which those are."""
        used = np.isfinite(values).mean(axis=1) >= _MOST_MISSING
        scaled = Scaling(self.centre_, self.spread_, self.power_, self.mean_, self.scale_).apply(values[used])
        return np.ascontiguousarray(np.where(np.isfinite(scaled), scaled, 0.0)), used

    def plain_names(self) -> list[str]:
        return habitat_columns(len(self.centres_))

    def _of_patient(self, table: SupervoxelTable) -> Array:
        habitats = self.assign(table)
        there = habitats > 0
        count = len(self.centres_)
        if there.sum() < self.minimum_supervoxels:
            return np.full(2 * count + 3 + len(_INTERACTION), np.nan)
        fraction = np.bincount(habitats[there] - 1, table.voxels[there], count) / table.voxels[there].sum()
        found = Space(table.voxels, table.contacts).pieces(habitats)
        pieces = [float(found[h].size) if h in found else 0.0 for h in range(1, count + 1)]
        hill = [hill_number(fraction, q) for q in (0, 1, 2)]
        return np.array([*fraction, *pieces, *hill, *interaction(habitats, table.contacts, count)])


def habitat_columns(habitats: int) -> list[str]:
    """The columns of so many habitats: `habitat_1_fraction` ..., `habitat_1_pieces` ..., `habitat_hill_0` ..., `habitat_border` ..."""
    each = [f"habitat_{h}_{what}" for what in ("fraction", "pieces") for h in range(1, habitats + 1)]
    return [*each, *(f"habitat_{what}" for what in ("hill_0", "hill_1", "hill_2", *_INTERACTION))]


def hill_number(fractions: Array, order: int) -> float:
    """How many habitats of equal size are as diverse: their number (0), exp of Shannon's entropy (1), inverse Simpson index (2)."""
    p = fractions[fractions > 0]
    if order == 1:
        return float(np.exp(-(p * np.log(p)).sum()))
    return float((p**order).sum() ** (1 / (1 - order)))


_INTERACTION = ("border", "contrast", "homogeneity", "energy", "correlation")


def interaction(habitats: NDArray[np.int32], contacts: NDArray[np.int64], count: int) -> tuple[float, ...]:
    """What the spatial interaction matrix says: which habitats share how much boundary, over all faces between supervoxels.

    Parameters
    ----------
    habitats : array, shape (n,)
        From 1; 0: none.
    contacts : array, shape (pairs, 3)
    count : int
        Habitats.

    Returns
    -------
    tuple of floats
        border: share of the faces that lie between different habitats; then contrast, homogeneity, energy and correlation of the symmetric
        matrix, as of a co-occurrence matrix. NaN where no faces are shared; correlation 1 where there is one habitat.
    """
    a, b = habitats[contacts[:, 0]], habitats[contacts[:, 1]]
    known = (a > 0) & (b > 0)
    p = np.zeros((count, count))
    np.add.at(p, (a[known] - 1, b[known] - 1), contacts[known, 2].astype(np.float64))
    p = p + p.T
    total = p.sum()
    if total == 0:
        return (float("nan"),) * len(_INTERACTION)
    p /= total
    i, j = np.indices(p.shape)
    level = np.arange(count)
    margin = p.sum(axis=1)
    mean = float((level * margin).sum())
    variance = float(((level - mean) ** 2 * margin).sum())
    correlation = float(((i - mean) * (j - mean) * p).sum() / variance) if variance > 0 else 1.0
    away = np.abs(i - j)
    return (
        float(1 - np.trace(p)),
        float((p * away**2).sum()),
        float((p / (1 + away)).sum()),
        float((p**2).sum()),
        correlation,
    )


def prediction_strength(patients: Sequence[Array], most: int, *, splits: int, starts: int, seed: int) -> Array:
    """Of 1 ... `most` clusters: how well clusters found in one half of the patients are found again in the other.

    Supervoxels of one half are clustered and also assigned to the centres of the other half. In each cluster, which share of its pairs does
    the assignment keep together? The smallest over clusters, averaged over both directions and all splits.

    Parameters
    ----------
    patients : sequence of arrays, shape (supervoxels, dimensions)
    most, splits, starts, seed : int
    """
    strength = np.ones(most)
    if len(patients) < 2:
        return np.concatenate([[1.0], np.zeros(most - 1)])
    draw = np.random.default_rng(child_seed(seed, "prediction strength"))
    halves = []
    for _ in range(splits):
        order = draw.permutation(len(patients))
        middle = len(patients) // 2
        halves.append([np.concatenate([patients[p] for p in part]) for part in (order[:middle], order[middle:])])
    for clusters in range(2, most + 1):
        kept = []
        for first, second in halves:
            if min(len(first), len(second)) <= clusters:
                kept.append(0.0)
                continue
            fits = [cluster(half, clusters, starts=starts, seed=seed) for half in (first, second)]
            for half, own, other in ((first, fits[0][0], fits[1][1]), (second, fits[1][0], fits[0][1])):
                kept.append(_kept_together(own, _nearest(half, other), clusters))
        strength[clusters - 1] = float(np.mean(kept))
    return strength


def _kept_together(own: NDArray[Any], assigned: NDArray[Any], clusters: int) -> float:
    """The least share, over clusters, of the pairs of a cluster that are assigned to one centre."""
    table = np.zeros((clusters, clusters))
    np.add.at(table, (own, assigned), 1)
    size = table.sum(axis=1)
    pairs = size * (size - 1)
    together = (table * (table - 1)).sum(axis=1)
    return float((together[pairs > 0] / pairs[pairs > 0]).min()) if (pairs > 0).any() else 0.0


def _projected(values: Array, loadings: Array) -> Array:
    # summed row by row: a matrix product rounds differently for one patient and for many
    return np.ascontiguousarray(np.column_stack([(values * loading).sum(axis=1) for loading in loadings.T]))


def _nearest(points: Array, centres: Array) -> NDArray[np.intp]:
    away = np.column_stack([((points - centre) ** 2).sum(axis=1) for centre in centres])
    return np.argmin(away, axis=1)
