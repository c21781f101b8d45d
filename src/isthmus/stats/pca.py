"""Principal components of standardised columns, with a sign that does not depend on the machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isthmus.stats.binary import Array
from isthmus.stats.constant import constant_columns

__all__ = ["PrincipalComponents", "principal_components"]


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """The components of the correlation matrix, strongest first.

    Parameters
    ----------
    mean, sd : arrays, shape (p,)
        What the columns are standardised with (ddof 1; 1 for a constant column, whose loadings are 0).
    loadings : array, shape (p, c)
        Unit vectors; of each the largest in absolute value is positive.
    sdev : array, shape (c,)
        Standard deviation along each component (ddof 1).
    share : array, shape (c,)
        Of the total variance.
    """

    mean: Array
    sd: Array
    loadings: Array
    sdev: Array
    share: Array


def principal_components(columns: ArrayLike) -> PrincipalComponents:
    """All components with variance of a complete table (n, p)."""
    values = np.asarray(columns, dtype=np.float64)
    constant = constant_columns(values)
    mean = np.where(constant, values[0], values.mean(axis=0))
    sd = np.where(constant, 1.0, values.std(axis=0, ddof=1) if len(values) > 1 else 1.0)
    standard = (values - mean) / sd
    standard[:, constant] = 0.0
    _, size, rows = np.linalg.svd(standard, full_matrices=False)
    there = size > size.max(initial=0.0) * max(values.shape) * np.finfo(np.float64).eps
    size, rows = size[there], rows[there]
    # of loadings that are equal up to rounding the first decides, on every machine
    largest = np.argmax(np.round(np.abs(rows), 10), axis=1)
    signs = np.sign(rows[np.arange(len(rows)), largest])
    sdev = size / np.sqrt(max(len(values) - 1, 1))
    return PrincipalComponents(mean, sd, (rows * signs[:, None]).T, sdev, sdev**2 / (sdev**2).sum())
