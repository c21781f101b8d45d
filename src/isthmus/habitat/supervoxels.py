"""A lesion cut into supervoxels, from which nothing outside it can be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import ImageReadError, MaskError
from isthmus.habitat.settings import SupervoxelSettings
from isthmus.image.box import Box, bounding_box, widened
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.image.resample import interpolate
from isthmus.roi.resample import resample_roi
from isthmus.roi.roi import Roi
from isthmus.roi.supervoxels import supervoxels

__all__ = ["Supervoxels", "cut", "cut_prepared", "prepared", "region_box"]


@dataclass(frozen=True, eq=False)
class Supervoxels:
    """A lesion in pieces.

    Parameters
    ----------
    labels : int32 array, shape (k, j, i)
        1 ... n; 0 outside the lesion and where a piece was rejected. Each label is one piece that hangs together by faces.
    rejected : bool array
        Voxels of the lesion in islands too small to be a supervoxel. Kept and rejected voxels together are the lesion.
    image : Image
        The lesion as it was cut, on the same grid; 0 outside. What the features are read from.
    volume_mm3 : float
        What a supervoxel was asked to have.

    Attributes
    ----------
    contacts : array, shape (pairs, 3)
        Two labels that touch by a face, edge or corner, the smaller first, and the number of voxel faces they share.
    """

    labels: NDArray[np.int32]
    rejected: NDArray[np.bool_]
    image: Image
    volume_mm3: float
    contacts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "contacts", _core.contacts(np.ascontiguousarray(self.labels)))

    @property
    def geometry(self) -> Geometry:
        return self.image.geometry

    @property
    def count(self) -> int:
        return int(self.labels.max(initial=0))


def cut(image: Image, roi: Roi, settings: SupervoxelSettings | None = None) -> Supervoxels:
    """Cut a lesion into supervoxels.

    Clipping, resampling, smoothing and clustering see the lesion alone: interpolation and smoothing divide the filtered image by the
    filtered mask, so air or bone beside the lesion changes no number. The same input gives the same bits.

    Parameters
    ----------
    image : Image
    roi : Roi
        On the image's grid.
    settings : SupervoxelSettings, optional

    Raises
    ------
    MaskError
        The lesion is empty, or smaller than one supervoxel may be.
    ImageReadError
        An intensity inside the lesion is NaN or infinite.
    """
    settings = settings or SupervoxelSettings()
    return cut_prepared(*prepared(image, roi, region_box(roi), settings), settings)


def region_box(roi: Roi, margin: int = 2) -> Box:
    """The box of the lesion with a margin of voxels."""
    tight = bounding_box(roi.mask)
    if tight is None:
        raise MaskError(f"region {roi.name!r} holds no voxel; there is nothing to cut. Is the label right?")
    return widened(tight, (margin, margin, margin), roi.mask.shape)[0]


def prepared(image: Image, roi: Roi, box: Box, settings: SupervoxelSettings) -> tuple[Image, Roi]:
    """The box of the lesion, clipped and on the grid of the supervoxels; intensities are 0 outside the lesion."""
    mask = np.ascontiguousarray(roi.mask[box])
    geometry = image.geometry.part(box)
    if not np.isfinite(image.values[box][mask]).all():
        raise ImageReadError(
            f"intensities inside region {roi.name!r} are NaN or infinite; supervoxels need all of them"
        )
    values = np.where(mask, image.values[box], 0).astype(np.float64)
    if settings.window is not None:
        values = np.where(mask, np.clip(values, *settings.window), 0)
    region = replace(roi, mask=mask, geometry=geometry)
    if settings.spacing_mm is not None:
        # an axis of one voxel is a slice, whose thickness is no resolution
        k, j, i = (0.0 if n == 1 else s for n, s in zip(image.values.shape, settings.spacing_mm, strict=True))
        region = resample_roi(region, (k, j, i))
        if region.geometry is not geometry:
            covered = interpolate(mask.astype(np.float64), geometry, region.geometry, "linear")
            summed = interpolate(values, geometry, region.geometry, "linear")
            values = np.divide(summed, covered, out=np.zeros_like(summed), where=region.mask)
            if image.values.dtype.kind in "iu":
                values = np.rint(values)
    kind = (
        np.int32
        if image.values.dtype.kind in "iu" and (settings.window is None or _whole(settings.window))
        else np.float64
    )
    return replace(image, values=values.astype(kind), geometry=region.geometry, instances={}, stored=""), region


def cut_prepared(image: Image, roi: Roi, settings: SupervoxelSettings) -> Supervoxels:
    """Supervoxels of a lesion that `prepared` made ready."""
    voxel = image.geometry.voxel_volume_mm3
    total = roi.n_voxels
    if total < settings.minimum_voxels:
        raise MaskError(
            f"region {roi.name!r} has {total} voxels on the grid of the supervoxels; one supervoxel needs {settings.minimum_voxels}. "
            "Lower minimum_voxels, choose a finer spacing_mm, or leave the case out"
        )
    volume = min(settings.volume_mm3, total * voxel / settings.least_supervoxels)
    volume = max(volume, 2 * settings.minimum_voxels * voxel)
    tight = bounding_box(roi.mask)
    assert tight is not None
    mask = np.ascontiguousarray(roi.mask[tight])
    found = supervoxels(
        _smoothed(image.values[tight].astype(np.float64), mask, image.geometry.spacing_mm, settings.smoothing_mm),
        mask,
        image.geometry.spacing_mm,
        volume_mm3=volume,
        compactness=settings.compactness,
        iterations=settings.iterations,
        method=settings.method,
        least_voxels=settings.minimum_voxels,
    )
    sizes = np.bincount(found.ravel())
    kept = sizes >= settings.minimum_voxels
    kept[0] = False
    number = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    labels = np.zeros(image.values.shape, dtype=np.int32)
    labels[tight] = number[found]
    return Supervoxels(labels, roi.mask & (labels == 0), image, volume)


def _smoothed(
    values: NDArray[np.float64], mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float], width_mm: float
) -> NDArray[np.float64]:
    """Gaussian mean over the voxels of the mask; 0 outside."""
    from scipy.ndimage import gaussian_filter

    if width_mm == 0:
        return values
    sigma = [width_mm / s if n > 1 else 0.0 for s, n in zip(spacing_mm, values.shape, strict=True)]
    inside = mask.astype(np.float64)
    weight = gaussian_filter(inside, sigma, mode="constant")
    summed = gaussian_filter(np.where(mask, values, 0), sigma, mode="constant")
    result: NDArray[np.float64] = np.divide(summed, weight, out=np.zeros_like(summed), where=mask)
    return result


def _whole(window: tuple[float, float]) -> bool:
    return all(float(limit).is_integer() for limit in window)
