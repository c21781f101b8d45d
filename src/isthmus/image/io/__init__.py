"""Reading and writing images: one module per format, geometry checked at the door.

`FORMATS` is the list of what is read and written; a format is a module with `NAME`, `SUFFIXES`, `read(path, data)` and, for image
files, `write`. DICOM (series, frames, outlines, segmentations) and pictures are read, not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import ImageReadError, MaskError
from isthmus.image.contours import Contour, rasterise, rasterise_with_notes
from isthmus.image.geometry import Geometry, Spacing
from isthmus.image.image import Image
from isthmus.image.io import dicom, metaimage, nifti, nrrd, picture, simpleitk, suv
from isthmus.image.io.checks import check_file, check_geometry, check_grid, narrower, widen
from isthmus.image.io.dicom import Series, find_series
from isthmus.image.io.picture import PixelSpacing
from isthmus.image.io.rtstruct import is_contours, read_contours
from isthmus.image.io.segmentation import Segmentation, find_segmentation, read_segmentation
from isthmus.image.io.sidecar import read_sidecar
from isthmus.image.labels import LabelImage

__all__ = [
    "FORMATS",
    "Contour",
    "LabelImage",
    "PixelSpacing",
    "Segmentation",
    "Series",
    "find_segmentation",
    "find_series",
    "from_array",
    "from_sitk",
    "is_contours",
    "rasterise",
    "rasterise_with_notes",
    "read_acquisition",
    "read_contours",
    "read_image",
    "read_labels",
    "read_segmentation",
    "to_sitk",
    "write_image",
    "write_labels",
]

FORMATS: Mapping[str, ModuleType] = MappingProxyType(
    {suffix: module for module in (nifti, nrrd, metaimage, picture, dicom) for suffix in module.SUFFIXES}
)


def _format_of(path: Path) -> ModuleType:
    """The module that reads a path."""
    if path.is_dir():
        return dicom
    name = path.name.lower()
    for suffix, module in FORMATS.items():
        if name.endswith(suffix):
            return module
    if path.is_file() and not path.suffix and _has_dicom_mark(path):
        return dicom
    raise ImageReadError(
        f"{path}: files of type '{path.suffix or 'no ending'}' are not read; known are {' '.join(FORMATS)} and a "
        "folder of DICOM slices"
    )


def _has_dicom_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_image(
    path: str | Path,
    *,
    pixel_spacing_mm: PixelSpacing | None = None,
    allow_colour: bool = False,
    data: bytes | None = None,
) -> Image:
    """An image from a file or a DICOM folder, its grid checked.

    Parameters
    ----------
    path : path
        .nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd, .png, .jpg, .tif, .bmp, one .dcm, or a folder that holds one DICOM series.
    pixel_spacing_mm : float or (float, float), optional
        Of a picture or ultrasound frame: the distance of its pixels (between rows, between columns). It goes before what the JSON
        beside the picture or the DICOM header says; other formats state their own, and it is not used there.
    allow_colour : bool
        Take a coloured frame by its luma; otherwise it is refused.
    data : bytes, optional
        The file's content, where it was read already (for its hash); of a folder, nothing.

    Returns
    -------
    Image
        `values` of shape (k, j, i), int16, int32, float32 or float64; `quantity` "HU" for CT and "SUVbw" for PET read
        from DICOM, "a.u." for files; `acquisition` as `read_acquisition` gives it, and what the reading itself found out (dose
        and times behind SUV). NaN and infinite voxels are let through: whether they matter depends on the lesion
        (`isthmus.roi.check_values`).

    Raises
    ------
    ImageReadError
        Missing, empty, truncated or unknown file; not one 3-D volume; a grid that cannot be trusted; PET without what SUV needs; a
        coloured picture.
    """
    path = Path(path)
    check_file(path)
    module = _format_of(path)
    if module is dicom:
        return _read_series(path, pixel_spacing_mm, allow_colour)
    if module is picture:
        values, geometry, facts = picture.read(path, data, pixel_spacing_mm=pixel_spacing_mm, allow_colour=allow_colour)
    else:
        values, geometry, facts = module.read(path, data)
    return Image(
        widen(values, path),
        geometry,
        source=str(path),
        acquisition={**read_sidecar(path), **facts},
        stored=narrower(values.dtype),
    )


def _read_series(path: Path, pixel_spacing_mm: PixelSpacing | None, allow_colour: bool) -> Image:
    """A DICOM series, its headers read once, PET as SUV; or an ultrasound frame."""
    found = dicom.headers(path)
    frame = picture.find_frame(found)
    if frame is not None:
        values, geometry = picture.read_frame(*frame, pixel_spacing_mm=pixel_spacing_mm, allow_colour=allow_colour)
        facts = dicom.acquisition(frame[1])
        return Image(widen(values, path), geometry, source=str(path), acquisition=facts, stored=narrower(values.dtype))
    series = dicom.series_of(path, found)
    header = series.headers[0]
    what, facts = dicom.quantity(header), dicom.acquisition(header)
    values = dicom.read_pixels(series)
    if suv.is_pet(header):
        uptake = suv.uptake(series.files, series.source)
        values, what, facts = uptake.applied(values), uptake.quantity, {**facts, **uptake.facts}
    return Image(
        widen(values, path),
        series.geometry,
        quantity=what,
        source=str(path),
        acquisition=facts,
        instances=series.instances,
        stored=narrower(values.dtype),
    )


def read_labels(path: str | Path, *, data: bytes | None = None, channel: int | None = None) -> LabelImage:
    """A label map from a mask file: whole numbers, 0 for background.

    Of a DICOM segmentation the segments' numbers, on a grid of its own that holds every one of its frames; `read_roi` places one
    segment on its image. `channel` says which number of a voxel is meant, where a file holds several.

    Raises
    ------
    ImageReadError
        As `read_image`; outlines are read by `read_contours`.
    MaskError
        The file holds fractions, NaN or infinity, or segments that overlap.
    """
    path = Path(path)
    check_file(path)
    module = _format_of(path)
    if module is dicom:
        return _of_segments(path)
    if module is picture:
        pixels, grid = picture.read_mask(path, data)
        return LabelImage(pixels, grid, str(path))
    if channel is not None:
        values, geometry = simpleitk.read_channel(path, channel)
    else:
        values, geometry, _ = module.read(path, data)
    return LabelImage(_whole(values, path), geometry, str(path))


def _of_segments(path: Path) -> LabelImage:
    """Every segment of a SEG on one grid."""
    file = find_segmentation(path)
    if file is None:
        raise ImageReadError(
            f"{path}: no mask: a DICOM image, or outlines. A mask file (NIfTI, NRRD, MHA), a DICOM segmentation (SEG) or an RTSTRUCT "
            "was expected"
        )
    segmentation = read_segmentation(file)
    return LabelImage(*segmentation.labels(), str(path))


def _whole(values: NDArray[Any], path: Path) -> NDArray[Any]:
    """Labels as integers, in the machine's byte order."""
    if values.dtype.kind in "iu":
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int32)
    wrong = whole != values
    if wrong.any():
        raise MaskError(
            f"{path}: {int(np.count_nonzero(wrong))} voxels are no whole numbers (the first {values[wrong][0]:g}); "
            "a mask holds labels. Was a probability map or the image itself given? Threshold it first"
        )
    return whole


