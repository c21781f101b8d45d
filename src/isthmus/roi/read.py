"""A lesion's mask, from a mask file or from outlines, checked against its image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import GeometryMismatchError, ImageReadError, MaskError
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.image.io import (
    Segmentation,
    find_segmentation,
    is_contours,
    rasterise_with_notes,
    read_contours,
    read_labels,
    read_segmentation,
)
from isthmus.image.io.checks import check_file
from isthmus.image.labels import LabelImage
from isthmus.image.placing import nearest, place
from isthmus.roi.origin import read_origin
from isthmus.roi.roi import Roi
from isthmus.roi.settings import Label

__all__ = ["check_values", "labels_present", "read_roi"]

_OTHERS = "other labels in the mask"
_MOST_LABELS = 500  # whole-body and brain atlases have some 200; a CT or MR has thousands of values


def read_roi(
    path: str | Path,
    image: Image,
    *,
    label: Label = None,
    name: str | None = None,
    resample: bool = False,
    tolerance: float | None = None,
    channel: int | None = None,
    data: bytes | None = None,
) -> Roi:
    """The lesion outlined in a mask file, an RTSTRUCT or a DICOM segmentation, on the grid of its image.

    Parameters
    ----------
    path : path
        Mask file (NIfTI, NRRD, MHA), RTSTRUCT or SEG file, or a folder that holds one RTSTRUCT or SEG.
    image : Image
        The image the mask was drawn on.
    label : int, str, tuple of them, or None
        Several labels are one ROI, their union. Mask file: the voxel value of the lesion (None: 1). RTSTRUCT: the name of the
        ROI; with a number or None, the file must hold one ROI. SEG: number or label of the segment; with None, the file must
        hold one.
    name : str, optional
        What to call the ROI; default: the name in the RTSTRUCT or SEG, or "mask".
    resample : bool
        Bring a mask that lies on another grid onto the image's by nearest neighbour; a note says what that changed. Otherwise it
        is refused.
    tolerance : float, optional
        Mask file: its grid counts as the image's where `Geometry.within` says so.
    channel : int, optional
        Mask file with several numbers per voxel: which of them holds the labels.
    data : bytes, optional
        The mask file's content, where it was read already.

    Returns
    -------
    Roi
        At least one voxel. `notes` says what was odd: other labels, separate parts, a single voxel, outlines left
        out, NaN in the image.

    Raises
    ------
    MaskError
        Empty mask, label or name absent (those present are listed), several ROIs or segments and no name.
    GeometryMismatchError
        Mask and image lie on different grids; nothing is resampled in silence.
    ImageReadError
        The file cannot be read, or the image is NaN or infinite inside the ROI.
    """
    path = Path(path)
    check_file(path)
    labels = label if isinstance(label, tuple) else (label,)
    if not labels:
        raise MaskError(f"{path}: the list of labels is empty; name at least one")
    parts = [_part(path, image, one, resample, tolerance, channel, data) for one in labels]
    mask, found, notes = parts[0]
    each: dict[int | str, NDArray[np.bool_]] = {}
    if len(parts) > 1:
        each = {one: part[0] for one, part in zip(labels, parts, strict=True) if one is not None}
        mask = np.logical_or.reduce([part[0] for part in parts])
        found = " + ".join(str(one) for one in labels)
        told = dict.fromkeys(note for part in parts for note in part[2])
        notes = [note for note in told if not note.startswith(_OTHERS)]
    return _finished(Roi(mask, image.geometry, name or found, str(path), parts=each), image, notes)


def labels_present(path: str | Path) -> list[int | str]:
    """The labels of a mask file (values above 0), or the names of an RTSTRUCT's or SEG's regions, in their order.

    Raises
    ------
    MaskError
        There is none.
    ImageReadError
        The file cannot be read.
    """
    path = Path(path)
    check_file(path)
    found: list[int | str]
    if is_contours(path):
        found = list(read_contours(path))
    elif (segmentation := find_segmentation(path)) is not None:
        found = [name or number for number, name in read_segmentation(segmentation).names.items()]
    else:
        found = list(read_labels(path).labels())
    if not found:
        raise MaskError(f"{path}: the mask is empty. Outline the lesion, or leave the case out")
    return found


def _part(
    path: Path,
    image: Image,
    label: int | str | None,
    resample: bool,
    tolerance: float | None,
    channel: int | None,
    data: bytes | None,
) -> tuple[NDArray[np.bool_], str, list[str]]:
    """The voxels of one label, what it is called, and what is odd about it."""
    if is_contours(path):
        return _from_contours(path, image, label)
    if (segmentation := find_segmentation(path)) is not None:
        return _from_segments(segmentation, image, label, resample)
    return _from_labels(path, image, label, resample, tolerance, channel, data)


def check_values(image: Image, roi: Roi) -> None:
    """Refuse an image that is NaN or infinite inside the ROI, with the count.

    Raises
    ------
    ImageReadError
    """
    if image.values.dtype.kind != "f":
        return
    wrong = int(np.count_nonzero(~np.isfinite(image.values[roi.mask])))
    if wrong:
        raise ImageReadError(
            f"{image.source or 'image'}: {wrong} of {roi.n_voxels} voxels inside the ROI '{roi.name}' are NaN or "
            "infinite; "
            "numbers were expected. Repair the image, or leave these voxels out of the mask"
        )


def _from_labels(
    path: Path,
    image: Image,
    label: int | str | None,
    resample: bool,
    tolerance: float | None,
    channel: int | None,
    data: bytes | None,
) -> tuple[NDArray[np.bool_], str, list[str]]:
    """The voxels of one label."""
    wanted = _number(label, path)
    labels = read_labels(path, data=data, channel=channel)
    difference = image.geometry.difference(labels.geometry)
    if difference is not None and not (image.geometry.placed and labels.geometry.placed):
        raise GeometryMismatchError(
            f"image and mask differ in size: {difference} (image {image.source or 'in memory'}, mask {path}). A picture "
            "does not say where it lies, so both must have the same pixels: export the mask in the image's size, without margins"
        )
    if difference is not None and tolerance is not None and image.geometry.within(labels.geometry, tolerance):
        difference = None
    if difference is not None and not resample:
        raise GeometryMismatchError(
            f"image and mask lie on different grids: {difference} (image {image.source or 'in memory'}, mask {path}). "
            "They must match. Was the mask drawn on another series? Draw or export it on this one, or let it be resampled to the "
            "image by nearest neighbour: resample_mask = true in [image], --set resample_mask=true on the command line"
        )
    notes = []
    if image.geometry.placed != labels.geometry.placed:
        notes.append("image or mask is a picture, which does not say where it lies: only their sizes were compared")
    mask: NDArray[np.bool_] = labels.values == wanted
    if not mask.any() and wanted == 1 and not labels.geometry.placed and len(present := labels.labels()) == 1:
        wanted = next(iter(present))
        mask = labels.values == wanted
        notes.append(f"the picture of the mask holds 0 and {wanted} only; {wanted} was taken as the lesion")
    if not mask.any():
        raise MaskError(_absent(labels, wanted, path))
    notes += [*_other_labels(labels, mask, wanted), *_origin(path, mask)]
    if difference is not None:
        mask, note = _resampled(mask, labels.geometry, image.geometry, difference, path)
        notes.append(note)
    return mask, "mask", notes


def _origin(path: Path, mask: NDArray[np.bool_]) -> list[str]:
    """How the mask was made, where it is written beside it; a record that cannot be read costs itself, not the case."""
    try:
        origin = read_origin(path)
    except MaskError as error:
        return [error.reason]
    return [] if origin is None else [origin.sentence(mask)]


def _resampled(
    mask: NDArray[np.bool_], geometry: Geometry, onto: Geometry, difference: str, path: Path
) -> tuple[NDArray[np.bool_], str]:
    """A mask on the image's grid, and what that changed."""
    before = int(np.count_nonzero(mask))
    to_image = np.linalg.inv(onto.affine) @ geometry.affine
    centres = np.argwhere(mask) @ to_image[:3, :3].T + to_image[:3, 3]
    lost = int(np.count_nonzero(~((centres >= -0.5) & (centres < np.array(onto.shape) - 0.5)).all(axis=1)))
    placed = nearest(mask, geometry, onto)
    after = int(np.count_nonzero(placed))
    if not after:
        raise GeometryMismatchError(
            f"{path}: resampled to the image the mask is empty: its {before} voxels lie outside the image, or between its voxel centres "
            f"({difference}). Was the mask drawn on another series?"
        )
    old_ml, new_ml = before * geometry.voxel_volume_mm3 / 1000, after * onto.voxel_volume_mm3 / 1000
    return placed, (
        f"mask resampled to the image by nearest neighbour ({difference}): {before} voxels ({old_ml:.4g} ml) became {after} "
        f"({new_ml:.4g} ml); {lost} of its voxels lay outside the image"
    )


