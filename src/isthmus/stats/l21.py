"""Joint feature selection by l2,1-norms: one penalty on the rows of a coefficient matrix, so columns go for all classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["L21Fit", "L21Loss", "fit_l21", "largest_penalty"]

L21Loss = Literal["l21", "squared"]

_GONE = 1e-8  # of the largest row norm: a row this small shrinks to nothing, and is left out of the sums


@dataclass(frozen=True, eq=False)
class L21Fit:
    """The coefficients and how the objective fell.

    Parameters
    ----------
    coefficients : array, shape (p, c)
    objective : array, shape (iterations,)
    """

    coefficients: Array
    objective: Array

    @property
    def norms(self) -> Array:
        """The l2-norm of each row: the weight of each column, shape (p,)."""
        norms: Array = np.sqrt((self.coefficients**2).sum(axis=1))
        return norms


def fit_l21(
    columns: ArrayLike,
    targets: ArrayLike,
    penalty: float,
    *,
    loss: L21Loss = "l21",
    tolerance: float = 1e-7,
    iterations: int = 500,
) -> L21Fit:
    """min over W of the loss of X W - Y plus penalty times the sum of the row norms of W, by reweighting.

    Parameters
    ----------
    columns : array X, shape (n, p)
        Centre them (and the targets): there is no intercept.
    targets : array Y, shape (n, c)
    penalty : float, above 0
    loss : {"l21", "squared"}
        The sum of the row norms of X W - Y, which an outlying patient cannot dominate (Nie), or their squares over 2 n
        (the multi-task LASSO).
    tolerance : float
        Stop when the objective falls by less than this share of itself.
    iterations : int

    References
    ----------
    Nie, Huang, Cai and Ding, NIPS 2010. Each iteration solves a system of n equations, so p may be large; the objective
    never rises.
    """
    X, Y = np.asarray(columns, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if loss not in get_args(L21Loss):
        raise TableError(f"unknown loss {loss!r}. Known: {', '.join(get_args(L21Loss))}")
    if not penalty > 0:
        raise TableError(f"l2,1-norm: penalty = {penalty!r}; expected a number above 0")
    n, p = X.shape
    alive = np.arange(p)
    weights = np.ones(p)  # of the rows of W that are alive: their norms, from the second iteration on
    slack = np.full(n, 1.0 / penalty if loss == "l21" else n * penalty)
    W = np.zeros((0, Y.shape[1]))
    trace: list[float] = []
    for _ in range(iterations):
        part = X[:, alive]
        system = (part * weights) @ part.T
        system.flat[:: n + 1] += penalty**2 * slack if loss == "l21" else slack
        W = weights[:, None] * (part.T @ np.linalg.solve(system, Y))
        rest = Y - part @ W
        norms = np.sqrt((W**2).sum(axis=1))
        residual = np.sqrt((rest**2).sum(axis=1))
        fit = residual.sum() if loss == "l21" else (rest**2).sum() / (2 * n)
        trace.append(float(fit + penalty * norms.sum()))
        if len(trace) > 1 and trace[-2] - trace[-1] <= tolerance * trace[-1]:
            break
        stays = norms > _GONE * norms.max(initial=0.0)
        alive, weights, W = alive[stays], norms[stays], W[stays]
        if loss == "l21":
            slack = np.maximum(residual, _GONE * residual.max()) / penalty
    coefficients = np.zeros((p, Y.shape[1]))
    coefficients[alive] = W
    return L21Fit(coefficients, np.array(trace))


def largest_penalty(columns: ArrayLike, targets: ArrayLike, *, loss: L21Loss = "l21") -> float:
    """The smallest penalty at which every coefficient is zero."""
    X, Y = np.asarray(columns, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if loss == "l21":
        length = np.sqrt((Y**2).sum(axis=1, keepdims=True))
        slope = X.T @ (Y / np.where(length > 0, length, 1.0))
    else:
        slope = X.T @ Y / len(X)
    return float(np.sqrt((slope**2).sum(axis=1)).max(initial=0.0))
