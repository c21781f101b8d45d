"""Image files that are no DICOM: voxels and grid stay byte for byte, free text and what was appended goes.

A new file is written from what is known to be harmless, rather than the harmful taken out of the old one.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.cohort.deidentify.pixels import mask_picture
from isthmus.cohort.deidentify.settings import Settings
from isthmus.errors import ImageReadError

__all__ = ["Cleaned", "cleaner"]

Cleaned = tuple[bytes, list[str], Any]
"""The new file, what went (names, no values), and of a picture `(pixels shown, boxes)`."""

FEW_VALUES = 16  # a picture of no more values than that is a mask

NRRD_KEPT = frozenset(
    (
        "type", "dimension", "space", "space dimension", "sizes", "spacings", "space directions", "kinds",
        "centers", "centerings", "endian", "encoding", "space origin", "measurement frame", "axis mins",
        "axis maxs", "byte skip", "line skip", "min", "max", "old min", "old max", "block size",
    )
)  # fmt: skip
META_KEPT = frozenset(
    (
        "ObjectType", "NDims", "BinaryData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "CompressedData",
        "CompressedDataSize", "TransformMatrix", "Offset", "Position", "Origin", "Orientation", "Rotation",
        "CenterOfRotation", "AnatomicalOrientation", "ElementSpacing", "ElementSize", "ElementNumberOfChannels",
        "HeaderSize", "DimSize", "ElementType", "ElementMin", "ElementMax", "ElementDataFile",
    )
)  # fmt: skip


def cleaner(path: Path) -> tuple[Callable[[Path, Settings], Cleaned], str] | None:
    """What cleans a file of this name, and the ending of the file it makes; None where nothing does."""
    name = path.name.lower()
    for ending, clean, written in (
        (".nii.gz", _nifti, ".nii.gz"),
        (".nii", _nifti, ".nii"),
        (".nrrd", _nrrd, ".nrrd"),
        (".mha", _metaimage, ".mha"),
        (".png", _picture, ".png"),
        (".jpg", _picture, ".png"),
        (".jpeg", _picture, ".png"),
        (".tif", _picture, ".png"),
        (".tiff", _picture, ".png"),
        (".bmp", _picture, ".png"),
    ):
        if name.endswith(ending):
            return clean, written
    return None


def _nifti(path: Path, _settings: Settings) -> Cleaned:
    import nibabel

    from isthmus.image.io.inflate import gunzipped, is_gzip

    stored = path.read_bytes()
    packed = is_gzip(stored)
    data = bytes(gunzipped(stored, path)) if packed else stored
    if data[344:348] == b"n+1\0":
        kind: Any = nibabel.Nifti1Header
        size = 348
    elif data[4:8] == b"n+2\0":
        kind, size = nibabel.Nifti2Header, 540
    else:
        raise ImageReadError("not a NIfTI image in one file")
    header = kind.from_fileobj(io.BytesIO(data[:size]), check=False)
    start = int(header["vox_offset"]) or size + 4
    if start < size or start > len(data):
        raise ImageReadError("a damaged header: its voxels start nowhere")
    gone, names = [], set(header.keys())
    for field in ("descrip", "aux_file", "intent_name", "data_type", "db_name"):
        if field in names and bytes(header[field].tobytes()).strip(b"\0 "):
            gone.append(field)
            header[field] = b""
    if start > size + 4:
        gone.append("extensions")
    header["vox_offset"] = size + 4
    new = header.binaryblock + bytes(4) + data[start:]
    if packed:
        deflate = zlib.compressobj(4, zlib.DEFLATED, 31)
        new = deflate.compress(new) + deflate.flush()
    return new, gone, None


def _nrrd(path: Path, _settings: Settings) -> Cleaned:
    data = path.read_bytes()
    end = re.search(rb"\r?\n\r?\n", data[:1_000_000])
    if not data.startswith(b"NRRD000") or end is None:
        raise ImageReadError("not an NRRD image")
    lines = data[: end.start()].decode("latin-1").splitlines()
    kept, gone = [lines[0]], []
    for line in lines[1:]:
        name, colon, _ = line.partition(": ")
        field = name.strip().lower()
        if field in ("data file", "datafile"):
            raise ImageReadError("its voxels lie in another file; write it as one file (.nrrd)")
        if colon and ":=" not in name and not line.startswith("#") and field in NRRD_KEPT:
            kept.append(line)
        else:
            gone.append("comment" if line.startswith("#") else ("key and value" if ":=" in line else _field(field)))
    return ("\n".join(kept) + "\n\n").encode("latin-1") + data[end.end() :], sorted(set(gone)), None


def _field(name: str) -> str:
    """The name of a field, if it is one of the format's."""
    known = ("content", "labels", "units", "space units", "sample units", "thicknesses", "number")
    return name if name in known else "an unknown field"


def _metaimage(path: Path, _settings: Settings) -> Cleaned:
    data = path.read_bytes()
    end = re.search(rb"^ElementDataFile\s*=\s*([^\r\n]*)\r?\n", data[:1_000_000], re.MULTILINE)
    if end is None or end[1].strip().upper() != b"LOCAL":
        raise ImageReadError("no MetaImage with its voxels in the same file; write it as .mha")
    kept, gone = [], 0
    for line in data[: end.end()].decode("latin-1").splitlines():
        if line.partition("=")[0].strip() in META_KEPT:
            kept.append(line)
        else:
            gone += 1
    return ("\n".join(kept) + "\n").encode("latin-1") + data[end.end() :], ["keys and values"] * bool(gone), None


def _picture(path: Path, settings: Settings) -> Cleaned:
    """The pixels alone, as PNG; writing masked unless it is a mask."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            frames, turned = getattr(picture, "n_frames", 1), picture.getexif().get(0x0112, 1)
            picture.load()
            palette = picture.getpalette() if picture.mode == "P" else None
            pixels = np.asarray(picture)
            gone: list[str] = [
                name
                for name in ("exif", "dpi", "icc_profile", "Comment", "comment", "XML:com.adobe.xmp", "photoshop")
                if name in picture.info
            ]
            gone += ["text"] * bool(getattr(picture, "text", None))
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageReadError(f"cannot be read as a picture ({type(error).__name__})") from error
    if frames > 1:
        raise ImageReadError(f"{frames} pictures in one file; save the frame that is meant")
    if turned != 1:
        raise ImageReadError("the picture is to be shown turned (EXIF); save it upright")
    looked = None
    is_mask = (
        palette is not None
        or pixels.dtype == bool
        or len(np.unique(pixels.reshape(-1, *pixels.shape[2:]), axis=0)) <= FEW_VALUES
    )
    if settings.burnt_in != "none" and not is_mask:
        from isthmus.cohort.deidentify.burnt_in import luma

        pixels, boxes = mask_picture(pixels)
        looked = (luma(pixels), boxes)
    new = Image.fromarray(pixels)
    if palette is not None:
        new.putpalette(palette)
    file = io.BytesIO()
    new.save(file, "PNG")
    return file.getvalue(), gone, looked
