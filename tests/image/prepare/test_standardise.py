"""Standardisation: z-score, white stripe, and the learned standard scale."""

import numpy as np
import pytest

from isthmus.errors import CaseError, PlanError
from isthmus.image.io import from_array
from isthmus.image.prepare.standardise import (
    PERCENTILES,
    fit_standard_scale,
    nyul,
    read_scale,
    white_stripe,
    write_scale,
    z_score,
)


def head(seed: int, *, gain: float = 1.0, offset: float = 0.0) -> np.ndarray:
    """A head of three tissues on a dark background: fluid 200, grey matter 500, white matter 700."""
    draw = np.random.default_rng(seed)
    k, j, i = np.indices((12, 40, 40)) - np.array([6, 20, 20])[:, None, None, None]
    r = np.sqrt((k * 2) ** 2 + j**2 + i**2)
    values = np.select([r < 5, r < 12, r < 17], [200.0, 700.0, 500.0], 0.0)
    return (values + draw.normal(0, 20, values.shape) * (r < 17)) * gain + offset * (r < 17)


def test_z_score_has_mean_0_and_deviation_1_inside():
    """The voxels looked at have mean `shift` and standard deviation `scale` afterwards."""
    values = head(1)
    inside = values > 100
    done = z_score(values, inside, scale=100, shift=300)
    np.testing.assert_allclose([done[inside].mean(), done[inside].std()], [300, 100], rtol=1e-12)


def test_z_score_needs_a_spread():
    """An image of one value cannot be standardised, and the message says so."""
    with pytest.raises(CaseError, match="have one value"):
        z_score(np.ones((2, 2, 2)), np.ones((2, 2, 2), dtype=bool))


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (3.7, 0.0), (0.2, 40.0)])
def test_white_stripe_finds_white_matter_whatever_the_scanner_did(gain, offset):
    """White matter lies at 0 afterwards, for every gain and offset of the scanner."""
    values = head(2, gain=gain, offset=offset)
    white = head(2) > 640
    assert abs(np.median(white_stripe(values)[white])) < 0.6


def test_white_stripe_of_t2_takes_the_largest_peak():
    """On T2 the stripe is the largest peak of the histogram."""
    values = head(3)
    largest = (head(3) > 420) & (head(3) < 580)
    assert abs(np.median(white_stripe(values, stripe="t2")[largest])) < 0.6


def test_a_standard_scale_meets_its_own_images():
    """Images of one scanner with different gains come to the same percentiles."""
    scale = fit_standard_scale(from_array(head(seed), (1, 1, 1)) for seed in range(3))
    done = [nyul(head(9, gain=gain, offset=offset), scale) for gain, offset in ((1, 0), (5, 30))]
    tissues = head(9) > 100
    np.testing.assert_allclose(done[0][tissues], done[1][tissues], atol=1.5)


def test_nyul_keeps_the_order_of_intensities():
    """The mapping is monotone, also beyond the first and last landmark."""
    scale = fit_standard_scale([from_array(head(1), (1, 1, 1))])
    values = np.sort(head(5).ravel())
    assert (np.diff(nyul(values.reshape(1, 1, -1), scale).ravel()) >= 0).all()


def test_a_scale_comes_back_from_its_file(tmp_path):
    """Writing and reading a standard scale keeps every digit."""
    scale = fit_standard_scale([from_array(head(1), (1, 1, 1))])
    write_scale(scale, tmp_path / "scale.json", 1)
    assert read_scale(tmp_path / "scale.json") == scale
    assert len(scale) == len(PERCENTILES)


def test_a_file_that_is_no_scale_is_named(tmp_path):
    """Another JSON file is refused with what to do."""
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(PlanError, match=r"x.json': not a standard scale; `isthmus landmarks` writes one"):
        read_scale(tmp_path / "x.json")
