"""What iTED adds: does it go with a target beyond the plain spread of the same values, the volume, and the number of supervoxels?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from isthmus.habitat.ited import ited
from isthmus.habitat.measure import NAMES, SupervoxelTable
from isthmus.habitat.scaling import Scaling
from isthmus.habitat.settings import ItedSettings
from isthmus.stats.correlation import correlation_test, partial_correlation
from isthmus.stats.groups import adjust_p

__all__ = ["ADDED", "ited_added"]

ADDED = ["feature", "n", "above_zero", "rho_volume", "rho", "rho_sd", "partial", "lower", "upper", "p", "q"]


def ited_added(
    tables: Sequence[SupervoxelTable | None],
    target: ArrayLike,
    volume: ArrayLike,
    settings: ItedSettings | None = None,
    *,
    scaling: Scaling | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """iTED of each feature beside its simple comparators, over the patients of a cohort.

    Parameters
    ----------
    tables : sequence of SupervoxelTable, or None
        One a patient; None: he has none.
    target : array, shape (n,)
        An outcome (0 and 1), or a number.
    volume : array, shape (n,)
        Of the lesions, above 0.
    settings : ItedSettings, optional
    scaling : Scaling, optional
        As for `ited`.
    confidence : float

    Returns
    -------
    DataFrame of `ADDED`
        A row a feature: patients, the share with sub-populations, Spearman's rho of iTED with the volume and with the target, that of the
        plain standard deviation with the target, and the *partial* rho of iTED with the target given the plain standard deviation, log
        volume and the number of supervoxels, with its limits, p, and q (Benjamini and Hochberg over the features). NaN where nothing
        varies.
    """
    settings = (settings or ItedSettings()).model_copy(update={"resamples": 0})
    rows = [None if table is None else ited(table, settings, scaling=scaling) for table in tables]
    counts = np.array([np.nan if table is None else float(len(table.voxels)) for table in tables])
    wanted, size = np.asarray(target, dtype=np.float64), np.log(np.asarray(volume, dtype=np.float64))
    found = []
    for name in NAMES:
        value, spread = (
            np.array([np.nan if row is None else row[f"ited_{name}{suffix}"] for row in rows]) for suffix in ("", "_sd")
        )
        beyond, p = partial_correlation(value, wanted, np.column_stack([spread, size, counts]), confidence=confidence)
        there = np.isfinite(value)
        found.append(
            {
                "feature": f"ited_{name}",
                "n": int((there & np.isfinite(wanted)).sum()),
                "above_zero": float((value[there] > 0).mean()) if there.any() else np.nan,
                "rho_volume": correlation_test(value, size).statistic,
                "rho": correlation_test(value, wanted).statistic,
                "rho_sd": correlation_test(spread, wanted).statistic,
                "partial": beyond.estimate,
                "lower": beyond.lower,
                "upper": beyond.upper,
                "p": p,
            }
        )
    table = pd.DataFrame(found)
    return table.assign(q=adjust_p(table["p"].to_numpy(), "benjamini-hochberg"))[ADDED]
