"""A lesion's mask, from a mask file or from outlines, checked against its image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import GeometryMismatchError, ImageReadError, MaskError
from isthmus.image.image import Image
from isthmus.image.io import is_contours, rasterise_with_notes, read_contours, read_labels
from isthmus.image.io.checks import check_file
from isthmus.image.labels import LabelImage
from isthmus.roi.roi import Roi

__all__ = ["check_values", "read_roi"]


def read_roi(path: str | Path, image: Image, *, label: int | str | None = 1, name: str | None = None) -> Roi:
    """The lesion outlined in a mask file or an RTSTRUCT, on the grid of its image.

    Parameters
    ----------
    path : path
        Mask file (NIfTI, NRRD, MHA), RTSTRUCT file, or a folder that holds one RTSTRUCT.
    image : Image
        The image the mask was drawn on.
    label : int, str or None
        Mask file: the voxel value of the lesion (None: 1). RTSTRUCT: the name of the ROI; with a number or None, the
        file must hold one ROI.
    name : str, optional
        What to call the ROI; default: the RTSTRUCT's name, or "mask".

    Returns
    -------
    Roi
        At least one voxel. `notes` says what was odd: other labels, separate parts, a single voxel, outlines left
        out, NaN in the image.

    Raises
    ------
    MaskError
        Empty mask, label or ROI name absent (those present are listed), several ROIs and no name.
    GeometryMismatchError
        Mask and image lie on different grids; nothing is resampled in silence.
    ImageReadError
        The file cannot be read, or the image is NaN or infinite inside the ROI.
    """
    path = Path(path)
    check_file(path)
    reader = _from_contours if is_contours(path) else _from_labels
    mask, found, notes = reader(path, image, label)
    return _finished(Roi(mask, image.geometry, name or found, str(path)), image, notes)


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


def _from_labels(path: Path, image: Image, label: int | str | None) -> tuple[NDArray[np.bool_], str, list[str]]:
    """The voxels of one label."""
    wanted = _number(label, path)
    labels = read_labels(path)
    difference = image.geometry.difference(labels.geometry)
    if difference is not None:
        raise GeometryMismatchError(
            f"image and mask lie on different grids: {difference} (image {image.source or 'in memory'}, mask {path}). "
            "They must match. Was the mask drawn on another series? "
            "Draw or export it on this one, or resample it to the image (nearest neighbour)"
        )
    mask: NDArray[np.bool_] = labels.values == wanted
    if not mask.any():
        raise MaskError(_absent(labels, wanted, path))
    return mask, "mask", _other_labels(labels, mask, wanted)


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
    counts = ", ".join(f"{label} ({n} voxels)" for label, n in list(others.items())[:10])
    more = f" and {len(others) - 10} more" if len(others) > 10 else ""
    return [f"other labels in the mask, left out: {counts}{more}"]


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
    return Roi(roi.mask, roi.geometry, roi.name, roi.source, tuple(notes))


def _all_finite(values: NDArray[Any]) -> bool:
    """Is every voxel a number? A finite sum settles it for the usual image without looking at each."""
    if values.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())
