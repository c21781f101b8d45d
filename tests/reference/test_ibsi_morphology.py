"""IBSI 1 morphology and local intensity: the digital phantom, and configuration A, which needs no resampling."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features import morphology
from isthmus.image.io import read_image
from isthmus.roi import read_roi

TAGS = (*morphology.TAGS, *_core.local_intensity_names())
NO_CONSENSUS = {"morph_vol_dens_ombb", "morph_area_dens_ombb", "morph_vol_dens_mvee", "morph_area_dens_mvee"}


@cache
def consensus(data: Path, configuration: str) -> dict[str, tuple[str, float]]:
    """Tag -> value as printed, tolerance."""
    with (data / "ibsi" / "ibsi1_reference.csv").open(newline="", encoding="utf-8") as file:
        return {
            row["tag"]: (row["reference_value"], float(row["tolerance"]))
            for row in csv.DictReader(file)
            if row["configuration"] == configuration and row["tag"] in TAGS and row["reference_value"]
        }


@cache
def measured(data: Path, configuration: str) -> dict[str, float]:
    digital = configuration == "digital_phantom"
    folder = data / "ibsi" / ("digital_phantom" if digital else "ct_phantom") / "nifti"
    image = read_image(next((folder / "image").glob("*.nii.gz")))
    mask = read_roi(next((folder / "mask").glob("*.nii.gz")), image, label=1).mask
    spacing, values = image.geometry.spacing_mm, image.values.astype(np.float64)
    inside: NDArray[np.bool_] = mask if digital else mask & (values >= -500) & (values <= 400)
    found = [*morphology.compute(values, mask, inside, spacing), *_core.local_intensity(values, inside, spacing)]
    return dict(zip(TAGS, found, strict=True))


def half_a_digit(printed: str) -> float:
    return 0.5 * 10.0 ** -len(printed.split(".")[1]) if "." in printed else 0.5


@pytest.mark.parametrize("tag", [tag for tag in TAGS if tag not in NO_CONSENSUS])
@pytest.mark.parametrize("configuration", ["digital_phantom", "A"])
def test_matches_the_consensus(shared_data: Path, configuration: str, tag: str) -> None:
    """The value lies within the consensus' tolerance, or rounds to the digits printed."""
    printed, tolerance = consensus(shared_data, configuration)[tag]
    allowed = max(tolerance, half_a_digit(printed)) * (1 + 1e-9)
    assert abs(measured(shared_data, configuration)[tag] - float(printed)) <= allowed


def test_only_four_features_have_no_consensus(shared_data: Path) -> None:
    """IBSI agreed on no value of the oriented box and the enclosing ellipsoid; every other feature is tested above."""
    assert set(TAGS) - set(consensus(shared_data, "digital_phantom")) == NO_CONSENSUS
