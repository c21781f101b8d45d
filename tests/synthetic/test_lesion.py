"""isthmus.synthetic.lesion: what is planted can be measured in the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from isthmus.synthetic.anatomy import anatomy_axes
from isthmus.synthetic.fields import smooth_field
from isthmus.synthetic.lesion import plan_lesion, render_lesion


def lesion_of(seed: int, *, texture: float = 0.0, shape: float = 0.0, diameter_mm: float = 26.0):
    rng = np.random.default_rng(seed)
    lesion = plan_lesion(rng, texture=texture, shape=shape, diameter_mm=diameter_mm, extends=False, medial_mm=11.0)
    return lesion, *render_lesion(lesion, anatomy_axes(), rng)


def surface_per_volume(filled) -> float:
    """Area of the outline against that of a ball of the same volume (1 mm voxels)."""
    slopes = np.gradient(np.pad(filled, 1))
    area = np.sqrt(sum(slope**2 for slope in slopes)).sum()
    return float(area / (36 * np.pi * filled.sum() ** 2) ** (1 / 3))


def test_texture_part_raises_the_spread_of_values() -> None:
    """Over 24 lesions the standard deviation of the tissue follows the texture part."""
    parts = np.linspace(-2, 2, 24)
    spread = []
    for seed, part in enumerate(parts):
        _, _, filled, hu = lesion_of(seed, texture=part)
        spread.append(hu[filled > 0.99].std())
    assert spearmanr(parts, spread).statistic > 0.8


def test_shape_part_raises_the_surface() -> None:
    """Over 24 lesions of one size the surface per volume follows the shape part."""
    parts = np.linspace(-2, 2, 24)
    surface = [surface_per_volume(lesion_of(seed, shape=part)[2]) for seed, part in enumerate(parts)]
    assert spearmanr(parts, surface).statistic > 0.8


def test_shape_part_leaves_the_volume_alone() -> None:
    """Very irregular lesions are, on average, as large as smooth ones: shape does not leak into size."""
    volume = [np.mean([lesion_of(seed, shape=part)[2].sum() for seed in range(12)]) for part in (-2.0, 2.0)]
    assert volume[1] / volume[0] == pytest.approx(1.0, abs=0.12)


def test_necrotic_share_is_the_planned_one() -> None:
    """About the planned share of the inner volume has the low values of dead tissue."""
    lesion, *_ = lesion_of(3, texture=2.0, diameter_mm=40.0)
    calm = replace(lesion, amplitude_hu=3.0, calcifications=0)
    _, filled, hu = render_lesion(calm, anatomy_axes(), np.random.default_rng(3))
    assert np.mean(hu[filled > 0.99] < 55.0) == pytest.approx(lesion.necrotic_fraction, abs=0.1)


def test_lesion_is_in_one_piece() -> None:
    """Even a very irregular outline encloses one connected region."""
    from scipy.ndimage import label

    _, _, filled, _ = lesion_of(5, shape=2.2)
    assert label(filled >= 0.5)[1] == 1


def test_field_has_unit_variance_everywhere() -> None:
    """Over many draws, corners vary as much as the middle."""
    rng = np.random.default_rng(1)
    axis = np.arange(0.0, 12.0, 1.0, dtype=np.float32)
    draws = np.array([smooth_field(rng, (axis, axis, axis), 3.0) for _ in range(400)])
    spread = draws.std(axis=0)
    assert spread.min() > 0.85
    assert spread.max() < 1.15


def test_field_correlation_falls_as_documented() -> None:
    """At the correlation length, neighbours correlate by exp(-1/2)."""
    rng = np.random.default_rng(2)
    axis = np.arange(0.0, 60.0, 1.0, dtype=np.float32)
    field = smooth_field(rng, (axis, axis, axis), 3.0)
    assert np.mean(field[3:] * field[:-3]) / np.mean(field**2) == pytest.approx(np.exp(-0.5), abs=0.05)
