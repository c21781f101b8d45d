"""From image and mask to what features are read from: one grid, normalised, resampled or cropped, re-segmented. PyRadiomics' order."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import CaseError, GeometryMismatchError, ImageReadError, IsthmusWarning, MaskError
from isthmus.features.profiles.pyradiomics.settings import Settings
from isthmus.features.profiles.pyradiomics_grid import resample
from isthmus.filters import widened
from isthmus.image import Image
from isthmus.image.box import Box, bounding_box
from isthmus.image.placing import nearest
from isthmus.roi import Roi

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What features are read from.

    image: as the filters see it. box: the region's bounding box in it. mask: the region in the box. shape: the region of the shape
    features in the box.
    """

    image: Image
    box: Box
    mask: NDArray[np.bool_]
    shape: NDArray[np.bool_]


def prepare(image: Image, roi: Roi, settings: Settings, *, only_box: bool = False) -> Prepared:
    """Everything between reading and filtering.

    With `only_box` the caller looks at no voxel beyond the region's box, other than through the filters of the settings.

    Raises
    ------
    MaskError
        The region is empty or too small, before or after resampling or re-segmentation.
    GeometryMismatchError
        Image and region lie on different grids.
    ImageReadError
        Intensities of the region are NaN or infinite.
    """
    roi = _on_one_grid(image, roi, settings)
    box = _bounding_box(roi.mask, roi.name, settings)
    mask = roi.mask
    if settings.normalise:
        moments = _mean_and_deviation(image.values)
        if only_box and settings.spacing_mm is None and all(one.filter.name == "none" for one in settings.filters):
            image, mask, box = _cropped(image, mask, box, 0)  # no copy of the whole image in double
        image = _normalised(image, *moments, settings)
    if settings.spacing_mm is not None:
        values, mask, geometry = resample(image, roi, settings)
        if values is not image.values:
            image = Image(image.cut(values), geometry, image.quantity, image.source, stored=image.stored)
            box = _bounding_box(mask, roi.name, settings)
        else:
            image, mask, box = _cropped(image, mask, box, settings.pad_distance)
    elif settings.pre_crop:
        image, mask, box = _cropped(image, mask, box, settings.pad_distance)
    region = shape = _contiguous(mask[box])
    _check_size(region, roi.name, settings)
    if settings.resegment_range is not None:
        kept = _resegmented(image.values[box], region, roi.name, settings)
        inner = _bounding_box(kept, roi.name, settings)
        k, j, i = (slice(b.start + i.start, b.start + i.stop) for b, i in zip(box, inner, strict=True))
        box = (k, j, i)
        region = _contiguous(kept[inner])
        # PyRadiomics cuts the whole region to the box of the re-segmented one
        shape = region if settings.resegment_shape else _contiguous(shape[inner])
        _check_size(region, roi.name, settings)
    return Prepared(image, box, region, shape)


# ---------------------------------------------------------------------- grids


def _on_one_grid(image: Image, roi: Roi, settings: Settings) -> Roi:
    """The region on the image's grid; brought there only where the settings ask for it."""
    if roi.geometry is image.geometry:
        return roi
    difference = image.geometry.difference(roi.geometry)
    if difference is None:
        return roi
    if settings.geometry_tolerance is not None and image.geometry.within(roi.geometry, settings.geometry_tolerance):
        return replace(roi, geometry=image.geometry)
    if not settings.resample_mask:
        raise GeometryMismatchError(
            f"image and region {roi.name!r} lie on different grids: {difference}. Was the mask drawn on another series? "
            "If it belongs here, resample_mask = true brings it to the image's grid (nearest neighbour)"
        )
    warnings.warn(
        IsthmusWarning(
            f"region {roi.name!r} lies on another grid than the image ({difference}); resample_mask brought it there by nearest "
            "neighbour. Look at it before trusting its features"
        ),
        stacklevel=4,
    )
    return replace(roi, mask=nearest(roi.mask, roi.geometry, image.geometry), geometry=image.geometry)


_EMPTY = "region {!r} holds no voxel. Is the label right, and does the resampled grid still meet the lesion?"


