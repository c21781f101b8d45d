"""iTED: how far apart the latent sub-populations of the supervoxels of a lesion lie, feature by feature.

Each of the 93 features is modelled on its own: a one-dimensional Gaussian mixture over the supervoxels of one patient, its number of
components k chosen by BIC; iTED is the dispersion of the component means, 0 where one component suffices. The plain dispersions of the
same values (standard deviation, median absolute deviation, interquartile range) stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus import _core
from isthmus.habitat.measure import NAMES, SIZE_DEPENDENT, SupervoxelTable
from isthmus.habitat.scaling import Scaling
from isthmus.habitat.settings import ItedSettings
from isthmus.stats.seeds import child_seed

__all__ = ["SUFFIXES", "Dispersions", "dispersions", "ited", "ited_columns", "ited_values", "size_adjusted"]

SUFFIXES = ("_ci_lower", "_ci_upper", "_se", "_k", "_sd", "_mad", "_iqr")
_RELATIVE_FLOOR = 1e-3  # of the variance of the feature
_COMPAT_FLOOR = 1e-6

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Dispersions:
    """One number a feature, arrays of shape (p,): the dispersion, its limits and standard error, the number of components; and the
    mixtures, arrays of shape (p, 4): weights, ascending means, variances. NaN where not known; `counts`: how many values there were."""

    value: Array
    components: Array
    lower: Array
    upper: Array
    error: Array
    weights: Array
    means: Array
    variances: Array
    counts: NDArray[np.int64]


def dispersions(
    values: Array,
    weights: Array,
    settings: ItedSettings,
    *,
    seeds: Iterable[int],
    scaled: bool = False,
    workers: int = 1,
) -> Dispersions:
    """The dispersion of every column of `values` (n, p); NaN are left out.

    Parameters
    ----------
    values : array, shape (n, p)
    weights : array, shape (n,)
        Of the supervoxels; not used by "compat".
    settings : ItedSettings
    seeds : p numbers
    scaled : bool
        The values have unit variance over the cohort: the floor of a variance is relative to that instead of to the column's own.
    workers : int
        Threads. Never changes a number.
    """
    n, p = values.shape
    compat = settings.variant == "compat"
    packed, weight = np.zeros((p, max(n, 1))), np.ones((p, max(n, 1)))
    counts = np.zeros(p, dtype=np.int64)
    floors = np.full(p, _COMPAT_FLOOR)
    for f, column in enumerate(values.T):
        present = np.isfinite(column)
        count = counts[f] = int(present.sum())
        packed[f, :count] = column[present]
        if compat:
            continue
        weight[f, :count] = weights[present]
        if scaled:
            floors[f] = _RELATIVE_FLOOR
        elif count:
            floors[f] = _RELATIVE_FLOOR * float(column[present].var())
    enough = counts >= settings.minimum_supervoxels
    # a variance of 0 but for rounding is a constant, not a scale
    found = _core.dispersions(
        packed,
        weight,
        np.where(enough, counts, 0).astype(np.float64),
        np.maximum(floors, np.finfo(np.float64).tiny),
        np.fromiter(seeds, dtype=np.uint64, count=p),
        _core_settings(settings),
        workers,
    )
    value, k, lower, upper, error = np.where(enough[:, None], found[:, :5], np.nan).T
    return Dispersions(
        value, np.where(k == 0, np.nan, k), lower, upper, error, found[:, 5:9], found[:, 9:13], found[:, 13:17], counts
    )


def ited_columns(settings: ItedSettings | None = None, *, whole: bool = True) -> list[str]:
    """Names of the columns: `ited_glcm_Contrast`, and with `whole` the same with each of `SUFFIXES`."""
    return [f"ited_{name}{suffix}" for name in NAMES for suffix in (("", *SUFFIXES) if whole else ("",))]


def ited(
    table: SupervoxelTable, settings: ItedSettings | None = None, *, scaling: Scaling | None = None, workers: int = 1
) -> pd.Series:
    """iTED of one patient: 93 values, each with interval, standard error, number of components and three plain dispersions.

    Parameters
    ----------
    table : SupervoxelTable
    settings : ItedSettings, optional
    scaling : Scaling, optional
        Learned on training patients; without it (one case alone) the values keep their own scale.
    workers : int
        Threads. Never changes a number.

    Returns
    -------
    pandas.Series
        Columns as `ited_columns` names them. What could not be computed is NaN, never 0; `attrs["reasons"]` says why, by column (or
        "ited" for all of them). Dispersions and limits are in the unit of the values: the feature's own, or standard deviations of the
        cohort after `scaling`; `_sd _mad _iqr` always in the feature's own.
    """
    settings = settings or ItedSettings()
    plain, found = _found(table, settings, scaling, workers)
    sd, mad, iqr = _plain(plain, settings.minimum_supervoxels)
    parts = (found.value, found.lower, found.upper, found.error, found.components, sd, mad, iqr)
    row = pd.Series(np.column_stack(parts).ravel(), index=ited_columns(settings), dtype=np.float64)
    row.attrs["reasons"] = _reasons(table, found, settings)
    return row


def ited_values(table: SupervoxelTable, settings: ItedSettings, *, scaling: Scaling | None = None) -> Array:
    """The 93 values alone, in the order of `NAMES`."""
    return _found(table, settings.model_copy(update={"resamples": 0}), scaling, workers=1)[1].value


def _found(
    table: SupervoxelTable, settings: ItedSettings, scaling: Scaling | None, workers: int
) -> tuple[Array, Dispersions]:
    """The values in the feature's own unit, and their dispersions."""
    plain = size_adjusted(table) if settings.size_adjusted and settings.variant != "compat" else table.values
    values = plain if scaling is None else scaling.apply(plain)
    drawn = settings.resamples > 0
    seeds = [child_seed(settings.seed, "ited", table.patient, name) if drawn else 0 for name in NAMES]
    return plain, dispersions(values, table.voxels, settings, seeds=seeds, scaled=scaling is not None, workers=workers)


