"""What a radiologist measures by hand: diameters, the mean inside a region, and how much of an organ a lesion touches.

Edges of a mask lie half way between a voxel inside and its neighbour outside, as in the mesh of the shape features: the longest axial
diameter is their `Maximum2DDiameterSlice`, the longest of all their `Maximum3DDiameter`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import GeometryMismatchError, MaskError
from isthmus.image import Image
from isthmus.image.box import bounding_box
from isthmus.roi.region import grown
from isthmus.roi.roi import Roi

__all__ = ["Contact", "Diameter", "Inside", "axial_diameter", "contact", "enhancement", "inside", "longest_diameter"]

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]
Place = tuple[float, float, float]

_RAYS = 720  # half a degree each
_STEP = 0.25  # of the smaller side of a pixel
_BETWEEN = 0.5  # of a voxel: from its middle to its edge


@dataclass(frozen=True)
class Diameter:
    """A line across a lesion.

    Parameters
    ----------
    mm : float
        Its length.
    across_mm : float
        The lesion's width perpendicular to it, in the same slice (NaN for a line through several slices).
    slice : int
        The slice k of an axial line; of another that of its first end.
    ends : two tuples of float
        In voxels (k, j, i), to draw it.
    """

    mm: float
    across_mm: float
    slice: int
    ends: tuple[Place, Place]


@dataclass(frozen=True)
class Inside:
    """Mean and standard deviation (n - 1) of the voxels of a region, in the image's quantity; how many there are, and their volume."""

    mean: float
    sd: float
    n_voxels: int
    volume_ml: float
    quantity: str


