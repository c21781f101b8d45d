"""Resampling as PyRadiomics does it: its grid, its padding, its rounding.

The new grid shares the corner of the first voxel with the old one and covers the region's box plus `pad_distance` voxels. The
image is interpolated by ITK and cast to its own type, so integers are truncated towards zero; the mask is nearest neighbour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.image import Geometry, Image, Spacing
from isthmus.image.io.simpleitk import load_sitk
from isthmus.roi import Roi

if TYPE_CHECKING:
    from isthmus.features.profiles.pyradiomics import Settings

__all__ = ["resample"]


def resample(image: Image, roi: Roi, settings: Settings) -> tuple[NDArray[Any], NDArray[np.bool_], Spacing]:
    """Image and mask on the new grid around the region, and its spacing; unchanged where the spacing already fits.

    An axis along which the region is one voxel thick keeps its spacing.
    """
    assert settings.spacing_mm is not None
    # from here on in ITK's order x, y, z
    low, high, _ = _core.bounding_box(np.ascontiguousarray(roi.mask))
    start, extent = np.array(low[::-1]), np.array(high[::-1]) - np.array(low[::-1])
    old = np.array(image.geometry.spacing_mm[::-1])
    wanted = np.array(settings.spacing_mm[::-1])
    new = np.where((wanted == 0) | (extent == 1), old, wanted)
    if np.allclose(old, new):
        return image.values, roi.mask, image.geometry.spacing_mm

    ratio = old / new
    first = np.maximum(np.floor((start - 0.5) * ratio - settings.pad_distance), 0)
    last = np.minimum(
        np.ceil((start + extent - 0.5) * ratio + settings.pad_distance),
        np.ceil(np.array(roi.mask.shape[::-1]) * ratio) - 1,
    )
    size = (last - first + 1).astype(int).tolist()
    origin = 0.5 * (new - old) / old + first / ratio  # continuous index of the first new voxel's centre

    values = _resampled(image.values, image.geometry, settings.interpolation, new, size, origin)
    mask = _resampled(roi.mask.view(np.uint8), image.geometry, "nearest", new, size, origin)
    i, j, k = new
    return values, mask == 1, (float(k), float(j), float(i))


def _resampled(
    values: NDArray[Any],
    geometry: Geometry,
    interpolation: str,
    spacing: NDArray[np.float64],
    size: list[int],
    origin: NDArray[np.float64],
) -> NDArray[Any]:
    sitk = load_sitk()
    interpolators = {"cubic_spline": sitk.sitkBSpline, "linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor}
    source = sitk.GetImageFromArray(np.ascontiguousarray(values))
    assert geometry.direction is not None
    source.SetSpacing([float(s) for s in geometry.spacing_mm[::-1]])
    source.SetOrigin(geometry.origin_mm)
    source.SetDirection([float(d) for d in geometry.direction[:, ::-1].ravel()])
    resampler = sitk.ResampleImageFilter()
    resampler.SetOutputSpacing([float(s) for s in spacing])
    resampler.SetOutputDirection(source.GetDirection())
    resampler.SetOutputOrigin(source.TransformContinuousIndexToPhysicalPoint([float(o) for o in origin]))
    resampler.SetSize(size)
    resampler.SetOutputPixelType(source.GetPixelID())
    resampler.SetInterpolator(interpolators[interpolation])
    result: NDArray[Any] = sitk.GetArrayFromImage(resampler.Execute(source))
    return result
