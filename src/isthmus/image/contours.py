"""Outlines drawn slice by slice, and the mask they enclose.

Filling follows the even-odd rule at voxel centres: a voxel belongs to the ROI when a ray from its centre crosses the
outlines of its slice an odd number of times. All outlines of one slice are combined by exclusive or, which is right
for holes, for islands in holes, and for keyhole outlines (one outline with a cut, whose two banks cancel).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import GeometryMismatchError, MaskError
from isthmus.image.geometry import Geometry

__all__ = ["Contour", "rasterise", "rasterise_with_notes"]

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR")
NOISE_DIGITS = 6  # of a voxel
SAME_PLANE = 0.1  # of a slice step: outlines of one slice lie in one plane


@dataclass(frozen=True, eq=False)
class Contour:
    """One outline.

    Parameters
    ----------
    points_mm : array, shape (n, 3)
        Corners (x, y, z) in the patient, LPS, millimetres.
    kind : str
        DICOM's geometric type: "CLOSED_PLANAR", "POINT", ...
    instance : str
        SOP instance of the slice it was drawn on; empty when the file does not say.
    """

    points_mm: NDArray[np.float64]
    kind: str = "CLOSED_PLANAR"
    instance: str = ""


def rasterise(contours: Sequence[Contour], geometry: Geometry) -> NDArray[np.bool_]:
    """Mask of the voxels whose centres lie inside the outlines.

    Parameters
    ----------
    contours : sequence of Contour
        Outlines of one ROI, parallel to the slices of `geometry`.
    geometry : Geometry

    Returns
    -------
    bool array, shape (k, j, i)

    Raises
    ------
    MaskError
        No outline can be filled, or none lies on the image.
    GeometryMismatchError
        Outlines are not parallel to the slices, or two of their planes fall on one slice.
    """
    return rasterise_with_notes(contours, geometry)[0]


def rasterise_with_notes(
    contours: Sequence[Contour], geometry: Geometry, instances: Mapping[str, int] | None = None
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask of `rasterise`, and in words what was left out or looks odd.

    Parameters
    ----------
    contours : sequence of Contour
    geometry : Geometry
    instances : mapping, optional
        Slice index of each SOP instance of the image. A reference that resolves must agree with the position of the
        outline; one that does not resolve is ignored (exported series often carry new instance numbers).
    """
    notes: list[str] = []
    polygons = [_in_voxels(c.points_mm, geometry) for c in _fillable(contours, notes)]
    instance_of = [c.instance for c in contours if _can_be_filled(c)]
    if not polygons:
        raise MaskError(
            f"none of the {len(contours)} contours can be filled: they need at least 3 points and the type "
            "CLOSED_PLANAR. "
            "Outline the lesion slice by slice"
        )
    slices = [_slice_of(polygon) for polygon in polygons]
    _check_references(slices, instance_of, instances or {}, notes)
    by_slice = _inside(polygons, slices, geometry, notes)
    mask = np.zeros(geometry.shape, dtype=bool)
    for k, members in by_slice.items():
        _check_one_plane(k, members)
        mask[k] = _fill(members, geometry.shape[1:])
    _note_gaps(sorted(by_slice), notes)
    empty = [k for k in sorted(by_slice) if not mask[k].any()]
    if empty:
        notes.append(f"{len(empty)} outlined slices hold no voxel centre (outlines smaller than a voxel)")
    return mask, tuple(notes)


def _can_be_filled(contour: Contour) -> bool:
    return contour.kind in CLOSED and len(contour.points_mm) >= 3


def _fillable(contours: Sequence[Contour], notes: list[str]) -> list[Contour]:
    """The closed outlines; the others are counted by kind."""
    points = sum(c.kind == "POINT" for c in contours)
    open_ = sum(c.kind not in CLOSED and c.kind != "POINT" for c in contours)
    short = sum(c.kind in CLOSED and len(c.points_mm) < 3 for c in contours)
    for count, what in ((points, "POINT items"), (open_, "open contours"), (short, "contours of fewer than 3 points")):
        if count:
            notes.append(f"{count} {what} skipped")
    return [c for c in contours if _can_be_filled(c)]


def _in_voxels(points_mm: NDArray[np.float64], geometry: Geometry) -> NDArray[np.float64]:
    """Points as fractional voxel indices (k, j, i), free of the noise of arithmetic: corners often lie on voxel centres."""
    inverse = np.linalg.inv(geometry.affine)
    return np.round(points_mm @ inverse[:3, :3].T + inverse[:3, 3], NOISE_DIGITS)


