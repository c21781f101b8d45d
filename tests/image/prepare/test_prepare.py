"""Preparation of an image: clipping, bias field, settings, and what it refuses."""

import numpy as np
import pytest
from pydantic import ValidationError

from isthmus.errors import CaseError
from isthmus.image.io import from_array
from isthmus.image.prepare import PrepareSettings, prepare


def settings(**given: object) -> PrepareSettings:
    return PrepareSettings.model_validate(given)


def image_of(values: np.ndarray, quantity: str = "a.u."):
    from dataclasses import replace

    return replace(from_array(values, (3, 1, 1)), quantity=quantity)


def test_nothing_asked_for_changes_nothing():
    """Without a step the very same image comes back."""
    image = image_of(np.zeros((2, 3, 4), dtype=np.int16))
    assert prepare(image, np.ones((2, 3, 4), dtype=bool), settings()) is image


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_clipping_keeps_the_type(dtype):
    """A window clips to its bounds and keeps the image's own type."""
    image = image_of(np.arange(-500, 500, dtype=dtype).reshape(10, 10, 10), "HU")
    done = prepare(image, image.values > 0, settings(clip=[-150, 350]))
    assert done.values.dtype == dtype
    assert (done.values.min(), done.values.max(), done.quantity) == (-150, 350, "HU")


def test_an_open_window_clips_one_side():
    """Infinity leaves a side open, also for whole numbers."""
    image = image_of(np.arange(-500, 500, dtype=np.int16).reshape(10, 10, 10))
    done = prepare(image, image.values > 0, settings(clip=[float("-inf"), 100]))
    assert (done.values.min(), done.values.max()) == (-500, 100)


def test_hounsfield_units_are_not_standardised():
    """CT has a unit; z-scoring it is refused with what to do instead."""
    image = image_of(np.arange(1000, dtype=np.int16).reshape(10, 10, 10), "HU")
    with pytest.raises(CaseError, match="an image in HU.*Use clip instead"):
        prepare(image, image.values > 0, settings(standardise="z_score"))


def test_n4_takes_a_known_field_away():
    """A smooth field multiplied onto two flat tissues is divided out again: their spread shrinks."""
    k, j, i = np.indices((16, 48, 48)) / np.array([16, 48, 48])[:, None, None, None]
    inside = (j - 0.5) ** 2 + (i - 0.5) ** 2 < 0.2
    true = np.where(inside, np.where(i < 0.5, 400.0, 700.0), 1.0)
    seen = true * np.exp(0.8 * (i - 0.5) + 0.4 * j * k)
    done = prepare(image_of(seen.astype(np.float32)), inside, settings(bias_field={"name": "n4", "shrink": 2})).values
    for tissue in (400.0, 700.0):
        part = inside & (true == tissue)
        assert done[part].std() / done[part].mean() < 0.5 * seen[part].std() / seen[part].mean()


def test_n4_gives_the_same_numbers_twice():
    """The same image gives the same bits."""
    values = np.random.default_rng(1).gamma(4, 50, (12, 24, 24)).astype(np.float32)
    mask = values > 0
    first, second = (prepare(image_of(values), mask, settings(bias_field="n4")).values for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_n4_refuses_negative_intensities():
    """The logarithm of a negative intensity does not exist; the message says what to do."""
    with pytest.raises(CaseError, match="smallest intensity is -5"):
        prepare(image_of(np.full((8, 8, 8), -5.0)), np.ones((8, 8, 8), dtype=bool), settings(bias_field="n4"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"clip": [5, 5]}, "must lie below"),
        ({"standardise": "nyul"}, "needs landmarks"),
        ({"standardise": {"name": "nyul", "landmarks": [1, 2, 3]}}, "expected 11 ascending numbers"),
        ({"quality_exclude": ["snr"]}, "no check is called 'snr'"),
        ({"register": "affine"}, "rigid"),
    ],
)
def test_wrong_settings_are_named(given, says):
    """Each wrong key says what was expected."""
    with pytest.raises(ValidationError, match=says):
        settings(**given)