def _from_segments(
    path: Path, image: Image, label: int | str | None, resample: bool
) -> tuple[NDArray[np.bool_], str, list[str]]:
    """The voxels of one segment, each frame placed where it says it lies."""
    segmentation = read_segmentation(path)
    number = _segment(segmentation, label)
    name = segmentation.names[number] or f"segment {number}"
    notes = []
    if segmentation.kind == "FRACTIONAL":
        notes.append(f"fractional segmentation '{name}': voxels of at least half were taken")
    frames = segmentation.frames(number)
    if not frames:
        raise MaskError(
            f"{path}: segment {number} ('{name}') holds no voxel. Outline the lesion, or name another segment"
        )
    mask = np.zeros(image.geometry.shape, dtype=bool)
    outside = 0
    for geometry, frame in frames:
        placed = place(frame, geometry, image.geometry)
        if placed is None:
            break
        mask |= placed[0]
        outside += placed[1]
    else:
        if not outside:
            return mask, name, notes
    whole, grid = segmentation.volume(number)
    difference = (
        f"{outside} voxels of the segment lie outside the image" if outside else _of_grids(image.geometry, grid)
    )
    if not resample:
        raise GeometryMismatchError(
            f"image and segmentation lie on different grids: {difference} (image {image.source or 'in memory'}, segmentation {path}). "
            "Was it made on another series? Export it on this one, or let it be resampled to the image by nearest neighbour: "
            "resample_mask = true in [image], --set resample_mask=true on the command line"
        )
    mask, note = _resampled(whole, grid, image.geometry, difference, path)
    return mask, name, [*notes, note]


