"""IBSI 2, phase 1: response maps of the digital phantoms against the consensus maps, voxel by voxel."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.filters import filter_labels, parse_filter, response_maps
from isthmus.image import Image
from isthmus.image.io import read_image
from reference.ibsi2_settings import PHASE1, WITHOUT_CONSENSUS, Table


def phantom(data: Path, name: str) -> Image:
    return read_image(data / "ibsi" / "ibsi2_digital_phantoms" / "nifti" / name / "image" / f"{name}.nii.gz")


def response(image: Image, table: Table) -> NDArray[np.float64]:
    whole = tuple(slice(0, size) for size in image.geometry.shape)
    (only,) = response_maps(image, whole, parse_filter(table))  # type: ignore[arg-type]
    return only


def reference_rows(data: Path) -> dict[str, dict[str, str]]:
    with (data / "ibsi" / "ibsi2_reference.csv").open(newline="", encoding="utf-8") as file:
        return {row["test_id"]: row for row in csv.DictReader(file) if row["phase"] == "1"}


def test_every_map_matches_the_consensus(shared_data: Path) -> None:
    """At every voxel of all 33 maps the difference is at most 1 % of the reference map's range; the table shows the largest."""
    compared, misses = 0, []
    for test, row in reference_rows(shared_data).items():
        if not row["response_map"]:
            continue
        name, table = PHASE1[test]
        reference = read_image(shared_data / "ibsi" / row["response_map"]).values
        difference = float(np.abs(response(phantom(shared_data, name), table) - reference).max())
        share = 100 * difference / float(np.ptp(reference))
        passed = difference <= float(row["tolerance"])
        (label,) = filter_labels(parse_filter(table))
        print(f"{test:7s}{label:75s}{share:9.5f} % of the range{'' if passed else '   MISS'}")
        compared += 1
        misses += [] if passed else [test]
    assert (compared, misses) == (33, [])


def test_the_tests_without_consensus_are_known(shared_data: Path) -> None:
    """Exactly those tests have no reference map, and every test has settings."""
    rows = reference_rows(shared_data)
    assert set(rows) == set(PHASE1)
    assert {test for test, row in rows.items() if not row["response_map"]} == set(WITHOUT_CONSENSUS)


@pytest.mark.parametrize("test", WITHOUT_CONSENSUS)
def test_a_map_without_consensus_is_no_stronger_than_its_band(shared_data: Path, test: str) -> None:
    """Squared and summed over the image, one Riesz component, turned at will, holds no more than the band-passed image."""
    name, table = PHASE1[test]
    image = phantom(shared_data, name)
    settings = parse_filter(table)
    band = {key: value for key, value in table.items() if key in ("sigma_mm", "level")}
    whole = response(image, {"name": settings.name.removeprefix("riesz_"), **band, "boundary": settings.boundary})  # type: ignore[attr-defined]
    found = response(image, table)
    assert np.isfinite(found).all()
    assert 0.01 < np.sum(found**2) / np.sum(whole**2) < 1
