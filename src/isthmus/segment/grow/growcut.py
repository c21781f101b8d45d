"""GrowCut: every voxel takes the side, lesion or not, whose clicks reach it along the path of least change.

References
----------
Vezhnevets V, Konouchine V. "GrowCut": interactive multi-label N-D image segmentation by cellular automata. Graphicon 2005.
Zhu L, Kolesov I, Gao Y, Kikinis R, Tannenbaum A. An effective interactive medical image segmentation method using fast GrowCut. MICCAI
Workshop on Interactive Medical Image Computing, 2014: the automaton ends where Dijkstra's shortest paths do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus.segment.grow.piece import Mask, Piece, ball
from isthmus.settings import Section

__all__ = ["Settings", "run"]

_LEAST = 1e-6  # strength left where two neighbours differ by the whole range
_TIE = 1e-9  # of equal paths the shorter one


class Settings(Section):
    """radius_mm: of the balls around the clicks that are certain; border_outside: the surface of the box counts as clicked outside (it
    always does where nothing was clicked outside).
    """

    radius_mm: float = Field(2.0, ge=0)
    border_outside: bool = True


def run(piece: Piece, settings: Settings) -> Mask:
    """The voxels that the clicks inside reach with more strength than those outside."""
    shape = piece.values.shape
    inside = ball(shape, piece.inside, settings.radius_mm, piece.spacing_mm)
    outside = ball(shape, piece.outside, settings.radius_mm, piece.spacing_mm)
    inside[tuple(piece.outside.T)] = False
    outside &= ~inside
    if settings.border_outside or not piece.outside.size:
        border = np.ones(shape, dtype=bool)
        border[tuple(slice(1, -1) if n > 2 else slice(None) for n in shape)] = False
        outside |= border & ~inside
    return _reached(piece.values, inside, outside)


def _reached(values: NDArray[np.float64], inside: Mask, outside: Mask) -> Mask:
    """Which voxels' nearest certain one lies inside. Strength along a path is the product of 1 - |difference| / range over its steps
    through faces, so the strongest path is the shortest one of -log."""
    from scipy import sparse
    from scipy.sparse import csgraph

    span = float(np.ptp(values)) or 1.0
    number = np.arange(values.size, dtype=np.int32).reshape(values.shape)
    rows, columns, costs = [], [], []
    for axis in range(values.ndim):
        change = np.abs(np.diff(values, axis=axis)) / span
        rows.append(number.take(range(values.shape[axis] - 1), axis).ravel())
        columns.append(number.take(range(1, values.shape[axis]), axis).ravel())
        costs.append(_TIE - np.log(np.maximum(1 - change, _LEAST)).ravel())
    steps = sparse.coo_array(
        (np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))), shape=(values.size, values.size)
    ).tocsr()
    certain = np.flatnonzero(inside | outside)
    _, _, source = csgraph.dijkstra(steps, directed=False, indices=certain, min_only=True, return_predecessors=True)
    found: Mask = inside.ravel()[source].reshape(values.shape)
    return found
