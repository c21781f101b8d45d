"""Stability of supervoxels under perturbation."""

from __future__ import annotations

import numpy as np
import pytest

from habitat.making import lesion
from isthmus.errors import TableError
from isthmus.habitat import SupervoxelSettings, cut
from isthmus.habitat.stability import StabilitySettings, as_repeats, derived_reliability, stability


def test_every_perturbation_is_a_row_and_none_is_perfect_but_the_first() -> None:
    """The lesion as it is agrees with itself; each perturbation lowers the index and raises the information lost."""
    found = stability(*lesion(), None, StabilitySettings(noise=6.0, volumes=(0.5, 2.0)))
    rest = found.drop(index="none")
    assert (found.loc["none", "ari"], found.loc["none", "vi"], len(rest)) == (1.0, 0.0, 13)
    assert (rest["ari"].between(0.1, 0.999).all(), (rest["vi"] > 0).all()) == (True, True)


def test_the_first_row_is_the_cut_itself() -> None:
    """The grid does not depend on the perturbations asked for."""
    image, roi = lesion()
    assert stability(image, roi).loc["none", "supervoxels"] == cut(image, roi).count


def test_more_noise_is_less_stable() -> None:
    """The index falls as the noise grows."""
    image, roi = lesion()
    only = {"shift_voxels": 0, "volumes": (), "compactnesses": (), "repeats": 2}
    mean = [
        stability(image, roi, None, StabilitySettings(noise=noise, **only)).drop(index="none")["ari"].mean()
        for noise in (0.0, 5.0, 40.0)
    ]
    assert mean[0] == 1.0 > mean[1] > mean[2]


def test_what_is_derived_gets_an_icc() -> None:
    """Patients that differ much more than their perturbations: near 1 for the mean, NaN for what never differs."""
    only = StabilitySettings(volumes=(), compactnesses=(), repeats=1, noise=10.0)
    tables = []
    for patient in range(4):
        image, roi = lesion(shape=(8, 24, 24), seed=patient)
        image = type(image)(image.values + np.int16(40 * patient), image.geometry)
        tables.append(
            stability(
                image,
                roi,
                SupervoxelSettings(volume_mm3=200),
                only,
                derived=lambda p: {"mean": p.image.values[p.labels > 0].mean(), "same": 1.0},
            )
        )
    found = derived_reliability(tables)
    assert (found.loc["mean", "icc"] > 0.98, np.isnan(found.loc["same", "icc"])) == (True, True)
    again = as_repeats({f"p{number}": table for number, table in enumerate(tables)})
    assert again.columns.tolist() == ["patient", "repeat", "mean", "same"]
    assert again["mean"].tolist() == [value for table in tables for value in table["mean"]]


def test_patients_must_be_perturbed_alike() -> None:
    """Other rows cannot be raters of the same kind."""
    image, roi = lesion(shape=(6, 20, 20))
    first = stability(image, roi)
    with pytest.raises(TableError, match="different ways"):
        derived_reliability([first, first.iloc[:3]])
