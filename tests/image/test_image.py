"""The image itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from image.making import lopsided, oblique
from isthmus.image import Geometry, Image


def test_shape_must_match() -> None:
    """Values of another shape than the grid are refused."""
    with pytest.raises(ValueError, match="geometry says"):
        Image(np.zeros((1, 1, 1)), oblique())


def test_read_only() -> None:
    """Nobody can write into an image, and the caller's array stays writeable."""
    values = lopsided()
    assert not Image(values, oblique()).values.flags.writeable
    assert values.flags.writeable


@pytest.mark.parametrize("mapping", ["acquisition", "instances"])
def test_facts_are_read_only(mapping: str) -> None:
    """Nobody can change what the scanner said."""
    with pytest.raises(TypeError, match="does not support item assignment"):
        getattr(Image(lopsided(), oblique()), mapping)["kvp"] = 1


def test_fingerprint_sees_values() -> None:
    """One other voxel, another fingerprint."""
    other = lopsided()
    other[0, 0, 0] = 1
    assert Image(lopsided(), oblique()).fingerprint != Image(other, oblique()).fingerprint


def test_fingerprint_sees_geometry() -> None:
    """Another spacing, another fingerprint."""
    other = Geometry(oblique().shape, (1, 1, 1))
    assert Image(lopsided(), oblique()).fingerprint != Image(lopsided(), other).fingerprint


def test_fingerprint_ignores_layout() -> None:
    """The order of bytes in memory is no content."""
    assert Image(np.asfortranarray(lopsided()), oblique()).fingerprint == Image(lopsided(), oblique()).fingerprint


def test_repr() -> None:
    """It says type, size, spacing and quantity."""
    assert repr(Image(lopsided(), oblique(), "HU")) == "Image(int16, (3, 4, 5) voxels, (2.5, 0.75, 1.25) mm, HU)"


def test_crosses_a_process_border() -> None:
    """A pickled image comes back the same, facts included."""
    image = Image(lopsided(), oblique(), "HU", "scan.nii", {"kvp": 120}, {"1.2": 0})
    back = pickle.loads(pickle.dumps(image))
    assert back.fingerprint == image.fingerprint
    assert (back.quantity, back.source, back.acquisition, back.instances) == (
        "HU",
        "scan.nii",
        {"kvp": 120},
        {"1.2": 0},
    )
