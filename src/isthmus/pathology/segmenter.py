"""Nuclei by classical means, without a file of weights: a density of haematoxylin, thresholds that follow it, many regions that may be
nuclei, the best of them.

1. `density`: optical density of red, which haematoxylin absorbs and eosin (or blood) hardly does.
2. `calibrate`: once a slide, from samples of its tissue: a global threshold (Otsu), the density of nuclei and of what lies between them,
   the typical half-width of a nucleus. No tile is tuned by itself: the same place of the slide gives the same nuclei in any tile.
3. `segment_nuclei`: the local mean of nuclei and of their surroundings, in turns with the threshold half-way between them
   (`_core.between_means`); at several thresholds between the two, and for several depths of the passes that part neighbours, the basins of
   the distances to the border (`_core.nucleus_candidates`): a pale nucleus appears at a low threshold, a dark one in a crowd at a high one.
4. Every candidate is scored by its shape, contrast and edges (`candidates.score`); the best ones that share little are the nuclei. They
   take the little that is left around them, and their outlines are smoothed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus import _core
from isthmus.errors import ImageReadError
from isthmus.pathology.candidates import score
from isthmus.pathology.stain import BACKGROUND, Pixels
from isthmus.pathology.tissue import otsu
from isthmus.settings import Section

__all__ = ["Calibration", "SegmenterSettings", "calibrate", "candidates_of", "density", "halo", "segment_nuclei"]

Plane = NDArray[np.float32]
Labels = NDArray[np.int32]

_TRUNCATE = 3.0  # of a Gaussian, in standard deviations
_LEAST_RADIUS = 3.0  # pixels


class SegmenterSettings(Section):
    """How nuclei are told from their surroundings and from each other; lengths are shares of the slide's typical half-width of a nucleus.

    Parameters
    ----------
    smoothing : float
        Standard deviation of the first smoothing, in pixels.
    turns : int
        Of the local means.
    neighbourhood : float
        Standard deviation of their neighbourhood.
    levels : tuple of float
        Thresholds between the surroundings (0) and the nuclei (1).
    rises : tuple of float
        A summit of the distances to the border is a candidate of its own if it rises more than this share of its height above the pass
        to a higher one.
    opening : float
        Radius of the opening of what each threshold leaves.
    least_score, most_shared : float
        A candidate is a nucleus if its score is not lower and better ones have taken at most this share of it.
    growth, growth_level : float
        How far a nucleus takes what is left around it, down to which threshold.
    outline : float
        Radius of the disc that smooths its outline.
    least_area, most_area : float
        Shares of the typical nucleus' area.
    least_area_um2, most_area_um2 : float
        What is smaller or larger is no nucleus, where micrometres per pixel are known.
    """

    smoothing: Annotated[float, Field(ge=0)] = 1.0
    turns: Annotated[int, Field(ge=1, le=20)] = 4
    neighbourhood: Annotated[float, Field(gt=0)] = 1.5
    levels: Annotated[tuple[float, ...], Field(min_length=1)] = (0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.8)
    rises: Annotated[tuple[float, ...], Field(min_length=1)] = (0.02, 0.05, 0.1, 0.2, 0.35, 0.6)
    opening: Annotated[float, Field(ge=0)] = 0.2
    least_score: float = 0.38
    most_shared: Annotated[float, Field(ge=0, le=1)] = 0.3
    growth: Annotated[float, Field(ge=0)] = 0.8
    growth_level: float = 0.42
    outline: Annotated[float, Field(ge=0)] = 0.2
    least_area: Annotated[float, Field(ge=0)] = 0.15
    most_area: Annotated[float, Field(gt=0)] = 25.0
    least_area_um2: Annotated[float, Field(ge=0)] = 10.0
    most_area_um2: Annotated[float, Field(gt=0)] = 400.0


@dataclass(frozen=True)
class Calibration:
    """What the thresholds of one slide start from.

    Parameters
    ----------
    threshold, nuclei, surroundings : float
        Optical densities of red: Otsu's threshold, and the means on both sides of it.
    radius : float
        Typical half-width of a nucleus, pixels.
    """

    threshold: float
    nuclei: float
    surroundings: float
    radius: float


def density(rgb: Pixels) -> Plane:
    """Optical density of the red channel, shape (j, i)."""
    table = (-np.log(np.maximum(np.arange(256), 1) / BACKGROUND)).astype(np.float32)
    return np.asarray(table[rgb[..., 0]])


def calibrate(samples: Sequence[Plane], settings: SegmenterSettings | None = None) -> Calibration:
    """From densities of some places all over the tissue, each at least a few nuclei wide.

    Raises
    ------
    ImageReadError
        There is nothing to tell apart: the samples have one density.
    """
    settings = settings or SegmenterSettings()
    smooth = [_gaussian(sample, settings.smoothing) for sample in samples]
    values = np.concatenate([sample.ravel() for sample in smooth]) if smooth else np.empty(0, np.float32)
    if not values.size or float(np.ptp(values)) < 1e-3:
        raise ImageReadError("no nuclei can be told from their surroundings: the tissue has one optical density")
    threshold = otsu(values)
    dark = values > threshold
    widths = [_half_widths(sample > threshold) for sample in smooth]
    width, area = (np.concatenate(part) for part in zip(*widths, strict=True))
    order = np.argsort(width, kind="stable")
    total = np.cumsum(area[order])
    radius = float(width[order][np.searchsorted(total, total[-1] / 2)]) if total.size else _LEAST_RADIUS
    return Calibration(threshold, float(values[dark].mean()), float(values[~dark].mean()), max(radius, _LEAST_RADIUS))


def halo(calibration: Calibration, settings: SegmenterSettings | None = None, *, mpp: float) -> int:
    """Pixels around a tile that can have a say in its nuclei: the reach of every filter one after the other, and a few large nuclei."""
    settings = settings or SegmenterSettings()
    r = calibration.radius
    means = (settings.turns + 1) * 3 * (_box(settings, r) // 2)
    after = (
        2 * _pixels(settings.opening, r)
        + int(np.ceil(0.3 * r))
        + _pixels(settings.growth, r)
        + 2 * _pixels(settings.outline, r)
    )
    largest = 3 * np.sqrt(4 * settings.most_area_um2 / np.pi) / mpp
    return int(np.ceil(_reach(settings.smoothing) + means + after + largest))


def segment_nuclei(
    plane: Plane, calibration: Calibration, settings: SegmenterSettings | None = None, *, mpp: float | None = None
) -> Labels:
    """Labels 1 ... n of the nuclei of one picture, 0 elsewhere.

    Parameters
    ----------
    plane : float32 array, shape (j, i)
        From `density`.
    calibration : Calibration
        Of the whole slide.
    mpp : float, optional
        Micrometres per pixel; without them the limits in um2 do not hold.
    """
    settings = settings or SegmenterSettings()
    r = calibration.radius
    relative, (evidence, pixels, starts) = candidates_of(plane, calibration, settings, mpp=mpp)
    labels = _core.choose_candidates(
        pixels, starts, score(evidence), plane.shape, settings.least_score, settings.most_shared
    )
    labels = _core.grow_labels(labels, relative > settings.growth_level, _pixels(settings.growth, r))
    labels = _core.majority_labels(labels, _pixels(settings.outline, r))
    return _numbered(labels, *_limits(calibration, settings, mpp))


def candidates_of(
    plane: Plane, calibration: Calibration, settings: SegmenterSettings, *, mpp: float | None = None
) -> tuple[Plane, tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int64]]]:
    """Density relative to what is near, and the candidates: their evidence, their pixels one after the other, where each begins."""
    r = calibration.radius
    smooth = np.ascontiguousarray(_gaussian(plane, settings.smoothing))
    relative = _core.between_means(
        smooth, calibration.threshold, calibration.nuclei, calibration.surroundings, _box(settings, r), settings.turns
    )
    contrast = max(calibration.nuclei - calibration.surroundings, 1e-3)
    opening = _pixels(settings.opening, r)
    found = _core.nucleus_candidates(
        smooth,
        relative,
        settings.levels,
        settings.rises,
        r,
        contrast,
        opening,
        0.1 * r,
        *_limits(calibration, settings, mpp),
    )
    return relative, found


def _limits(calibration: Calibration, settings: SegmenterSettings, mpp: float | None) -> tuple[float, float]:
    """Smallest and largest area of a nucleus in pixels."""
    typical = np.pi * calibration.radius**2
    least, most = max(20.0, settings.least_area * typical), settings.most_area * typical
    if mpp is not None:
        least, most = max(least, settings.least_area_um2 / mpp**2), min(most, settings.most_area_um2 / mpp**2)
    return float(least), float(most)


def _numbered(labels: Labels, least: float, most: float) -> Labels:
    """Labels in the order of their first pixels, without those that are too small or too large."""
    area = np.bincount(labels.ravel())
    keep = (area >= least) & (area <= most)
    keep[0] = False
    first = np.full(len(area), labels.size)
    places = np.flatnonzero(labels)[::-1]
    first[labels.ravel()[places]] = places
    number = np.zeros(len(area), np.int32)
    kept = np.flatnonzero(keep)
    number[kept[np.argsort(first[kept])]] = np.arange(1, len(kept) + 1)
    return np.asarray(number[labels])


def _half_widths(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every coarse part of a mask: its largest distance to the border, and its area."""
    mask = np.ascontiguousarray(mask)
    distance = _core.distance_to_outside(mask)
    parts = _core.basins(distance, mask, 0.0, 0.3)[mask]
    width = np.zeros(parts.max(initial=0) + 1)
    np.maximum.at(width, parts, distance[mask])
    return width[1:], np.bincount(parts, minlength=len(width))[1:].astype(float)


def _gaussian(plane: Plane, sigma: float) -> Plane:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(plane, sigma, truncate=_TRUNCATE), dtype=np.float32) if sigma else plane


def _reach(sigma: float) -> int:
    return int(_TRUNCATE * sigma + 0.5)


def _pixels(share: float, radius: float) -> int:
    return round(share * radius)


def _box(settings: SegmenterSettings, radius: float) -> int:
    """Width of the box that, three times one after the other, has the variance of the neighbourhood."""
    return 2 * int(np.sqrt(4 * (settings.neighbourhood * radius) ** 2 + 1) / 2) + 1
