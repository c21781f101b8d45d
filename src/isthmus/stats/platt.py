"""Platt's scaling: a probability from a decision value.

Platt 1999, "Probabilistic outputs for support vector machines"; the Newton method of Lin, Lin and Weng, Mach Learn
2007;68:267, which cannot overflow and always converges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError

__all__ = ["platt_scaling"]

Array = NDArray[np.float64]


def platt_scaling(decision: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Slope and intercept of the risk 1 / (1 + exp(-(slope * decision + intercept))).

    The targets are Platt's: (N1 + 1) / (N1 + 2) for events and 1 / (N0 + 2) for the others, so that the estimates are
    finite where the decision values separate the classes.

    Parameters
    ----------
    decision : array, shape (n,)
        Of rows the machine was not trained on.
    y : array of 0 and 1, shape (n,)

    Raises
    ------
    TableError
        Only one class, or a value that is not finite.
    """
    values = np.asarray(decision, dtype=np.float64)
    events = np.asarray(y, dtype=np.float64)
    if not np.isfinite(values).all() or not 0 < events.sum() < events.size:
        raise TableError("Platt's scaling needs finite decision values of both classes")
    n1 = events.sum()
    n0 = events.size - n1
    target = np.where(events > 0, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    centre = values.mean()
    spread = values.std()
    if spread <= 1e-10 * np.abs(values).max():  # equal but for rounding
        return 0.0, float(np.log((n1 + 1) / (n0 + 1)))
    design = np.column_stack([(values - centre) / spread, np.ones(values.size)])
    weights = np.array([0.0, np.log((n1 + 1) / (n0 + 1))])
    now = _loss(design @ weights, target)
    for _ in range(100):
        risk = 0.5 * (1.0 + np.tanh(0.5 * (design @ weights)))
        gradient = design.T @ (risk - target)
        if np.abs(gradient).max() < 1e-10 * values.size:
            break
        information = (design * (risk * (1 - risk))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(information, gradient)
        size = 1.0
        while size > 1e-10:
            after = _loss(design @ (weights - size * step), target)
            if after <= now - 1e-4 * size * float(gradient @ step):
                break
            size /= 2
        else:
            break
        weights, now = weights - size * step, after
    slope = float(weights[0] / spread)
    return slope, float(weights[1] - slope * centre)


def _loss(eta: Array, target: Array) -> float:
    return float(np.sum(np.logaddexp(0.0, eta) - target * eta))
