"""IBSI 2, phase 2: intensity statistics of the CT phantom's response maps against the consensus values."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features.ibsi import intensity_statistics
from isthmus.filters import parse_filter, response_maps
from isthmus.image import Image
from isthmus.image.io import read_image
from isthmus.image.resample import resample
from isthmus.roi import read_roi
from isthmus.roi.resample import resample_roi
from isthmus.roi.resegment import resegment
from reference.ibsi2_settings import PHASE2

# No consensus was reached for this one.
OPEN = {("8.B", "stat_qcod")}


@cache
def prepared(data: Path, configuration: str) -> tuple[Image, NDArray[np.bool_]]:
    """Image and intensity mask of configuration A or B."""
    folder = data / "ibsi" / "ct_phantom" / "nifti"
    image = read_image(folder / "image" / "phantom.nii.gz")
    roi = read_roi(folder / "mask" / "mask.nii.gz", image)
    if configuration == "B":
        image = resample(image, (1, 1, 1), interpolation="cubic_spline", rounding=True)
        roi = resample_roi(roi, (1, 1, 1))
    return image, resegment(image.values, roi.mask, low=-1000, high=400)


def statistics(image: Image, mask: NDArray[np.bool_], test: str) -> dict[str, float]:
    """The 18 statistics by their tags, from the response in the region's box."""
    occupied = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    k, j, i = (slice(int(voxels[0]), int(voxels[-1]) + 1) for voxels in occupied)
    (response,) = response_maps(image, (k, j, i), parse_filter(PHASE2[test]))
    region = _core.Region(np.ascontiguousarray(mask[k, j, i]), image.geometry.spacing_mm)
    values = _core.intensity_statistics(_core.Sample(region, response))
    return {spec.tag: float(value) for spec, value in zip(intensity_statistics.FEATURES, values, strict=True)}


def test_every_value_matches_the_consensus(shared_data: Path) -> None:
    """324 values of 18 tests; the table shows how many passed and the largest difference in tolerances."""
    with (shared_data / "ibsi" / "ibsi2_reference.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] == "2"]
    compared, misses = 0, []
    for test in PHASE2:
        found = statistics(*prepared(shared_data, test[-1]), test)
        worst, count = 0.0, 0
        for row in rows:
            if row["test_id"] != test or (test, row["tag"]) in OPEN:
                continue
            off = abs(found[row["tag"]] - float(row["reference_value"])) / float(row["tolerance"])
            worst, count = max(worst, off), count + 1
            if off > 1:
                misses.append(
                    f"{test} {row['tag']}: {found[row['tag']]:.6g}, {row['reference_value']} +- {row['tolerance']}"
                )
        compared += count
        print(f"{test}  {PHASE2[test]['name']:12s}{count} values, at most {worst:.2f} tolerances off")
    assert (compared, misses) == (len(rows) - len(OPEN), [])
