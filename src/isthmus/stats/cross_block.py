"""Do two blocks of measurements of the same patients go together at all? Regularised canonical correlation with a permutation test.

Vinod, J Econom 1976;4:147: each block's covariance is shrunk towards the identity. With full shrinkage it is the first component of partial
least squares (the largest covariance of two directions). The p-value is the share of permutations of one block's patients whose largest
canonical correlation is as large; correlations within blocks stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["CrossBlock", "cross_block"]


@dataclass(frozen=True, eq=False)
class CrossBlock:
    """The first pair of directions of two blocks.

    Parameters
    ----------
    statistic : float
        The largest regularised canonical correlation, in the sample: it rises with the number of columns, and beyond 1 with shrinkage.
    p : float
    expected : float
        Its mean over the permutations: what chance alone gives.
    correlation : float
        Spearman's, of the two scores.
    left, right : arrays
        Loadings: Spearman-like correlation of each column with its own block's score.
    scores : array (patients, 2)
    n : int
        Patients with every value.
    """

    statistic: float
    p: float
    expected: float
    correlation: float
    left: Array
    right: Array
    scores: Array
    n: int


def cross_block(
    left: ArrayLike, right: ArrayLike, *, given: ArrayLike | None = None, shrinkage: float = 0.5, permutations: int = 999,
    rng: np.random.Generator,
) -> CrossBlock:  # fmt: skip
    """Canonical correlation of the ranks of two blocks.

    Parameters
    ----------
    left, right : arrays (patients, p), (patients, q)
        Patients with a missing value anywhere are left out.
    given : array (patients, c), optional
        What both blocks' ranks are freed of, by least squares.
    shrinkage : float
        0: none; 1: partial least squares.
    permutations : int
    rng : Generator

    Raises
    ------
    TableError
        Blocks of other patients, or fewer than eight complete ones.
    """
    x, y = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    z = np.empty((len(x), 0)) if given is None else np.asarray(given, dtype=np.float64).reshape(len(x), -1)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise TableError(f"two blocks of the same patients; got shapes {x.shape} and {y.shape}")
    if not 0 <= shrinkage <= 1:
        raise TableError(f"shrinkage {shrinkage}: expected 0 to 1")
    there = np.isfinite(np.hstack([x, y, z])).all(axis=1)
    n = int(there.sum())
    if n < 8 + z.shape[1]:
        raise TableError(f"{n} patients have every value of both blocks; at least {8 + z.shape[1]} are needed")
    a, b = _standard(x[there], z[there]), _standard(y[there], z[there])
    white_a, white_b = _whitened(a, shrinkage), _whitened(b, shrinkage)
    u, size, v = np.linalg.svd(white_a.T @ white_b / n, full_matrices=False)
    drawn = np.array([_largest(white_a, white_b[rng.permutation(n)]) for _ in range(permutations)])
    p = (1 + int((drawn >= size[0] - 1e-12).sum())) / (1 + permutations)
    scores = np.column_stack([white_a @ u[:, 0], white_b @ v[0]])
    loads = [_loadings(block, score) for block, score in zip((a, b), scores.T, strict=True)]
    turn = np.sign(loads[0][np.argmax(np.abs(loads[0]))]) or 1.0
    return CrossBlock(
        float(size[0]),
        p,
        float(drawn.mean()),
        float(stats.spearmanr(*scores.T).statistic),
        turn * loads[0],
        turn * loads[1],
        turn * scores,
        n,
    )


def _standard(block: Array, given: Array) -> Array:
    """Ranks freed of what is given, mean 0 and variance 1; constant columns 0."""
    ranks = stats.rankdata(block, axis=0)
    design = (
        np.column_stack([np.ones(len(block)), stats.rankdata(given, axis=0)])
        if given.shape[1]
        else np.ones((len(block), 1))
    )
    rest = ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    spread = rest.std(axis=0)
    result: Array = np.where(spread > 1e-9 * len(block), rest / np.where(spread > 0, spread, 1.0), 0.0)
    return result


def _whitened(block: Array, shrinkage: float) -> Array:
    """The block times the inverse root of its shrunk correlation matrix; directions without variance are left out."""
    _, size, right = np.linalg.svd(block / np.sqrt(len(block)), full_matrices=False)
    kept = size > 1e-8 * max(size.max(initial=0.0), 1e-300)
    variance = (1 - shrinkage) * size[kept] ** 2 + shrinkage
    result: Array = block @ right[kept].T / np.sqrt(variance)
    return result


def _largest(a: Array, b: Array) -> float:
    return float(np.linalg.norm(a.T @ b / len(a), 2))


def _loadings(block: Array, score: Array) -> Array:
    spread = score.std() * np.where(block.std(axis=0) > 0, block.std(axis=0), np.inf)
    result: Array = block.T @ (score - score.mean()) / len(score) / np.where(spread > 0, spread, np.inf)
    return result
