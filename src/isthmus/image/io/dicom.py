"""DICOM series: one folder, one series, one volume, its grid taken from the headers and checked slice by slice.

The slices are found and put in order here, from their positions; only then are the sorted names handed to SimpleITK
for the pixels (which it decompresses and rescales). Left alone it turns a series with missing slices into one with
another spacing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, IsthmusWarning
from isthmus.image.geometry import Geometry
from isthmus.image.io.checks import check_geometry
from isthmus.image.io.simpleitk import load_sitk, quiet
from isthmus.image.io.words import clean

__all__ = [
    "NAME",
    "SUFFIXES",
    "Series",
    "acquisition",
    "find_series",
    "headers",
    "quantity",
    "read_pixels",
    "series_of",
]

NAME = "DICOM"
SUFFIXES = (".dcm", ".ima")

AGAIN = " Export the series again, or take the file away"
STEP_TOLERANCE = 0.01  # of the median step between slices
SIDEWAYS_TOLERANCE = 0.05  # of the in-plane spacing: drift of the slices across their normal

SEGMENTATION = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
TAGS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SeriesDescription",
    "SeriesNumber",
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "Units",
    "SUVType",
    "EchoNumbers",
    "EchoTime",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "DiffusionBValue",
    "TriggerTime",
    "Manufacturer",
    "ManufacturerModelName",
    "InstitutionName",
    "MagneticFieldStrength",
    "KVP",
    "XRayTubeCurrent",
    "ConvolutionKernel",
    "SliceThickness",
    "RepetitionTime",
    "FlipAngle",
    "ContrastBolusAgent",
    "ContrastBolusAgentPhase",
    "FrameOfReferenceUID",
    "PatientName",  # so that a fact which holds it can be left out (`_names_the_patient`)
    "PatientID",
]
SPLITTERS = (
    "EchoNumbers",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "DiffusionBValue",
    "TriggerTime",
    "EchoTime",
)

FACTS = (
    ("modality", "Modality", str),
    ("vendor", "Manufacturer", str),
    ("model", "ManufacturerModelName", str),
    ("institution", "InstitutionName", str),
    ("field_strength_t", "MagneticFieldStrength", float),
    ("kvp", "KVP", float),
    ("tube_current_ma", "XRayTubeCurrent", float),
    ("kernel", "ConvolutionKernel", str),
    ("slice_thickness_mm", "SliceThickness", float),
    ("repetition_time_ms", "RepetitionTime", float),
    ("echo_time_ms", "EchoTime", float),
    ("flip_angle_deg", "FlipAngle", float),
    ("contrast_agent", "ContrastBolusAgent", str),
    ("phase", "ContrastBolusAgentPhase", str),
    ("series", "SeriesDescription", str),
)


@dataclass(frozen=True, eq=False)
class Series:
    """One DICOM series in order, its pixels not read yet.

    Parameters
    ----------
    files : tuple of Path
        One per slice, k ascending.
    geometry : Geometry
    headers : tuple of pydicom datasets, in the order of `files`
    source : str
    """

    files: tuple[Path, ...]
    geometry: Geometry
    headers: tuple[Any, ...]
    source: str

    @property
    def scales(self) -> set[tuple[float, float]]:
        """Every pair of rescale slope and intercept."""
        return {(float(h.get("RescaleSlope", 1) or 1), float(h.get("RescaleIntercept", 0) or 0)) for h in self.headers}

    @property
    def instances(self) -> dict[str, int]:
        """Slice index of each SOP instance."""
        return {str(header.SOPInstanceUID): k for k, header in enumerate(self.headers) if "SOPInstanceUID" in header}


def headers(path: Path) -> list[tuple[Path, Any]]:
    """The DICOM files at a path and their headers, without pixels.

    A folder is searched with all below it; files that are no DICOM are passed over.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
    found = []
    for file in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydicom comments on odd values; what matters is checked below
                header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS)
                for name in TAGS:
                    header.get(name)  # pydicom converts a value when it is first asked for
                is_slice = "Rows" in header or _should_be_image(header)
        except InvalidDicomError as error:
            if path.is_dir() and file.suffix.lower() in SUFFIXES:
                raise ImageReadError(f"{file}: not a DICOM file, whatever its name says: truncated?{AGAIN}") from error
            continue
        except Exception as error:  # damaged files make pydicom raise nearly anything
            raise ImageReadError(f"{file}: its DICOM header cannot be read ({error}): truncated?{AGAIN}") from error
        if is_slice and "Rows" not in header:
            raise ImageReadError(f"{file}: the header of an image that does not say its size: truncated?{AGAIN}")
        found.append((file, header))
    return found


