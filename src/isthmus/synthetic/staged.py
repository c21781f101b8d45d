"""An outcome of ordered classes whose numbers are given: who falls into which follows a risk plus luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["staged"]


def staged(linear: NDArray[np.float64], counts: Sequence[int], rng: np.random.Generator) -> NDArray[np.int64]:
    """The class of each patient: ranks of `linear` plus a logistic error, cut so that the counts are met exactly.

    Two neighbouring classes then follow a logistic model of `linear`, all of them a proportional odds model, up to the exact counts.

    Parameters
    ----------
    linear : array, shape (n,)
        Log odds of a higher class; of one value: the classes depend on luck alone.
    counts : sequence of int
        Patients in each class, lowest first; they sum to n.
    rng : Generator

    Raises
    ------
    ValueError
        The counts do not sum to n, or one is negative.
    """
    if min(counts) < 0 or sum(counts) != len(linear):
        raise ValueError(f"counts = {list(counts)}: expected numbers of 0 or more that sum to {len(linear)} patients")
    order = np.argsort(linear + rng.logistic(size=len(linear)), kind="stable")
    found = np.empty(len(linear), dtype=np.int64)
    found[order] = np.repeat(np.arange(len(counts)), counts)
    return found
