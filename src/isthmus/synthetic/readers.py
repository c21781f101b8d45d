"""Patients of a synthetic cohort whom two readers have drawn: who they are, the second outline, and the table of both."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.synthetic.fields import smooth_field

__all__ = ["drawn_twice", "redrawn", "second_file", "write_readers"]

_PER_CENTRE = 15


def drawn_twice(patients: pd.DataFrame) -> pd.Series[bool]:
    """Is a patient one of the first fifteen of his centre who train? Columns centre and split ("train")."""
    training = patients["split"] == "train"
    place = patients[training].groupby("centre").cumcount().reindex(patients.index)
    return training & (place < _PER_CENTRE)


def redrawn(
    labels: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    rng: np.random.Generator,
    *,
    error_mm: float = 0.6,
) -> NDArray[np.uint8]:
    """The labels as a second reader draws them: every outline moved in and out by a smooth random error.

    Parameters
    ----------
    labels : array, shape (k, j, i)
    spacing_mm : tuple of 3 floats
    rng : Generator
    error_mm : float
        Standard deviation of the error. Well below the size of a voxel it moves nothing.
    """
    from scipy.ndimage import distance_transform_edt

    places = [
        np.arange(n, dtype=np.float32) * np.float32(step) for n, step in zip(labels.shape, spacing_mm, strict=True)
    ]
    error = error_mm * smooth_field(rng, (places[0], places[1], places[2]), 6.0)
    found = np.zeros_like(labels)
    for label in np.unique(labels[labels > 0]):
        own = labels == label
        depth = distance_transform_edt(own, spacing_mm) - distance_transform_edt(~own, spacing_mm)
        found[(depth + error > 0) & (found == 0)] = label
    return found


def second_file(mask: str) -> str:
    """Where the second reader's mask lies: `<name>_second.nii.gz` beside `<name>.nii.gz`."""
    path = PurePosixPath(mask)
    name, _, ending = path.name.partition(".")
    return str(path.with_name(f"{name}_second.{ending}"))


def write_readers(table: Path, twice: pd.Series[bool], mask: str) -> None:
    """`readers.csv` beside a case table: patient, repeat (1, 2), the image columns and the mask of each reader, for `reliability.repeats`.

    Parameters
    ----------
    table : path
        The case table, a row a patient.
    twice : Series of bool
        Which of its patients both have drawn.
    mask : str
        The column of the first reader's masks; those of the second are `second_file` of them.
    """
    cases = pd.read_csv(table)[twice]
    images = [name for name in cases.columns if name.startswith("image:")]
    readers = [
        cases[["patient", *images]].assign(repeat=reader, **{mask: drawn})
        for reader, drawn in ((1, cases[mask]), (2, cases[mask].map(second_file)))
    ]
    found = pd.concat(readers, ignore_index=True)[["patient", "repeat", *images, mask]]
    found.to_csv(table.parent / "readers.csv", index=False)
