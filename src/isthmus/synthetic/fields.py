"""Smooth random fields: what makes one patient's tissue differ from the next.

A field is white noise on a coarse lattice, spread over the fine grid by one Gaussian per axis. Three small matrix
products do it, so no Fourier transform of the volume is needed, and the variance is one at every voxel, borders
included.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Axes", "Volume", "apply_along_axes", "smooth_field"]

Volume = NDArray[np.float32]
Axes = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def apply_along_axes(volume: Volume, matrices: tuple[Volume, Volume, Volume]) -> Volume:
    """The volume (k, j, i) with one matrix (new, old) applied along each of its axes."""
    along_k, along_j, along_i = matrices
    n_k, n_j, n_i = volume.shape
    values = (along_k @ volume.reshape(n_k, n_j * n_i)).reshape(-1, n_j, n_i)
    return np.ascontiguousarray(along_j @ (values @ along_i.T))


def smooth_field(rng: np.random.Generator, axes: Axes, correlation_mm: float) -> Volume:
    """A random field of mean 0 and variance 1 whose correlation falls off as exp(-d² / (2 correlation_mm²)).

    Parameters
    ----------
    rng : Generator
    axes : tuple of 3 arrays
        Coordinates (z, y, x) of the voxel centres, millimetres, rising.
    correlation_mm : float
        Distance at which the correlation has fallen to exp(-1/2).
    """
    matrices = [_spread(axis, correlation_mm) for axis in axes]
    lattice = rng.standard_normal([matrix.shape[1] for matrix in matrices], dtype=np.float32)
    return apply_along_axes(lattice, (matrices[0], matrices[1], matrices[2]))


def _spread(axis: NDArray[np.float32], correlation_mm: float) -> Volume:
    """Weights (voxel, lattice point); each row has unit length, hence unit variance."""
    width = correlation_mm / np.sqrt(2.0)  # a Gaussian convolved with itself is wider by the square root of two
    points = np.arange(axis[0] - 3 * width, axis[-1] + 3 * width + width, width)
    weights = np.exp(-0.5 * ((axis[:, None] - points) / width) ** 2)
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
