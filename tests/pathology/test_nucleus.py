"""The features of one nucleus: known shapes, known textures, units."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import MaskError
from isthmus.pathology import NUCLEAR_FEATURES, nuclear_features
from isthmus.pathology.stain import BACKGROUND, RUIFROK

MPP = 0.25


def slide(haematoxylin: np.ndarray) -> np.ndarray:
    amount = np.stack([haematoxylin, np.full(haematoxylin.shape, 0.3)], axis=-1)
    return np.clip(np.rint(BACKGROUND * np.exp(-(amount @ RUIFROK.vectors.T))), 0, 255).astype(np.uint8)


def ellipse(a: float, b: float, size: int = 81) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    return (x / a) ** 2 + (y / b) ** 2 <= 1


def of(mask: np.ndarray, density: np.ndarray | float = 1.0, mpp: float = MPP) -> dict[str, float]:
    return nuclear_features(mask, slide(np.broadcast_to(np.asarray(density, dtype=float), mask.shape)), mpp)


def test_there_are_28() -> None:
    assert list(of(ellipse(10, 10))) == list(NUCLEAR_FEATURES)
    assert len(NUCLEAR_FEATURES) == 28


def test_a_disc_is_round() -> None:
    """Radius 10 pixels: circularity 0.85 to 1.05, eccentricity below 0.15, solidity above 0.95 (section 22)."""
    found = of(ellipse(10, 10))
    assert 0.85 < found["circularity"] < 1.05
    assert found["eccentricity"] < 0.15
    assert found["solidity"] > 0.95


def test_a_disc_has_its_circumference_and_its_curvature() -> None:
    """2 pi r and 1/r, within 2 %: in um and 1/um."""
    found = of(ellipse(20, 20))
    assert found["perimeter"] == pytest.approx(2 * np.pi * 20 * MPP, rel=0.03)
    assert found["curve_mean"] == pytest.approx(1 / (20 * MPP), rel=0.05)
    assert found["equivalent_diameter"] == pytest.approx(40 * MPP, rel=0.02)


def test_an_ellipse_has_its_axes() -> None:
    found = of(ellipse(24, 12))
    assert found["major_axis_length"] == pytest.approx(48 * MPP, rel=0.02)
    assert found["minor_axis_length"] == pytest.approx(24 * MPP, rel=0.02)
    assert found["elongation"] == pytest.approx(2, rel=0.03)
    assert found["eccentricity"] == pytest.approx(np.sqrt(0.75), rel=0.02)
    assert found["area"] == pytest.approx(np.pi * 24 * 12 * MPP**2, rel=0.02)


def test_a_notch_is_concave() -> None:
    mask = ellipse(20, 20)
    mask[30:51, 45:] = False
    whole, notched = of(ellipse(20, 20)), of(mask)
    assert notched["curve_min"] < 0 < whole["curve_min"]
    assert notched["solidity"] < whole["solidity"]


def test_lengths_scale_with_the_pixel_and_ratios_do_not() -> None:
    one, two = of(ellipse(12, 9), mpp=0.25), of(ellipse(12, 9), mpp=0.5)
    assert two["perimeter"] == pytest.approx(2 * one["perimeter"])
    assert two["area"] == pytest.approx(4 * one["area"])
    assert two["curve_max"] == pytest.approx(one["curve_max"] / 2)
    assert two["circularity"] == pytest.approx(one["circularity"])


def test_a_constant_nucleus_has_no_texture() -> None:
    """Contrast 0, homogeneity 1, energy 1; correlation not defined (section 22)."""
    found = of(ellipse(10, 10))
    assert (found["contrast"], found["homogeneity"], found["energy"]) == (0, 1, 1)
    assert np.isnan(found["correlation"])
    assert np.isnan(found["intensity_skewness"])


def test_what_lies_outside_the_nucleus_does_not_count() -> None:
    mask = ellipse(10, 10)
    density = np.random.default_rng(1).uniform(0.2, 2, mask.shape)
    other = np.where(mask, density, 2.5)
    assert of(mask, density) == pytest.approx(of(mask, other), nan_ok=True)


def test_stripes_are_seen_across_and_not_along() -> None:
    """Columns of levels a and b: contrast (a - b)^2 across and on both diagonals, 0 along: three quarters of it."""
    mask = np.ones((20, 20), dtype=bool)
    density = np.where(np.arange(20) % 2, 0.2, 1.6)
    found = of(mask, density)
    low, high = (round(255 * np.exp(-d)) // 32 for d in (1.6, 0.2))
    assert found["contrast"] == pytest.approx(0.75 * (high - low) ** 2)


def test_haematoxylin_density_is_measured() -> None:
    found = of(ellipse(10, 10), 1.2)
    assert found["haematoxylin_mean"] == pytest.approx(1.2, abs=0.02)


def test_a_single_pixel_has_what_is_defined_and_nan_elsewhere() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[4, 4] = True
    found = of(mask)
    assert found["area"] == pytest.approx(MPP**2)
    assert np.isnan([found["perimeter"], found["contrast"], found["curve_std"]]).all()


def test_a_nucleus_at_the_border_of_the_picture_is_whole() -> None:
    """Its outline is closed outside the picture."""
    inside = ellipse(10, 10)
    cut = inside[40 - 10 : 40 + 11, 40 - 10 : 40 + 11]
    assert of(cut)["perimeter"] == pytest.approx(of(inside)["perimeter"], rel=1e-9)


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(MaskError, match="without pixels"):
        of(np.zeros((5, 5), dtype=bool))
