"""The `pyradiomics` profile equals PyRadiomics 3.0.1, feature by feature."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from isthmus.features import extract
from isthmus.features.profiles import pyradiomics

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
CONFIGURATIONS = {"original": None, "resample": (1.0, 1.0, 1.0)}
NAMES = [meta.column for meta in pyradiomics.columns(pyradiomics.Settings())]


@cache
def reference(folder: Path, case: str, configuration: str) -> dict[str, float]:
    with (folder / f"{case}_{configuration}.csv").open(newline="") as file:
        return {row["feature"]: float(row["value"]) for row in csv.DictReader(file)}


@cache
def ours(data: Path, case: str, configuration: str) -> dict[str, float]:
    image, mask, width = CASES[case]
    values = extract(data / image, data / mask, bin_width=width, spacing_mm=CONFIGURATIONS[configuration])
    return {str(name): float(value) for name, value in values.items()}


def different(value: float, expected: float) -> bool:
    """More than 1e-6 apart, relative; absolute differences below 1e-12 count as equal."""
    difference = abs(value - expected)
    return not (difference < 1e-12 or difference <= 1e-6 * abs(expected))


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("case", CASES)
def test_every_feature_equals_pyradiomics(shared_data: Path, case: str, configuration: str) -> None:
    """All 107 values lie within a relative 1e-6 of PyRadiomics' (no feature is exempt)."""
    expected = reference(shared_data / "reference" / "pyradiomics", case, configuration)
    found = ours(shared_data, case, configuration)
    wrong = {name: (found[name], value) for name, value in expected.items() if different(found[name], value)}
    assert not wrong


def test_the_reference_lists_the_same_features(shared_data: Path) -> None:
    """The profile has exactly the features of the reference, no more and no fewer."""
    expected = reference(shared_data / "reference" / "pyradiomics", "brain1", "original")
    assert sorted(NAMES) == sorted(expected)
