"""What cohort habitats look like: the features that tell them apart, and how much of a lesion they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.habitat.cohort import Habitats
from isthmus.habitat.measure import NAMES, SupervoxelTable

__all__ = ["PROFILE_COLUMNS", "habitat_profile"]

PROFILE_COLUMNS = [
    "habitat", "supervoxels", "patients", "share", "feature", "median", "q1", "q3", "eta_squared", "rank",
]  # fmt: skip

_BRIGHTNESS = "firstorder_Mean"
_MOST = 11
_ALIKE = 0.8  # correlation over supervoxels above which a feature says the same as one before it


def habitat_profile(step: Habitats, tables: Sequence[SupervoxelTable]) -> pd.DataFrame:
    """A row a habitat and feature, over the supervoxels of some patients (those the step learned from).

    Parameters
    ----------
    step : Habitats
        Fitted.
    tables : sequence of SupervoxelTable

    Returns
    -------
    DataFrame
        Of the habitat: `supervoxels`, `patients` that have it, `share` of all voxels. Of the feature in it: median and quartiles of the
        values as the step scales them (0 and 1: mean and standard deviation over all supervoxels, after the power transform). Of the
        feature: `eta_squared`, the share of its variance that lies between habitats; `rank`, 1 for mean intensity and 2 ... 12 for those
        that tell habitats apart most, without any that correlates by more than 0.8 with one of a smaller rank; NaN for all others.
    """
    count = len(step.centres_)
    values = np.concatenate([step.standardised(table) for table in tables]) if tables else np.empty((0, len(NAMES)))
    where = [step.assign(table) for table in tables]
    habitat = np.concatenate(where) if where else np.empty(0, dtype=np.int32)
    voxels = np.concatenate([table.voxels for table in tables]) if tables else np.empty(0)
    eta = _eta_squared(values, habitat)
    ranks = _ranks(values[habitat > 0], eta)
    total = voxels[habitat > 0].sum()
    rows = []
    for number in range(1, count + 1):
        own = values[habitat == number]
        about = (
            number, int((habitat == number).sum()), sum(bool((one == number).any()) for one in where),
            float(voxels[habitat == number].sum() / total) if total else float("nan"),
        )  # fmt: skip
        for column, feature in enumerate(NAMES):
            known = own[np.isfinite(own[:, column]), column]
            q1, median, q3 = np.percentile(known, [25, 50, 75]) if len(known) else (np.nan,) * 3
            rows.append((*about, feature, median, q1, q3, eta[column], ranks[column]))
    return pd.DataFrame(rows, columns=PROFILE_COLUMNS)


def _eta_squared(values: NDArray[np.float64], habitat: NDArray[np.int32]) -> NDArray[np.float64]:
    """Of each feature the share of the sum of squares that lies between habitats; 0 where it does not vary."""
    found = np.zeros(values.shape[1])
    for column, feature in enumerate(values.T):
        known = np.isfinite(feature) & (habitat > 0)
        x, h = feature[known], habitat[known]
        if not len(x) or np.ptp(x) == 0:
            continue
        size, total = np.bincount(h), np.bincount(h, x)
        means = total / np.where(size > 0, size, 1)
        found[column] = float((size * (means - x.mean()) ** 2).sum() / ((x - x.mean()) ** 2).sum())
    return found


def _ranks(values: NDArray[np.float64], eta: NDArray[np.float64]) -> NDArray[np.float64]:
    ranks = np.full(len(eta), np.nan)
    filled = np.nan_to_num(values - np.nanmean(values, axis=0) if len(values) else values)
    norm = np.sqrt((filled**2).sum(axis=0))
    scaled = filled / np.where(norm > 0, norm, 1)
    order = [NAMES.index(_BRIGHTNESS), *np.argsort(-eta, kind="stable").tolist()]
    taken: list[int] = []
    for column in order:
        if norm[column] > 0 and all(abs(scaled[:, column] @ scaled[:, other]) <= _ALIKE for other in taken):
            taken.append(column)
            ranks[column] = len(taken)
        if len(taken) > _MOST:
            break
    return ranks
