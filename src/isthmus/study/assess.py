"""`isthmus segment assess`: how far masks agree with a reference, case by case."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import CaseError, GeometryMismatchError, MaskError, PlanError, TableError, first_few
from isthmus.image.io import FORMATS, read_labels
from isthmus.image.labels import LabelImage
from isthmus.segment.assess import compare_masks, modification
from isthmus.study.extract import without_ending

__all__ = ["GRADES", "assess_to_file"]

log = logging.getLogger("isthmus")

GRADES = ("none", "minor", "moderate", "major")


def assess_to_file(
    reference: Path, prediction: Path, out: Path, *, label: int | None = None, tolerance_mm: float = 1.0
) -> int:
    """Write `case, metric, value` of one pair of masks, or of the files of equal names in two folders; how many cases failed.

    `modification` is a grade: 0 none, 1 minor, 2 moderate, 3 major; `acceptable` is 1 where the Dice is at least 0.9.

    Parameters
    ----------
    reference, prediction : path
        Two mask files or two folders of them.
    out : path
    label : int, optional
        The lesion's label; unset: the only one in each mask. Masks of several labels are never taken as one structure.
    tolerance_mm : float
        Of the surface Dice.

    Raises
    ------
    PlanError
        One is a file and the other a folder, or no names are equal.
    CaseError
        The one pair asked for cannot be compared.
    TableError
        Every case failed.
    """
    if not tolerance_mm >= 0:
        raise PlanError(f"--tolerance {tolerance_mm:g}: millimetres, 0 or more")
    pairs, failed = _pairs(reference, prediction)
    rows: list[tuple[str, str, float]] = []
    for case, first, second in pairs:
        try:
            values = _compared(first, second, label, tolerance_mm)
        except CaseError as error:
            if reference.is_file():
                raise CaseError(error.reason, case=case) from error
            failed[case] = error.reason
            continue
        rows += [(case, metric, value) for metric, value in values.items()]
    for case, reason in failed.items():
        log.warning("case %s: %s", case, reason)
    if not rows:
        raise TableError(f"no case could be compared. The first: {next(iter(failed.values()))}")
    out.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["case", "metric", "value"]).to_csv(out, index=False)
    return len(failed)


def _compared(reference: Path, prediction: Path, label: int | None, tolerance_mm: float) -> dict[str, float]:
    first, second = read_labels(reference), read_labels(prediction)
    difference = first.geometry.difference(second.geometry)
    if difference is not None:
        raise GeometryMismatchError(
            f"the masks lie on different grids: {difference} ({reference}, {prediction}). Save both on the image's grid"
        )
    a, b = _lesion(first, label, reference), _lesion(second, label, prediction)
    found = compare_masks(a, b, first.geometry.spacing_mm, tolerance_mm=tolerance_mm).to_dict()
    grade = GRADES.index(modification(found["dice"]))
    return {**found, "modification": float(grade), "acceptable": float(found["dice"] >= 0.9)}


def _lesion(labels: LabelImage, label: int | None, path: Path) -> NDArray[np.bool_]:
    present = list(labels.labels())
    if label is None and len(present) > 1:
        raise MaskError(f"{path} holds the labels {first_few(map(str, present))}; say which is the lesion with --label")
    found: NDArray[np.bool_] = labels.values == (label if label is not None else present[0] if present else 1)
    return found


def _pairs(reference: Path, prediction: Path) -> tuple[list[tuple[str, Path, Path]], dict[str, str]]:
    """Case, its two files; and the cases that only one folder has."""
    for path in (reference, prediction):
        if not path.exists():
            raise PlanError(f"{path}: no such file or folder")
    if reference.is_dir() != prediction.is_dir():
        raise PlanError(f"{reference} and {prediction}: give two mask files or two folders of mask files")
    if reference.is_file():
        return [(without_ending(prediction.name), reference, prediction)], {}
    first, second = (
        {without_ending(file.name): file for file in sorted(folder.iterdir()) if _is_mask(file)}
        for folder in (reference, prediction)
    )
    common = [case for case in first if case in second]
    if not common:
        raise PlanError(
            f"no mask file in {reference} ({first_few(first) or 'it holds none'}) has the name of one in {prediction} "
            f"({first_few(second) or 'it holds none'}). Files of one case need one name"
        )
    alone = {case: f"no mask of this name in {prediction}" for case in first if case not in second}
    alone |= {case: f"no mask of this name in {reference}" for case in second if case not in first}
    return [(case, first[case], second[case]) for case in common], alone


def _is_mask(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and any(file.name.lower().endswith(e) for e in FORMATS)
