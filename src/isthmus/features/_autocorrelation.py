"""Sums over all pairs of voxels, weighted by one over their distance.

A direct sum needs N squared terms: 1.6e10 for a lesion of 125,000 voxels. But the weight depends on the offset of two voxels only, so all
of them are one convolution, exact to rounding by the fast Fourier transform. The circle must be twice as long as the box along every
axis. Its frequencies fall into eight sets, even or odd along each axis, and each set is a transform of the box's own size of the
intensities turned by a phase: so nothing of eight times the size is ever held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from isthmus.image import Spacing

__all__ = ["PairSums", "geary_c", "moran_i", "weighted_sums"]


@dataclass(frozen=True, slots=True)
class PairSums:
    """Sums over ordered pairs of different voxels of weight w = 1 / distance; y are the intensities less their mean."""

    voxels: int
    squares: float  # sum of y_i^2
    weights: float  # sum of w_ij
    products: float  # sum of w_ij y_i y_j
    weighted_squares: float  # sum of w_ij y_i^2


def moran_i(sums: PairSums) -> float:
    """Moran's I (IBSI N365); NaN when all intensities are equal."""
    if not sums.squares > 0:
        return float("nan")
    return sums.voxels / sums.weights * sums.products / sums.squares


def geary_c(sums: PairSums) -> float:
    """Geary's C (IBSI NPT7); NaN when all intensities are equal."""
    if not sums.squares > 0:
        return float("nan")
    differences = 2 * (sums.weighted_squares - sums.products)  # sum of w_ij (y_i - y_j)^2
    return (sums.voxels - 1) / (2 * sums.weights) * differences / sums.squares


def weighted_sums(image: NDArray[Any], mask: NDArray[np.bool_], spacing_mm: Spacing) -> PairSums:
    """The sums behind Moran's I and Geary's C, over the voxels of a mask with at least one voxel.

    Parameters
    ----------
    image, mask : arrays of one shape (k, j, i)
    spacing_mm : tuple of 3 floats
        (k, j, i).
    """
    inside = image[mask].astype(np.float64)
    if inside.min() == inside.max():
        return PairSums(len(inside), 0.0, 0.0, 0.0, 0.0)
    y = np.zeros(mask.shape)
    y[mask] = inside - inside.mean()

    size = tuple(fft.next_fast_len(n) for n in mask.shape)
    box = tuple(slice(0, n) for n in mask.shape)
    weight = _weight_spectrum(size, spacing_mm)
    signal = np.empty(size, np.complex128)
    weights = products = weighted_squares = 0.0
    for odd in product((0, 1), repeat=3):
        # the mask is the real and the intensities are the imaginary part of the signal, and so of its convolution with the weights
        signal[:] = 0
        signal.real[box] = mask
        signal.imag[box] = y
        _turn(signal, odd, -1)
        signal = fft.fftn(signal, overwrite_x=True)
        for part, frequencies in _parts(size, odd):
            signal[part] *= weight[frequencies]
        signal = fft.ifftn(signal, overwrite_x=True)
        _turn(signal, odd, 1)
        near, smooth = signal.real[box], signal.imag[box]
        weights += float(np.einsum("kji,kji->", near, mask))
        products += float(np.einsum("kji,kji->", smooth, y))
        weighted_squares += float(np.einsum("kji,kji,kji->", near, y, y))
    return PairSums(len(inside), float(np.sum(y * y)), weights / 8, products / 8, weighted_squares / 8)


def _weight_spectrum(size: tuple[int, ...], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Spectrum of 1 / distance (0 at distance 0) on a circle of twice the size: real, at the frequencies 0 to n."""
    squared = np.zeros([n + 1 for n in size])
    for axis, (n, spacing) in enumerate(zip(size, spacing_mm, strict=True)):
        step = (np.arange(n + 1) * spacing) ** 2
        squared += step.reshape([-1 if a == axis else 1 for a in range(3)])
    squared[0, 0, 0] = np.inf
    spectrum: NDArray[np.float64] = fft.dctn(1 / np.sqrt(squared), type=1, overwrite_x=True)
    return spectrum


def _parts(size: tuple[int, ...], odd: tuple[int, ...]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Blocks of a set of frequencies, and where the symmetric spectrum of the weights holds them: beyond n it runs backwards."""
    halves = []
    for n, o in zip(size, odd, strict=True):
        turning = (n - o) // 2 + 1  # how many frequencies 2 g + o do not exceed n
        rising = slice(0, turning), slice(o, 2 * turning + o, 2)
        falling = slice(turning, n), slice(2 * (n - turning) - o, 0, -2)
        halves.append([rising, falling] if turning < n else [rising])
    for choice in product(*halves):
        yield tuple(part for part, _ in choice), tuple(frequency for _, frequency in choice)


def _turn(signal: NDArray[np.complex128], odd: tuple[int, ...], direction: int) -> None:
    """Turns the phases in place, so that the frequencies of the size become the odd ones of a circle of twice the size (or back)."""
    for axis, n in enumerate(signal.shape):
        if odd[axis]:
            steps = np.exp(direction * 1j * np.pi * np.arange(n) / n)
            signal *= steps.reshape([-1 if a == axis else 1 for a in range(3)])
