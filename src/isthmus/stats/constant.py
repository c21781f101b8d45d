"""When is a column constant? The one rule that filters, scaling and models share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["constant_columns"]

_ROUNDING = 1e-12  # far above the rounding of a computed number (1e-16), far below any measurement's digits


def constant_columns(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which columns hold one number only, up to rounding: range at most 1e-12 of the largest absolute value.

    The rule is relative, so the unit of a column cannot make it constant.

    Parameters
    ----------
    values : array, shape (n, p)
        Finite, n of 1 or more.
    """
    lowest, highest = values.min(axis=0), values.max(axis=0)
    result: NDArray[np.bool_] = highest - lowest <= _ROUNDING * np.maximum(np.abs(lowest), np.abs(highest))
    return result
