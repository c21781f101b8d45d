"""Morphological snakes: a ball at the clicks that moves to where the image says, kept smooth by erosions and dilations alone.

References
----------
Marquez-Neila P, Baumela L, Alvarez L. A morphological approach to curvature-based evolution of curves and surfaces. IEEE Trans Pattern
Anal Mach Intell 2014;36:2-17.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus.segment.grow.piece import Mask, Piece, ball
from isthmus.settings import Section

__all__ = ["ChanVeseSettings", "GeodesicSettings", "chan_vese", "geodesic"]


class ChanVeseSettings(Section):
    """radius_mm: of the balls at the clicks that it begins with; iterations: at most; smoothing: passes of it after each;
    inside, outside: how much likeness to the mean inside and to the mean outside counts.
    """

    radius_mm: float = Field(4.0, ge=0)
    iterations: int = Field(100, ge=1)
    smoothing: int = Field(1, ge=0)
    inside: float = Field(1.0, gt=0)
    outside: float = Field(1.0, gt=0)


class GeodesicSettings(Section):
    """radius_mm, iterations, smoothing: as of Chan-Vese; edge_mm: width of the Gaussian under the gradient; edge_percentile: where the
    image is flatter than this percentage of the box, the balloon grows (1), shrinks (-1) or rests (0).
    """

    radius_mm: float = Field(4.0, ge=0)
    iterations: int = Field(100, ge=1)
    smoothing: int = Field(1, ge=0)
    edge_mm: float = Field(1.0, gt=0)
    edge_percentile: float = Field(60.0, gt=0, lt=100)
    balloon: int = Field(1, ge=-1, le=1)


def chan_vese(piece: Piece, settings: ChanVeseSettings) -> Mask:
    """A snake between two mean values: it moves where a voxel of its rim is more like the other side."""
    start, barred = _start(piece, settings.radius_mm)
    squared = piece.values

    def step(mask: Mask) -> Mask:
        inside, outside = squared[mask].mean(), squared[~mask].mean()
        force = settings.inside * (squared - inside) ** 2 - settings.outside * (squared - outside) ** 2
        rim = _rim(mask)
        return np.where(rim & (force < 0), True, np.where(rim & (force > 0), False, mask))

    return _evolved(start, barred, piece, step, settings.iterations, settings.smoothing)


def geodesic(piece: Piece, settings: GeodesicSettings) -> Mask:
    """A snake that a balloon moves over flat places and that edges attract."""
    from scipy import ndimage

    start, barred = _start(piece, settings.radius_mm)
    sigma = [
        settings.edge_mm / step if size > 1 else 0 for step, size in zip(piece.spacing_mm, start.shape, strict=True)
    ]
    smooth = ndimage.gaussian_filter(piece.values, sigma)
    steepness = np.sqrt(sum(part**2 for part in _gradient(smooth, piece.spacing_mm)))
    scale = float(np.percentile(steepness, 90)) or 1.0
    edges = 1 / np.sqrt(1 + (steepness / scale) ** 2 * 10)
    flat = steepness < np.percentile(steepness, settings.edge_percentile)
    pull = _gradient(edges)

    def step(mask: Mask) -> Mask:
        moved = mask
        if settings.balloon:
            grown = (
                ndimage.binary_dilation(mask) if settings.balloon > 0 else ndimage.binary_erosion(mask, border_value=1)
            )
            moved = np.where(flat, grown, mask)
        along = sum(a * b for a, b in zip(pull, _gradient(moved.astype(np.float64)), strict=True))
        return np.where(along > 0, True, np.where(along < 0, False, moved))

    return _evolved(start, barred, piece, step, settings.iterations, settings.smoothing)


def _start(piece: Piece, radius_mm: float) -> tuple[Mask, Mask]:
    """Balls at the clicks; and the voxels clicked as outside, which stay out."""
    start = ball(piece.values.shape, piece.inside, radius_mm, piece.spacing_mm)
    barred = np.zeros_like(start)
    barred[tuple(piece.outside.T)] = True
    start &= ~barred
    if start.all():  # a ball larger than the box: no outside to compare with
        start[:] = False
        start[tuple(piece.inside.T)] = True
    return start, barred


def _evolved(
    start: Mask, barred: Mask, piece: Piece, step: Callable[[Mask], Mask], iterations: int, smoothing: int
) -> Mask:
    mask, smoother, before = start, _Smoother(start.shape), None
    for _ in range(iterations):
        after = step(mask)
        for _ in range(smoothing):
            after = smoother(after)
        after &= ~barred
        after[tuple(piece.inside.T)] = True
        if after.all() or (before is not None and np.array_equal(after, before)):
            return after  # at rest: the smoothing takes turns, so a mask is at rest when it comes back after two
        before, mask = mask, after
    return mask


class _Smoother:
    """The curvature operator: sup of infs and inf of sups over flat pieces through a voxel, which of the two first by turns."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.flats = _flats([n > 1 for n in shape])
        self.first = False

    def __call__(self, mask: Mask) -> Mask:
        self.first = not self.first
        passes = (self._opened, self._closed) if self.first else (self._closed, self._opened)
        return passes[1](passes[0](mask))

    def _opened(self, mask: Mask) -> Mask:
        """In the mask stays what a flat piece of it runs through."""
        return np.logical_or.reduce([np.logical_and.reduce(_shifted(mask, flat)) for flat in self.flats])

    def _closed(self, mask: Mask) -> Mask:
        return np.logical_and.reduce([np.logical_or.reduce(_shifted(mask, flat)) for flat in self.flats])


def _flats(axes: list[bool]) -> list[list[tuple[int, ...]]]:
    """Planes (of a volume) or lines (of a slice) through a voxel of 3 x 3 x 3: the offsets at right angles to each main direction."""
    steps = [(-1, 0, 1) if there else (0,) for there in axes]
    offsets = list(itertools.product(*steps))
    normals = [n for n in offsets if any(n) and n > tuple(-x for x in n) and sum(map(abs, n)) <= 2]
    return [[o for o in offsets if sum(a * b for a, b in zip(o, n, strict=True)) == 0] for n in normals]


def _shifted(mask: Mask, offsets: list[tuple[int, ...]]) -> list[Mask]:
    """A mask moved; its border goes on outwards."""
    padded = np.pad(mask, 1, mode="edge")
    windows = [tuple(slice(1 + o, 1 + o + n) for o, n in zip(offset, mask.shape, strict=True)) for offset in offsets]
    return [padded[window] for window in windows]


def _rim(mask: Mask) -> Mask:
    """The voxels beside the surface, on both sides."""
    from scipy import ndimage

    return ndimage.binary_dilation(mask) & ~ndimage.binary_erosion(mask, border_value=1)


def _gradient(values: NDArray[np.float64], spacing: tuple[float, ...] = (1.0, 1.0, 1.0)) -> list[NDArray[np.float64]]:
    """Along each axis that has more than one voxel."""
    return [np.gradient(values, spacing[axis], axis=axis) for axis in range(3) if values.shape[axis] > 1]
