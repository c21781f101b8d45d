"""Stains by sparse non-negative dictionary learning.

References
----------
Vahadane et al., IEEE TMI 35:1962-1971, 2016.
"""

from __future__ import annotations

import numpy as np

from isthmus.errors import ImageReadError
from isthmus.pathology.stain import BACKGROUND, Array, Pixels, Stains, estimate_macenko, optical_density

__all__ = ["estimate_vahadane"]

_MOST_PIXELS = 20_000
_LEAST_CHANGE = 1e-6


def estimate_vahadane(
    rgb: Pixels, *, background: float = BACKGROUND, threshold: float = 0.15, sparsity: float = 0.1, turns: int = 200
) -> Stains:
    """The two stains W (non-negative, of length 1) for which V = W H with sparse non-negative concentrations H.

    Minimises ``1/2 |V - W H|^2 + sparsity * sum(H)`` in turns: H of every pixel exactly (two unknowns), W by projected coordinate
    descent. It starts at Macenko's vectors, so nothing is drawn; pixels beyond 20 000 are taken at even steps.

    Raises
    ------
    ImageReadError
        As `estimate_macenko`.
    """
    start = estimate_macenko(rgb, background=background, threshold=threshold)
    density = optical_density(rgb, background).reshape(-1, 3)
    tissue = np.maximum(density[(density > threshold).all(axis=1)], 0)
    part = tissue[np.linspace(0, len(tissue) - 1, min(len(tissue), _MOST_PIXELS)).astype(int)]
    vectors = np.maximum(start.vectors, 1e-6)
    vectors = vectors / np.linalg.norm(vectors, axis=0)
    for _ in range(turns):
        before = vectors
        amount = _sparse(part, vectors, sparsity)
        vectors = _dictionary(part, amount, vectors)
        if np.abs(vectors - before).max() < _LEAST_CHANGE:
            break
    if vectors[0, 0] < vectors[0, 1]:  # haematoxylin absorbs more red
        vectors = vectors[:, ::-1].copy()
    if float(vectors[:, 0] @ vectors[:, 1]) > np.cos(np.radians(5)):
        raise ImageReadError("the two stains that explain the tissue best are the same: one stain only?")
    return Stains(vectors, np.percentile(_sparse(tissue, vectors, 0.0), 99, axis=0))


def _sparse(density: Array, vectors: Array, sparsity: float) -> Array:
    """Of every pixel the two concentrations that minimise its share of the objective: both positive, or one, or none."""
    towards = density @ vectors - sparsity  # vectors have length 1
    cross = float(vectors[:, 0] @ vectors[:, 1])
    both = np.column_stack([towards[:, 0] - cross * towards[:, 1], towards[:, 1] - cross * towards[:, 0]]) / (
        1 - cross**2
    )
    alone = np.maximum(towards, 0)
    first = np.column_stack([alone[:, 0], np.zeros(len(alone))])
    second = np.column_stack([np.zeros(len(alone)), alone[:, 1]])
    single = np.where((alone[:, :1] >= alone[:, 1:]), first, second)
    return np.asarray(np.where((both > 0).all(axis=1, keepdims=True), both, single), dtype=np.float64)


def _dictionary(density: Array, amount: Array, vectors: Array) -> Array:
    gram, towards = amount.T @ amount, density.T @ amount
    found = vectors.copy()
    for _ in range(10):
        for n in (0, 1):
            if gram[n, n] > 0:
                moved = np.maximum(found[:, n] + (towards[:, n] - found @ gram[:, n]) / gram[n, n], 0)
                found[:, n] = moved / max(float(np.linalg.norm(moved)), 1e-12)
    return found
