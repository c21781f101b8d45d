"""Stains: what haematoxylin and eosin each absorb, and bringing one slide's stains to another's.

References
----------
Macenko et al., ISBI 2009:1107-1110. Fixed vectors: Ruifrok and Johnston, Anal Quant Cytol Histol 23:291-299, 2001.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError

__all__ = [
    "RUIFROK",
    "Stains",
    "concentrations",
    "estimate_macenko",
    "haematoxylin_density",
    "normalise",
    "optical_density",
]

Pixels = NDArray[np.uint8]
Array = NDArray[np.float64]

BACKGROUND = 240.0
"""Intensity of unstained glass."""

_LEAST_PIXELS = 100
_LEAST_ANGLE_DEGREES = 10.0


@dataclass(frozen=True, eq=False)
class Stains:
    """Two stains of one slide.

    Parameters
    ----------
    vectors : array, shape (3, 2)
        Optical density of red, green and blue for one unit of haematoxylin (first column) and eosin; each of length 1.
    strongest : array, shape (2,)
        99th percentile of the concentrations in the tissue.
    """

    vectors: Array
    strongest: Array


def _unit(vectors: list[list[float]]) -> Array:
    columns = np.array(vectors).T
    return np.asarray(columns / np.linalg.norm(columns, axis=0), dtype=np.float64)


RUIFROK = Stains(_unit([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]]), np.array([1.0, 1.0]))
"""Fixed vectors for haematoxylin and eosin; their concentrations are not scaled."""


def optical_density(rgb: Pixels, background: float = BACKGROUND) -> Array:
    """-ln(I / background) of each channel, shape as `rgb`; intensity 0 counts as 1. Below 0 where brighter than the glass."""
    table = -np.log(
        np.maximum(np.arange(256), 1) / background
    )  # pixels have 256 values: far fewer logarithms than pixels
    return np.asarray(table[rgb], dtype=np.float64)


def estimate_macenko(
    rgb: Pixels, *, background: float = BACKGROUND, threshold: float = 0.15, percentile: float = 1.0
) -> Stains:
    """The two stains of a tissue sample: the extreme directions of its optical densities.

    Estimate them once a slide, from pixels all over the tissue: estimated anew on each small patch, they take away the very differences
    that are to be measured.

    Parameters
    ----------
    rgb : uint8 array, shape (..., 3)
    background : float
        Intensity of glass.
    threshold : float
        A pixel is tissue where every channel's optical density exceeds it.
    percentile : float
        Of the angles; the extremes are this and 100 minus this.

    Raises
    ------
    ImageReadError
        Too little tissue, or one stain only (directions less than 10 degrees apart): there is nothing to estimate.
    """
    density = optical_density(_pixels(rgb), background)
    tissue = density[(density > threshold).all(axis=1)]
    if len(tissue) < _LEAST_PIXELS:
        raise ImageReadError(
            f"{len(tissue)} of {len(density)} pixels are tissue (optical density above {threshold:g}); stains need at least {_LEAST_PIXELS}"
        )
    plane = np.linalg.eigh(np.cov(tissue.T))[1][:, [2, 1]]
    plane = plane * np.where(plane.sum(axis=0) < 0, -1, 1)  # an eigenvector's sign is arbitrary
    along = tissue @ plane
    angle = np.arctan2(along[:, 1], along[:, 0])
    low, high = np.percentile(angle, [percentile, 100 - percentile])
    if np.degrees(high - low) < _LEAST_ANGLE_DEGREES:
        raise ImageReadError(
            f"the two stains are {np.degrees(high - low):.1f} degrees apart, too near to be told from each other: one stain only?"
        )
    first, second = (plane @ [np.cos(a), np.sin(a)] for a in (low, high))
    ordered = (first, second) if first[0] > second[0] else (second, first)  # haematoxylin absorbs more red
    vectors = np.column_stack(ordered)
    vectors /= np.linalg.norm(vectors, axis=0)
    return Stains(vectors, np.percentile(_concentrations(tissue, vectors), 99, axis=0))


def concentrations(rgb: Pixels, stains: Stains, background: float = BACKGROUND) -> Array:
    """How much of each stain a pixel holds, shape (..., 2), by least squares; slightly negative values are noise."""
    flat = _concentrations(optical_density(_pixels(rgb), background), stains.vectors)
    return flat.reshape((*rgb.shape[:-1], 2))


def haematoxylin_density(rgb: Pixels, stains: Stains = RUIFROK, background: float = BACKGROUND) -> Array:
    """Concentration of haematoxylin (its optical density along the stain's vector), shape (...)."""
    return np.asarray(concentrations(rgb, stains, background)[..., 0], dtype=np.float64)


def normalise(rgb: Pixels, source: Stains, target: Stains, background: float = BACKGROUND) -> Pixels:
    """The image as if it had been stained like the target: same tissue, the target's colours and strength.

    Parameters
    ----------
    rgb : uint8 array, shape (..., 3)
    source, target : Stains
        Of the whole slide that `rgb` is a part of, and of the reference.
    background : float
        Intensity of glass.

    Returns
    -------
    uint8 array
        Cut off at 0 and 255 before it is rounded: white stays white.
    """
    amount = concentrations(rgb, source, background) * (target.strongest / source.strongest)
    intensity = background * np.exp(-(amount @ target.vectors.T))
    return np.clip(np.rint(intensity), 0, 255).astype(np.uint8)


def _pixels(rgb: Pixels) -> Pixels:
    if rgb.shape[-1] != 3 or rgb.dtype != np.uint8:
        raise ImageReadError(
            f"an array of {rgb.dtype} with shape {rgb.shape}; expected uint8 with red, green and blue last"
        )
    return rgb.reshape(-1, 3)


def _concentrations(density: Array, vectors: Array) -> Array:
    return np.asarray(density @ np.linalg.pinv(vectors).T, dtype=np.float64)
