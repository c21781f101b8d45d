"""Risks on the scale on which they add up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEAST", "log_odds"]

LEAST = 0.001
"""A risk of 0 or 1 has no odds: what is nearer to them than this is moved here."""


def log_odds(risk: ArrayLike) -> NDArray[Any]:
    """Natural logarithm of the odds of each risk, of any shape; within +-6.907 (`LEAST`)."""
    inside = np.clip(np.asarray(risk, dtype=np.float64), LEAST, 1.0 - LEAST)
    found: NDArray[np.float64] = np.log(inside / (1.0 - inside))
    return found
