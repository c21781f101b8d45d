"""Writing masked in DICOM frames and pictures, and a preview of what was done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.cohort.deidentify.burnt_in import Box, find_writing, luma
from isthmus.cohort.deidentify.settings import Settings
from isthmus.errors import ImageReadError

__all__ = ["is_looked_at", "mask_dicom", "mask_picture", "write_preview"]

WRITTEN_ON = ("US", "IVUS", "XC", "ES", "GM", "OP", "OPT", "OT", "SC", "VF", "DMS")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
WHOLE = 0.95  # of the frame: regions that cover more say nothing
LARGEST_PREVIEW = 900  # pixels
OUTLINE = (255, 64, 64)


def is_looked_at(data: Any, settings: Settings) -> bool:
    """Is writing looked for in the pixels of this dataset?

    Raises
    ------
    ImageReadError
        The header says that names are written in it, and looking is switched off; or it is the label of a slide.
    """
    kinds = [str(kind).upper() for kind in (data.get("ImageType") or [])]
    if "LABEL" in kinds or "OVERVIEW" in kinds:
        raise ImageReadError("the label or overview of a slide: it shows the patient's name or number. Leave it out")
    if "PixelData" not in data or data.get("Modality") == "SEG":
        return False
    written = str(data.get("BurnedInAnnotation", "")).upper() == "YES"
    if settings.burnt_in == "none":
        if written:
            raise ImageReadError("BurnedInAnnotation says YES, and masking is switched off (--burnt-in none)")
        return False
    captured = str(data.get("SOPClassUID", "")).startswith(SECONDARY_CAPTURE)
    return settings.burnt_in == "all" or written or captured or data.get("Modality") in WRITTEN_ON


def mask_dicom(data: Any) -> tuple[list[Box], NDArray[np.uint8]]:
    """Mask the writing in a dataset's pixels, in place.

    Returns
    -------
    list of Box
    array, uint8
        Shape (j, i): the first frame as it is now, for the preview.
    """
    try:
        pixels, shown = _decoded(data)
    except Exception as error:  # decoders raise nearly anything
        raise ImageReadError(
            f"its pixels cannot be unpacked ({type(error).__name__}), so nobody can say what is written on them"
        ) from error
    boxes = find_writing(shown, _regions(data, shown.shape[1:]))
    if boxes:
        _fill(pixels, shown, boxes, inverted=str(data.get("PhotometricInterpretation")) == "MONOCHROME1")
        _store(data, pixels)
    data.BurnedInAnnotation = "NO"
    return boxes, shown[0]


def _decoded(data: Any) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Pixels (frame, j, i[, channel]) as they are stored, and as bright as they are shown."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    pixels = np.array(pixel_array(data))
    if int(data.get("NumberOfFrames", 1) or 1) == 1:
        pixels = pixels[None]
    kind = str(data.PhotometricInterpretation)
    if kind == "PALETTE COLOR":
        return pixels, luma(apply_color_lut(pixels, data))
    shown = luma(pixels)
    return pixels, (255 - shown if kind == "MONOCHROME1" else shown)


def _regions(data: Any, shape: tuple[int, ...]) -> list[Box]:
    """Where the scan is, by the ultrasound header; nothing where that is the whole frame."""
    found = []
    for region in data.get("SequenceOfUltrasoundRegions") or []:
        names = ("RegionLocationMinY0", "RegionLocationMinX0", "RegionLocationMaxY1", "RegionLocationMaxX1")
        if all(name in region for name in names):
            top, left, bottom, right = (int(region[name].value) for name in names)
            found.append(Box(max(top, 0), max(left, 0), min(bottom + 1, shape[0]), min(right + 1, shape[1])))
    covered = np.zeros(shape, dtype=bool)
    for box in found:
        covered[box.slices] = True
    return found if found and 0 < covered.mean() < WHOLE else []


def _fill(pixels: NDArray[Any], shown: NDArray[np.uint8], boxes: list[Box], *, inverted: bool) -> None:
    """The boxes take the darkest value that is shown."""
    darkest = np.unravel_index(int(shown.argmin()), shown.shape)
    dark = pixels[darkest].copy() if not inverted else pixels.max()
    for box in boxes:
        pixels[(slice(None), *box.slices)] = dark
        shown[(slice(None), *box.slices)] = shown[darkest]


def _store(data: Any, pixels: NDArray[Any]) -> None:
    """Uncompressed, whatever it was."""
    from pydicom.uid import ExplicitVRLittleEndian

    del data.PixelData
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if int(data.get("SamplesPerPixel", 1)) > 1:
        data.PhotometricInterpretation, data.PlanarConfiguration = "RGB", 0
    stored = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<")).tobytes()
    data.PixelData = stored + b"\0" * (len(stored) % 2)
    data["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"


def mask_picture(pixels: NDArray[Any]) -> tuple[NDArray[Any], list[Box]]:
    """A picture's pixels (j, i[, channel]) with the writing masked, and where it was."""
    shown = luma(pixels).copy()[None]  # the original stays as it is; Pillow lets nobody write to it
    boxes = find_writing(shown)
    masked = pixels.copy()[None]
    if boxes:
        _fill(masked, shown, boxes, inverted=False)
    return masked[0], boxes


def write_preview(shown: NDArray[np.uint8], boxes: list[Box], path: Path) -> None:
    """The result, never the original, with the masked boxes outlined: whoever looks at it sees whether anything is left to read."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(np.repeat(shown[..., None], 3, axis=2))
    pen = ImageDraw.Draw(picture)
    for box in boxes:
        pen.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), outline=OUTLINE)
    picture.thumbnail((LARGEST_PREVIEW, LARGEST_PREVIEW))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
