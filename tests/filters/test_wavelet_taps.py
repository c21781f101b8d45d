"""The taps of the wavelets: what their mathematics demands of them."""

import numpy as np
import pytest

from isthmus.filters._wavelet_taps import wavelet_names, wavelet_taps


@pytest.mark.parametrize("name", wavelet_names())
def test_low_passes_keep_a_constant_and_high_passes_drop_it(name: str) -> None:
    """The low-pass taps sum to the root of two, the high-pass taps to zero; dmey is a cut-off approximation."""
    low, high = wavelet_taps(name)
    assert (low.sum(), high.sum()) == pytest.approx((2**0.5, 0.0), abs=2e-3 if name == "dmey" else 2e-6)


@pytest.mark.parametrize("name", ["haar", "db2", "db3", "db10", "sym5", "coif1", "coif5"])
def test_orthogonal_taps_have_unit_energy_and_no_overlap(name: str) -> None:
    """Shifted by an even number, the low-pass taps of an orthogonal wavelet are orthonormal, and orthogonal to the high-pass."""
    low, high = wavelet_taps(name)
    products = [[np.correlate(a, b, "full")[len(low) - 1 :: 2] for b in (low, high)] for a in (low, high)]
    unit = np.eye(1, len(products[0][0])).ravel()
    zero = np.zeros_like(unit)
    np.testing.assert_allclose(products, [[unit, zero], [zero, unit]], atol=1e-7)


def test_daubechies_two_has_its_closed_form() -> None:
    """Daubechies' four taps are (1 -+ sqrt 3) and (3 -+ sqrt 3) over 4 sqrt 2."""
    root = 3**0.5
    expected = np.array([1 - root, 3 - root, 3 + root, 1 + root]) / (4 * 2**0.5)
    np.testing.assert_allclose(wavelet_taps("db2")[0], expected, rtol=1e-9)
