"""isthmus.synthetic.anatomy: the neck has what a neck has, where it has it."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.synthetic.anatomy import render_anatomy
from isthmus.synthetic.lesion import plan_lesion


def neck(seed: int, diameter_mm: float = 20.0):
    rng = np.random.default_rng(seed)
    lesion = plan_lesion(rng, texture=0.0, shape=0.0, diameter_mm=diameter_mm, extends=False, medial_mm=11.0)
    return lesion, render_anatomy(lesion, rng)


@pytest.fixture(scope="module")
def anatomy():
    return neck(4)[1]


def window(anatomy, *, y: tuple[float, float], x: tuple[float, float]):
    """Values of a rectangle of the plane over the whole height."""
    inside = [(axis > low) & (axis < high) for axis, (low, high) in zip(anatomy.axes[1:], (y, x), strict=True)]
    return anatomy.hu[:, inside[0]][:, :, inside[1]]


def test_trachea_holds_air_in_every_slice(anatomy) -> None:
    """The airway is open from the top to the bottom."""
    assert window(anatomy, y=(-30, -18), x=(-6, 6)).min(axis=(1, 2)).max() < -950


def test_vertebra_is_bone(anatomy) -> None:
    """Behind the airway stands bone, brighter than any enhanced vessel."""
    assert window(anatomy, y=(0, 18), x=(-14, 14)).max() > 450


def test_great_vessels_are_enhanced_on_both_sides(anatomy) -> None:
    """Lateral of the gland, each side has values of contrast medium in every slice."""
    sides = [window(anatomy, y=(-20, 2), x=x).max(axis=(1, 2)).min() for x in ((-45, -20), (20, 45))]
    assert min(sides) > 170


def test_outside_is_air(anatomy) -> None:
    """The corners of the field lie outside the skin."""
    assert np.all(anatomy.hu[:, :8, :8] == -1000)


def test_lesion_replaces_nothing_it_must_not(anatomy) -> None:
    """No voxel counted as lesion holds air."""
    assert anatomy.hu[anatomy.lesion > 0.5].min() > -200


@pytest.mark.parametrize("seed", range(3))
def test_large_lesions_stay_in_the_body(seed: int) -> None:
    """Lesions of 45 mm push their neighbours but do not reach the skin or the air."""
    _, anatomy = neck(seed, diameter_mm=45.0)
    assert anatomy.hu[anatomy.lesion > 0.5].min() > -200


def test_large_lesion_pushes_the_trachea_aside() -> None:
    """The airway at the lesion's height lies on the other side of the midline."""
    lesion, anatomy = neck(1, diameter_mm=45.0)
    k = int(np.argmin(np.abs(anatomy.axes[0] - lesion.centre_mm[0])))
    inner = np.abs(anatomy.axes[2]) < 25, (anatomy.axes[1] > -34) & (anatomy.axes[1] < -14)
    air = anatomy.hu[k][inner[1]][:, inner[0]] < -700
    middle = np.average(anatomy.axes[2][inner[0]], weights=air.sum(axis=0))
    assert middle * lesion.side < -1.5


def test_no_two_patients_alike() -> None:
    """Even the bones of two patients differ."""
    assert np.mean((neck(1)[1].hu > 300) != (neck(2)[1].hu > 300)) > 0.005