def _should_be_image(header: Any) -> bool:
    """By its class a slice; a header cut short may not even say that, and a damaged one says what no class is called.

    Classes of a maker's own (his raw data) are none of the standard's, and are passed over.
    """
    kind = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    if not kind:
        return True
    if kind.name == str(kind):  # the standard knows no such class
        return not kind.is_valid or kind.startswith("1.2.840.10008.")
    return "Image Storage" in kind.name


def find_series(path: Path, *, step_tolerance: float = STEP_TOLERANCE) -> Series:
    """The one series at a path, in order, with its grid checked.

    Parameters
    ----------
    path : Path
        A folder (searched with all below it), or one file for a series of one slice. Files that are no DICOM images
        (an RTSTRUCT beside the slices, notes, ...) are passed over.
    step_tolerance : float
        By how much of their median the steps between slices may differ.

    Raises
    ------
    ImageReadError
        No image, several series, a missing or doubled slice, unequal steps, a tilted gantry.
    """
    return series_of(path, headers(path), step_tolerance)


def series_of(path: Path, found: list[tuple[Path, Any]], step_tolerance: float = STEP_TOLERANCE) -> Series:
    """The same of headers read already."""
    try:
        return _series(path, found, step_tolerance)
    except ImageReadError:
        raise
    except Exception as error:  # pydicom converts numbers as they are met, and damaged ones raise nearly anything
        raise ImageReadError(f"{path}: a number in the DICOM headers cannot be read ({error}).{AGAIN}") from error


def _series(path: Path, found: list[tuple[Path, Any]], step_tolerance: float) -> Series:
    """The series among the headers; values that pydicom cannot convert raise as they are met."""
    slices = [
        (file, header) for file, header in found if "Rows" in header and header.get("SOPClassUID") not in SEGMENTATION
    ]
    if not slices:
        raise ImageReadError(_no_image(path, found))
    for file, header in slices:
        _check_slice(file, header)
    groups: dict[tuple[Any, ...], list[tuple[Path, Any]]] = {}
    for file, header in slices:
        groups.setdefault(_group(header), []).append((file, header))
    if len(groups) > 1:
        raise ImageReadError(_several(path, groups.values()))
    return _ordered(path, next(iter(groups.values())), step_tolerance)


def _no_image(path: Path, found: list[tuple[Path, Any]]) -> str:
    kinds = sorted({str(header.get("Modality", "?")) for _, header in found})
    if "SEG" in kinds:
        return f"{path}: a DICOM segmentation (SEG) is a mask, no image; slices were expected"
    if found:
        return (
            f"{path}: {len(found)} DICOM files but no image among them (modality {', '.join(kinds)}); slices were "
            "expected"
        )
    what = "the folder holds no DICOM file" if path.is_dir() else "not a DICOM file"
    inside = sorted(item.name for item in path.iterdir())[:3] if path.is_dir() else []
    holds = f" (it holds {', '.join(inside)}, ...)" if inside else ""
    return f"{path}: {what}{holds}; a DICOM series was expected"


def _check_slice(file: Path, header: Any) -> None:
    """A single-frame grey slice that says where it lies."""
    if int(header.get("NumberOfFrames", 1) or 1) > 1:
        raise ImageReadError(
            f"{file}: {header.NumberOfFrames} frames in one file (enhanced DICOM), which is not read yet. Convert it "
            "to NIfTI or to single slices"
        )
    if int(header.get("SamplesPerPixel", 1) or 1) > 1:
        raise ImageReadError(
            f"{file}: a colour image ({header.SamplesPerPixel} values per pixel), which is not read yet"
        )
    missing = [
        name
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
        if header.get(name) in (None, "")
    ]
    if missing:
        raise ImageReadError(
            f"{file}: the header has no {', '.join(missing)} (modality {header.get('Modality', '?')}), so the slice "
            "cannot be placed. "
            "Export the original series, or convert it to NIfTI"
        )

    spacing = [float(number) for number in header.PixelSpacing]
    if not all(np.isfinite(number) and number > 0 for number in spacing):
        raise ImageReadError(f"{file}: pixel spacing {spacing} mm; each must be a number > 0. Correct the header")


