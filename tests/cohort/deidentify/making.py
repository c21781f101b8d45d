"""DICOM files full of planted strings, for tests of what gets through."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from image.making import in_patient, oblique, write_rtstruct, write_series

SHAPE = (8, 12, 14)
NAME, NUMBER, BIRTH, OTHER = "QXPLANTED^VRONIKA", "QXNR4711", "19570312", "QXOTHERNAME"
PLANTED = ("QXPLANTED", "VRONIKA", NUMBER, BIRTH, OTHER)
"""What must not get through, in any letters' case."""


def patient(name: str = NAME, number: str = NUMBER) -> dict[str, Any]:
    """Header values that say whose it is, in the right places and in wrong ones."""
    return {
        "PatientName": name,
        "PatientID": number,
        "PatientBirthDate": BIRTH,
        "PatientSex": "F",
        "PatientAge": "067Y",
        "PatientWeight": 61.5,
        "OtherPatientIDs": f"{OTHER}-1",
        "ReferringPhysicianName": f"{OTHER}^Dr",
        "AccessionNumber": f"{NUMBER}-A",
        "StudyDate": "20240517",
        "SeriesDate": "20240518",
        "AcquisitionTime": "101530",
        "StudyDescription": f"CT neck {name.split('^', maxsplit=1)[0]}",
        "SeriesDescription": f"neck venous {NUMBER} 2.0 mm",
        "ImageComments": f"for {OTHER}",
        "InstitutionName": "QXCLINIC",
        "ConvolutionKernel": name.split("^", maxsplit=1)[0],  # filled in by hand, where no profile looks
        "RequestAttributesSequence": [_item(ScheduledProcedureStepDescription=f"seen by {OTHER}")],
    }


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def write_study(folder: Path, *, name: str = NAME, number: str = NUMBER, seed: int = 0) -> list[str]:
    """A CT series and its RTSTRUCT, both full of planted strings; the UIDs used."""
    grid = oblique(SHAPE)
    values = np.random.default_rng(seed).normal(40, 15, SHAPE).astype(np.int16)
    uids = write_series(folder / "CT", values, grid, every=patient(name, number))
    corners = [(2.6, 2.6), (2.6, 10.4), (9.4, 10.4), (9.4, 2.6)]
    contours = [(in_patient(grid, k, corners), {"instance": uids[k]}) for k in range(1, 7)]
    struct = write_rtstruct(folder / "RT" / "rs.dcm", {f"GTV {name.split('^', maxsplit=1)[0]}": contours})
    import pydicom

    data = pydicom.dcmread(struct)
    for keyword, value in patient(name, number).items():
        if keyword not in ("ConvolutionKernel", "SeriesDate"):
            setattr(data, keyword, value)
    block = data.private_block(0x0011, "SOME MAKER", create=True)
    block.add_new(0x01, "LO", name)
    reference = Dataset()
    slices = pydicom.dcmread(next((folder / "CT").iterdir()), stop_before_pixels=True)
    reference.FrameOfReferenceUID = slices.FrameOfReferenceUID
    data.ReferencedFrameOfReferenceSequence = [reference]
    data.StudyInstanceUID = slices.StudyInstanceUID
    data.save_as(struct, enforce_file_format=True)
    return [*uids, str(slices.StudyInstanceUID), str(slices.FrameOfReferenceUID), str(slices.SeriesInstanceUID)]


def write_frame(path: Path, pixels: np.ndarray, **values: Any) -> Path:
    """An ultrasound frame (j, i), or clip (frame, j, i)."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.SOPClassUID, data.Modality = UltrasoundImageStorage, "US"
    data.SeriesInstanceUID, data.StudyInstanceUID = generate_uid(), generate_uid()
    data.PatientName, data.PatientID = NAME, NUMBER
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = pixels.astype(np.uint8).tobytes()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and all that can be unpacked from them: gzip, zip (npz, xlsx, docx, model files) and its members, Parquet, PNG
    text."""
    yield from _unpacked(path.name, path.read_bytes())


def _unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if data[:2] == b"\x1f\x8b":
        yield from _unpacked(name + "!", gzip.decompress(data))
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from _unpacked(f"{name}!{member}", archive.read(member))
    elif data[:4] == b"PAR1":
        import pandas as pd

        table = pd.read_parquet(io.BytesIO(data))
        yield f"{name}!table", table.to_csv().encode()
        from pyarrow import parquet

        yield f"{name}!schema", repr(parquet.read_schema(io.BytesIO(data)).metadata).encode()
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        yield from ((f"{name}!{kind}", text) for kind, text in _png_text(data))


def _png_text(data: bytes) -> Iterator[tuple[str, bytes]]:
    place = 8
    while place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        chunk = data[place + 8 : place + 8 + length]
        if kind in (b"zTXt", b"iTXt") and b"\0\0" in chunk:
            try:
                yield kind.decode(), zlib.decompress(chunk[chunk.index(b"\0\0") + 2 :])
            except zlib.error:
                yield kind.decode(), chunk
        place += 12 + length


def found_in(folder: Path, words: tuple[str, ...] | list[str]) -> list[str]:
    """Every file below a folder, its name included, that holds one of the words, in any case."""
    hits = []
    wanted = [word.lower().encode() for word in words]
    wide = [word.lower().encode("utf-16-le") for word in words]
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(word.lower() in name.lower() for word in words):
            hits.append(f"the name {name}")
        for part, data in contents(path) if path.is_file() else ():
            low = data.lower()
            hits += [f"{name} ({part}): {word.decode()}" for word in wanted if word in low]
            hits += [f"{name} ({part}), UTF-16" for word in wide if word in low]
    return hits
