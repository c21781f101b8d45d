"""A case opened: its image as the viewer takes it, and the mask proposed for it, on one grid."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.app.paths import inside_any
from isthmus.app.review.cases import Case
from isthmus.app.review.frame import Frame
from isthmus.errors import GeometryMismatchError, ImageReadError, IsthmusWarning, MaskError
from isthmus.image.box import bounding_box
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.image.io import find_segmentation, is_contours, read_image, read_labels
from isthmus.roi.read import read_roi
from isthmus.segment.grow import Seeds, grow

__all__ = [
    "Opened",
    "Shelf",
    "fingerprint",
    "nifti_header",
    "open_case",
    "present_labels",
    "read_label_map",
    "viewer_nifti",
]

MOST_LABELS = 255
VIEWER_START = 352
AIR, BONE = -900, 200  # a file without units whose values reach from air to bone is a CT


@dataclass(frozen=True, eq=False)
class Opened:
    """A case in memory.

    Parameters
    ----------
    case : Case
    geometry : Geometry
        The image's.
    frame : Frame
        Between its axes and the viewer's.
    nifti : bytes
        The image for the viewer: int16 or uint8, axes right, anterior, superior; what the numbers mean is in `scale`.
    scale : tuple of 2 floats
        value = number * slope + intercept.
    values : array, shape (k, j, i), or None
        The image's own where the viewer's numbers are scaled; None: they are the same.
    quantity : str
    windows : list
        Five windows (name, low, high), in the image's values.
    proposal : uint8 array, shape (k, j, i)
        The label map proposed; all 0 where nothing is.
    label : int
        The number of the lesion in it.
    names : dict
        Number -> name of each label, as far as known.
    notes : tuple of str
        What the reading said.
    """

    case: Case
    geometry: Geometry
    frame: Frame
    nifti: bytes
    scale: tuple[float, float]
    values: NDArray[Any] | None
    quantity: str
    windows: list[tuple[str, float, float]]
    proposal: NDArray[np.uint8]
    label: int
    names: dict[int, str]
    notes: tuple[str, ...]

    def grown(
        self,
        inside: Sequence[tuple[int, int, int]],
        outside: Sequence[tuple[int, int, int]],
        *,
        method: str,
        **settings: Any,
    ) -> NDArray[np.bool_]:
        """A mask grown from clicks (x, y, z of the viewer), shape (k, j, i)."""
        values = self.frame.stored(self._numbers) if self.values is None else self.values
        image = Image(values, self.geometry)
        seeds = Seeds(*(self.frame.voxels(clicks, self.geometry) for clicks in (inside, outside)))
        return grow(image, seeds, method=method, **settings)

    @property
    def _numbers(self) -> NDArray[Any]:
        """The image of `nifti`, in the viewer's order."""
        return np.frombuffer(self.nifti, dtype="<i2", offset=VIEWER_START).reshape(self.frame.shape(self.geometry))

    @property
    def proposed(self) -> str:
        """Fingerprint of the proposal."""
        return fingerprint(self.proposal)


def fingerprint(labels: NDArray[np.uint8]) -> str:
    """SHA-256 of a label map: shape and voxels, in the file's order."""
    digest = hashlib.sha256(repr(labels.shape).encode())
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def present_labels(labels: NDArray[np.uint8]) -> list[int]:
    """The labels of a map, without the background; looked for where the labels are, not in the whole volume."""
    box = bounding_box(labels > 0)
    return [] if box is None else [int(n) for n in np.unique(labels[box]) if n]


