"""Region growing: from the clicks through neighbours of like values."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from isthmus.segment.grow.piece import Mask, Piece, connected
from isthmus.settings import Section

__all__ = ["ConfidenceSettings", "Settings", "confidence", "run"]


class Settings(Section):
    """within: how far from the mean of the clicks a value may lie, in the image's own numbers; unset: `deviations` standard deviations
    of the values within `radius_mm` of the clicks.
    """

    within: float | None = Field(None, gt=0)
    deviations: float = Field(2.5, gt=0)
    radius_mm: float = Field(5.0, ge=0)


class ConfidenceSettings(Section):
    """multiplier: how many standard deviations of the region a value may lie from its mean; iterations: how often mean and deviation are
    taken anew from the region; neighbourhood: voxels around a click that make the first region.
    """

    multiplier: float = Field(2.5, gt=0)
    iterations: int = Field(4, ge=0)
    neighbourhood: int = Field(1, ge=0)


def run(piece: Piece, settings: Settings) -> Mask:
    """Connected threshold: the voxels joined by faces to a click whose values lie around the mean near the clicks."""
    near = piece.near(settings.radius_mm)
    mean, reach = float(near.mean()), settings.within
    if reach is None:
        reach = settings.deviations * float(near.std())
    else:
        mean = float(piece.clicked.mean())
    return _grown(piece, mean, reach)


def confidence(piece: Piece, settings: ConfidenceSettings) -> Mask:
    """Confidence-connected: the range follows the mean and the deviation of the region it found (as ITK's filter does)."""
    n = settings.neighbourhood
    around = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    # beyond the border the nearest voxel counts
    places = np.clip(piece.inside[:, None] + around[None], 0, np.array(piece.values.shape) - 1).reshape(-1, 3)
    values = piece.values[tuple(places.T)]
    found = _grown(piece, values.mean(), settings.multiplier * _deviation(values))
    for _ in range(settings.iterations):
        values = piece.values[found]
        after = _grown(piece, values.mean(), settings.multiplier * _deviation(values))
        if np.array_equal(after, found):
            break
        found = after
    return found


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else 0.0


def _grown(piece: Piece, mean: float, reach: float) -> Mask:
    """The range always holds the clicks."""
    low, high = min(mean - reach, piece.clicked.min()), max(mean + reach, piece.clicked.max())
    return connected((piece.values >= low) & (piece.values <= high), piece.inside)
