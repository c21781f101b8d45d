"""Tiny images for tests: a lopsided oblique volume, DICOM series and RTSTRUCTs made by pydicom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from isthmus.image import Geometry

SHAPE = (3, 4, 5)  # no two alike, so that a swapped axis cannot hide


def rotation(a: float = 0.3, b: float = -0.2, c: float = 0.5) -> np.ndarray:
    """A rotation about all three axes."""
    ca, sa, cb, sb, cc, sc = np.cos(a), np.sin(a), np.cos(b), np.sin(b), np.cos(c), np.sin(c)
    x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return x @ y @ z


def oblique(shape: tuple[int, int, int] = SHAPE) -> Geometry:
    """An oblique grid: every spacing, origin and axis different."""
    return Geometry(shape, (2.5, 0.75, 1.25), (-11.5, 22.25, 333.0), rotation()[:, ::-1])


def lopsided(dtype: Any = np.int16, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """A volume in which every voxel has its own value."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def decimals(numbers: Sequence[float]) -> list[str]:
    """Numbers as DICOM writes them, at most 16 characters."""
    return [f"{number:.9g}" for number in numbers]


def write_series(
    folder: Path,
    values: np.ndarray | None = None,
    geometry: Geometry | None = None,
    *,
    every: dict[str, Any] | None = None,
    each: dict[int, dict[str, Any]] | None = None,
    skip: Sequence[int] = (),
    name: str = "slice",
    series: str | None = None,
) -> list[str]:
    """Write a DICOM series, one file per slice in shuffled names, and give back its instance UIDs.

    `every` sets attributes of all slices, `each` those of one; a value of None deletes.
    """
    values = lopsided() if values is None else values
    geometry = oblique(values.shape) if geometry is None else geometry
    folder.mkdir(parents=True, exist_ok=True)
    series, frame = series or generate_uid(), generate_uid()
    uids = []
    for k, plane in enumerate(values):
        uids.append(generate_uid())
        if k in skip:
            continue
        d = Dataset()
        d.file_meta = FileMetaDataset()
        d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        d.file_meta.MediaStorageSOPClassUID = CTImageStorage
        d.file_meta.MediaStorageSOPInstanceUID = uids[-1]
        d.SOPClassUID, d.SOPInstanceUID, d.SeriesInstanceUID = CTImageStorage, uids[-1], series
        d.StudyInstanceUID, d.FrameOfReferenceUID = frame, frame
        d.Modality, d.Manufacturer, d.SeriesDescription = "CT", "Maker", "neck"
        d.PatientName, d.PatientID = "Test", "T1"
        d.Rows, d.Columns = plane.shape
        d.PixelSpacing = [geometry.spacing_mm[1], geometry.spacing_mm[2]]
        d.SliceThickness = 9.75  # wrong on purpose: it must not become the spacing
        d.ImagePositionPatient = decimals((geometry.affine @ [k, 0, 0, 1])[:3])
        d.ImageOrientationPatient = decimals([*geometry.direction[:, 2], *geometry.direction[:, 1]])
        d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
        d.BitsAllocated = d.BitsStored = 16
        d.HighBit, d.PixelRepresentation = 15, 1
        d.RescaleSlope, d.RescaleIntercept = 1, 0
        d.PixelData = np.ascontiguousarray(plane, dtype="<i2").tobytes()
        for attribute, value in {**(every or {}), **(each or {}).get(k, {})}.items():
            if value is None:
                delattr(d, attribute)
            else:
                setattr(d, attribute, value)
        d.save_as(folder / f"{name}{(k * 7) % 11:02d}.dcm", enforce_file_format=True)
    return uids


def in_patient(geometry: Geometry, k: float, corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """Corners given as voxel (j, i) on slice k, as LPS points."""
    index = np.array([[k, j, i, 1.0] for j, i in corners])
    return (index @ geometry.affine.T)[:, :3]


def write_rtstruct(path: Path, rois: dict[str, list[tuple[np.ndarray, dict[str, Any]]]]) -> Path:
    """Write an RTSTRUCT: ROI name -> (points, facts); facts: `kind`, `instance`."""
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    d.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    d.SOPClassUID, d.SOPInstanceUID = RTStructureSetStorage, d.file_meta.MediaStorageSOPInstanceUID
    d.Modality, d.SeriesInstanceUID = "RTSTRUCT", generate_uid()
    d.StructureSetROISequence, d.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(rois.items(), start=1):
        named = Dataset()
        named.ROINumber, named.ROIName = number, name.rstrip("*")
        d.StructureSetROISequence.append(named)
        drawn = Dataset()
        drawn.ReferencedROINumber = number
        drawn.ContourSequence = []
        for points, facts in contours:
            item = Dataset()
            item.ContourGeometricType = facts.get("kind", "CLOSED_PLANAR")
            item.NumberOfContourPoints = len(points)
            item.ContourData = decimals(np.ravel(points))
            if "instance" in facts:
                reference = Dataset()
                reference.ReferencedSOPClassUID = CTImageStorage
                reference.ReferencedSOPInstanceUID = facts["instance"]
                item.ContourImageSequence = [reference]
            drawn.ContourSequence.append(item)
        d.ROIContourSequence.append(drawn)
    path.parent.mkdir(parents=True, exist_ok=True)
    d.save_as(path, enforce_file_format=True)
    return path
