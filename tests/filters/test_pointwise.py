"""Square, square root, logarithm, exponential and gradient against PyRadiomics' formulas on the whole image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK

from filters.making import TYPES, boxes, maps, noise, same_bits, to_sitk, whole
from isthmus.errors import CaseError
from isthmus.image import Geometry, Image


def by_formula(name: str, values: np.ndarray) -> np.ndarray:
    """PyRadiomics' arithmetic on the whole image in double precision."""
    x = values.astype(np.float64)
    largest = np.abs(x).max()
    if name == "square":
        return (1 / np.sqrt(largest) * x) ** 2
    if name == "square_root":
        return np.where(x < 0, -1.0, 1.0) * np.sqrt(np.abs(x) * largest)
    if name == "logarithm":
        mapped = np.where(x < 0, -1.0, 1.0) * np.log(np.abs(x) + 1)
        return mapped * (largest / np.abs(mapped).max())
    return np.exp(np.log(largest) / largest * x)


LABELS = {"square": "square", "square_root": "squareroot", "logarithm": "logarithm", "exponential": "exponential"}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", LABELS)
def test_boxes_hold_the_formulas_bits(name: str, dtype: Any) -> None:
    """A box anywhere is scaled by the whole image's largest magnitude."""
    image = noise((9, 10, 13), dtype)
    expected = by_formula(name, image.values)
    assert all(
        same_bits(maps(image, box, name)[LABELS[name]], np.ascontiguousarray(expected[box]))
        for box in boxes(image.values.shape)
    )


def test_the_most_negative_int16_does_not_overflow() -> None:
    """-32768 is the largest magnitude."""
    image = Image(np.array([[[-32768, 100]]], np.int16), Geometry((1, 1, 2), (1.0, 1.0, 1.0)))
    assert maps(image, whole(image), "square")["square"][0, 0, 0] == pytest.approx(32768)


@pytest.mark.parametrize("name", LABELS)
def test_an_image_of_zeros_is_refused(name: str) -> None:
    """The scale does not exist; the error says so."""
    image = Image(np.zeros((2, 2, 2), np.int16), Geometry((2, 2, 2), (1.0, 1.0, 1.0)))
    with pytest.raises(CaseError, match="0 everywhere"):
        maps(image, whole(image), name)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("use_spacing", [True, False])
def test_the_gradient_is_itks(dtype: Any, use_spacing: bool) -> None:
    """Boxes at every border and in the middle have the bits of ITK's gradient magnitude."""
    image = noise((9, 10, 13), dtype)
    peer = SimpleITK.GradientMagnitudeImageFilter()
    peer.SetUseImageSpacing(use_spacing)
    expected = SimpleITK.GetArrayFromImage(peer.Execute(to_sitk(image)))
    given = {"name": "gradient", "use_spacing": use_spacing}
    assert all(
        same_bits(maps(image, box, given)["gradient"], np.ascontiguousarray(expected[box]))
        for box in boxes(image.values.shape)
    )


def test_the_gradient_of_a_single_slice() -> None:
    """Along an axis of one voxel there is no difference."""
    image = noise((1, 10, 13), np.float32)
    peer = SimpleITK.GetArrayFromImage(SimpleITK.GradientMagnitude(to_sitk(image)))
    assert same_bits(maps(image, whole(image), "gradient")["gradient"], peer)