def _orientation(header: Any) -> NDArray[np.float64]:
    return np.array(header.ImageOrientationPatient, dtype=np.float64)


def _group(header: Any) -> tuple[Any, ...]:
    """What all slices of one volume share."""
    return (
        str(header.get("SeriesInstanceUID", "")),
        tuple(np.round(_orientation(header), 3) + 0.0),
        tuple(np.round(np.array(header.PixelSpacing, dtype=np.float64), 5)),
        int(header.Rows),
        int(header.Columns),
    )


def _several(path: Path, groups: Iterable[list[tuple[Path, Any]]]) -> str:
    lines = []
    for members in groups:
        file, header = members[0]
        what = clean(str(header.get("SeriesDescription", ""))) or "no description"
        lines.append(
            f"{header.get('Modality', '?')} '{what}', {len(members)} slices of {header.Rows} x {header.Columns}, "
            f"normal {np.round(_axes(header)[0], 2).tolist()}, series number {header.get('SeriesNumber', '?')}, e.g. {file.name}"
        )
    return (
        f"{path}: {len(lines)} DICOM series where one was expected: {'; '.join(sorted(lines))}. Give each a folder of "
        "its own"
    )


def _axes(header: Any) -> NDArray[np.float64]:
    """Rows: unit vectors along k (the slice normal), j (down a column) and i (along a row)."""
    orientation = _orientation(header)
    i, j = orientation[:3], orientation[3:]
    return np.stack([np.cross(i, j), j, i])


def _ordered(path: Path, members: list[tuple[Path, Any]], step_tolerance: float) -> Series:
    """The slices in order along their normal, and the grid they make."""
    axes = _axes(members[0][1])
    positions = np.array([header.ImagePositionPatient for _, header in members], dtype=np.float64)
    along = positions @ axes[0]
    order = np.argsort(along, kind="stable")
    members, positions, along = [members[n] for n in order], positions[order], along[order]
    row_mm, column_mm = map(float, members[0][1].PixelSpacing)  # between rows, between columns
    if len(members) == 1:
        warnings.warn(
            f"{path}: a single slice, so the distance between slices is unknown; 1 mm is taken: volumes are per mm of "
            "thickness",
            IsthmusWarning,
            stacklevel=2,
        )
        step = 1.0
    else:
        _check_doubles(path, members, along)
        _check_steps(path, along, step_tolerance)
        _check_tilt(path, positions, axes[0], min(row_mm, column_mm))
        step = float(along[-1] - along[0]) / (len(members) - 1)
    first = members[0][1]
    geometry = Geometry(
        shape=(len(members), int(first.Rows), int(first.Columns)),
        spacing_mm=(step, row_mm, column_mm),
        origin_mm=tuple(positions[0].tolist()),
        direction=axes.T,
    )
    files, heads = zip(*members, strict=True)
    series = Series(files, check_geometry(geometry, path), heads, str(path))
    if not np.isfinite([number for pair in series.scales for number in pair]).all():
        raise ImageReadError(f"{path}: a rescale slope or intercept is not a number.{AGAIN}")
    return series


def _check_doubles(path: Path, members: list[tuple[Path, Any]], along: NDArray[np.float64]) -> None:
    """No two slices at one position."""
    doubled = np.flatnonzero(np.diff(along) < 1e-3)
    if not doubled.size:
        return
    n = int(doubled[0])
    (one, first), (two, second) = members[n], members[n + 1]
    for name in SPLITTERS:
        values = sorted({str(header.get(name, "")) for _, header in members})
        if first.get(name) != second.get(name) and len(values) > 1:
            raise ImageReadError(
                f"{path}: {len(values)} volumes in one series, told apart by {name} ({', '.join(values[:6])}): "
                f"{one.name} and {two.name} both lie at {along[n]:.3f} mm. Give each a folder of its own"
            )
    same = first.get("SOPInstanceUID") == second.get("SOPInstanceUID")
    raise ImageReadError(
        f"{path}: {doubled.size} positions hold more than one slice, the first {along[n]:.3f} mm along the normal: "
        f"{one.name} and {two.name}"
        f" ({'copies of one instance' if same else 'different instances'}). One slice per position was expected: "
        "remove the others"
    )


