"""The IBSI 1 digital phantom: every texture matrix, and every texture value under every aggregation."""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus import _core
from isthmus.image.io import read_image
from isthmus.roi import read_roi
from reference.ibsi_names import NAMES

MERGED = {("glcm", "2D"): "SUJT", ("glcm", "3D"): "IAZD", ("glrlm", "2D"): "SUJT", ("glrlm", "3D"): "IAZD"}
SINGLE = {("glcm", "2D"): "BTW3", ("glcm", "3D"): "ITBB", ("glrlm", "2D"): "BTW3", ("glrlm", "3D"): "ITBB"}
Key = tuple[str, str, str, int]


@cache
def phantom(data: Path) -> tuple[_core.Region, NDArray[np.uint32]]:
    folder = data / "ibsi" / "digital_phantom" / "nifti"
    image = read_image(folder / "image" / "phantom.nii.gz")
    mask = read_roi(folder / "mask" / "mask.nii.gz", image, label=1).mask
    return _core.Region(mask, (2.0, 2.0, 2.0)), np.asarray(image.values)[mask].astype(np.uint32)


@cache
def published(data: Path) -> dict[Key, dict[tuple[int, float], float]]:
    """(family, dimension, direction, slice) -> cells."""
    matrices: dict[Key, dict[tuple[int, float], float]] = defaultdict(dict)
    with (data / "ibsi" / "ibsi1_digital_phantom_texture_matrices.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = row["family"], row["dimension"], row["direction_xyz"], int(row["slice_z"] or 0)
            matrices[key][int(row["grey_level_i"]), float(row["second_index"])] = float(row["count_n"])
    return matrices


def found(data: Path, family: str, dimension: str, direction: str, slice_z: int) -> dict[tuple[int, float], float]:
    if direction:  # noqa: SIM108
        aggregation = (MERGED if direction == "merged" else SINGLE)[family, dimension]
    else:
        aggregation = "8QNN" if dimension == "2D" else "KOBO"
    rows = _core.texture_matrices(*phantom(data), (family, aggregation), workspace=_core.Workspace())
    rows = rows[rows[:, 0] == (slice_z - 1 if slice_z else -1)]
    if direction not in ("", "merged"):
        step = np.array([int(part) for part in direction.split(",")][::-1])
        rows = rows[(rows[:, 1:4] == step).all(axis=1) | (rows[:, 1:4] == -step).all(axis=1)]
    if family == "ngtdm":
        return {(int(i), s): n for *_, i, n, s in rows}
    return {(int(i), j): n for *_, i, j, n in rows}


def test_every_matrix_is_the_published_one(shared_data: Path) -> None:
    """All co-occurrence, run-length, zone, dependence and tone matrices, cell by cell (s to its printed digits)."""
    wrong = []
    for (family, dimension, direction, slice_z), cells in published(shared_data).items():
        ours = found(shared_data, family, dimension, direction, slice_z)
        if family == "ngtdm":
            same = len(ours) == len(cells) and all(
                i == level and n == count and abs(s - expected) < 5e-3
                for ((i, s), n), ((level, expected), count) in zip(
                    sorted(ours.items()), sorted(cells.items()), strict=True
                )
            )
        else:
            same = ours == cells
        if not same:
            wrong.append((family, dimension, direction, slice_z))
    assert not wrong


def test_the_table_has_all_matrices(shared_data: Path) -> None:
    """32 + 26 co-occurrence and run-length matrices, their merged ones, and five of each other family."""
    assert len(published(shared_data)) == 2 * (16 + 13 + 5) + 4 * 5


def to_three_digits(printed: str) -> float:
    """Half a unit of the last digit printed: 0.0296 -> 0.00005, 1490 -> 5 (three digits count)."""
    if "." in printed:
        return 0.5 * 10.0 ** -len(printed.split(".")[1])
    return 0.5 * 10.0 ** max(len(printed.lstrip("-")) - 3, 0)


def consensus(data: Path, family: str) -> list[dict[str, str]]:
    with (data / "ibsi" / "ibsi1_reference.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if row["configuration"] == "digital_phantom" and row["family"] == family
        ]
    return [row for row in rows if row["reference_value"]]


COUNTS = {"glcm": 150, "glrlm": 96, "glszm": 48, "gldzm": 48, "ngtdm": 15, "ngldm": 51}


@pytest.mark.parametrize("family", COUNTS)
def test_every_value_is_the_published_one(shared_data: Path, family: str) -> None:
    """Every feature of the family under every aggregation rounds to the digits printed."""
    rows = consensus(shared_data, family)
    aggregations = sorted({row["aggregation_ibsi_id"] for row in rows})
    values = _core.texture(*phantom(shared_data), [(family, a) for a in aggregations], workspace=_core.Workspace())
    ours = {
        a: dict(zip(_core.feature_names(family), v, strict=True)) for a, v in zip(aggregations, values, strict=True)
    }
    wrong = []
    for row in rows:
        value = ours[row["aggregation_ibsi_id"]][NAMES[family][row["feature_ibsi_id"]]]
        allowed = max(float(row["tolerance"]), to_three_digits(row["reference_value"])) * (1 + 1e-9)
        if not abs(value - float(row["reference_value"])) <= allowed:
            wrong.append((row["feature"], row["aggregation_ibsi_id"], row["reference_value"], value))
    assert len(rows) == COUNTS[family]
    assert not wrong
