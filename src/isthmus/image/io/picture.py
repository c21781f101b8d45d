"""Pictures (PNG, JPG, TIF, BMP) and single ultrasound frames: one slice of grey values, their size known only if it is told.

- *Size.* The resolution a picture reports is that of screens and printers. Without `pixel_spacing_mm`, from the call or the JSON beside
  the picture, lengths are in pixels (`Geometry.unit` "px"). A DICOM frame may state it (PixelSpacing, or its ultrasound regions).
- *Grey.* Where the three channels are equal they are the grey value; else it is the luma of ITU-R BT.601,
  0.299 R + 0.587 G + 0.114 B, rounded.
- *Colour.* A pixel is coloured where its channels differ by more than compression makes of grey. A frame with more than a few such
  pixels (a marker, a scale) is colour Doppler or elastography and is refused, unless allowed.
"""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, IsthmusWarning, MaskError
from isthmus.image.geometry import Geometry
from isthmus.image.io.checks import PICTURES
from isthmus.image.io.inflate import Bytes
from isthmus.image.io.sidecar import sidecar_path
from isthmus.image.io.simpleitk import load_sitk, quiet

__all__ = ["NAME", "SUFFIXES", "PixelSpacing", "find_frame", "is_picture", "read", "read_frame", "read_mask"]

NAME = "picture"
SUFFIXES = PICTURES

PixelSpacing = float | tuple[float, float]

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
COLOURED = 32  # of 255: by how much the channels of a grey pixel may differ after JPEG
MOST_COLOURED = 0.005  # of all pixels: more than this is no marker
LOSSY_MASK = 0.25  # of the largest value: a mask's pixels lie within this of 0 or of the largest
MOST_BETWEEN = 0.10  # of the mask's pixels: more between the two than its edge explains
MOST_LABELS = 16  # a mask with more values than this is a smoothed one
EXIF_ORIENTATION = 0x0112
CENTIMETRE, TWO_DIMENSIONAL, TISSUE = 3, 1, 1  # DICOM PS3.3, C.8.5.5


