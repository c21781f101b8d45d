"""Names and values of structures, and label maps put together from several files. Nothing here reads an image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError

__all__ = ["CONTEXT", "TOTALSEGMENTATOR", "merged", "read_label_names"]

CONTEXT: Mapping[str, int] = {
    "thyroid": 1, "trachea": 2, "carotid_left": 3, "carotid_right": 4, "vertebra_c5": 5, "vertebra_c6": 6, "vertebra_c7": 7,
    "vertebra_t1": 8, "clavicle_left": 9, "clavicle_right": 10,
}  # fmt: skip
"""The structures around a thyroid lesion and the values they get in a label map; the lesion is 11."""

TOTALSEGMENTATOR: Mapping[str, str] = {
    "thyroid": "thyroid_gland", "trachea": "trachea", "carotid_left": "common_carotid_artery_left",
    "carotid_right": "common_carotid_artery_right", "vertebra_c5": "vertebrae_C5", "vertebra_c6": "vertebrae_C6",
    "vertebra_c7": "vertebrae_C7", "vertebra_t1": "vertebrae_T1", "clavicle_left": "clavicula_left", "clavicle_right": "clavicula_right",
}  # fmt: skip
"""The name of each structure's file in a folder of TotalSegmentator; by name, as numbers differ between its versions."""


def read_label_names(path: Path) -> dict[str, int]:
    """Names and values from a JSON file: `{"lesion": 11, ...}`, or nnU-Net's `dataset.json` with its `labels`.

    Raises
    ------
    PlanError
        The file cannot be read, or holds something else.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise PlanError(f"--labels {path}: cannot be read as JSON ({exc})") from exc
    if isinstance(document, dict) and isinstance(document.get("labels"), dict):
        document = document["labels"]
    if not isinstance(document, dict) or not all(isinstance(value, int) for value in document.values()):
        raise PlanError(f'--labels {path}: expected names and whole numbers, {{"lesion": 11, "thyroid": 1}}')
    return {str(name): int(value) for name, value in document.items() if value != 0}


def merged(
    shape: tuple[int, ...], context: Mapping[int, NDArray[np.bool_]], lesion: NDArray[np.bool_], value: int
) -> NDArray[np.uint8]:
    """A label map: the context in the order given, the lesion over it.

    Parameters
    ----------
    shape : tuple of int
    context : mapping
        Value to mask.
    lesion : bool array
    value : int
        Of the lesion.
    """
    found = np.zeros(shape, np.uint8)
    for number, mask in context.items():
        found[mask] = number
    found[lesion] = value
    return found
