"""DICOM segmentations (SEG): segments by number and name, as binary or fractional frames or as a label map.

A SEG need not hold every slice of its image, may run from the other end of the patient, and lets segments overlap. So each frame
is placed by its own position and orientation, never by its number.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, MaskError
from isthmus.image.geometry import Geometry
from isthmus.image.io.checks import check_geometry, is_image_file
from isthmus.image.io.dicom import SEGMENTATION, headers

__all__ = ["Segmentation", "find_segmentation", "read_segmentation"]

HALF = 0.5  # fractions from here on belong to the segment


@dataclass(frozen=True)
class _Frame:
    """Where one frame lies, and the segment it shows (0: a label map)."""

    number: int
    segment: int
    geometry: Geometry


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a SEG holds; its pixels are unpacked for the segments that are asked for.

    Parameters
    ----------
    names : mapping of int to str
        Label of each segment number.
    kind : str
        BINARY, FRACTIONAL or LABELMAP.
    source : str
    """

    names: Mapping[int, str]
    kind: str
    source: str
    _frames: tuple[_Frame, ...]
    _data: Any

    def frames(self, segment: int) -> list[tuple[Geometry, NDArray[np.bool_]]]:
        """The frames of one segment that hold a voxel: where each lies, and its voxels, shape (1, j, i)."""
        chosen = [frame for frame in self._frames if frame.segment in (0, segment)]
        if not chosen:
            return []
        found = []
        try:
            from pydicom.pixels.utils import iter_pixels

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # padding and the like; lengths are checked
                decoded = list(iter_pixels(self._data, indices=[frame.number for frame in chosen]))
        except Exception as error:  # pydicom raises nearly anything
            syntax = getattr(self._data.file_meta.get("TransferSyntaxUID"), "name", "unknown")
            raise ImageReadError(
                f"{self.source}: the segmentation's pixels cannot be unpacked ({error}; transfer syntax {syntax}): truncated, or a "
                "compression that is not read? Export it uncompressed, or as NIfTI"
            ) from error
        for frame, pixels in zip(chosen, decoded, strict=True):
            mask = self._voxels(pixels, segment)
            if mask.any():
                found.append((frame.geometry, mask[None]))
        return found

    def _voxels(self, pixels: NDArray[Any], segment: int) -> NDArray[np.bool_]:
        if self.kind == "LABELMAP":
            return np.asarray(pixels == segment)
        if self.kind == "FRACTIONAL":
            return np.asarray(pixels >= HALF * float(self._data.get("MaximumFractionalValue") or 255))
        return np.asarray(pixels != 0)

    def volume(self, segment: int) -> tuple[NDArray[np.bool_], Geometry]:
        """One segment on a grid of the SEG's own, which reaches from its first to its last frame with a voxel."""
        values, geometry = self._assembled([segment])
        return values != 0, geometry

    def labels(self) -> tuple[NDArray[np.integer[Any]], Geometry]:
        """The number of the segment at each voxel, on a grid that reaches from the first to the last frame with a voxel.

        Raises
        ------
        MaskError
            Segments overlap: one number per voxel cannot say that.
        """
        return self._assembled(list(self.names))

    def _assembled(self, segments: list[int]) -> tuple[NDArray[np.integer[Any]], Geometry]:
        placed = [(segment, geometry, mask) for segment in segments for geometry, mask in self.frames(segment)]
        if not placed:
            raise MaskError(
                f"{self.source}: the segmentation is empty: no frame holds a voxel. Outline the lesion and export again"
            )
        first = placed[0][1]
        axes = [geometry.affine[:3, :3] / geometry.spacing_mm for _, geometry, _ in placed]
        if any(np.abs(direction - axes[0]).max() > 1e-4 for direction in axes):
            raise ImageReadError(f"{self.source}: frames of different orientations; no volume can be made of them")
        along = np.array([np.dot(geometry.origin_mm, axes[0][:, 0]) for _, geometry, _ in placed])
        heights = np.unique(np.round(along, 3))
        step = self._step or (float(np.diff(heights).min()) if len(heights) > 1 else first.spacing_mm[0])
        places = (along - along.min()) / step
        if np.abs(places - np.rint(places)).max() > 0.05:
            raise ImageReadError(
                f"{self.source}: the frames are not evenly spaced along their normal (step {step:g} mm); no volume can be made of them"
            )
        shape = (int(np.rint(places).max()) + 1, *first.shape[1:])
        values = np.zeros(shape, dtype=np.min_scalar_type(max(segments)))
        for at, (segment, _, mask) in zip(np.rint(places).astype(int), placed, strict=True):
            both = int(np.count_nonzero(values[at][mask[0]]))
            if both:
                other = int(values[at][mask[0]].max())
                raise MaskError(
                    f"{self.source}: segments {other} ('{self.names[other]}') and {segment} ('{self.names[segment]}') overlap, in {both} "
                    "voxels of one frame; a label map cannot hold both. Read one segment (`read_roi` with its label)"
                )
            values[at][mask[0]] = segment
        lowest = placed[int(np.argmin(along))][1]
        return values, Geometry(shape, (step, *first.spacing_mm[1:]), lowest.origin_mm, first.direction)

    @property
    def _step(self) -> float:
        """The distance of slices as the header states it; 0 where it does not."""
        measures = _shared(self._data, "PixelMeasuresSequence")
        return float(measures.get("SpacingBetweenSlices") or 0) if measures is not None else 0.0