def is_picture(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def read(
    path: Path, data: Bytes | None = None, *, pixel_spacing_mm: PixelSpacing | None = None, allow_colour: bool = False
) -> tuple[NDArray[Any], Geometry, dict[str, Any]]:
    """Grey values, shape (1, j, i), their grid, and no further facts."""
    pixels = _pixels(path, data, palette_as_labels=False)
    values = _grey(pixels, path, allow_colour)
    spacing = pixel_spacing_mm if pixel_spacing_mm is not None else _sidecar_spacing(path)
    return values[None], _geometry(values.shape, spacing, path), {}


def _pixels(path: Path, data: Bytes | None, *, palette_as_labels: bool) -> NDArray[Any]:
    """The picture as stored: (j, i), or (j, i, 3); opaque alpha left out, a palette looked up (for labels its "
    "indices, if the first is black)."""
    from PIL import Image as Pillow

    content = bytes(path.read_bytes() if data is None else data)
    if content[:8] == b"\x89PNG\r\n\x1a\n" and content[24:25] == b"\x10" and content[25:26] != b"\0":
        raise ImageReadError(
            f"{path}: a PNG of 16 bits with colours or alpha; grey, or 8 bits, was expected. Save it as grey"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(content)) as picture:
                frames, turned = getattr(picture, "n_frames", 1), picture.getexif().get(EXIF_ORIENTATION, 1)
                picture.load()
                mode = picture.mode
                black_first = (picture.getpalette() or [0])[:3] == [0, 0, 0]
                if mode in ("P", "PA") and not (palette_as_labels and black_first):
                    colours = "RGBA" if "transparency" in picture.info or mode == "PA" else "RGB"
                    pixels = np.asarray(picture.convert(colours))
                else:
                    pixels = np.asarray(picture)
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageReadError(
            f"{path}: cannot be read as a picture ({error}): truncated, or another format? Copy or export it again"
        ) from error
    if frames > 1:
        raise ImageReadError(f"{path}: {frames} pictures in one file; one was expected. Save the frame that is meant")
    if turned != 1:
        raise ImageReadError(
            f"{path}: the picture is to be shown turned (EXIF orientation {turned}), so a mask drawn on it may not fit "
            "its pixels. Save it "
            "upright, without that mark"
        )
    if mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        raise ImageReadError(f"{path}: a picture in {mode} colours; grey or RGB was expected. Convert it")
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * (1 if palette_as_labels else 255)
    return _opaque(pixels, path)


def _opaque(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    """Without an alpha channel that says nothing."""
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        if (pixels[..., -1] != 255).any():
            share = np.count_nonzero(pixels[..., -1] != 255) / pixels[..., -1].size
            raise ImageReadError(
                f"{path}: {share:.1%} of the pixels are transparent, so their value depends on what lies behind. Save "
                "it without transparency"
            )
        pixels = pixels[..., :-1]
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def _grey(pixels: NDArray[Any], path: object, allow_colour: bool) -> NDArray[Any]:
    """One number per pixel."""
    if pixels.ndim == 2:
        return pixels
    if (pixels == pixels[..., :1]).all():
        return np.ascontiguousarray(pixels[..., 0])
    coloured = int(np.count_nonzero(np.ptp(pixels.astype(np.int16), axis=2) > COLOURED))
    share = coloured / pixels[..., 0].size
    if share > MOST_COLOURED and not allow_colour:
        raise ImageReadError(
            f"{path}: {share:.1%} of the pixels are coloured (colour Doppler, elastography, an overlay?); a grey frame "
            "was expected. Export the "
            "frame without colour, or allow it (allow_colour = true): colours then count by their luma"
        )
    if coloured:
        _say(
            f"{path}: {coloured} of {pixels[..., 0].size} pixels are coloured; they count by their luma (ITU-R BT.601)"
        )
    return np.rint(pixels @ LUMA).astype(pixels.dtype)


def _geometry(shape: tuple[int, ...], spacing: PixelSpacing | None, path: object) -> Geometry:
    """One slice, nowhere in the patient; pixels are the unit where their size is unknown."""
    if spacing is None:
        _say(
            f"{path}: the picture does not say how large its pixels are; lengths, areas and volumes of this case are in pixels (px). Set "
            "pixel_spacing_mm, or write it into the JSON beside the picture"
        )
        return Geometry((1, shape[0], shape[1]), (1.0, 1.0, 1.0), unit="px", placed=False)
    rows, columns = spacing if isinstance(spacing, tuple) else (spacing, spacing)
    if not all(np.isfinite(number) and number > 0 for number in (rows, columns)):
        raise ImageReadError(
            f"{path}: pixel_spacing_mm = {spacing}; a number > 0 was expected, or two (between rows, between columns)"
        )
    return Geometry((1, shape[0], shape[1]), (1.0, float(rows), float(columns)), placed=False)


def _sidecar_spacing(path: Path) -> PixelSpacing | None:
    """`spacing_mm` or `pixel_spacing_mm` of the JSON beside the picture: one number, or two (rows, columns)."""
    sidecar = sidecar_path(path)
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8")) if sidecar.is_file() else {}
    except (ValueError, OSError):
        return None  # `read_sidecar` says so
    value = (
        next((content[key] for key in ("pixel_spacing_mm", "spacing_mm") if key in content), None)
        if isinstance(content, dict)
        else None
    )
    if value is None:
        return None
    numbers = value if isinstance(value, list) else [value, value]
    if len(numbers) == 2 and all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        return float(numbers[0]), float(numbers[1])
    raise ImageReadError(
        f"{sidecar}: spacing_mm = {value}; one number > 0 was expected, or two (between rows, between columns)"
    )


def _say(text: str) -> None:
    warnings.warn(text, IsthmusWarning, stacklevel=3)


# ----------------------------------------------------------------------------------------------------------- masks


def read_mask(path: Path, data: Bytes | None = None) -> tuple[NDArray[Any], Geometry]:
    """A picture as a label map: the indices of a palette, whole numbers, or one colour on black (255).

    Lossy pictures, and smoothed edges, are cut at half of their largest value; that is said.

    Raises
    ------
    MaskError
        Several colours, fractions, or so many pixels between background and foreground that the edge is a guess.
    """
    pixels = _pixels(path, data, palette_as_labels=True)
    if pixels.dtype.kind not in "iu":
        raise MaskError(f"{path}: a picture of fractions; a mask holds whole numbers. Threshold it first")
    if pixels.ndim == 3:
        pixels = _one_colour(pixels, path)
    lossy = path.suffix.lower() in (".jpg", ".jpeg")
    if lossy or len(np.unique(pixels)) > MOST_LABELS:
        pixels = _cut(pixels, path)
    return pixels[None], Geometry((1, *pixels.shape), (1.0, 1.0, 1.0), unit="px", placed=False)


def _one_colour(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    """Colours as numbers: equal channels, or one colour on black."""
    if np.ptp(pixels.astype(np.int16), axis=2).max() <= COLOURED:
        return np.rint(pixels @ LUMA).astype(pixels.dtype)
    colours = np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)
    colours = colours[colours.any(axis=1)]
    if len(colours) == 1:
        return np.where(pixels.any(axis=2), 255, 0).astype(np.uint8)
    shown = ", ".join("#" + "".join(f"{part:02x}" for part in colour) for colour in colours[:5])
    raise MaskError(
        f"{path}: the mask has {len(colours)} colours ({shown}{', ...' if len(colours) > 5 else ''}); one colour on "
        "black, or grey, was expected. "
        "Is it the image with an overlay? Export the mask alone"
    )


def _cut(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    """Background and foreground of a mask blurred by compression or smoothing."""
    largest = int(pixels.max())
    if largest == 0:
        return pixels
    inside = pixels >= largest / 2
    between = int(np.count_nonzero((pixels > LOSSY_MASK * largest) & (pixels < (1 - LOSSY_MASK) * largest)))
    size = int(np.count_nonzero(inside))
    if between > MOST_BETWEEN * size + 8:
        raise MaskError(
            f"{path}: {between} pixels lie between background and foreground (0 and {largest}) beside {size} of the "
            "mask: no clear edge. Was the image "
            "given, or a mask compressed too much? Save the mask as PNG"
        )
    _say(
        f"{path}: the mask's values are blurred (compressed or smoothed); pixels of at least {largest / 2:g} were "
        f"taken, {between} lay near that edge"
    )
    return np.where(inside, largest, 0).astype(pixels.dtype)


# --------------------------------------------------------------------------------------------------- DICOM frames


def find_frame(found: list[tuple[Path, Any]]) -> tuple[Path, Any] | None:
    """The one ultrasound frame among DICOM headers; None where they are something else."""
    images = [(file, header) for file, header in found if "Rows" in header]
    if (
        len(images) == 1
        and images[0][1].get("Modality") in ("US", "IVUS")
        and not images[0][1].get("ImagePositionPatient")
    ):
        return images[0]
    return None


def read_frame(
    file: Path, header: Any, *, pixel_spacing_mm: PixelSpacing | None = None, allow_colour: bool = False
) -> tuple[NDArray[Any], Geometry]:
    """A single ultrasound frame from DICOM."""
    if int(header.get("NumberOfFrames", 1) or 1) > 1:
        raise ImageReadError(
            f"{file}: an ultrasound clip of {header.NumberOfFrames} frames; one frame was expected. Export the frame that is meant"
        )
    sitk = load_sitk()
    with quiet():
        try:
            pixels = np.squeeze(sitk.GetArrayFromImage(sitk.ReadImage(str(file))), axis=0)
        except RuntimeError as error:
            line = str(error).strip().splitlines()[-1]
            raise ImageReadError(
                f"{file}: the pixels cannot be read ({line}): truncated? Export the frame again"
            ) from error
    values = _grey(pixels, file, allow_colour)
    spacing = pixel_spacing_mm if pixel_spacing_mm is not None else _stated_spacing(file)
    return values[None], _geometry(values.shape, spacing, file)


def _stated_spacing(file: Path) -> PixelSpacing | None:
    """PixelSpacing, or that of the tissue in the ultrasound regions where all agree."""
    import pydicom

    header = pydicom.dcmread(
        file, stop_before_pixels=True, specific_tags=["PixelSpacing", "SequenceOfUltrasoundRegions"]
    )
    stated = header.get("PixelSpacing")
    if stated not in (None, "") and len(stated) == 2:
        return float(stated[0]), float(stated[1])
    found = set()
    for region in header.get("SequenceOfUltrasoundRegions") or []:
        units = {int(region.get(f"PhysicalUnits{axis}Direction", 0) or 0) for axis in "XY"}
        kinds = int(region.get("RegionSpatialFormat", 0) or 0), int(region.get("RegionDataType", 0) or 0)
        if units == {CENTIMETRE} and kinds == (TWO_DIMENSIONAL, TISSUE):
            found.add(tuple(round(abs(float(region.get(f"PhysicalDelta{axis}", 0) or 0)) * 10, 9) for axis in "YX"))
    if len(found) > 1:
        _say(
            f"{file}: ultrasound regions of different scales ({', '.join(map(str, sorted(found)))} mm); which holds the lesion is unknown"
        )
        return None
    spacing = next(iter(found), None)
    return (spacing[0], spacing[1]) if spacing and all(spacing) else None
