"""Filters that IBSI defines in the Fourier domain: the image extended by its boundary condition, its spectrum, transfer functions.

The grid of frequencies is IBSI's (the one that its response maps were made with): along an axis of n samples the n frequencies lie evenly
from -pi to pi, both included. It is a little wider than the discrete Fourier transform's own, and the response is the real part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from isthmus.errors import CaseError
from isthmus.filters._convolution import Array, Boundary, Rows, box_rows, read, source
from isthmus.filters._spec import Box

__all__ = ["Grid", "Spectrum", "Transfer", "riesz_transfer", "simoncelli_transfer"]

_AT_ONCE = 2**20  # places of the spectrum that are filtered at a time


class Grid(NamedTuple):
    """Part of a spectrum's grid, one array per axis that broadcast: the frequencies (radians per voxel), and the places they stand at."""

    frequencies: list[Array]
    places: list[NDArray[np.intp]]


Transfer = Callable[[Grid], Array]  # to a real factor at each place


class Spectrum:
    """An image's Fourier transform along some axes, ready for several filters.

    Parameters
    ----------
    values : array, shape (k, j, i)
        The whole image; axes that are not transformed are read inside the box only.
    box : three slices
    axes : (0, 1, 2) or (1, 2)
        In rising order: frequencies come in this order.
    boundary : how the image goes on beyond its border
        "periodic" is what a Fourier transform does by itself; otherwise the image is extended on every side by `margin` voxels, or
        by its own size where that is less; a few more make a length that transforms fast.
    margin : int
    """

    def __init__(self, values: NDArray[Any], box: Box, axes: Sequence[int], boundary: Boundary, margin: int) -> None:
        self.axes = tuple(axes)
        self.shape: list[int] = []
        rows = list(box_rows(box))
        self._inside = [slice(0, len(indices)) for indices in rows]
        for axis in self.axes:
            size = values.shape[axis]
            length = size if boundary == "periodic" else fft.next_fast_len(size + 2 * min(margin, size), real=True)
            before = (length - size) // 2
            rows[axis] = source(np.arange(-before, length - before), size, boundary)
            self._inside[axis] = slice(box[axis].start + before, box[axis].stop + before)
            self.shape.append(length)
        extended = read_extended(values, (rows[0], rows[1], rows[2]))
        self._transform = fft.rfftn(extended, axes=self.axes)

    def respond(self, transfer: Transfer, order: int = 0) -> Array:
        """The image filtered, inside the box, by `(-i)^order * transfer(grid)`.

        The real part of a response is the response of the filter's Hermitian part, which takes the transfer function at a place of
        the grid and at the opposite one. At frequency zero every filter gives zero. The way back is taken for the box only, axis after
        axis.
        """
        slices, rows, columns = self._inside
        first, *rest = self._transform.shape
        wanted = np.empty((first, rows.stop - rows.start, rest[1]), dtype=np.complex128)
        flat = self._factor(transfer, order, slice(None)) if len(self.axes) == 2 else None
        step = max(1, _AT_ONCE // (rest[0] * rest[1]))
        for start in range(0, first, step):
            some = slice(start, min(start + step, first))
            factor = self._factor(transfer, order, some) if flat is None else flat
            wanted[some] = fft.ifft(self._transform[some] * factor, axis=1, overwrite_x=True)[:, rows]
        if 0 in self.axes:
            wanted = fft.ifft(wanted, axis=0, overwrite_x=True)
        response: Array = fft.irfft(wanted[slices], self.shape[-1], axis=2, overwrite_x=True)
        return np.ascontiguousarray(response[:, :, columns])

    def _factor(self, transfer: Transfer, order: int, some: slice) -> NDArray[Any]:
        there, opposite = (transfer(self._grid(some, opposite)) for opposite in (False, True))
        factor = (there + opposite if order % 2 == 0 else there - opposite) * ((1, -1j, -1, 1j)[order % 4] / 2)
        if not some.start:
            factor[(0,) * factor.ndim] = 0
        return factor

    def _grid(self, some: slice, opposite: bool) -> Grid:
        """The half of the spectrum that a real image needs, some places of its first axis; or the places opposite to those."""
        grid = Grid([], [])
        for n, length in enumerate(self.shape):
            frequencies = fft.ifftshift(np.linspace(-np.pi, np.pi, length)) if length > 1 else np.zeros(1)
            places = np.arange(length // 2 + 1 if n == len(self.shape) - 1 else length)
            places = places[some] if n == 0 else places
            places = (-places % length if opposite else places).reshape(
                [-1 if m == n else 1 for m in range(len(self.shape))]
            )
            grid.frequencies.append(frequencies[places])
            grid.places.append(places)
        return grid


def read_extended(values: NDArray[Any], rows: Rows) -> Array:
    """The voxels of an image at some indices along each axis, zero where an index is -1.

    Raises
    ------
    CaseError
        A voxel is NaN or infinite: a Fourier transform would carry it to all others.
    """
    block = read(values, (np.maximum(rows[0], 0), np.maximum(rows[1], 0), np.maximum(rows[2], 0)))
    if values.dtype.kind == "f" and not np.isfinite(block).all():
        k, j, i = (np.unique(indices[indices >= 0]) for indices in rows)
        spoilt = np.count_nonzero(~np.isfinite(read(values, (k, j, i))))
        raise CaseError(
            f"NaN or infinite voxels where the filter reads: {spoilt}. It works by Fourier transform, where one of them spoils every "
            "other voxel. Give them a value, such as that of air"
        )
    for axis, indices in enumerate(rows):
        if (indices < 0).any():
            np.moveaxis(block, axis, 0)[indices < 0] = 0
    return block


def simoncelli_transfer(level: int) -> Transfer:
    """IBSI's B map: `cos(pi / 2 log2(2 r / pi))` for r in (pi / 4, pi], r = the frequency's radius times 2^(level - 1); else 0."""

    def transfer(grid: Grid) -> Array:
        radius = np.sqrt(sum(frequency**2 for frequency in grid.frequencies)) * 2 ** (level - 1)
        passed = (radius > np.pi / 4) & (radius <= np.pi)
        response = np.zeros(radius.shape)
        response[passed] = np.cos(np.pi / 2 * np.log2(2 * radius[passed] / np.pi))
        return response

    return transfer


def riesz_transfer(order: Sequence[int], spacing: Sequence[float]) -> Transfer:
    """The Riesz transform without its (-i)^l: `sqrt(l! / (l1! l2! l3!)) nu1^l1 nu2^l2 nu3^l3 / |nu|^l` for l = l1 + l2 + l3.

    Parameters
    ----------
    order : one number per axis
    spacing : one length per axis
        Frequencies are taken per this length.
    """
    total = sum(order)
    weight = np.sqrt(factorial(total) / np.prod([factorial(n) for n in order]))

    def transfer(grid: Grid) -> Array:
        scaled = [frequency / step for frequency, step in zip(grid.frequencies, spacing, strict=True)]
        radius = np.sqrt(sum(frequency**2 for frequency in scaled))
        response: Array = weight / np.where(radius == 0, 1, radius) ** total
        for frequency, power in zip(scaled, order, strict=True):
            response = response * frequency**power
        return response

    return transfer