def _contiguous(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows without gaps, as the core reads masks."""
    return mask if mask.strides[2] == 1 else np.ascontiguousarray(mask)


def _bounding_box(mask: NDArray[np.bool_], name: str, settings: Settings) -> Box:
    """The bounding box of a mask that is large enough along enough axes."""
    box = bounding_box(mask)
    if box is None:
        raise MaskError(_EMPTY.format(name))
    dimensions = sum(part.stop - part.start > 1 for part in box)
    if dimensions < settings.minimum_dimensions:
        found = "a single voxel" if dimensions == 0 else f"{dimensions}-dimensional"
        raise MaskError(
            f"region {name!r} is {found}; at least {settings.minimum_dimensions} dimensions and "
            f"{settings.minimum_voxels} voxels are needed. Was the right label chosen?"
        )
    return box


def _check_size(region: NDArray[np.bool_], name: str, settings: Settings) -> None:
    size = int(np.count_nonzero(region))
    if size < settings.minimum_voxels:
        raise MaskError(
            f"region {name!r} has {size} voxels; at least {settings.minimum_voxels} are needed. "
            "Was the right label chosen? Otherwise exclude the case, or lower minimum_voxels"
        )


def _cropped(image: Image, mask: NDArray[np.bool_], box: Box, pad: int) -> tuple[Image, NDArray[np.bool_], Box]:
    """Image and mask cut to the region's box and `pad` voxels more; filters see these edges."""
    outer, inner = widened(box, (pad, pad, pad), image.values.shape)
    cut = Image(image.values[outer], image.geometry.part(outer), image.quantity, image.source, stored=image.stored)
    return cut, mask[outer], inner


# ---------------------------------------------------------------------- intensities


def _normalised(image: Image, mean: float, deviation: float, settings: Settings) -> Image:
    """Mean 0 and standard deviation 1 of the whole image, in double; outliers moved to the limit; scaled."""
    if not math.isfinite(mean) or not math.isfinite(deviation):
        raise ImageReadError(
            "normalise needs the whole image, and some voxels are NaN or infinite. Repair the image, or do not normalise"
        )
    if deviation == 0:
        raise CaseError(
            "normalise: all voxels of the image are equal. Is it the right file? Otherwise do not normalise"
        )
    values = (image.values.astype(np.float64) - mean) * (1 / deviation)
    if settings.remove_outliers is not None:
        np.clip(values, -settings.remove_outliers, settings.remove_outliers, out=values)
    values *= settings.normalise_scale
    return replace(image, values=values)


def _mean_and_deviation(values: NDArray[Any]) -> tuple[float, float]:
    """Mean and standard deviation (divided by N - 1), from sums slice by slice: exact for integers of usual size."""
    sums, squares = [], []
    for part in values:
        as_double = part.astype(np.float64)
        sums.append(float(as_double.sum()))
        squares.append(float(np.square(as_double, out=as_double).sum()))
    if not all(map(math.isfinite, (*sums, *squares))):
        return math.nan, math.nan
    total, square = math.fsum(sums), math.fsum(squares)
    n = values.size
    return total / n, math.sqrt(max(square - total * total / n, 0.0) / (n - 1)) if n > 1 else 0.0


def _resegmented(values: NDArray[Any], region: NDArray[np.bool_], name: str, settings: Settings) -> NDArray[np.bool_]:
    """The voxels of the region within the range; limits in the arithmetic of the image's type."""
    assert settings.resegment_range is not None
    inside = values[region]
    if inside.dtype.kind == "f" and not np.isfinite(inside).all():
        raise ImageReadError(
            f"{int(np.count_nonzero(~np.isfinite(inside)))} of {inside.size} voxels of region {name!r} are NaN or infinite. "
            "Repair the image or the mask"
        )
    limits: list[Any] = list(settings.resegment_range)
    if settings.resegment_mode == "relative":
        limits = [inside.max() * limit for limit in limits]
    elif settings.resegment_mode == "sigma":
        mean, deviation = inside.mean(), inside.std()
        limits = [mean + deviation * limit for limit in limits]
    keep = inside >= limits[0]
    if len(limits) == 2:
        keep &= inside <= limits[1]
    kept = np.zeros_like(region)
    kept[region] = keep
    if not kept.any():
        raise MaskError(
            f"region {name!r}: re-segmentation keeps none of {inside.size} voxels; their intensities are "
            f"{inside.min():g} to {inside.max():g}, the limits {', '.join(f'{float(limit):g}' for limit in limits)}. Widen resegment_range"
        )
    return kept