class Shelf:
    """The cases opened last, so that a page that comes back, and the next case, need no reading."""

    def __init__(self, folders: Sequence[Path], most: int = 3) -> None:
        self.folders = tuple(folders)
        self.most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[Any, ...], Opened] = OrderedDict()

    def get(self, case: Case) -> Opened:
        """The case, read when it is not here already; read one at a time, so two requests do not read it twice."""
        files = [inside_any(self.folders, path) for path in (case.image, case.mask) if path is not None]
        for file in files:
            if not file.exists():
                raise ImageReadError(f"{file}: no such file; correct the path in the case table", case=case.name)
        key = (case.name, *((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files))
        with self._lock:
            if key not in self._open:
                self._open[key] = open_case(case, files[0], files[1] if case.mask is not None else None)
            self._open.move_to_end(key)
            while len(self._open) > self.most:
                self._open.popitem(last=False)
            return self._open[key]


def open_case(case: Case, image_file: Path, mask_file: Path | None) -> Opened:
    """Read a case.

    Raises
    ------
    ImageReadError, MaskError, GeometryMismatchError
        Image or mask cannot be read, or lie on different grids.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", IsthmusWarning)
        image = read_image(image_file, allow_colour=True)
        proposal, label, names = _proposal(case, image, mask_file)
    frame = Frame.of(image.geometry)
    numbers, slope, intercept = _numbers(image.values)
    return Opened(
        case=case,
        geometry=image.geometry,
        frame=frame,
        nifti=viewer_nifti(frame.view(numbers), frame.spacing_mm(image.geometry), slope, intercept),
        scale=(slope, intercept),
        values=None if (slope, intercept) == (1.0, 0.0) else image.values,
        quantity="HU" if _is_ct(image) else image.quantity,
        windows=_windows(image, proposal == label),
        proposal=proposal,
        label=label,
        names=names,
        notes=tuple(dict.fromkeys(str(one.message) for one in said if issubclass(one.category, IsthmusWarning))),
    )


def _proposal(case: Case, image: Image, mask_file: Path | None) -> tuple[NDArray[np.uint8], int, dict[int, str]]:
    """The label map, the lesion's number, and names of labels."""
    if mask_file is None:
        return np.zeros(image.geometry.shape, np.uint8), case.label if isinstance(case.label, int) else 1, {}
    if is_contours(mask_file) or find_segmentation(mask_file) is not None or isinstance(case.label, str):
        roi = read_roi(mask_file, image, label=case.label)
        return roi.mask.astype(np.uint8), 1, {1: roi.name}
    labels, names = read_label_map(mask_file, image.geometry)
    present = present_labels(labels)
    label = case.label if isinstance(case.label, int) else 1 if 1 in present or not present else present[0]
    return labels, label, names


def read_label_map(path: Path, geometry: Geometry) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """A label map on this grid, and the names of its segments where the file holds them.

    Raises
    ------
    GeometryMismatchError
        It lies on another grid.
    MaskError
        A label above 255.
    """
    from isthmus.app.review.exchange import segments_of

    segments = segments_of(path)
    if segments is not None:
        values, grid, names = segments
    else:
        read = read_labels(path)
        values, grid, names = read.values, read.geometry, {}
    difference = geometry.difference(grid)
    if difference is not None:
        raise GeometryMismatchError(
            f"{path}: the mask lies on another grid than the image: {difference}. Was it drawn on another series? Resample it first"
        )
    if values.size and (values.max() > MOST_LABELS or values.min() < 0):
        raise MaskError(f"{path}: labels from {values.min()} to {values.max()}; the viewer shows 0 to {MOST_LABELS}")
    return np.ascontiguousarray(values, dtype=np.uint8), names


def _numbers(values: NDArray[Any]) -> tuple[NDArray[Any], float, float]:
    """The image in 16 bits at most: whole numbers that fit as they are, others on a linear scale (for showing only)."""
    if values.dtype == np.int16:
        return values, 1.0, 0.0
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    if values.dtype.kind in "iu" and low >= -32768 and high <= 32767:
        return values.astype(np.int16), 1.0, 0.0
    slope = (high - low) / 65534 or 1.0
    scaled = np.rint((np.where(finite, values, low) - low) / slope - 32767)
    return scaled.astype(np.int16), slope, low + 32767 * slope


def viewer_nifti(view: NDArray[Any], spacing_zyx: tuple[float, float, float], slope: float, intercept: float) -> bytes:
    """An uncompressed NIfTI whose axes are right, anterior, superior: nothing for the viewer to turn."""
    header: Any = nifti_header()
    header.set_data_dtype(view.dtype)
    header.set_data_shape(view.shape[::-1])
    header.set_sform(np.diag([*spacing_zyx[::-1], 1.0]), code=1)
    header["pixdim"][1:4] = spacing_zyx[::-1]
    header.set_xyzt_units("mm")
    header["scl_slope"], header["scl_inter"] = slope, intercept
    header["vox_offset"] = VIEWER_START
    header["magic"] = b"n+1"
    little = np.ascontiguousarray(view, dtype=view.dtype.newbyteorder("<"))
    return b"".join((header.as_byteswapped("<").binaryblock, bytes(4), little.data))


def nifti_header() -> Any:
    """An empty header of nibabel (not typed)."""
    import nibabel

    empty: Any = nibabel.Nifti1Header  # its functions have no types
    return empty()


def _is_ct(image: Image) -> bool:
    if image.quantity == "HU":
        return True
    sparse = image.values[:: max(1, image.values.shape[0] // 20), ::4, ::4]
    return image.quantity == "a.u." and image.values.dtype.kind == "i" and sparse.min() <= AIR and sparse.max() >= BONE


def _windows(image: Image, lesion: NDArray[np.bool_]) -> list[tuple[str, float, float]]:
    """Five windows, in the order of keys 1 to 5."""
    if _is_ct(image):
        return [
            ("soft tissue", -160.0, 240.0),
            ("narrow", -20.0, 140.0),
            ("lung", -1350.0, 150.0),
            ("bone", -450.0, 1050.0),
            ("all", -1000.0, 2000.0),
        ]
    steps = tuple(slice(None, None, max(1, n // 128)) for n in image.values.shape)
    sample = image.values[steps]
    sample = sample[np.isfinite(sample)].astype(np.float64)
    cuts = np.percentile(sample, [0, 1, 2, 98, 99, 99.9, 100]) if sample.size else np.array([0.0] * 6 + [1.0])
    inside = image.values[lesion] if lesion.any() else sample
    inside = inside[np.isfinite(inside)].astype(np.float64)
    low, high = (float(n) for n in np.percentile(inside, [2, 98])) if inside.size else (0.0, 1.0)
    margin = 0.5 * (high - low)
    found = [
        ("usual", cuts[1], cuts[4]),
        ("strong", cuts[2], cuts[3]),
        ("bright", cuts[1], cuts[1] + 0.6 * (cuts[4] - cuts[1])),
        ("lesion", low - margin, high + margin),
        ("all", cuts[0], cuts[6]),
    ]
    return [(name, float(start), float(stop if stop > start else start + 1)) for name, start, stop in found]