def size_adjusted(table: SupervoxelTable) -> Array:
    """The values with those features that grow with a supervoxel's size taken per voxel."""
    values = table.values.copy()
    for column, name in enumerate(NAMES):
        if name in SIZE_DEPENDENT:
            values[:, column] /= table.voxels
    return values


def _core_settings(settings: ItedSettings) -> _core.MixtureSettings:
    core = _core.MixtureSettings()
    core.most = settings.components
    core.resamples = settings.resamples
    if settings.variant == "compat":
        core.weighted = False
        core.floor_is_added = core.start_anew = core.one_has_interval = True
        core.tolerance, core.iterations = 1e-3, 100
    else:
        core.least_share, core.least_count = settings.least_share, settings.least_count
        core.separation = settings.separation
    return core


def _plain(values: Array, least: int) -> tuple[Array, Array, Array]:
    """Standard deviation (n - 1), median absolute deviation and interquartile range of every column."""
    result = np.full((3, values.shape[1]), np.nan)
    for f, column in enumerate(values.T):
        x = column[np.isfinite(column)]
        if x.size >= least:
            low, high = np.percentile(x, [25, 75])
            result[:, f] = x.std(ddof=1), np.median(np.abs(x - np.median(x))), high - low
    return result[0], result[1], result[2]


def _reasons(table: SupervoxelTable, found: Dispersions, settings: ItedSettings) -> dict[str, str]:
    need = settings.minimum_supervoxels
    if len(table.voxels) < need:
        return {"ited": f"{len(table.voxels)} supervoxels; at least {need} are needed (smaller supervoxels give more)"}
    return {
        f"ited_{name}": f"defined in {count} of {len(table.voxels)} supervoxels; at least {need} are needed"
        for name, count in zip(NAMES, found.counts.tolist(), strict=True)
        if count < need
    }