def _of_grids(image: Geometry, segmentation: Geometry) -> str:
    """What differs between a grid and one that may be a part of it."""
    ours, theirs = np.round(image.spacing_mm, 4).tolist(), np.round(segmentation.spacing_mm, 4).tolist()
    if not np.allclose(sorted(ours), sorted(theirs), rtol=0, atol=1e-3):
        return f"spacing {ours} against {theirs} mm (k, j, i)"
    return f"the voxel centres do not coincide (first voxels {image.origin_mm} and {segmentation.origin_mm} mm)"


def _segment(segmentation: Segmentation, label: int | str | None) -> int:
    """The number of the segment that is meant: by its label first, else by its number."""
    names = segmentation.names
    listed = ", ".join(f"{number} '{name}'" for number, name in names.items())
    if label is None:
        if len(names) == 1:
            return next(iter(names))
        raise MaskError(
            f"{segmentation.source}: the segmentation holds {len(names)} segments ({listed}) and none was named. Set the label to one "
            "of these numbers or names"
        )
    alike = [number for number, name in names.items() if name == label]
    if len(alike) > 1:
        raise MaskError(
            f"{segmentation.source}: {len(alike)} segments are called '{label}' ({listed}). Set the label to the number of one"
        )
    if alike:
        return alike[0]
    if str(label).strip().isdigit() and int(label) in names:
        return int(label)
    raise MaskError(f"{segmentation.source}: no segment is '{label}'; the segmentation holds {listed}")


