"""RTSTRUCT: the outlines a radiotherapy workstation writes, by ROI name."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.errors import ImageReadError, MaskError
from isthmus.image.contours import Contour
from isthmus.image.io.checks import check_file, is_image_file
from isthmus.image.io.dicom import headers

__all__ = ["find_rtstruct", "is_contours", "read_contours"]

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def is_contours(path: str | Path) -> bool:
    """Is this an RTSTRUCT: a file, or a folder that holds one (slices beside it do not matter)?"""
    path = Path(path)
    if is_image_file(path):
        return False
    return path.exists() and bool(_structure_sets(path))


def _structure_sets(path: Path) -> list[Path]:
    return [file for file, header in headers(path) if header.get("SOPClassUID") == RTSTRUCT]


def find_rtstruct(path: Path) -> Path:
    """The one RTSTRUCT at a path."""
    check_file(path)
    files = _structure_sets(path)
    if not files:
        raise ImageReadError(
            f"{path}: no RTSTRUCT there; outlines (an RTSTRUCT file, or a folder that holds one) were expected"
        )
    if len(files) > 1:
        raise ImageReadError(
            f"{path}: {len(files)} RTSTRUCT files ({', '.join(file.name for file in files[:5])}); name the one that "
            "is meant"
        )
    return files[0]


def read_contours(path: str | Path) -> dict[str, list[Contour]]:
    """The outlines of every ROI, by its name, in the order of the file.

    Parameters
    ----------
    path : path
        An RTSTRUCT file, or a folder that holds one.

    Returns
    -------
    dict of str to list of Contour
        Points in LPS millimetres. POINT items and too short outlines are kept; `rasterise` skips and counts them. A
        ROI that was named but never drawn has an empty list.

    Raises
    ------
    ImageReadError
        No RTSTRUCT, several, or one that cannot be read.
    MaskError
        Two ROIs of one name.
    """
    import pydicom

    file = find_rtstruct(Path(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are met below
            data = pydicom.dcmread(file)
            return _by_name(data, file)
    except MaskError:
        raise
    except Exception as error:  # damaged files make pydicom raise nearly anything
        raise ImageReadError(f"{file}: the RTSTRUCT cannot be read ({error}): truncated? Export it again") from error


def _by_name(data: Any, file: Path) -> dict[str, list[Contour]]:
    drawn: dict[int, list[Contour]] = {}
    for roi in data.get("ROIContourSequence") or []:
        contours = [_contour(item) for item in roi.get("ContourSequence") or []]
        drawn.setdefault(int(roi.ReferencedROINumber), []).extend(contours)
    named: dict[str, list[Contour]] = {}
    for roi in data.get("StructureSetROISequence") or []:
        name = str(roi.get("ROIName", "")).strip() or f"ROI {roi.ROINumber}"
        if name in named:
            raise MaskError(f"{file}: two ROIs are called '{name}'; names must differ. Rename one and export again")
        named[name] = drawn.get(int(roi.ROINumber), [])
    if not named:
        raise MaskError(f"{file}: the RTSTRUCT names no ROI. Outline the lesion and export again")
    return named


def _contour(item: Any) -> Contour:
    numbers = np.array(item.get("ContourData") or [], dtype=np.float64)
    references = item.get("ContourImageSequence") or []
    return Contour(
        points_mm=numbers[: numbers.size // 3 * 3].reshape(-1, 3),
        kind=str(item.get("ContourGeometricType", "CLOSED_PLANAR")).upper(),
        instance=str(references[0].get("ReferencedSOPInstanceUID", "")) if len(references) == 1 else "",
    )
