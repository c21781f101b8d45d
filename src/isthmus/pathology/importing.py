"""Nuclei that another program found: pictures of labels (StarDist, Cellpose), GeoJSON (QuPath, TIAToolbox), HoVer-Net's JSON.

Files that could run code when they are read (pickles: TIAToolbox's `.dat`, `.pkl`, joblib) are refused.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.pathology.annotation import Outline, read_outlines
from isthmus.pathology.hovernet import PANNUKE

__all__ = ["labels_of_outlines", "outlined_nuclei", "read_labels", "read_nuclei"]

Labels = NDArray[np.int32]

_PICKLES = (".dat", ".pkl", ".pickle", ".joblib")
_PICTURES = (".png", ".tif", ".tiff")


def read_nuclei(path: Path, shape: tuple[int, int]) -> tuple[Labels, list[str]]:
    """Labels 1 ... n of a picture of `shape`, and the class of each nucleus ("" where the file has none).

    Raises
    ------
    ImageReadError
        The file is a pickle, of an unknown kind, empty, or of another shape.
    """
    outlines = outlined_nuclei(path)
    if outlines is not None:
        return labels_of_outlines(outlines, shape), [outline.name for outline in outlines]
    labels = read_labels(path)
    if labels.shape != shape:
        raise ImageReadError(f"{path}: labels of shape {labels.shape} over a picture of shape {shape}")
    return labels, [""] * int(labels.max(initial=0))


def outlined_nuclei(path: Path) -> list[Outline] | None:
    """The nuclei of a file of outlines, in its pixels; nothing where it is a picture of labels.

    HoVer-Net's own JSON names classes by number: those of PanNuke.

    Raises
    ------
    ImageReadError
        The file is a pickle, or neither GeoJSON nor HoVer-Net's JSON.
    """
    ending = path.suffix.lower()
    if ending in _PICKLES:
        raise ImageReadError(
            f"{path}: a pickle could run any code when it is read; export GeoJSON (in TIAToolbox: AnnotationStore.to_geojson) "
            "or as a picture of labels"
        )
    if ending not in (".geojson", ".json"):
        return None
    if not path.is_file():
        raise ImageReadError(f"{path}: there is no such file")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as exc:
        raise ImageReadError(f"{path}: not JSON: {exc}") from exc
    if not (isinstance(document, dict) and isinstance(document.get("nuc"), dict)):
        return read_outlines(path)
    try:
        found = [
            Outline(_pannuke(nucleus.get("type")), np.asarray(nucleus["contour"], dtype=float).reshape(-1, 2) + 0.5)
            for nucleus in document["nuc"].values()
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ImageReadError(f"{path}: not HoVer-Net's JSON (nuc: contour, type): {exc}") from exc
    found = [outline for outline in found if len(outline.ring) > 2]
    if not found:
        raise ImageReadError(f"{path}: no nucleus in it")
    return found


def _pannuke(kind: object) -> str:
    return PANNUKE[kind] if isinstance(kind, int) and 0 <= kind < len(PANNUKE) else "" if kind is None else str(kind)


def read_labels(path: Path) -> Labels:
    """A picture of labels (.png, .tif of one channel; .npy), numbered 1 ... n in the order of the labels; 0 is no nucleus.

    Raises
    ------
    ImageReadError
        It has colours, or a negative or broken label.
    """
    from PIL import Image

    if not path.is_file():
        raise ImageReadError(f"{path}: there is no such file")
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        elif path.suffix.lower() in _PICTURES:
            with Image.open(path) as picture:
                values = np.asarray(picture)
        else:
            raise ImageReadError(f"{path}: expected a picture of labels (.png, .tif, .npy) or GeoJSON")
    except ImageReadError:
        raise
    except Exception as exc:  # damaged files make NumPy and Pillow raise nearly anything
        raise ImageReadError(f"{path}: no picture of labels: {exc}") from exc
    if values.ndim != 2 or (values < 0).any() or (values != np.round(values)).any():
        raise ImageReadError(
            f"{path}: {values.dtype} of shape {values.shape}; expected one whole number a pixel, 0 where no nucleus is"
        )
    names, place = np.unique(values, return_inverse=True)
    first = 0 if names.size and names[0] == 0 else 1
    return np.asarray(place.reshape(values.shape) + first, dtype=np.int32)


def labels_of_outlines(outlines: list[Outline], shape: tuple[int, int]) -> Labels:
    """Label n where a pixel's centre lies in the n-th outline and in none of its holes; of two that overlap the later one has it."""
    from matplotlib.path import Path as Ring

    labels = np.zeros(shape, dtype=np.int32)
    for number, outline in enumerate(outlines, 1):
        low = np.maximum(np.floor(outline.ring.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(outline.ring.max(axis=0)).astype(int) + 1, shape[::-1])
        if (high <= low).any():
            continue
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        points = np.column_stack([x.ravel(), y.ravel()]) + 0.5
        here = Ring(outline.ring).contains_points(points)
        for hole in outline.holes:
            here &= ~Ring(hole).contains_points(points)
        part = labels[low[1] : high[1], low[0] : high[0]]
        part[here.reshape(part.shape)] = number
    return labels
