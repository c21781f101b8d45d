"""The 93 features of all supervoxels in one call."""

from __future__ import annotations

import warnings

import numpy as np

from habitat.making import lesion
from isthmus.features import measure
from isthmus.features.profiles import pyradiomics
from isthmus.habitat import NAMES, TextureSettings, cut, measure_supervoxels
from isthmus.habitat.measure import FAMILIES
from isthmus.image import Image
from isthmus.roi import Roi


def test_there_are_93_features() -> None:
    """18, 24, 16, 16, 14 and 5, each once: not the "about 50" of the source's prose."""
    counts = [sum(name.startswith(f"{family}_") for name in NAMES) for family in FAMILIES]
    assert (counts, len(set(NAMES))) == ([18, 24, 16, 16, 14, 5], 93)


def test_values_are_those_of_each_supervoxel_alone() -> None:
    """To the last bit what the profile `pyradiomics` gives one supervoxel after the other."""
    pieces = cut(*lesion())
    found = measure_supervoxels(pieces, TextureSettings(bin_width=10))
    settings = pyradiomics.Settings(families=FAMILIES, bin_width=10)
    alone = []
    for label in range(1, 6):
        row = measure(pieces.image, Roi(pieces.labels == label, pieces.geometry), "pyradiomics", settings)
        alone.append([row[f"original_{name}"] for name in NAMES])
    np.testing.assert_array_equal(found.values[:5], alone)


def test_sizes_are_those_of_the_supervoxels() -> None:
    """One row a supervoxel, in the order of the labels."""
    pieces = cut(*lesion())
    sizes = [(pieces.labels == label).sum() for label in range(1, pieces.count + 1)]
    np.testing.assert_array_equal(measure_supervoxels(pieces).voxels, sizes)


def test_constant_supervoxels_can_be_left_out_with_the_reason() -> None:
    """skip_constant: the row is gone, its label is in `reasons`."""
    image, roi = lesion()
    flat = Image(np.full_like(image.values, 7), image.geometry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure_supervoxels(cut(flat, roi), TextureSettings(skip_constant=True))
    assert (len(found.values), set(found.reasons.values())) == (0, {"one intensity throughout"})
