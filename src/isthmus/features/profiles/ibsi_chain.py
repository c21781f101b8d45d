"""The IBSI 1 processing chain: from an image and an outline to the interpolated image and the two masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import GeometryMismatchError, MaskError
from isthmus.features._intensities import check_intensities
from isthmus.image import Image, Spacing
from isthmus.image.box import Box, bounding_box, widened
from isthmus.image.resample import resample, resampled_geometry
from isthmus.roi import Roi
from isthmus.roi.resample import resample_roi
from isthmus.roi.resegment import resegment

if TYPE_CHECKING:
    from isthmus.features.profiles.ibsi import Settings

__all__ = ["Processed", "process"]


@dataclass(frozen=True, eq=False)
class Processed:
    """What features are computed from.

    Parameters
    ----------
    image : Image
        Interpolated and rounded: the whole of it where a filter needs it, else the region's surroundings.
    box : three slices
        The bounding box of the morphological mask within `image`.
    morphological, intensity : bool arrays of the box's shape
        The region as it was drawn, and what re-segmentation left of it.
    """

    image: Image
    box: Box
    morphological: NDArray[np.bool_]
    intensity: NDArray[np.bool_]

    @property
    def spacing_mm(self) -> Spacing:
        return self.image.geometry.spacing_mm


def process(image: Image, roi: Roi, settings: Settings, *, margin_mm: float = 0.0, whole: bool = False) -> Processed:
    """Interpolate, rounding before and after, and re-segment.

    Parameters
    ----------
    image, roi
        On one grid.
    settings : Settings
        Of the profile `ibsi`.
    margin_mm : float
        How far around the region's box the image is needed.
    whole : bool
        The whole image is needed (for a filter).

    Raises
    ------
    GeometryMismatchError, MaskError, ImageReadError
    """
    if roi.geometry is not image.geometry and (difference := image.geometry.difference(roi.geometry)):
        raise GeometryMismatchError(
            f"image and region {roi.name!r} lie on different grids: {difference}. Was the mask drawn on another series?"
        )
    if not roi.mask.any():
        raise MaskError(f"region {roi.name!r} holds no voxel. Is the label right?")
    spacing = _spacing(settings)
    region = resample_roi(roi, spacing, interpolation=settings.mask_interpolation, threshold=settings.mask_threshold)
    box = bounding_box(region.mask)
    if box is None or region.n_voxels < settings.minimum_voxels:
        raise MaskError(
            f"region {roi.name!r} has {region.n_voxels} voxels; at least {settings.minimum_voxels} are needed. "
            "Was the right label chosen? Otherwise exclude the case, or lower minimum_voxels"
        )
    grid = resampled_geometry(image.geometry, spacing)
    k, j, i = grid.shape if whole else (int(margin_mm / s) for s in grid.spacing_mm)
    around, inner = widened(box, (k, j, i), grid.shape)
    picture = resample(
        image, spacing, interpolation=settings.interpolation, rounding=settings.rounds(image), box=around
    )
    mask = region.mask[box]
    values = picture.values[inner]
    inside = values[mask]
    bad = int(np.count_nonzero(~np.isfinite(inside)))
    where = f" of region {roi.name!r}{' after interpolation' if any(spacing) else ''}"
    check_intensities(bad, region.n_voxels, float(inside.min()), float(inside.max()), where)
    low, high = settings.bounds
    intensity = resegment(values, mask, low=low, high=high, outlier_sigma=settings.outlier_sigma, name=roi.name)
    return Processed(picture, inner, np.ascontiguousarray(mask), intensity)


def _spacing(settings: Settings) -> Spacing:
    """The spacing asked for, 0 where an axis stays as it is; by slice, slices stay."""
    k, j, i = settings.spacing_mm or (0.0, 0.0, 0.0)
    return (0.0 if settings.by_slice else k, j, i)
