"""Thresholds: the connected part of a range of values that holds a click."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from isthmus.errors import PlanError
from isthmus.segment.grow.piece import Mask, Piece, connected
from isthmus.settings import Section

__all__ = ["Settings", "otsu", "run"]

_BINS = 256


class Settings(Section):
    """rule: how the range is found.

    - "otsu": the box in two classes (Otsu 1979); the lesion is the class of the median click.
    - "fixed": `lower` to `upper`, either may be left out.
    - "percentile": between two `percentiles` of the values within `radius_mm` of the clicks.
    - "share": from `share` of the largest value within `radius_mm` of the clicks upwards; 0.41 is usual for PET.
    """

    rule: Literal["otsu", "fixed", "percentile", "share"] = "otsu"
    lower: float | None = None
    upper: float | None = None
    percentiles: tuple[float, float] = (2.0, 98.0)
    share: float = Field(0.41, gt=0, lt=1)
    radius_mm: float = Field(5.0, ge=0)

    @model_validator(mode="after")
    def _range(self) -> Settings:
        if self.rule == "fixed" and self.lower is None and self.upper is None:
            raise ValueError('rule = "fixed": give lower, upper, or both')
        if self.rule != "fixed" and (self.lower is not None or self.upper is not None):
            raise ValueError('lower and upper belong to rule = "fixed"')
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise ValueError("percentiles: two numbers from 0 to 100, the second larger")
        return self


def run(piece: Piece, settings: Settings) -> Mask:
    """The part of the range, joined by faces, that holds a click."""
    low, high = _range(piece, settings)
    found = connected((piece.values >= low) & (piece.values <= high), piece.inside)
    if not found.any():
        raise PlanError(
            f"no click lies in the range {low:g} to {high:g} (values at the clicks: {piece.clicked.min():g} to {piece.clicked.max():g}). "
            "Click elsewhere, or set another range"
        )
    return found


def _range(piece: Piece, settings: Settings) -> tuple[float, float]:
    if settings.rule == "fixed":
        return (
            -np.inf if settings.lower is None else settings.lower,
            np.inf if settings.upper is None else settings.upper,
        )
    if settings.rule == "percentile":
        low, high = np.percentile(piece.near(settings.radius_mm), settings.percentiles)
        return float(low), float(high)
    if settings.rule == "share":
        return settings.share * float(piece.near(settings.radius_mm).max()), np.inf
    cut = otsu(piece.values)
    return (cut, np.inf) if np.median(piece.clicked) > cut else (-np.inf, cut)


def otsu(values: NDArray[np.float64]) -> float:
    """The cut between two classes of values that maximises the variance between them, to the width of a bin of 256.

    References
    ----------
    Otsu N. IEEE Trans Syst Man Cybern 1979;9:62-66.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        return low
    counts, edges = np.histogram(values, _BINS, (low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = counts.sum() - below
    sums = np.cumsum(counts * centres)
    means = sums[:-1] / np.maximum(below, 1), (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    between = below * above * (means[0] - means[1]) ** 2
    best = np.flatnonzero(between == between.max())
    return float(edges[1:-1][best].mean())  # the middle of an empty range between two classes
