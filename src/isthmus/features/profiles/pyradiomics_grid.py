"""Resampling as PyRadiomics does it: its grid, its padding, its rounding.

The new grid shares the corner of the first voxel with the old one and covers the region's box plus `pad_distance` voxels. The
image is interpolated with ITK's bits and cast to its own type, so integers are truncated towards zero; the mask is nearest
neighbour. Other interpolations of the image than the cubic spline are ITK's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.image import Geometry, Image
from isthmus.image.box import bounding_box
from isthmus.image.io.simpleitk import load_sitk
from isthmus.image.resample import check_resampled_size
from isthmus.roi import Roi

if TYPE_CHECKING:
    from isthmus.features.profiles.pyradiomics import Settings

__all__ = ["core_grid", "resample"]


def resample(image: Image, roi: Roi, settings: Settings) -> tuple[NDArray[Any], NDArray[np.bool_], Geometry]:
    """Image and mask on the new grid around the region, and this grid; unchanged where the spacing already fits.

    An axis along which the region is one voxel thick keeps its spacing.
    """
    assert settings.spacing_mm is not None
    # from here on in ITK's order x, y, z
    whole = np.ascontiguousarray(roi.mask)
    box = bounding_box(whole)
    assert box is not None
    start, extent = np.array([(part.start, part.stop - part.start) for part in reversed(box)]).T
    old = np.array(image.geometry.spacing_mm[::-1])
    wanted = np.array(settings.spacing_mm[::-1])
    new = np.where((wanted == 0) | (extent == 1), old, wanted)
    if np.allclose(old, new):
        return image.values, roi.mask, image.geometry

    ratio = old / new
    first = np.maximum(np.floor((start - 0.5) * ratio - settings.pad_distance), 0)
    last = np.minimum(
        np.ceil((start + extent - 0.5) * ratio + settings.pad_distance),
        np.ceil(np.array(roi.mask.shape[::-1]) * ratio) - 1,
    )
    check_resampled_size(image.geometry, new[::-1].tolist(), (last - first + 1)[::-1].tolist())
    size = (last - first + 1).astype(int).tolist()
    origin = 0.5 * (new - old) / old + first / ratio  # continuous index of the first new voxel's centre

    source = _empty(image.geometry, old, image.geometry.origin_mm)
    corner = source.TransformContinuousIndexToPhysicalPoint([float(o) for o in origin])
    grid = core_grid(image.geometry, new, size, corner)
    if settings.interpolation == "cubic_spline":
        values = _core.resample_cubic(image.values, grid)
    else:
        values = _by_itk(image, settings.interpolation, new, size, corner)
    mask = _core.resample_nearest(whole, grid).view(np.bool_)
    k, j, i = (float(spacing) for spacing in new[::-1])
    return values, mask, Geometry(values.shape, (k, j, i), tuple(corner), image.geometry.direction)


def _empty(geometry: Geometry, spacing: NDArray[np.float64], origin: tuple[float, float, float]) -> Any:
    """A grid of ITK's, of which only the conversions between indices and points are wanted."""
    sitk = load_sitk()
    grid = sitk.Image(1, 1, 1, sitk.sitkUInt8)
    grid.SetSpacing([float(s) for s in spacing])
    grid.SetOrigin(origin)
    assert geometry.direction is not None
    grid.SetDirection([float(d) for d in geometry.direction[:, ::-1].ravel()])
    return grid


def core_grid(
    geometry: Geometry, new: NDArray[np.float64], size: list[int], corner: Sequence[float]
) -> _core.ResampleGrid:
    """The new grid for the core, with the very matrices of ITK: their columns are what it makes of the unit vectors."""
    nowhere = (0.0, 0.0, 0.0)
    new_grid, old_grid = _empty(geometry, new, nowhere), _empty(geometry, np.array(geometry.spacing_mm[::-1]), nowhere)
    units = np.eye(3)
    to_point = np.array([new_grid.TransformIndexToPhysicalPoint([int(u) for u in unit]) for unit in units]).T
    to_index = np.array([old_grid.TransformPhysicalPointToContinuousIndex(unit.tolist()) for unit in units]).T
    return _core.ResampleGrid(
        size, list(corner), list(geometry.origin_mm), to_point.ravel().tolist(), to_index.ravel().tolist()
    )


def _by_itk(
    image: Image,
    interpolation: str,
    spacing: NDArray[np.float64],
    size: list[int],
    corner: Sequence[float],
) -> NDArray[Any]:
    sitk = load_sitk()
    interpolators = {
        "nearest": sitk.sitkNearestNeighbor,
        "linear": sitk.sitkLinear,
        "gaussian": sitk.sitkGaussian,
        "label_gaussian": sitk.sitkLabelGaussian,
        "hamming_sinc": sitk.sitkHammingWindowedSinc,
        "cosine_sinc": sitk.sitkCosineWindowedSinc,
        "welch_sinc": sitk.sitkWelchWindowedSinc,
        "lanczos_sinc": sitk.sitkLanczosWindowedSinc,
        "blackman_sinc": sitk.sitkBlackmanWindowedSinc,
    }
    geometry = image.geometry
    source = sitk.GetImageFromArray(np.ascontiguousarray(image.values))
    assert geometry.direction is not None
    source.SetSpacing([float(s) for s in geometry.spacing_mm[::-1]])
    source.SetOrigin(geometry.origin_mm)
    source.SetDirection([float(d) for d in geometry.direction[:, ::-1].ravel()])
    resampler = sitk.ResampleImageFilter()
    resampler.SetOutputSpacing([float(s) for s in spacing])
    resampler.SetOutputDirection(source.GetDirection())
    resampler.SetOutputOrigin(corner)
    resampler.SetSize(size)
    resampler.SetOutputPixelType(source.GetPixelID())
    resampler.SetInterpolator(interpolators[interpolation])
    result: NDArray[Any] = sitk.GetArrayFromImage(resampler.Execute(source))
    return result