def find_segmentation(path: Path) -> Path | None:
    """The one SEG at a path (a file, or a folder that holds one); None where there is none."""
    if is_image_file(path):
        return None
    files = [file for file, header in headers(path) if header.get("SOPClassUID") in SEGMENTATION]
    if len(files) > 1:
        raise ImageReadError(
            f"{path}: {len(files)} DICOM segmentations ({', '.join(file.name for file in files[:5])}); name the one that is meant"
        )
    return files[0] if files else None


def read_segmentation(path: Path) -> Segmentation:
    """A SEG file, its frames placed and its segments named.

    Raises
    ------
    ImageReadError
        Damaged, or frames that do not say where they lie.
    MaskError
        It names no segment.
    """
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are met below
            data = pydicom.dcmread(path)
            return _segmentation(data, path)
    except (ImageReadError, MaskError):
        raise
    except Exception as error:  # damaged files make pydicom raise nearly anything
        raise ImageReadError(
            f"{path}: the segmentation cannot be read ({error}): truncated? Export it again"
        ) from error


def _segmentation(data: Any, path: Path) -> Segmentation:
    kind = str(data.get("SegmentationType", "BINARY")).upper()
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise ImageReadError(
            f"{path}: a segmentation of type {str(kind)[:60]}; BINARY, FRACTIONAL or LABELMAP was expected"
        )
    names = {
        int(segment.SegmentNumber): str(segment.get("SegmentLabel", "") or "").strip()
        for segment in data.get("SegmentSequence") or []
        if not (kind == "LABELMAP" and int(segment.SegmentNumber) == 0)  # a label map may name its background
    }
    if not names:
        raise MaskError(f"{path}: the segmentation names no segment. Outline the lesion and export again")
    frames = tuple(
        _frame(data, number, group, kind, path)
        for number, group in enumerate(data.get("PerFrameFunctionalGroupsSequence") or [])
    )
    if len(frames) != int(data.get("NumberOfFrames", 1) or 1):
        raise ImageReadError(
            f"{path}: {data.get('NumberOfFrames', 1)} frames, of which {len(frames)} say where they lie. A segmentation of a slide is "
            "not read; export the segmentation of the volume again"
        )
    return Segmentation(MappingProxyType(names), kind, str(path), frames, data)


def _shared(data: Any, name: str) -> Any:
    groups: Sequence[Any] = data.get("SharedFunctionalGroupsSequence") or []
    found: Sequence[Any] = groups[0].get(name) or [] if groups else []
    return found[0] if found else None


def _frame(data: Any, number: int, group: Any, kind: str, path: Path) -> _Frame:
    """Position, orientation, spacing and segment of a frame, its own or those shared by all."""

    def fact(sequence: str) -> Any:
        own = group.get(sequence) or []
        found = own[0] if own else _shared(data, sequence)
        if found is None:
            raise ImageReadError(
                f"{path}: frame {number + 1} has no {sequence}, so it cannot be placed. Export it again"
            )
        return found

    orientation = np.array(fact("PlaneOrientationSequence").ImageOrientationPatient, dtype=np.float64)
    measures = fact("PixelMeasuresSequence")
    i, j = orientation[:3], orientation[3:]
    thickness = float(measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0)
    row_mm, column_mm = map(float, measures.PixelSpacing)
    geometry = Geometry(
        shape=(1, int(data.Rows), int(data.Columns)),
        spacing_mm=(thickness, row_mm, column_mm),
        origin_mm=tuple(float(p) for p in fact("PlanePositionSequence").ImagePositionPatient),  # type: ignore[arg-type]
        direction=np.stack([np.cross(i, j), j, i]).T,
    )
    segment = 0 if kind == "LABELMAP" else int(fact("SegmentIdentificationSequence").ReferencedSegmentNumber)
    return _Frame(number, segment, check_geometry(geometry, path))
