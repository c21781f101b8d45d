"""The core's nuclei against their slow twin, and basins against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isthmus import _core
from isthmus.errors import GeometryMismatchError
from isthmus.pathology import NUCLEAR_FEATURES, features_of_labels
from oracle.nucleus import nuclear_features as twin


@pytest.fixture(scope="module")
def picture() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(4)
    noise = ndimage.gaussian_filter(draw.standard_normal((120, 140)), 3)
    labels = ndimage.label(noise > 0.1)[0].astype(np.int32)
    return labels, draw.integers(20, 230, (120, 140, 3)).astype(np.uint8)


def test_every_nucleus_has_the_values_of_the_twin(picture: tuple[np.ndarray, np.ndarray]) -> None:
    labels, rgb = picture
    found = features_of_labels(labels, rgb, 0.25)
    expected = [list(twin(labels == n, rgb, 0.25).values()) for n in range(1, labels.max() + 1)]
    assert labels.max() > 15
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-8, atol=1e-9)


def test_threads_change_no_bit(picture: tuple[np.ndarray, np.ndarray]) -> None:
    labels, rgb = picture
    np.testing.assert_array_equal(
        features_of_labels(labels, rgb, 0.25), features_of_labels(labels, rgb, 0.25, workers=3)
    )


def test_a_label_without_pixels_is_nan(picture: tuple[np.ndarray, np.ndarray]) -> None:
    labels, rgb = picture
    assert np.isnan(features_of_labels(np.where(labels == 2, 0, labels), rgb, 0.25)[1]).all()


def test_labels_of_another_shape_are_refused(picture: tuple[np.ndarray, np.ndarray]) -> None:
    labels, rgb = picture
    with pytest.raises(GeometryMismatchError, match="shape"):
        features_of_labels(labels[1:], rgb, 0.25)


def test_there_are_28_columns(picture: tuple[np.ndarray, np.ndarray]) -> None:
    assert features_of_labels(*picture, 0.25).shape[1] == len(NUCLEAR_FEATURES)


def test_basins_part_two_summits_and_join_a_shallow_one() -> None:
    """Heights 10, 8 and 7.9 with passes at 2 and 7.5: the third does not rise enough above its pass."""
    relief = np.array([[1, 10, 2, 8, 7.5, 7.9, 1]], dtype=np.float32)
    labels = _core.basins(relief, np.ones(relief.shape, dtype=bool), 1.0, 0.0)
    assert labels.tolist()[0][1] != labels.tolist()[0][3] == labels.tolist()[0][5]
    assert labels.max() == 2


def test_a_relative_rise_does_not_know_the_unit() -> None:
    relief = ndimage.gaussian_filter(np.random.default_rng(2).random((60, 60)), 2).astype(np.float32)
    mask = np.ones(relief.shape, dtype=bool)
    np.testing.assert_array_equal(
        _core.basins(relief, mask, 0.0, 0.02), _core.basins(relief * np.float32(64), mask, 0.0, 0.02)
    )


def test_basins_cover_the_mask_and_nothing_else() -> None:
    draw = np.random.default_rng(3)
    mask = draw.random((40, 50)) > 0.4
    labels = _core.basins(draw.random((40, 50)).astype(np.float32), mask, 0.0, 0.1)
    np.testing.assert_array_equal(labels > 0, mask)
