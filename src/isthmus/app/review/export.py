"""The mask of a case for another program, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.app.refusal import Refusal
from isthmus.app.review.cases import folder_name
from isthmus.app.review.exchange import itksnap_labels, seg_nrrd
from isthmus.app.review.masks import write_mask
from isthmus.app.review.volumes import Opened, present_labels, read_label_map

__all__ = ["EXPORTS", "export", "import_labels"]

EXPORTS = {"nii.gz": "NIfTI", "seg.nrrd": "3D Slicer, segments with names", "txt": "ITK-SNAP label descriptions"}
READ = (".nii", ".nii.gz", ".nrrd", ".seg.nrrd", ".mha", ".png")


def export(labels: NDArray[np.uint8], opened: Opened, kind: str, names: dict[int, str]) -> tuple[bytes, str]:
    """Content and name of the file.

    Raises
    ------
    Refusal
        422: no such kind.
    """
    if kind not in EXPORTS:
        raise Refusal(f"a file of kind {kind!r}", ", ".join(EXPORTS), status=422)
    name = f"{folder_name(opened.case.name)}.{kind}"
    present = {*present_labels(labels), opened.label}
    called = {n: names.get(n, "lesion" if n == opened.label else f"label {n}") for n in present | set(names)}
    if kind == "txt":
        return itksnap_labels(called).encode(), name
    if kind == "seg.nrrd":
        return seg_nrrd(labels, opened.geometry, called), name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mask.{kind}"
        write_mask(labels, opened, path)
        return path.read_bytes(), name


def import_labels(data: bytes, name: str, opened: Opened) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """A label map on the grid of the case, and the names of its labels.

    Raises
    ------
    Refusal
        422: another kind of file.
    GeometryMismatchError, ImageReadError, MaskError
        As `read_label_map`.
    """
    ending = next((one for one in sorted(READ, key=len, reverse=True) if name.lower().endswith(one)), None)
    if ending is None:
        raise Refusal(
            f"a file named {name!r}", " ".join(READ), "export it from the other program in one of these", status=422
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mask{ending}"
        path.write_bytes(data)
        return read_label_map(path, opened.geometry)
