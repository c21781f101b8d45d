"""PyRadiomics' shape2D baseline: one slice of each of its test cases."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from isthmus import _core
from isthmus.features import shape2d
from isthmus.image.io import read_image

SLICES = {"brain1": 16, "brain2": 8, "breast1": 9, "lung1": 33}
NAMES = [spec.name for spec in shape2d.FEATURES]


@cache
def baseline(data: Path) -> dict[tuple[str, str], float]:
    """(case, feature) -> value."""
    path = data / "pyradiomics" / "baseline" / "baseline_shape2D.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {
            (case, row["featureName"].rsplit("_", 1)[1]): float(row[f"{case}_shape2D"])
            for row in csv.DictReader(file)
            if row["featureName"].startswith("original_shape2D_")
            for case in SLICES
        }


@cache
def measured(data: Path, case: str) -> dict[str, float]:
    label = read_image(data / "pyradiomics" / f"{case}_label.nrrd")
    mask = np.ascontiguousarray(label.values[SLICES[case]][None] == 1)
    low, high, _ = _core.bounding_box(mask)
    box = mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return dict(zip(NAMES, shape2d.compute(box, label.geometry.spacing_mm), strict=True))


@pytest.mark.parametrize("feature", NAMES)
@pytest.mark.parametrize("case", SLICES)
def test_equals_the_baseline(shared_data: Path, case: str, feature: str) -> None:
    """Equal to PyRadiomics' own baseline to the digits it prints."""
    assert measured(shared_data, case)[feature] == pytest.approx(baseline(shared_data)[case, feature], rel=1e-9)


def test_the_core_names_the_same_features() -> None:
    """The table of features and the values of the core are in the same order."""
    assert _core.shape2d_names() == NAMES
