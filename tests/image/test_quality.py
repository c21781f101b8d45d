"""Quality checks of an image and its lesion."""

from dataclasses import replace

import numpy as np
import pytest

from isthmus.image.io import from_array
from isthmus.image.quality import CHECKS, assess_quality


def scene(*, lesion=90.0, noise=8.0, air=-1000.0, spacing=(3.0, 1.0, 1.0), quantity="HU"):
    """Muscle (50) with a ball, air on one side."""
    draw = np.random.default_rng(4)
    values = np.full((20, 60, 60), 50.0)
    values[:, :, :8] = air
    k, j, i = (np.indices(values.shape) - np.array([10, 30, 36])[:, None, None, None]) * np.array(spacing)[
        :, None, None, None
    ]
    mask = k**2 + j**2 + i**2 < 144
    values[mask] = lesion
    image = replace(from_array(values + draw.normal(0, noise, values.shape), spacing), quantity=quantity)
    return image, mask


def found(image, mask):
    return {result.check: result for result in assess_quality(image, mask)}


def test_a_good_scan_passes_every_check():
    """Nothing is complained of where nothing is wrong."""
    assert all(result.passed is not False for result in found(*scene()).values())


def test_noise_is_that_of_the_tissue_and_not_of_air_and_table():
    """Contrast over noise is what was put in, with air beside the lesion."""
    measured = found(*scene(lesion=90.0, noise=8.0))
    assert measured["contrast"].value == pytest.approx(40, abs=1)
    assert measured["contrast_to_noise"].value == pytest.approx(40 / 8, rel=0.25)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"lesion": 52.0}, "contrast"),
        ({"noise": 60.0}, "signal_to_noise"),
        ({"spacing": (7.0, 1.0, 1.0)}, "slice_spacing"),
        ({"air": -800.0}, "air"),
    ],
)
def test_what_is_wrong_is_found(changes, check):
    """Each fault fails the check that is meant for it."""
    assert found(*scene(**changes))[check].passed is False


def test_a_lesion_at_the_edge_is_cut():
    """A mask that touches the image's border may be cut by the field of view."""
    image, mask = scene()
    mask = mask.copy()
    mask[0, 30, 30] = True
    assert found(image, mask)["border"].passed is False


def test_limits_in_hounsfield_units_hold_for_ct_only():
    """Contrast of an MR has no limit in HU, but is reported."""
    contrast = found(*scene(quantity="a.u."))["contrast"]
    assert (contrast.limit, contrast.passed) == ("", None)
    assert np.isfinite(contrast.value)


def test_a_picture_of_one_slice_is_judged():
    """One slice has no border above or below."""
    image, mask = scene()
    flat = from_array(image.values[10:11], (1.0, 1.0, 1.0))
    assert found(flat, mask[10:11])["border"].passed is True


def test_a_small_image_without_surroundings_is_not_judged():
    """Where there is no tissue around the lesion, the value is NaN and nothing is claimed."""
    image = from_array(np.random.default_rng(1).normal(0, 1, (4, 4, 4)), (1, 1, 1))
    result = found(image, np.ones((4, 4, 4), dtype=bool))["contrast_to_noise"]
    assert np.isnan(result.value)
    assert result.passed is None


def test_every_limit_says_what_a_failure_means():
    """`isthmus check` prints the words before the number."""
    judged = [check for check in CHECKS.values() if (check.at_least, check.at_most) != (None, None)]
    assert all(check.failing for check in judged)
