"""Every region of a label map in one call: the values, row by row, of one region at a time."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import GeometryMismatchError, MaskError, UndefinedFeatureWarning
from isthmus.features import measure, measure_labels
from isthmus.features.extract import settings_of
from isthmus.image import Image
from isthmus.image.geometry import Geometry
from isthmus.image.labels import LabelImage
from isthmus.roi import Roi


def scan(dtype: str = "int16") -> tuple[Image, np.ndarray]:
    """A noisy image and 24 blocks whose corners are cut off; label 7 stands twice."""
    rng = np.random.default_rng(8)
    shape = (8, 12, 16)
    values = (rng.normal(100, 30, shape) + 5 * np.indices(shape)[2]).astype(dtype)
    k, j, i = np.indices(shape)
    labels = (k // 4) * 12 + (j // 4) * 4 + i // 4 + 1
    labels[rng.random(shape) < 0.2] = 0
    labels[labels == 20] = 7
    return Image(values, Geometry(shape, (2.5, 0.8, 0.7))), labels


def one_by_one(image: Image, labels: np.ndarray, settings: Any) -> pd.DataFrame:
    rows = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        for label in np.unique(labels[labels > 0]):
            rows[int(label)] = measure(image, Roi(labels == label, image.geometry), "pyradiomics", settings)
    return pd.DataFrame(rows).T


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"bin_count": 8},
        {"families": ("glcm", "firstorder")},
        {"features": ("firstorder_StandardDeviation", "shape_MeshVolume", "ngtdm_Strength")},
        {"filters": ["none", "square", {"name": "stationary_wavelet"}], "families": ("firstorder", "gldm")},
        {"slice_axis": "k", "families": ("glrlm",)},
        {"resegment_range": (40.0, 150.0), "families": ("firstorder",)},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_bits_of_one_by_one(given: dict[str, Any], dtype: str) -> None:
    """Defaults, bins, single features, filters, and settings that are obeyed region by region: equal to the last bit."""
    image, labels = scan(dtype)
    settings = settings_of("pyradiomics", given)
    together = measure_labels(image, labels, "pyradiomics", settings)
    alone = one_by_one(image, labels, settings)
    assert list(together.columns) == list(alone.columns)
    np.testing.assert_array_equal(together.index, alone.index)
    np.testing.assert_array_equal(together.to_numpy(), alone.to_numpy())


def test_threads_never_change_a_bit() -> None:
    """Three threads give the bits of one."""
    image, labels = scan()
    np.testing.assert_array_equal(measure_labels(image, labels), measure_labels(image, labels, workers=3))


def test_a_label_map_as_read_from_a_file() -> None:
    """A LabelImage of any integer type gives what the array gives."""
    image, labels = scan()
    map_ = LabelImage(labels.astype(np.uint8), image.geometry)
    np.testing.assert_array_equal(measure_labels(image, map_), measure_labels(image, labels))


def test_a_region_too_small_is_a_row_of_nan_with_a_reason() -> None:
    """One voxel: NaN, and the reason by its label; the others are measured."""
    image, labels = scan()
    labels[0, 0, 0] = 500
    with pytest.warns(UndefinedFeatureWarning, match=r"1 of 24 regions were not.*500 \(1 voxels in 0 dimensions"):
        found = measure_labels(image, labels)
    assert found.loc[500].isna().all()
    assert "at least 2 voxels" in found.attrs["reasons"][500]
    assert found.drop(index=500).notna().all().all()


def test_nan_in_one_region_costs_that_region_only() -> None:
    """A NaN intensity: the shape is there, the rest is NaN with the reason."""
    image, labels = scan("float32")
    values = image.values.copy()
    values[tuple(np.argwhere(labels == 3)[0])] = np.nan
    with pytest.warns(UndefinedFeatureWarning, match="3 .*1 of .* voxels are NaN"):
        found = measure_labels(Image(values, image.geometry), labels)
    assert list(found.attrs["reasons"]) == [3]
    assert found.drop(index=3).notna().all().all()


def test_too_many_levels_are_a_reason() -> None:
    """A bin width that makes millions of bins costs the region, not the call."""
    image, labels = scan("float32")
    values = image.values.copy()
    values[tuple(np.argwhere(labels == 3)[0])] = 1e9
    with pytest.warns(UndefinedFeatureWarning, match="bins"):
        found = measure_labels(Image(values, image.geometry), labels)
    assert "wider bin_width" in found.attrs["reasons"][3]


def test_an_undefined_feature_is_warned_of_once() -> None:
    """Two voxels one apart have no pair: GLCM is NaN there, said in one warning."""
    image, labels = scan()
    labels[:] = 0
    labels[1, 1, 1] = labels[1, 1, 3] = 1
    labels[2:6, 4:8, 4:8] = 2
    with pytest.warns(UndefinedFeatureWarning, match=r"original_glcm_Autocorrelation \(1 regions\)") as caught:
        found = measure_labels(image, labels)
    assert len(caught) == 1
    assert found.attrs["reasons"] == {}


@pytest.mark.parametrize(
    ("labels", "error", "match"),
    [
        (np.zeros((8, 12, 16), int), MaskError, "no label"),
        (np.ones((8, 12, 16)), MaskError, "whole numbers"),
        (np.ones((8, 12, 15), int), GeometryMismatchError, "shape"),
        (np.full((8, 12, 16), 2**40), MaskError, "Number them anew"),
    ],
)
def test_what_is_no_label_map(labels: np.ndarray, error: type[Exception], match: str) -> None:
    """Empty, fractional, of another shape, or numbered too high: refused with what to do."""
    with pytest.raises(error, match=match):
        measure_labels(scan()[0], labels)
