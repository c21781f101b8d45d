"""The `pyradiomics` profile equals PyRadiomics 3.0.1: the same columns in the same order, and every value."""

from __future__ import annotations

import csv
import math
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import UndefinedFeatureWarning
from isthmus.features import extract

# image, mask, bin width (reference/pyradiomics/README.md)
CASES = {
    "brain1": ("pyradiomics/brain1_image.nrrd", "pyradiomics/brain1_label.nrrd", 25.0),
    "brain2": ("pyradiomics/brain2_image.nrrd", "pyradiomics/brain2_label.nrrd", 25.0),
    "breast1": ("pyradiomics/breast1_image.nrrd", "pyradiomics/breast1_label.nrrd", 25.0),
    "ibsi_digital": (
        "ibsi/digital_phantom/nifti/image/phantom.nii.gz",
        "ibsi/digital_phantom/nifti/mask/mask.nii.gz",
        1.0,
    ),
    "ibsi_ct": ("ibsi/ct_phantom/nifti/image/phantom.nii.gz", "ibsi/ct_phantom/nifti/mask/mask.nii.gz", 25.0),
    "sts_003_ct": ("sts/STS_003/CT_image.nii.gz", "sts/STS_003/CT_mask.nii.gz", 25.0),
}
FILTERS = [
    "none",
    {"name": "recursive_log", "sigma_mm": [1.0, 2.0, 3.0, 4.0, 5.0]},
    "stationary_wavelet",
    "square",
    "square_root",
    "logarithm",
    "exponential",
    "gradient",
]
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "original": {},
    "resample": {"spacing_mm": (1.0, 1.0, 1.0)},
    "force2d": {"slice_axis": "k"},
    "filters": {"filters": FILTERS},
    "lbp": {"filters": ["lbp2d", "lbp3d"]},
}
COMPARED = [(case, name) for name in CONFIGURATIONS for case in CASES if name != "lbp" or case in ("brain1", "ibsi_ct")]


@cache
def reference(folder: Path, case: str, configuration: str) -> dict[str, float]:
    with (folder / "reference" / "pyradiomics" / f"{case}_{configuration}.csv").open(newline="") as file:
        return {row["feature"]: float(row["value"]) for row in csv.DictReader(file)}


@cache
def ours(data: Path, case: str, configuration: str) -> dict[str, float]:
    image, mask, width = CASES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)  # what is undefined must be so in the reference, too
        values = extract(data / image, data / mask, bin_width=width, **CONFIGURATIONS[configuration])
    return {str(name): float(value) for name, value in values.items()}


def different(value: float, expected: float) -> bool:
    """More than 1e-6 apart, relative; absolute differences below 1e-12 count as equal."""
    if math.isnan(value) and math.isnan(expected):
        return False
    difference = abs(value - expected)
    return not (difference < 1e-12 or difference <= 1e-6 * abs(expected))


@pytest.mark.parametrize(("case", "configuration"), COMPARED)
def test_every_feature_equals_pyradiomics(shared_data: Path, case: str, configuration: str) -> None:
    """All values lie within a relative 1e-6 of PyRadiomics' (no feature is exempt)."""
    expected = reference(shared_data, case, configuration)
    found = ours(shared_data, case, configuration)
    wrong = {name: (found[name], value) for name, value in expected.items() if different(found[name], value)}
    assert not wrong


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_the_columns_are_pyradiomics_in_its_order(shared_data: Path, configuration: str) -> None:
    """The names of the reference, in the reference's order, no more and no fewer."""
    assert list(ours(shared_data, "brain1", configuration)) == list(reference(shared_data, "brain1", configuration))