def _slice_of(polygon: NDArray[np.float64]) -> int:
    """The slice whose plane lies within half a step."""
    k = polygon[:, 0]
    if np.ptp(k) > 0.5:
        raise GeometryMismatchError(
            f"a contour spans {np.ptp(k):.2f} slice steps of the image; it must be parallel to the slices. "
            "Was it drawn on another series, or on a reformatted plane? Export the mask on this series instead"
        )
    return int(np.floor(k.mean() + 0.5))


def _check_references(
    slices: list[int], instance_of: list[str], instances: Mapping[str, int], notes: list[str]
) -> None:
    """A referenced slice and the position must name the same slice."""
    unresolved = 0
    for k, instance in zip(slices, instance_of, strict=True):
        if instance and instance not in instances:
            unresolved += 1
        elif instance and instances[instance] != k:
            raise GeometryMismatchError(
                f"a contour lies on slice {k} by its position but refers to slice {instances[instance]} of the image; "
                "they must agree. Was the series moved after drawing? Export RTSTRUCT and series again, together"
            )
    if unresolved and instances:
        notes.append(f"{unresolved} contours refer to slices that are not in this series; matched by position")


def _inside(
    polygons: list[NDArray[np.float64]], slices: list[int], geometry: Geometry, notes: list[str]
) -> dict[int, list[NDArray[np.float64]]]:
    """Polygons by slice; those beyond the image are counted, and an error when none is left."""
    n_k, n_j, n_i = geometry.shape
    by_slice: dict[int, list[NDArray[np.float64]]] = {}
    outside = crossing = 0
    for polygon, k in zip(polygons, slices, strict=True):
        j, i = polygon[:, 1], polygon[:, 2]
        if not 0 <= k < n_k or j.max() < -0.5 or i.max() < -0.5 or j.min() > n_j - 0.5 or i.min() > n_i - 0.5:
            outside += 1
            continue
        reach = max(-j.min(), -i.min(), j.max() - n_j + 1, i.max() - n_i + 1)  # beyond the outermost centres
        crossing += bool(reach > 0.501)
        by_slice.setdefault(k, []).append(polygon)
    if not by_slice:
        raise GeometryMismatchError(
            f"all {outside} contours lie outside the image of {geometry.shape} voxels (k, j, i); slices {min(slices)} "
            "to "
            f"{max(slices)} were meant. The contours belong to another series of this patient, or to another patient"
        )
    if outside:
        notes.append(f"{outside} of {len(polygons)} contours lie outside the image and were left out")
    if crossing:
        notes.append(f"{crossing} contours cross the border of the image and were cut there")
    return by_slice


def _check_one_plane(k: int, polygons: list[NDArray[np.float64]]) -> None:
    """Two planes on one slice would cancel each other: the outlines were drawn on thinner slices."""
    planes = [polygon[:, 0].mean() for polygon in polygons]
    apart = max(planes) - min(planes)
    if apart > SAME_PLANE:
        raise GeometryMismatchError(
            f"contours of two planes, {apart:.2f} slice steps apart, fall on slice {k} of the image; one plane per "
            "slice was expected. "
            "The contours were drawn on a series with thinner slices: use that series, or export a mask on this one"
        )


def _note_gaps(slices: list[int], notes: list[str]) -> None:
    """Slices between the first and the last outline without one."""
    missing = slices[-1] - slices[0] + 1 - len(slices)
    if missing:
        notes.append(f"{missing} slices between the first and the last contour have none; they stay empty")


def _fill(polygons: list[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Even-odd filling of one slice at voxel centres.

    Every edge crosses the rows of centres in [lower end, upper end); a crossing at x toggles all centres at or beyond
    x. An edge shared by two outlines (or by the two banks of a keyhole's cut) toggles twice, which is nothing.
    """
    rows, columns = shape
    start = np.concatenate([polygon[:, 1:] for polygon in polygons])
    end = np.concatenate([np.roll(polygon[:, 1:], -1, axis=0) for polygon in polygons])
    # both banks of a cut must cross a row at the same x to the last bit: every edge is walked upwards
    downwards = start[:, 0] > end[:, 0]
    low, high = np.where(downwards[:, None], end, start), np.where(downwards[:, None], start, end)
    first = np.clip(np.ceil(low[:, 0]), 0, rows).astype(np.intp)
    last = np.clip(np.ceil(high[:, 0]), 0, rows).astype(np.intp)
    count = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    height = high[edge, 0] - low[edge, 0]
    x = low[edge, 1] + (row - low[edge, 0]) / height * (high[edge, 1] - low[edge, 1])
    column = np.clip(np.ceil(np.round(x, NOISE_DIGITS)), 0, columns).astype(np.intp)
    toggles = np.zeros((rows, columns + 1), dtype=np.intp)
    np.add.at(toggles, (row, column), 1)
    return np.cumsum(toggles[:, :-1], axis=1) % 2 == 1
