"""The IBSI 1 digital phantom: features with an IBSI twin match the consensus to its digits."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from isthmus.features import extract
from isthmus.features.profiles import pyradiomics

SETTINGS = pyradiomics.Settings(bin_width=1.0)
# Where PyRadiomics' definition is another one: kurtosis not in excess, axis lengths with the covariance divided by N.
DIFFERENT = {"Kurtosis", "MajorAxisLength", "MinorAxisLength", "LeastAxisLength"}
TWINS = [meta for meta in pyradiomics.columns(SETTINGS) if meta.ibsi_code and meta.feature not in DIFFERENT]


@cache
def consensus(data: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """(IBSI code, aggregation) -> value as printed, tolerance."""
    with (data / "ibsi" / "ibsi1_reference.csv").open(newline="", encoding="utf-8") as file:
        return {
            (row["feature_ibsi_id"], row["aggregation_ibsi_id"]): (row["reference_value"], row["tolerance"])
            for row in csv.DictReader(file)
            if row["configuration"] == "digital_phantom" and row["reference_value"]
        }


@cache
def phantom(data: Path) -> dict[str, float]:
    folder = data / "ibsi" / "digital_phantom" / "nifti"
    values = extract(folder / "image" / "phantom.nii.gz", folder / "mask" / "mask.nii.gz", bin_width=1.0)
    return {str(name): float(value) for name, value in values.items()}


def half_a_digit(printed: str) -> float:
    """Half a unit of the last digit printed: 0.0296 -> 0.00005, 1490 -> 5 (three digits count)."""
    if "." in printed:
        return 0.5 * 10.0 ** -len(printed.split(".")[1])
    return 0.5 * 10.0 ** max(len(printed.lstrip("-")) - 3, 0)


@pytest.mark.parametrize("meta", TWINS, ids=lambda meta: f"{meta.family}-{meta.feature}")
def test_matches_the_consensus(shared_data: Path, meta: pyradiomics.ColumnMeta) -> None:
    """The value lies within the consensus' tolerance, or rounds to the digits printed."""
    printed, tolerance = consensus(shared_data)[meta.ibsi_code, meta.aggregation]
    allowed = max(float(tolerance), half_a_digit(printed)) * (1 + 1e-9)
    assert abs(phantom(shared_data)[meta.column] - float(printed)) <= allowed


def test_the_table_of_twins_is_complete(shared_data: Path) -> None:
    """98 of 102 features with an IBSI twin match; the four others are PyRadiomics' own definitions."""
    assert len(TWINS) == 98


@pytest.mark.parametrize("feature", sorted(DIFFERENT))
def test_the_others_differ_as_documented(shared_data: Path, feature: str) -> None:
    """Kurtosis is 3 higher; axis lengths are shorter by sqrt((N - 1) / N), N = 74."""
    meta = next(m for m in pyradiomics.columns(SETTINGS) if m.feature == feature)
    printed, tolerance = consensus(shared_data)[meta.ibsi_code, meta.aggregation]
    value = phantom(shared_data)[meta.column]
    as_ibsi = value - 3 if feature == "Kurtosis" else value * (74 / 73) ** 0.5
    assert as_ibsi == pytest.approx(float(printed), abs=max(float(tolerance), half_a_digit(printed)))
