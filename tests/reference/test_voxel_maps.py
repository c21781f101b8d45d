"""Feature maps equal PyRadiomics 3.0.1's, voxel-based extraction.

`voxel_maps_pyradiomics.json` holds, of every map PyRadiomics makes of `lesion`, the sum, the sum of squares (NaN left out) and how
many voxels are NaN; initValue 0, binWidth 10 unless the configuration says otherwise. PyRadiomics' MCC map fails as a whole where one
direction holds no pair in one kernel of a batch (NumPy refuses NaN), so MCC was made with voxelBatch 1.
"""

from __future__ import annotations

import csv
import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.errors import UndefinedFeatureWarning
from isthmus.features.maps import maps

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "radius 1": ("int16", {"kernel_radius": 1}),
    "radius 2": ("int16", {"kernel_radius": 2}),
    "radius 1, unmasked": ("int16", {"kernel_radius": 1, "masked_kernel": False}),
    "radius 1, slices across k": ("int16", {"kernel_radius": 1, "slice_axis": "k"}),
    "radius 2, unmasked, slices across j": (
        "int16",
        {"kernel_radius": 2, "masked_kernel": False, "slice_axis": "j"},
    ),
    "radius 1, 8 bins, shift 100, alpha 1, single precision": (
        "float32",
        {"kernel_radius": 1, "bin_count": 8, "voxel_array_shift": 100, "gldm_alpha": 1},
    ),
}
EXPECTED = json.loads(Path(__file__).with_name("voxel_maps_pyradiomics.json").read_text())
SPACING = (2.5, 0.8, 0.7)


def lesion(dtype: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A noisy bump, its region with holes, an isolated voxel and a pair apart."""
    rng = np.random.default_rng(20261125)
    shape = (6, 7, 8)
    k, j, i = np.indices(shape)
    values = 120 * np.exp(-((k - 2.5) ** 2 / 6 + (j - 3) ** 2 / 8 + (i - 3.5) ** 2 / 10)) + rng.integers(0, 60, shape)
    mask = ((k - 2.5) ** 2 / 5 + (j - 3) ** 2 / 7 + (i - 3) ** 2 / 9 < 1) & (rng.random(shape) > 0.1)
    mask[0, 0, 7] = True
    mask[5, 6, 6:8] = True
    return (values.astype(np.int16) if dtype == "int16" else (values * 0.37).astype(np.float32)), mask


@cache
def found(configuration: str) -> dict[str, NDArray[np.float64]]:
    dtype, settings = SETTINGS[configuration]
    values, mask = lesion(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        made = maps((values, SPACING), (mask, SPACING), bin_width=10, **settings)
    return {name: image.values for name, image in made.items()}


@pytest.mark.parametrize("configuration", EXPECTED)
def test_every_map_has_pyradiomics_sums(configuration: str) -> None:
    """All 93 maps: sum, sum of squares and number of NaN, to a relative 1e-9."""
    ours = {
        name: [np.nansum(values), np.nansum(values**2), np.isnan(values).sum()]
        for name, values in found(configuration).items()
    }
    assert set(ours) == set(EXPECTED[configuration])
    for name, expected in EXPECTED[configuration].items():
        # a sum of terms that cancel is as exact as its terms are large
        assert ours[name] == pytest.approx(expected, rel=1e-9, abs=1e-9 * expected[1] ** 0.5), name


def measured(shared_data: Path, case: str) -> tuple[dict[str, float], dict[str, float], NDArray[np.bool_], Any]:
    folder = shared_data / "pyradiomics"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        made = maps(
            folder / f"{case}_image.nrrd",
            folder / f"{case}_label.nrrd",
            families=["firstorder", "glcm"],
            initial_value=np.nan,
            grid="region",
            workers=2,
        )
    with (shared_data / "reference" / "pyradiomics" / f"{case}_voxelsum.csv").open(newline="") as file:
        expected = {row["feature"]: float(row["value"]) for row in csv.DictReader(file)}
    sums = {name: float(np.nansum(image.values)) for name, image in made.items()}
    return sums, expected, ~np.isnan(made["original_firstorder_Mean"].values), made


@pytest.mark.parametrize("case", ["breast1", "brain1"])
def test_sums_over_a_real_lesion(shared_data: Path, case: str) -> None:
    """First-order and GLCM maps, radius 1, over brain1 and breast1: the reference sums of 41 maps (MCC: below)."""
    sums, expected, _, _ = measured(shared_data, case)
    assert list(sums) == list(expected)
    del sums["original_glcm_MCC"], expected["original_glcm_MCC"]
    assert sums == pytest.approx(expected, rel=1e-7)


def test_mcc_where_pyradiomics_has_one(shared_data: Path) -> None:
    """brain1's reference MCC comes from the last batch of 1000 voxels, the only one whose kernels all hold every direction."""
    _, expected, region, made = measured(shared_data, "brain1")
    values = made["original_glcm_MCC"].values[region]
    assert np.nansum(values[len(values) // 1000 * 1000 :]) == pytest.approx(expected["original_glcm_MCC"], rel=1e-12)
