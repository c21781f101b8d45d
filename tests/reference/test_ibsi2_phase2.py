"""IBSI 2, phase 2: intensity statistics of the CT phantom's response maps, by the profile `ibsi`, against the consensus values."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from isthmus.features.profiles import ibsi
from isthmus.filters import filter_labels, parse_filter
from isthmus.image.io import read_image
from isthmus.roi import read_roi
from reference.ibsi2_settings import PHASE2

# No consensus was reached for this one.
OPEN = {("8.B", "stat_qcod")}

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "A": {"by_slice": True},
    "B": {"spacing_mm": (1.0, 1.0, 1.0), "interpolation": "cubic_spline", "mask_interpolation": "linear"},
}


def statistics(data: Path, configuration: str) -> dict[tuple[str, str], float]:
    """(test, tag) -> value: all response maps of a configuration in one call."""
    folder = data / "ibsi" / "ct_phantom" / "nifti"
    image = read_image(folder / "image" / "phantom.nii.gz")
    roi = read_roi(folder / "mask" / "mask.nii.gz", image)
    tests = {test: parse_filter(table) for test, table in PHASE2.items() if test.endswith(configuration)}
    settings = ibsi.Settings(
        **CONFIGURATIONS[configuration],
        rounding="nearest_integer",
        resegment_range=(-1000.0, 400.0),
        families=("intensity_statistics",),
        filters=tuple(tests.values()),
    )
    test_of = {filter_labels(one)[0]: test for test, one in tests.items()}
    values = ibsi.compute(image, roi, settings)
    return {
        (test_of[meta.filter], meta.column.removeprefix(f"{meta.filter}_")): float(value)
        for meta, value in zip(ibsi.columns(settings), values, strict=True)
    }


def test_every_value_matches_the_consensus(shared_data: Path) -> None:
    """All values of the 18 tests that have a consensus; the table shows the largest difference in tolerances."""
    found = statistics(shared_data, "A") | statistics(shared_data, "B")
    with (shared_data / "ibsi" / "ibsi2_reference.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] == "2"]
    compared, misses = 0, []
    for test, table in PHASE2.items():
        worst, count = 0.0, 0
        for row in rows:
            tag = row["tag"]
            if row["test_id"] != test or (test, tag) in OPEN:
                continue
            value, reference = found[test, tag], float(row["reference_value"])
            off = abs(value - reference) / float(row["tolerance"])
            worst, count = max(worst, off), count + 1
            if not off <= 1:
                misses.append(f"{test} {tag}: {value:.6g}, {reference:g} +- {row['tolerance']}")
        compared += count
        print(f"{test}  {table['name']:12s}{count} values, at most {worst:.2f} tolerances off")
    assert (compared, misses) == (len(rows) - len(OPEN), [])
