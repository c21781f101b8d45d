"""IBSI 2, phase 2: intensity statistics of the CT phantom's response maps, through the `ibsi` profile.

Run with `-s` to see, per test, the values met and the largest difference in tolerances.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus.features.ibsi import FAMILIES
from isthmus.features.profiles import ibsi
from isthmus.image import Geometry, Image
from isthmus.image.io import read_image
from isthmus.roi import Roi, read_roi
from reference.ibsi2_settings import PHASE2

# no consensus was reached for this one
OPEN = {("8.B", "stat_qcod")}

COMMON: dict[str, Any] = {
    "families": ("intensity_statistics",),
    "resegment_range": (-1000.0, 400.0),
    "rounding": "nearest_integer",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "A": {**COMMON, "by_slice": True},
    "B": {**COMMON, "spacing_mm": (1.0, 1.0, 1.0), "interpolation": "cubic_spline"},
}


@cache
def measured(data: Path, configuration: str) -> dict[tuple[str, str], float]:
    """(test, tag) -> value: one call of the profile with the nine filters of a configuration."""
    folder = data / "ibsi" / "ct_phantom" / "nifti"
    image = read_image(folder / "image" / "phantom.nii.gz")
    roi = read_roi(folder / "mask" / "mask.nii.gz", image, label=1)
    tests = [test for test in PHASE2 if test.endswith(configuration)]
    settings = ibsi.Settings(**SETTINGS[configuration], filters=[PHASE2[test] for test in tests])
    values = ibsi.compute(image, roi, settings).reshape(len(tests), -1)
    tags = [spec.tag for spec in FAMILIES["intensity_statistics"].FEATURES]
    return {
        (test, tag): float(v) for test, row in zip(tests, values, strict=True) for tag, v in zip(tags, row, strict=True)
    }


@pytest.mark.parametrize("configuration", "AB")
def test_every_value_matches_the_consensus(shared_data: Path, configuration: str) -> None:
    """18 statistics of nine filters: all 162 values of A, the 161 with a consensus of B."""
    with (shared_data / "ibsi" / "ibsi2_reference.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] == "2" and row["test_id"].endswith(configuration)]
    asked = [row for row in rows if (row["test_id"], row["tag"]) not in OPEN]
    found = measured(shared_data, configuration)
    off = {
        (row["test_id"], row["tag"]): abs(found[row["test_id"], row["tag"]] - float(row["reference_value"]))
        / float(row["tolerance"])
        for row in asked
    }
    for test in dict.fromkeys(test for test, _ in off):
        of_test = [value for (name, _), value in off.items() if name == test]
        print(
            f"{test}  {PHASE2[test]['name']:12s}{sum(v <= 1 for v in of_test)}/{len(of_test)}, at most {max(of_test):.2f} tolerances"
        )
    missed = [
        f"{test} {tag}: {found[test, tag]:.6g}, {value:.2f} tolerances off"
        for (test, tag), value in off.items()
        if value > 1
    ]
    assert (len(asked), missed) == ({"A": 162, "B": 161}[configuration], [])


def test_columns_of_response_maps_start_with_the_filters_label() -> None:
    """Shape and peaks come once, of the unfiltered image, whose columns have no label in front."""
    filters = ["none", PHASE2["3.B"]]
    columns = ibsi.columns(
        ibsi.Settings(families=("morphology", "local_intensity", "intensity_statistics"), filters=filters)
    )
    names = [meta.column for meta in columns]
    label = columns[-1].filter
    assert len(names) == 29 + 2 + 18 + 18
    assert names[31] == "stat_mean"
    assert names[49] == f"{label}_stat_mean"


def test_resegmentation_is_decided_on_the_unfiltered_image() -> None:
    """The range speaks of HU: a response below it keeps its voxel, and bins start at the response map's own minimum."""
    rng = np.random.default_rng(2)
    geometry = Geometry((9, 10, 11), (1.0, 1.0, 1.0))
    image = Image(rng.normal(0, 50, geometry.shape).round().astype(np.int16), geometry, "HU")
    settings = ibsi.Settings(
        families=("intensity_statistics", "intensity_histogram"),
        resegment_range=(0.0, 100.0),
        discretisation={"method": "fbs", "bin_width": 5},
        response_discretisation={"method": "fbs", "bin_width": 5},
        filters=["none", {"name": "mean", "support": 3}],
    )
    values = ibsi.compute(image, Roi(np.ones(geometry.shape, bool), geometry), settings)
    found = {
        (meta.filter, meta.feature, meta.family): v for meta, v in zip(ibsi.columns(settings), values, strict=True)
    }
    label = ibsi.columns(settings)[-1].filter
    assert found["original", "Minimum", "intensity_statistics"] == 0
    assert found[label, "Minimum", "intensity_statistics"] < 0
    assert found[label, "Minimum", "intensity_histogram"] == 1