@dataclass(frozen=True)
class Contact:
    """How far a lesion surrounds an organ, slice by slice.

    Parameters
    ----------
    slices : tuple of int
        Those that show the organ, from the first to the last.
    degrees : tuple of float
        Of each: the part of the organ's circumference that touches the lesion, 0 to 360, seen from the organ's middle.
    """

    slices: tuple[int, ...]
    degrees: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The same as shares of the circumference, 0 to 1."""
        return tuple(angle / 360 for angle in self.degrees)

    @property
    def most(self) -> float:
        """The largest of `degrees`."""
        return max(self.degrees)

    @property
    def where(self) -> int:
        """The first slice with the largest."""
        return self.slices[self.degrees.index(self.most)]

    def length_mm(self, slice_mm: float) -> float:
        """How far along the slices the two touch: touching slices times their distance."""
        return slice_mm * sum(angle > 0 for angle in self.degrees)


# ---------------------------------------------------------------------- diameters


def axial_diameter(roi: Roi) -> Diameter:
    """The longest line across the lesion within one slice, and the width perpendicular to it; the first slice where two are as long.

    Raises
    ------
    MaskError
        The mask is empty.
    """
    mask, start = _cut(roi)
    _, dj, di = roi.geometry.spacing_mm
    best: tuple[float, int, Points, Points] | None = None
    for k in np.flatnonzero(mask.any(axis=(1, 2))).tolist():
        points = _edges(mask[k]) * (dj, di)
        length, a, b = _farthest(points)
        if best is None or length > best[0] + 1e-9:
            best = (length, k, np.stack([a, b]), points)
    assert best is not None
    length, k, (a, b), points = best
    along = (b - a) / length
    across = points @ np.array([-along[1], along[0]])
    k += start[0]
    ends = [(float(k), float(p[0] / dj + start[1]), float(p[1] / di + start[2])) for p in (a, b)]
    return Diameter(length, float(across.max() - across.min()), k, (ends[0], ends[1]))


def longest_diameter(roi: Roi) -> Diameter:
    """The longest line across the lesion in space.

    Raises
    ------
    MaskError
        The mask is empty.
    """
    mask, start = _cut(roi)
    spacing = np.array(roi.geometry.spacing_mm)
    length, a, b = _farthest(_edges(mask) * spacing)
    ends = [tuple(float(v) for v in p / spacing + start) for p in (a, b)]
    return Diameter(length, float("nan"), round(ends[0][0]), (ends[0], ends[1]))  # type: ignore[arg-type]


def _cut(roi: Roi) -> tuple[Mask, tuple[int, int, int]]:
    box = bounding_box(roi.mask)
    if box is None:
        raise MaskError(f"{roi.name} is empty: there is nothing to measure. Draw it, or choose another label")
    return roi.mask[box], (box[0].start, box[1].start, box[2].start)


def _edges(mask: Mask) -> Points:
    """Points half way between voxels inside and neighbours outside, in voxels; beyond the array is outside."""
    padded = np.pad(mask, 1)
    found = []
    for axis in range(mask.ndim):
        for step in (-1, 1):
            places = np.argwhere(mask & ~np.roll(padded, -step, axis)[(slice(1, -1),) * mask.ndim]).astype(np.float64)
            places[:, axis] += step * _BETWEEN
            found.append(places)
    return np.concatenate(found)


def _farthest(points: Points) -> tuple[float, Points, Points]:
    """The two points that are farthest apart: corners of the convex hull, so only these are compared."""
    corners = _hull(points)
    best, ends = -1.0, (0, 0)
    for first, corner in enumerate(corners):
        squares = ((corners[first:] - corner) ** 2).sum(axis=1)
        place = int(squares.argmax())
        if squares[place] > best:
            best, ends = float(squares[place]), (first, first + place)
    return float(np.sqrt(best)), corners[ends[0]], corners[ends[1]]


def _hull(points: Points) -> Points:
    from scipy.spatial import ConvexHull

    # a voxel's edges span its plane (or space), so the hull is never flat
    return points[np.sort(ConvexHull(points).vertices)]


# ---------------------------------------------------------------------- values


def inside(image: Image, roi: Roi, *, away_mm: float = 0.0) -> Inside:
    """Mean and standard deviation of an image inside a region.

    Parameters
    ----------
    image : Image
    roi : Roi
        On the image's grid.
    away_mm : float
        How far from the region's edge to stay, to leave out voxels that are partly something else.

    Raises
    ------
    GeometryMismatchError
        The region lies on another grid.
    MaskError
        Nothing is left.
    """
    if not image.geometry.same_grid(roi.geometry):
        raise GeometryMismatchError(
            f"{roi.name} has the grid {roi.geometry.shape}, spacing {roi.geometry.spacing_mm}; the image {image.geometry.shape}, "
            f"{image.geometry.spacing_mm}. Draw it on this image, or resample it: isthmus.roi.resample"
        )
    region = grown(roi, -away_mm) if away_mm > 0 else roi
    values = image.values[region.mask].astype(np.float64)
    if not values.size:
        raise MaskError(f"{roi.name} is empty: there is nothing to measure. Draw it, or choose another label")
    sd = float(values.std(ddof=1)) if values.size > 1 else float("nan")
    return Inside(float(values.mean()), sd, values.size, region.volume_ml, image.quantity)


def enhancement(before: Inside, after: Inside) -> float:
    """By how much the mean rose from before to after contrast.

    Raises
    ------
    GeometryMismatchError
        The two are not of one quantity (HU and arbitrary units cannot be subtracted).
    """
    if before.quantity != after.quantity:
        raise GeometryMismatchError(
            f"before contrast in {before.quantity}, after it in {after.quantity}: a difference of the two means nothing"
        )
    return after.mean - before.mean


# ---------------------------------------------------------------------- contact


def contact(organ: Mask, lesion: Mask, spacing_mm: Place, *, gap_mm: float | None = None) -> Contact:
    """How much of an organ's circumference a lesion touches, in each slice.

    From the middle of the organ's cross-section a ray goes out every half degree. It counts where the lesion begins at most `gap_mm` beyond
    the last of the organ on it; where the organ is open (a bite taken out of a cartilage) also where the lesion stands in the opening.

    Parameters
    ----------
    organ, lesion : bool arrays, shape (k, j, i)
        On one grid; where they overlap it is lesion.
    spacing_mm : tuple of float
    gap_mm : float, optional
        How wide a gap still is contact; by default half the larger side of a pixel, so that only neighbours touch.

    Raises
    ------
    GeometryMismatchError
        The shapes differ.
    MaskError
        The organ is empty.
    """
    if organ.shape != lesion.shape:
        raise GeometryMismatchError(f"organ {organ.shape} and lesion {lesion.shape} are not on one grid")
    box = bounding_box(organ)
    if box is None:
        raise MaskError("the organ's mask is empty: there is no circumference. Draw it, or choose another label")
    sides = spacing_mm[1:]
    reach = _BETWEEN * max(sides) if gap_mm is None else gap_mm
    slices = range(box[0].start, box[0].stop)
    shown = [k for k in slices if organ[k].any()]
    return Contact(tuple(shown), tuple(_degrees(organ[k], lesion[k], sides, reach) for k in shown))


def _degrees(organ: Mask, lesion: Mask, sides: tuple[float, float], gap_mm: float) -> float:
    if not lesion.any():
        return 0.0
    corners = _hull(_edges(organ) * sides)
    middle = _centroid(corners)
    farthest = float(np.sqrt(((corners - middle) ** 2).sum(axis=1)).max())
    step = _STEP * min(sides)
    radii = np.arange(0.0, farthest + gap_mm + step, step)
    angles = (np.arange(_RAYS) + 0.5) * (2 * np.pi / _RAYS)
    rays = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    places = np.rint((middle + radii[None, :, None] * rays[:, None, :]) / sides).astype(int)
    here = np.all((places >= 0) & (places < organ.shape), axis=2)
    j, i = (np.where(here, places[..., axis], 0) for axis in (0, 1))
    on_lesion = lesion[j, i] & here
    on_organ = organ[j, i] & here & ~on_lesion
    last = np.where(on_organ.any(axis=1), radii[len(radii) - 1 - on_organ[:, ::-1].argmax(axis=1)], np.nan)
    nearest = np.where(
        on_lesion & (radii[None, :] > np.nan_to_num(last, nan=-1.0)[:, None]), radii[None, :], np.inf
    ).min(axis=1)
    met = on_organ.any(axis=1)
    touches = np.where(met, nearest - last <= gap_mm + step, nearest <= _outline(corners, middle, rays))
    return 360.0 * float(touches.mean())


def _centroid(corners: Points) -> Points:
    """Of the area of a convex polygon."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(*(corners - middle).T))] - middle
    after = np.roll(around, -1, axis=0)
    cross = around[:, 0] * after[:, 1] - after[:, 0] * around[:, 1]
    result: Points = middle + ((around + after) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    return result


def _outline(corners: Points, middle: Points, rays: Points) -> NDArray[np.float64]:
    """How far from the middle the convex hull is, along each ray."""
    around = (corners - middle)[np.argsort(np.arctan2(*(corners - middle).T))]
    edge = np.roll(around, -1, axis=0) - around
    normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
    offset = (normal * around).sum(axis=1)
    turned = np.where(offset < 0, -1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (offset * turned) / (rays @ (normal * turned[:, None]).T)
    return np.asarray(np.where(distance > 0, distance, np.inf).min(axis=1), dtype=np.float64)
