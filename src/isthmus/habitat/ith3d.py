"""The ITHscore of a whole lesion: its supervoxels, clustered by their features, and how broken up the clusters lie in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isthmus.habitat.components import Array, by_brightness, cluster, complete, reduced
from isthmus.habitat.contacts import Space
from isthmus.habitat.ited import size_adjusted
from isthmus.habitat.measure import NAMES, SupervoxelTable
from isthmus.habitat.settings import Ith3dSettings
from isthmus.habitat.supervoxels import Supervoxels
from isthmus.stats.seeds import child_seed

__all__ = ["COLUMNS", "SCORES", "Ith3d", "ith3d", "score_of"]

SCORES = ("ith3d_coherence", "ith3d_fragment")
"""The scores themselves."""
_ABOUT = ("", "_ci_lower", "_ci_upper", "_se", "_expected", "_excess")
COLUMNS = (
    *(f"{score}{about}" for score in SCORES for about in _ABOUT),
    "ith3d_clusters",
    "ith3d_entropy",
    "ith3d_pieces",
)
"""Of each score: itself, 2.5 and 97.5 per cent points and standard deviation over resamples, what clusters of the same sizes strewn
over the same supervoxels give on average, and the score beyond that; then the number of clusters, the entropy of their volumes (nats) and
the mean number of pieces of a cluster."""

_REFERENCES = 20  # sets of the gap statistic
_LEAST_RESAMPLED = 10
_LEAST_IN_CLUSTER = 5  # supervoxels, on average, for the gap statistic


@dataclass(frozen=True, eq=False)
class Ith3d:
    """The score of a lesion.

    Parameters
    ----------
    values : mapping
        By the names of `COLUMNS`; NaN where not known, never 0.
    clusters : int32 array, shape (k, j, i)
        1 ... K, from the darkest to the brightest; 0 outside and where a voxel was not assigned. Of `score_of`, shape (supervoxels,).
    reasons : mapping
        Column (or "ith3d" for all) -> why it is missing.
    """

    values: Mapping[str, float]
    clusters: NDArray[np.int32]
    reasons: Mapping[str, str] = field(default_factory=dict)


def ith3d(pieces: Supervoxels, table: SupervoxelTable, settings: Ith3dSettings | None = None) -> Ith3d:
    """The score of one lesion.

    Only voxels of measured supervoxels count: what was rejected or could not be measured is no fragment.

    Parameters
    ----------
    pieces : Supervoxels
    table : SupervoxelTable
        What was measured in them.
    settings : Ith3dSettings, optional
    """
    found = score_of(table, pieces.geometry.voxel_volume_mm3, settings)
    return Ith3d(found.values, table.painted(found.clusters, pieces.labels), found.reasons)


def score_of(table: SupervoxelTable, voxel_mm3: float, settings: Ith3dSettings | None = None) -> Ith3d:
    """The score from the table alone: `clusters` is that of each of its rows, 0 where there is no score.

    Parameters
    ----------
    table : SupervoxelTable
    voxel_mm3 : float
        Volume of a voxel of the supervoxels' grid.
    settings : Ith3dSettings, optional
    """
    settings = settings or Ith3dSettings()
    values = dict.fromkeys(COLUMNS, float("nan"))
    n = len(table.voxels)
    nothing = np.zeros(n, dtype=np.int32)
    if n < settings.minimum_supervoxels:
        return Ith3d(values, nothing, {"ith3d": f"{n} supervoxels; at least {settings.minimum_supervoxels} are needed"})
    if not np.isfinite(table.values).any():
        return Ith3d(values, nothing, {"ith3d": "no feature is defined in any supervoxel"})
    seed = child_seed(settings.seed, "ith3d", table.patient)
    points = reduced(complete(size_adjusted(table)))
    count = _number_of_clusters(points, settings, seed)
    found, _, _ = cluster(points, count, starts=settings.starts, seed=seed)
    space = Space(table.voxels, table.contacts, settings.least_mm3 / voxel_mm3)
    observed = space.scores(found)
    drawn = _resampled(points, count, space, settings, seed)
    expected = space.by_chance(found, settings.permutations, seed)
    reasons: dict[str, str] = {}
    for s, score in enumerate(SCORES):
        values[score] = observed[s]
        if len(drawn) >= 2:
            values[f"{score}_ci_lower"], values[f"{score}_ci_upper"] = np.percentile(drawn[:, s], [2.5, 97.5]).tolist()
            values[f"{score}_se"] = float(drawn[:, s].std(ddof=1))
        else:
            why = (
                "one cluster" if count == 1 else f"{n} supervoxels; an interval needs {_LEAST_RESAMPLED}, and resamples"
            )
            reasons |= {f"{score}{about}": why for about in ("_ci_lower", "_ci_upper", "_se")}
        values[f"{score}_expected"], values[f"{score}_excess"] = float(expected[s]), float(observed[s] - expected[s])
    share = np.bincount(found, table.voxels) / table.voxels.sum()
    values["ith3d_clusters"] = float(count)
    values["ith3d_entropy"] = abs(float((share[share > 0] * np.log(share[share > 0])).sum()))
    values["ith3d_pieces"] = observed[2]
    named = by_brightness(found, table.values[:, NAMES.index("firstorder_Mean")], table.voxels)[found]
    return Ith3d(values, named, reasons)


def _number_of_clusters(points: Array, settings: Ith3dSettings, seed: int) -> int:
    n = len(points)
    if not isinstance(settings.clusters, str):
        return min(settings.clusters, n)
    if settings.clusters == "gap":
        return _by_gap(points, max(min(settings.most, n // _LEAST_IN_CLUSTER), 1), settings.starts, seed)
    candidates = list(range(3, max(min(settings.most, n - 1), 3) + 1)) if n > 3 else [min(3, n)]
    fits = [cluster(points, k, starts=settings.starts, seed=seed) for k in candidates]
    if settings.clusters == "silhouette" and len(candidates) > 1:
        from sklearn.metrics import silhouette_score

        quality = [silhouette_score(points, f[0]) if len(np.unique(f[0])) > 1 else -1.0 for f in fits]
        return candidates[int(np.argmax(quality))]
    if len(candidates) < 3:
        return candidates[0]
    return candidates[1 + int(np.argmax(np.diff([f[2] for f in fits], 2)))]


def _by_gap(points: Array, most: int, starts: int, seed: int) -> int:
    """The smallest k whose gap is not beaten by k + 1 beyond its standard error (Tibshirani et al., J R Stat Soc B 63:411-423, 2001).

    The references are uniform in the box of the points; these are principal components, so the box is aligned with them.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    if not (high > low).any():
        return 1
    draw = np.random.default_rng(seed)
    references = [draw.uniform(low, high, points.shape) for _ in range(_REFERENCES)]
    before = None
    for k in range(1, most + 2):
        if k > len(points):
            break
        own = cluster(points, k, starts=starts, seed=seed)[2]
        logs = np.log([max(cluster(r, k, starts=2, seed=seed)[2], 1e-300) for r in references])
        gap = float(logs.mean() - np.log(max(own, 1e-300)))
        error = float(logs.std() * np.sqrt(1 + 1 / _REFERENCES))
        if before is not None and before >= gap - error:
            return k - 1
        before = gap
    return most


def _resampled(points: Array, count: int, space: Space, settings: Ith3dSettings, seed: int) -> Array:
    """Scores of all supervoxels, assigned to the centres that each resample of them gives: no voxel goes missing."""
    n = len(points)
    if count == 1 or n < _LEAST_RESAMPLED:
        return np.empty((0, 3))
    draw = np.random.default_rng([seed, 1])
    rows = []
    for _ in range(settings.resamples):
        sample = np.ascontiguousarray(points[draw.integers(0, n, n)])
        centres = cluster(sample, count, starts=2, seed=seed)[1]
        away = ((points[:, None, :] - centres) ** 2).sum(axis=2)
        rows.append(space.scores(np.argmin(away, axis=1).astype(np.int32)))
    return np.asarray(rows).reshape(-1, 3)