def _number(label: int | str | None, path: Path) -> int:
    """The label as a whole number."""
    try:
        return 1 if label is None else int(label)
    except ValueError as error:
        raise MaskError(
            f"{path}: label '{label}' for a mask file; a whole number was expected (names belong to an RTSTRUCT)"
        ) from error


def _absent(labels: LabelImage, wanted: int, path: Path) -> str:
    present = labels.labels()
    if not present:
        return (
            f"{path}: the mask is empty: all {labels.values.size} voxels are 0. Outline the lesion, or leave the case "
            "out"
        )
    counts = ", ".join(f"{label} ({n} voxels)" for label, n in list(present.items())[:20])
    return f"{path}: no voxel has label {wanted}; labels present: {counts}. Set the label of the lesion"


def _other_labels(labels: LabelImage, mask: NDArray[np.bool_], wanted: int) -> list[str]:
    """Voxels with another label, which are not part of this ROI."""
    if np.count_nonzero(labels.values) == np.count_nonzero(mask):
        return []
    others = {label: n for label, n in labels.labels().items() if label != wanted}
    if len(others) > _MOST_LABELS:
        raise MaskError(
            f"{labels.source}: {len(others)} different values from {min(others)} to {max(others)}: that is an image, not a mask. "
            "Were image and mask exchanged in the table?"
        )
    counts = ", ".join(f"{label} ({n} voxels)" for label, n in list(others.items())[:10])
    more = f" and {len(others) - 10} more" if len(others) > 10 else ""
    return [f"{_OTHERS}, left out: {counts}{more}"]


def _from_contours(path: Path, image: Image, label: int | str | None) -> tuple[NDArray[np.bool_], str, list[str]]:
    """The voxels inside the outlines of one ROI."""
    named = read_contours(path)
    name = _chosen(named, label, path)
    contours = named[name]
    if not contours:
        raise MaskError(f"{path}: ROI '{name}' has no contours. Outline the lesion, or name another ROI")
    mask, notes = rasterise_with_notes(contours, image.geometry, image.instances)
    if not mask.any():
        raise MaskError(
            f"{path}: the {len(contours)} contours of ROI '{name}' enclose no voxel centre of the image: the mask is "
            "empty. "
            "Were they drawn on a finer series?"
        )
    return mask, name, list(notes)


def _chosen(named: dict[str, Any], label: int | str | None, path: Path) -> str:
    """The ROI that is meant."""
    if isinstance(label, str):
        if label in named:
            return label
        raise MaskError(f"{path}: no ROI is called '{label}'; the RTSTRUCT holds {', '.join(repr(n) for n in named)}")
    if len(named) == 1:
        return next(iter(named))
    raise MaskError(
        f"{path}: the RTSTRUCT holds {len(named)} ROIs ({', '.join(repr(n) for n in named)}) and none was named. "
        "Set the label to one of these names"
    )


def _finished(roi: Roi, image: Image, notes: list[str]) -> Roi:
    """The ROI with everything worth saying about it."""
    sizes = _core.part_sizes(roi.mask)
    if len(sizes) > 1:
        shown = ", ".join(map(str, sizes[:5])) + (", ..." if len(sizes) > 5 else "")
        notes.append(f"{len(sizes)} separate parts (touching by face, edge or corner counts as one): {shown} voxels")
    if roi.n_voxels == 1:
        notes.append("the mask is a single voxel")
    if not _all_finite(image.values):
        check_values(image, roi)
        outside = int(np.count_nonzero(~np.isfinite(image.values)))
        notes.append(f"{outside} voxels of the image outside the ROI are NaN or infinite")
    return replace(roi, notes=tuple(notes))


def _all_finite(values: NDArray[Any]) -> bool:
    """Is every voxel a number? A finite sum settles it for the usual image without looking at each."""
    if values.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())
