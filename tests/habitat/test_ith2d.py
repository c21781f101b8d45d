"""The two-dimensional ITHscore."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from habitat.making import ball
from isthmus.errors import MaskError
from isthmus.features import measure
from isthmus.features.profiles import pyradiomics
from isthmus.habitat import NAMES, Ith2dSettings, ith2d
from isthmus.habitat.ith2d import largest_slice, pixel_features
from isthmus.habitat.measure import FAMILIES
from isthmus.image import Image
from isthmus.image.geometry import Geometry
from isthmus.roi import Roi

QUICK = Ith2dSettings(clusters=(3, 6), starts=3)


def slice_of(seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    j, i = np.indices((14, 16))
    return rng.normal(60, 40, (14, 16)).astype(np.int16), (j - 7) ** 2 + (i - 8) ** 2 < 30


@pytest.mark.parametrize("whole", [True, False])
def test_pixel_features_are_those_of_each_window_alone(whole: bool) -> None:
    """To the last bit: 5 x 5 windows, whole or only the lesion's part of them."""
    values, mask = slice_of()
    found = pixel_features(values, mask, (1.0, 1.0, 1.0), Ith2dSettings(bin_width=20), whole=whole)
    settings = pyradiomics.Settings(families=FAMILIES, bin_width=20)
    geometry = Geometry((1, *values.shape), (1.0, 1.0, 1.0))
    for row in (0, 11, 40):
        j, i = np.argwhere(mask)[row]
        window = np.zeros_like(mask)
        window[max(j - 2, 0) : j + 3, max(i - 2, 0) : i + 3] = True
        region = window if whole else window & mask
        alone = measure(Image(values[None], geometry), Roi(region[None], geometry), "pyradiomics", settings)
        np.testing.assert_array_equal(found[row], [alone[f"original_{name}"] for name in NAMES])


def test_the_score_is_the_mean_over_the_numbers_of_clusters() -> None:
    """And each map holds as many clusters as asked for, on the pixels of the lesion."""
    found = ith2d(*ball("two compact", 4), QUICK)
    assert found.score == pytest.approx(np.mean([found.scores[3], found.scores[6]]))
    assert {k: len(np.unique(m)) - 1 for k, m in found.maps.items()} == {3: 3, 6: 6}


@pytest.mark.parametrize("variant", ["resampled", "compat"])
def test_stripes_are_more_broken_up_than_halves(variant: str) -> None:
    """Two textures of one mean, smooth and rough: halves stay two pieces, six stripes become many."""
    rng = np.random.default_rng(4)
    scores = []
    for width in (30, 10):
        rough = np.arange(60) // width % 2 == 1
        values = (60 + np.where(rough, 50, 3) * rng.normal(0, 1, (60, 60))).astype(np.int16)[None]
        geometry = Geometry(values.shape, (5.0, 1.0, 1.0))
        settings = Ith2dSettings(variant=variant, clusters=(2,), starts=3)
        scores.append(ith2d(Image(values, geometry), Roi(np.ones(values.shape, bool), geometry), settings).score)
    assert scores[0] < 0.05
    assert scores[1] > 0.5


def test_the_slice_is_the_largest() -> None:
    """The first of several with the most voxels."""
    mask = np.zeros((4, 5, 5), dtype=bool)
    mask[1, :2], mask[2, :3], mask[3, 2:] = True, True, True
    assert largest_slice(mask) == 2


def test_the_default_cannot_see_the_outside() -> None:
    """Air beside the lesion changes nothing; the published variant, whose windows reach outside, does change."""
    image, roi = ball("two compact", 4)
    other = replace(image, values=np.where(roi.mask, image.values, -1000).astype(np.int16))
    compat = Ith2dSettings(variant="compat", clusters=(6,), starts=3)
    changed = [(ith2d(image, roi, s).maps[6] != ith2d(other, roi, s).maps[6]).any() for s in (QUICK, compat)]
    assert changed == [False, True]


def test_the_border_of_the_image_is_no_problem() -> None:
    """A lesion that fills the image: windows end where the image ends."""
    values, mask = slice_of()
    geometry = Geometry((1, *values.shape), (5.0, 1.0, 1.0))
    full = Roi(np.ones_like(mask)[None], geometry)
    for variant in ("resampled", "compat"):
        settings = Ith2dSettings(variant=variant, clusters=(3,), starts=2)
        assert 0 <= ith2d(Image(values[None], geometry), full, settings).score < 1


def test_a_slice_of_a_few_pixels_is_nan_with_the_reason() -> None:
    """Fewer pixels than clusters."""
    values, _ = slice_of()
    mask = np.zeros_like(values, dtype=bool)
    mask[4, 4:7] = True
    geometry = Geometry((1, *values.shape), (5.0, 1.0, 1.0))
    found = ith2d(Image(values[None], geometry), Roi(mask[None], geometry), QUICK)
    assert (np.isnan(found.score), "3 pixels" in found.reasons["ith2d_k6"]) == (True, True)


def test_an_empty_lesion_is_refused() -> None:
    """With what to look at."""
    image, roi = ball("homogeneous", 1)
    with pytest.raises(MaskError, match="no largest slice"):
        ith2d(image, replace(roi, mask=roi.mask & False))


def test_the_same_call_gives_the_same_bits() -> None:
    """k-means draws from the patient's seed."""
    first, again = (ith2d(*ball("gradient", 2), QUICK, patient="a") for _ in range(2))
    assert first.scores == again.scores