def _check_steps(path: Path, along: NDArray[np.float64], tolerance: float) -> None:
    """Equal steps; a gap is named."""
    steps = np.diff(along)
    median = float(np.median(steps))
    wrong = np.flatnonzero(np.abs(steps - median) > tolerance * median)
    if not wrong.size:
        return
    n = int(wrong[np.argmax(np.abs(steps[wrong] - median))])
    times = steps[n] / median
    gap = times > 1.5 and abs(times - round(times)) < 0.1
    what = f"{round(times) - 1} missing" if gap else "the spacing varies"
    raise ImageReadError(
        f"{path}: slices are not evenly spaced ({what}): step of {steps[n]:.4g} mm between slices {n} and {n + 1} "
        f"(positions {along[n]:.3f} and {along[n + 1]:.3f} mm), {median:.4g} mm elsewhere; "
        f"{wrong.size} of {steps.size} steps differ by more than {tolerance:.0%}. Export the whole series again"
    )


def _check_tilt(path: Path, positions: NDArray[np.float64], normal: NDArray[np.float64], in_plane_mm: float) -> None:
    """The slices lie straight above one another."""
    offset = positions - positions[0]
    height = offset @ normal
    sideways = np.linalg.norm(offset - np.outer(height, normal), axis=1)
    if sideways.max() > SIDEWAYS_TOLERANCE * in_plane_mm:
        n = int(np.argmax(sideways))
        angle = np.degrees(np.arctan2(sideways[n], abs(height[n])))
        raise ImageReadError(
            f"{path}: the slices are shifted sideways by up to {sideways.max():.3g} mm, a gantry tilt of {angle:.2f} "
            "degrees. "
            "A straight grid was expected: correct the tilt (resample) first"
        )


def read_pixels(series: Series) -> NDArray[Any]:
    """The rescaled pixels of a series, shape (k, j, i): whole numbers where slope and intercept are, else double."""
    sitk = load_sitk()

    whole = len(series.scales) == 1 and all(number.is_integer() for pair in series.scales for number in pair)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in series.files])
    if not whole:
        reader.SetOutputPixelType(sitk.sitkFloat64)  # ITK would take the type from the first slice and cut the others
    with quiet():
        try:
            values = sitk.GetArrayFromImage(reader.Execute())
        except RuntimeError as error:
            line = re.sub(r"\(0x[0-9a-f]+\)", "", str(error).strip().splitlines()[-1])
            raise ImageReadError(
                f"{series.source}: the pixels cannot be read ({line}): truncated? Export the series again"
            ) from error
    if values.shape != series.geometry.shape:
        raise ImageReadError(
            f"{series.source}: the headers promise {series.geometry.shape} voxels (k, j, i), the pixels make "
            f"{values.shape}"
        )
    return np.asarray(values)


def quantity(header: Any) -> str:
    """ "HU" for CT, "a.u." for the rest; PET is judged by `suv`."""
    in_hu = header.get("Modality") == "CT" and str(header.get("RescaleType", "") or "HU").upper() == "HU"
    return "HU" if in_hu else "a.u."


def acquisition(header: Any) -> dict[str, Any]:
    """What a DICOM header says about the scanner, in our names; what it does not say is absent.

    Of the series' description the words of anatomy and technique; no fact that holds the patient's name or number.
    """
    facts: dict[str, Any] = {}
    for ours, theirs, kind in FACTS:
        value = header.get(theirs)
        if value in (None, "") or (isinstance(value, str) and not value.strip()):
            continue
        text = value.strip() if isinstance(value, str) else "\\".join(map(str, np.atleast_1d(value)))
        if _names_the_patient(text, header):
            continue
        if ours == "series":
            text = clean(text)
            if not text:
                continue
        try:
            facts[ours] = kind(text)
        except ValueError:  # several numbers, or a word where a number belongs: kept as it stands
            facts[ours] = text
    return facts


def _names_the_patient(text: str, header: Any) -> bool:
    """Does a text hold the number of its patient, or a word (three letters or more) of his name? Headers are filled in by hand."""
    low = text.lower()
    number = str(header.get("PatientID", "") or "").strip().lower()
    words = re.split(r"[\^=\s,]+", str(header.get("PatientName", "") or "").lower())
    return (len(number) >= 5 and number in low) or any(
        len(word) >= 3 and re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", low) for word in words
    )
