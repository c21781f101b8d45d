"""Nuclei that another program found: pictures of labels (StarDist, Cellpose) and GeoJSON (QuPath, TIAToolbox).

Files that could run code when they are read (pickles: TIAToolbox's `.dat`, `.pkl`, joblib) are refused.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.pathology.annotation import Outline, read_outlines

__all__ = ["labels_of_outlines", "read_labels", "read_nuclei"]

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
    ending = path.suffix.lower()
    if ending in _PICKLES:
        raise ImageReadError(
            f"{path}: a pickle could run any code when it is read; export GeoJSON (in TIAToolbox: AnnotationStore.to_geojson) "
            "or as a picture of labels"
        )
    if ending in (".geojson", ".json"):
        outlines = read_outlines(path)
        return labels_of_outlines(outlines, shape), [outline.name for outline in outlines]
    labels = read_labels(path)
    if labels.shape != shape:
        raise ImageReadError(f"{path}: labels of shape {labels.shape} over a picture of shape {shape}")
    return labels, [""] * int(labels.max(initial=0))


def read_labels(path: Path) -> Labels:
    """A picture of labels (.png, .tif of one channel; .npy), numbered 1 ... n in the order of the labels; 0 is no nucleus.

    Raises
    ------
    ImageReadError
        It has colours, or a negative or broken label.
    """
    from PIL import Image, UnidentifiedImageError

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
    except (ValueError, UnidentifiedImageError, OSError) as exc:
        if isinstance(exc, ImageReadError):
            raise
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
