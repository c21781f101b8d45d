"""Nuclei by classical means, without weights: a density of haematoxylin, thresholds that follow it, scale-space seeds, a watershed.

1. `density`: optical density of red, which haematoxylin absorbs and eosin (or blood) hardly does.
2. `calibrate`: once a slide, from samples of its tissue: a global threshold (Otsu), the density of nuclei and of what lies between them,
   the typical half-width of a nucleus. No tile is tuned by itself: the same place of the slide gives the same nuclei in any tile.
3. `segment_nuclei`: the local mean of nuclei and of their surroundings, in turns with the threshold half-way between them; distance to
   the border at several thresholds times the density at the scale of a nucleus, whose summits are the seeds; basins of that relief,
   joined where the pass between two is shallow (`_core.basins`).
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
from isthmus.pathology.stain import BACKGROUND, Pixels
from isthmus.pathology.tissue import otsu
from isthmus.settings import Section

__all__ = ["Calibration", "SegmenterSettings", "calibrate", "density", "halo", "segment_nuclei"]

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
        Standard deviation of their Gaussian.
    levels : tuple of float
        Thresholds between the surroundings (0) and the nuclei (1); the first one draws the border.
    opening : float
        Radius of the opening of what each threshold leaves.
    seed_scale, seed_weight : float
        Standard deviation of the density in the relief, and its weight in the exponent; 0: distances only.
    least_rise : float
        A summit is a nucleus of its own if it rises more than this share of its height above the pass to a higher one.
    least_area : float
        Share of the typical nucleus' area.
    least_area_um2, most_area_um2 : float
        What is smaller or larger is no nucleus, where micrometres per pixel are known.
    """

    smoothing: Annotated[float, Field(ge=0)] = 1.0
    turns: Annotated[int, Field(ge=1, le=20)] = 6
    neighbourhood: Annotated[float, Field(gt=0)] = 1.5
    levels: tuple[float, ...] = (0.4, 0.5, 0.6)
    opening: Annotated[float, Field(ge=0)] = 0.2
    seed_scale: Annotated[float, Field(gt=0)] = 0.4
    seed_weight: Annotated[float, Field(ge=0)] = 2.0
    least_rise: Annotated[float, Field(ge=0, lt=1)] = 0.1
    least_area: Annotated[float, Field(ge=0)] = 0.15
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
    """Pixels around a tile that can have a say in its nuclei: the reach of every filter one after the other, and the largest nucleus."""
    settings = settings or SegmenterSettings()
    r = calibration.radius
    means = (settings.turns + 1) * _reach(settings.neighbourhood * r)
    after = 2 * _disc_radius(settings, r) + 1 + max(_reach(0.1 * r), _reach(settings.seed_scale * r))
    largest = 2 * np.sqrt(4 * settings.most_area_um2 / np.pi) / mpp
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
    from scipy import ndimage

    settings = settings or SegmenterSettings()
    r = calibration.radius
    smooth = _gaussian(plane, settings.smoothing)
    nuclei, surroundings = _local_means(smooth, calibration, settings)
    disc = _disc(_disc_radius(settings, r))
    border, relief = None, np.zeros_like(plane)
    for level in settings.levels:
        mask = _without_holes(smooth > surroundings + level * (nuclei - surroundings), np.pi * r**2)
        if disc.size > 1:
            mask = ndimage.binary_opening(mask, disc)
        border = mask if border is None else border
        relief += _distance(mask) / len(settings.levels)
    assert border is not None
    relief = _gaussian(relief, 0.1 * r)
    if settings.seed_weight:
        seen = _gaussian(plane, settings.seed_scale * r)
        contrast = np.maximum(nuclei - surroundings, 1e-3)
        relief *= np.exp(settings.seed_weight * np.clip((seen - surroundings) / contrast, 0, 2))
    labels = _core.basins(np.ascontiguousarray(relief, dtype=np.float32), border, 0.0, settings.least_rise)
    area = np.bincount(labels.ravel())
    keep = area >= max(20.0, settings.least_area * np.pi * r**2)
    if mpp is not None:
        keep &= (area * mpp**2 >= settings.least_area_um2) & (area * mpp**2 <= settings.most_area_um2)
    keep[0] = False
    number = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return np.asarray(number[labels])


def _local_means(smooth: Plane, calibration: Calibration, settings: SegmenterSettings) -> tuple[Plane, Plane]:
    """Density of the nuclei and of what surrounds them, near every pixel."""
    sigma = settings.neighbourhood * calibration.radius
    little = np.float32(1e-3)  # where one of the two is far away, the slide's own mean stands in
    mask = smooth > calibration.threshold
    everything = _gaussian(smooth, sigma)
    nuclei = surroundings = smooth
    for _ in range(settings.turns):
        weight = _gaussian(mask.astype(np.float32), sigma)
        inside = _gaussian(smooth * mask, sigma)
        nuclei = (inside + little * np.float32(calibration.nuclei)) / (weight + little)
        surroundings = (everything - inside + little * np.float32(calibration.surroundings)) / (1 - weight + little)
        mask = smooth > (nuclei + surroundings) / 2
    return nuclei, surroundings


def _half_widths(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every coarse part of a mask: its largest distance to the border, and its area."""
    from scipy import ndimage

    distance = _distance(mask)
    parts = _core.basins(distance, np.ascontiguousarray(mask), 0.0, 0.3)
    names = np.arange(1, parts.max() + 1)
    if not len(names):
        return np.empty(0), np.empty(0)
    return np.asarray(ndimage.maximum(distance, parts, names), float), np.bincount(parts.ravel())[1:].astype(float)


def _distance(mask: NDArray[np.bool_]) -> Plane:
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(mask), dtype=np.float32)


def _without_holes(mask: NDArray[np.bool_], most: float) -> NDArray[np.bool_]:
    """Filled where a hole is no larger than a nucleus: a larger one may be a lumen."""
    from scipy import ndimage

    holes, count = ndimage.label(~mask)
    small = np.bincount(holes.ravel(), minlength=count + 1) <= most
    small[0] = False
    return np.asarray(mask | small[holes])


def _gaussian(plane: Plane, sigma: float) -> Plane:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(plane, sigma, truncate=_TRUNCATE), dtype=np.float32) if sigma else plane


def _reach(sigma: float) -> int:
    return int(_TRUNCATE * sigma + 0.5)


def _disc_radius(settings: SegmenterSettings, radius: float) -> int:
    return round(settings.opening * radius)


def _disc(radius: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x * x + y * y <= radius * radius + 0.5)
