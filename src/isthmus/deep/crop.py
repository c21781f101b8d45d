"""What of an image a network sees: the lesion's bounding box with a margin, brought to the network's size and range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.deep.settings import CropSettings, InputSettings
from isthmus.errors import CaseError, GeometryMismatchError, MaskError
from isthmus.image import Image
from isthmus.image.box import bounding_box
from isthmus.roi import Roi

__all__ = ["crops", "normalised", "on_image", "padded"]

Array = NDArray[np.float64]
_EXTENT = tuple[float, float]  # from, to: voxel n reaches from n to n + 1


def crops(
    image: Image, roi: Roi, settings: CropSettings, *, dims: int, size: int, limits: tuple[float, float] = (0.0, 1.0)
) -> NDArray[np.float32]:
    """Crops of one lesion.

    Parameters
    ----------
    image : Image
    roi : Roi
    settings : CropSettings
    dims : int
        2: one crop a slice, in the order of the slices; 3: one.
    size : int
        Pixels or voxels along a side.
    limits : (float, float)
        What the window, or the crop's smallest and largest value, become.

    Returns
    -------
    float32 array, shape (crops, size, size) or (1, size, size, size)
        Axes in the image's order. Where the box reaches beyond the image, the border goes on.

    Raises
    ------
    CaseError
        The mask is empty or on another grid, or the image is not a number somewhere in the box.
    """
    if difference := image.geometry.difference(roi.geometry):
        raise GeometryMismatchError(
            f"image and mask lie on different grids: {difference}. Was the mask drawn on another series?"
        )
    if not roi.mask.any():
        raise MaskError("the mask is empty; a crop needs a lesion")
    spacing = image.geometry.spacing_mm
    if dims == 3:
        return _crop(image.values, roi.mask, spacing, settings, size, limits)[None]
    chosen = _slices(roi.mask, settings.slices)
    return np.stack([_crop(image.values[k], roi.mask[k], spacing[1:], settings, size, limits) for k in chosen])


def on_image(maps: NDArray[np.float32], roi: Roi, settings: CropSettings, *, dims: int) -> NDArray[np.float32]:
    """Maps over the crops of a lesion, brought back to where the crops were taken from.

    Parameters
    ----------
    maps : float32 array, shape (crops, *places)
        On the grid of the crops that `crops` took with the same settings.
    roi : Roi
    settings : CropSettings
    dims : int

    Returns
    -------
    float32 array, shape (k, j, i)
        On the grid of the image: linear interpolation between the middles of the map's places, NaN outside the crops.
    """
    spacing, mask = roi.geometry.spacing_mm, roi.mask
    found = np.full(mask.shape, np.nan, np.float32)
    chosen: list[tuple[int, ...]] = [()] if dims == 3 else [(k,) for k in _slices(mask, settings.slices)]
    for map_, place in zip(maps, chosen, strict=True):
        extents = _extents(mask[place], spacing[len(place) :], settings)
        values = map_.astype(np.float64)
        box: list[slice] = []
        for axis, (extent, size) in enumerate(zip(extents, map_.shape, strict=True)):
            voxels = np.arange(max(0, int(np.ceil(extent[0] - 0.5))), int(np.ceil(extent[1] - 0.5)))
            voxels = voxels[voxels < mask.shape[len(place) + axis]]
            at = np.clip((voxels + 0.5 - extent[0]) / (extent[1] - extent[0]) * size - 0.5, 0, size - 1)
            low = np.minimum(at.astype(int), max(size - 2, 0))
            share = (at - low).reshape(-1, *[1] * (values.ndim - axis - 1))
            values = values.take(low, axis) * (1 - share) + values.take(np.minimum(low + 1, size - 1), axis) * share
            box.append(slice(int(voxels[0]), int(voxels[-1]) + 1) if len(voxels) else slice(0, 0))
        where: tuple[int | slice, ...] = (*place, *box)
        found[where] = values
    return found


def _slices(mask: NDArray[np.bool_], wanted: str | int) -> list[int]:
    """The slices with the largest areas, of equals the first, in their order."""
    areas = mask.sum(axis=(1, 2))
    there = np.flatnonzero(areas)
    count = len(there) if wanted == "all" else 1 if wanted == "largest" else min(int(wanted), len(there))
    largest = there[np.argsort(-areas[there], kind="stable")][:count]
    return sorted(map(int, largest))


def _crop(
    values: NDArray[np.generic],
    mask: NDArray[np.bool_],
    spacing: tuple[float, ...],
    settings: CropSettings,
    size: int,
    limits: tuple[float, float],
) -> NDArray[np.float32]:
    extents = _extents(mask, spacing, settings)
    taps = [_taps(extent, size, n) for extent, n in zip(extents, values.shape, strict=True)]
    box = tuple(part for part, _ in taps)
    piece = values[box].astype(np.float64)
    if not np.isfinite(piece).all():
        raise CaseError("the image is not a number somewhere around the lesion; a network needs numbers everywhere")
    if settings.window is not None:
        piece = np.clip(piece, *settings.window)
    if settings.masked:
        inside = mask[box]
        lowest = settings.window[0] if settings.window is not None else float(piece[inside].min())
        piece = np.where(inside, piece, lowest)
    for axis, (_, weights) in enumerate(taps):
        piece = np.moveaxis(np.tensordot(weights, piece, (1, axis)), 0, axis)
    return _scaled(piece, settings, limits).astype(np.float32)


def _extents(mask: NDArray[np.bool_], spacing: tuple[float, ...], settings: CropSettings) -> list[_EXTENT]:
    """From where to where the crop goes along each axis, in voxels; with equal sides in mm unless it is to be stretched."""
    box = bounding_box(mask if mask.ndim == 3 else mask[None])
    assert box is not None
    found = []
    for part, mm in zip(box[-mask.ndim :], spacing, strict=True):
        more = settings.margin_mm / mm
        found.append((part.start - more, part.stop + more))
    if settings.shape == "box":
        return found
    side = max((stop - start) * mm for (start, stop), mm in zip(found, spacing, strict=True))
    return [
        ((start + stop - side / mm) / 2, (start + stop + side / mm) / 2)
        for (start, stop), mm in zip(found, spacing, strict=True)
    ]


def _taps(extent: _EXTENT, size: int, n: int) -> tuple[slice, Array]:
    """Which of `n` voxels `size` new ones are made of, and their weights, shape (size, voxels): linear interpolation, and averaging
    over a triangle as wide as the new voxels where these are larger. Beyond the first and the last voxel, these go on."""
    step = (extent[1] - extent[0]) / size
    reach = max(step, 1.0)
    at = np.clip(extent[0] + (np.arange(size) + 0.5) * step - 0.5, -reach, n - 1 + reach)
    places = np.arange(int(np.floor(at[0] - reach)) + 1, int(np.ceil(at[-1] + reach)))
    weights = np.maximum(1 - np.abs(places - at[:, None]) / reach, 0)
    inside = np.clip(places, 0, n - 1)
    found = np.zeros((size, inside[-1] - inside[0] + 1))
    np.add.at(found.T, inside - inside[0], weights.T)
    return slice(int(inside[0]), int(inside[-1]) + 1), found / found.sum(axis=1, keepdims=True)


def _scaled(values: Array, settings: CropSettings, limits: tuple[float, float]) -> Array:
    """Intensities as the network was trained to see them; a constant crop becomes the lower limit, or 0."""
    if settings.scale == "z_score":
        spread = float(values.std())
        centred = values - values.mean()
        return centred / spread if spread > 1e-12 * max(1.0, float(np.abs(values).max())) else np.zeros_like(values)
    low, high = settings.window if settings.window is not None else (float(values.min()), float(values.max()))
    if not high > low:
        return np.full_like(values, limits[0])
    return limits[0] + (values - low) / (high - low) * (limits[1] - limits[0])


def normalised(crop: NDArray[np.float32], settings: InputSettings) -> NDArray[np.float32]:
    """Crops as batches with channels: (crops, *places) to (crops, channels, *places), less the mean, by the deviation."""
    shape = (1, -1, *[1] * (crop.ndim - 1))
    mean = np.broadcast_to(np.asarray(settings.mean, np.float32), (settings.channels,)).reshape(shape)
    std = np.broadcast_to(np.asarray(settings.std, np.float32), (settings.channels,)).reshape(shape)
    return np.ascontiguousarray((crop[:, None] - mean) / std, dtype=np.float32)


def padded(lesions: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Lesions of several slices as one array for a network that reads sequences, and how many slices each has.

    Parameters
    ----------
    lesions : sequence of float32 array, shape (slices, channels, *places)

    Returns
    -------
    float32 array, shape (lesions, most slices, channels, *places)
        0 behind the last slice of each; no network looks there.
    int64 array, shape (lesions,)
    """
    lengths = np.array([len(one) for one in lesions], dtype=np.int64)
    found = np.zeros((len(lesions), lengths.max(), *lesions[0].shape[1:]), np.float32)
    for place, one in zip(found, lesions, strict=True):
        place[: len(one)] = one
    return found, lengths
