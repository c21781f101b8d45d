"""Separable undecimated wavelets."""

import numpy as np
import pytest

from filters.making import constant, impulse, label, maps, noise, only, whole
from isthmus.filters import filter_labels, parse_filter
from isthmus.filters._wavelet_taps import wavelet_taps


def at_level(taps: np.ndarray, low: np.ndarray, level: int) -> np.ndarray:
    """The taps of a level as one kernel: every level spreads its filter by zeros and follows the low-pass filters before."""
    spread = np.zeros(len(taps) * 2 ** (level - 1))
    spread[:: 2 ** (level - 1)] = taps
    for step in reversed(range(level - 1)):
        before = np.zeros(len(low) * 2**step)
        before[:: 2**step] = low
        spread = np.convolve(before, spread)
    return spread


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("wavelet", ["haar", "db2", "coif1", "bior2.2"])
def test_the_impulse_response_is_the_kernel(wavelet: str, level: int) -> None:
    """Along x, our last axis, the first letter's filter; its taps follow each other as a convolution's do."""
    found = only(
        impulse((1, 1, 101)),
        {
            "name": "wavelet",
            "wavelet": wavelet,
            "level": level,
            "subband": "HL",
            "by_slice": True,
            "boundary": "periodic",
        },
    )
    low, high = wavelet_taps(wavelet)
    along_y = sum(low) ** level  # a slice of one row: the low-pass of a constant
    kernel = at_level(high, low, level) * along_y
    centre = sum((len(taps) * 2**step) // 2 for step, taps in enumerate([low] * (level - 1) + [high]))
    expected = np.zeros(101)
    expected[50 - centre : 50 - centre + len(kernel)] = kernel
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-12)


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
def test_a_constant_is_left_by_the_low_pass_alone(boundary: str) -> None:
    """Every subband with a high-pass is zero; the low-pass of level n multiplies by 2^(3 n / 2)."""
    image = constant(100)
    found = maps(image, whole(image), {"name": "wavelet", "wavelet": "db3", "level": 2, "boundary": boundary})
    for name, response in found.items():
        np.testing.assert_allclose(response, 100 * 2**3 if "LLL" in name else 0, atol=1e-8)


def test_all_subbands_are_those_asked_for_one_by_one() -> None:
    """Sharing work changes no bit."""
    image, given = noise((9, 10, 11), np.int16), {"name": "wavelet", "wavelet": "coif1", "level": 2}
    for name, response in maps(image, whole(image), given).items():
        subband = name.split("-")[4]
        assert (only(image, given | {"subband": subband}) == response).all()


def test_subbands_come_in_order_and_once() -> None:
    """Eight of a volume, four of a slice; rotation invariant, those that are rotations of each other are one."""
    bands = [
        parse_filter({"name": "wavelet", "wavelet": "haar", **given}).subbands for given in ({}, {"by_slice": True})
    ]
    assert bands == [("LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH"), ("LL", "LH", "HL", "HH")]
    invariant = parse_filter({"name": "wavelet", "wavelet": "haar", "rotation_invariance": True})
    assert invariant.subbands == ("LLL", "LLH", "LHH", "HHH")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wavelet": "db99"}, "wavelet = 'db99': .*no such wavelet.*db9"),
        ({"wavelet": "haar", "subband": "LH"}, "3 letters L or H were expected, such as 'LLH'"),
        ({"wavelet": "haar", "subband": "LLX"}, "3 letters L or H"),
        ({"wavelet": "haar", "subband": "LLH", "by_slice": True}, "2 letters L or H were expected, such as 'LH'"),
        ({"wavelet": "haar", "level": 0}, "level = 0"),
        ({}, "wavelet.*required"),
    ],
)
def test_wrong_settings_are_named(given: dict[str, object], message: str) -> None:
    """What is wrong, and what was expected."""
    with pytest.raises(ValueError, match=f"filter 'wavelet': .*{message}|filter 'wavelet': {message}"):
        parse_filter({"name": "wavelet", **given})


def test_labels_do_not_clash_with_pyradiomics() -> None:
    """IBSI's wavelet is another filter than PyRadiomics' wavelet-LLH and says so."""
    given = {"name": "wavelet", "wavelet": "db3", "subband": "LLH", "level": 2, "rotation_invariance": True}
    assert label(given) == "ibsi-wavelet-3d-db3-LLH-level-2-invariant-average"
    assert "wavelet-LLH" not in filter_labels(parse_filter({"name": "wavelet", "wavelet": "coif1"}))