def read_acquisition(path: str | Path) -> dict[str, Any]:
    """What the scanner says: from the DICOM header, or from the JSON beside an image file.

    Returns
    -------
    dict
        vendor, model, modality, field_strength_t, kvp, kernel, slice_thickness_mm, phase, ... as far as known; {}
        when nothing is.
    """
    path = Path(path)
    check_file(path)
    if _format_of(path) is not dicom:
        return read_sidecar(path)
    images = [header for _, header in dicom.headers(path) if "Rows" in header]
    return dicom.acquisition(images[0]) if images else {}


def from_array(values: ArrayLike, spacing_mm: Spacing) -> Image:
    """An image of an array (k, j, i) in memory and its spacing (k, j, i); axes along the patient's, origin 0."""
    array = np.array(values)
    check_grid(array.shape, "array")
    geometry = check_geometry(Geometry(array.shape, spacing_mm), "array")
    return Image(widen(array, "array"), geometry, stored=narrower(array.dtype))


def from_sitk(image: Any, source: str = "") -> Image:
    """An image of a SimpleITK image in memory (its voxels are copied)."""
    values, geometry = simpleitk.from_sitk_parts(image, source or "SimpleITK image")
    widened = widen(values, source or "SimpleITK image")
    return Image(widened, geometry, source=source, stored=narrower(values.dtype))


def to_sitk(image: Image) -> Any:
    """A SimpleITK image with the same voxels in the same place."""
    return simpleitk.to_sitk_parts(image.values, image.geometry)


def write_image(image: Image, path: str | Path) -> None:
    """Write an image (.nii, .nii.gz, .nrrd, .mha, .mhd, .nhdr); the same image gives the same bytes."""
    _write(image.values, image.geometry, Path(path))


def write_labels(labels: LabelImage, path: str | Path) -> None:
    """Write a label map, in its own integer type; the same labels give the same bytes."""
    _write(labels.values, labels.geometry, Path(path))


def _write(values: NDArray[Any], geometry: Geometry, path: Path) -> None:
    module = _format_of(path)
    if module in (dicom, picture):
        writable = " ".join(suffix for suffix, writer in FORMATS.items() if hasattr(writer, "write"))
        raise ImageReadError(f"{path}: {module.NAME} is read, not written; write one of {writable}")
    path.parent.mkdir(parents=True, exist_ok=True)
    module.write(values, geometry, path)
