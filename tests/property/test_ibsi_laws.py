"""Laws of the `ibsi` profile on drawn lesions: what must not change a value, and what must change it in a known way."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.errors import MaskError, UndefinedFeatureWarning
from isthmus.features.ibsi import FAMILIES, TEXTURES
from isthmus.features.profiles import ibsi
from isthmus.image import Geometry, Image
from isthmus.roi import Roi

Drawn = tuple[NDArray[np.float64], NDArray[np.bool_], tuple[float, float, float]]


@st.composite
def lesions(draw: st.DrawFn) -> Drawn:
    """Values, mask and spacing: a few hundred voxels, some of them outside a random ball."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(int(n) for n in rng.integers(3, 9, 3))
    at = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    mask = (at**2).sum(axis=0) < rng.uniform(0.5, 2.5)
    mask &= rng.random(shape) < 0.9
    mask[tuple(n // 2 for n in shape)] = True
    spacing = tuple(float(s) for s in rng.choice([0.8, 1.0, 2.5], 3))
    return rng.normal(50, 40, shape), mask, spacing  # type: ignore[return-value]


def measured(lesion: Drawn, **given: Any) -> NDArray[np.float64] | None:
    values, mask, spacing = lesion
    geometry = Geometry(mask.shape, spacing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        try:
            return ibsi.compute(Image(values, geometry), Roi(mask, geometry), ibsi.Settings(**given))
        except MaskError:  # a region that interpolation loses is lost either way
            return None


def assert_equal(one: NDArray[np.float64] | None, other: NDArray[np.float64] | None) -> None:
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("interpolation", ["linear", "cubic_spline"])
@settings(max_examples=15, deadline=None)
@given(lesion=lesions(), axis=st.integers(0, 2))
def test_mirroring_changes_nothing(interpolation: str, lesion: Drawn, axis: int) -> None:
    """The centred grid, both interpolations, masks, bins and every family are the same seen in a mirror."""
    values, mask, spacing = lesion
    mirrored = np.ascontiguousarray(np.flip(values, axis)), np.ascontiguousarray(np.flip(mask, axis)), spacing
    given = {"spacing_mm": (1.0, 1.1, 0.9), "interpolation": interpolation, "families": SURE}
    assert_equal(measured(lesion, **given), measured(mirrored, **given))


# the oriented box and the enclosing ellipsoid are found by iteration; the families below are sums
SURE = tuple(name for name in FAMILIES if name != "morphology")


@settings(max_examples=15, deadline=None)
@given(lesion=lesions(), shift=st.integers(-300, 300))
def test_shifting_intensities_shifts_the_bounds(lesion: Drawn, shift: int) -> None:
    """Fixed bins that start at the range's bound move with it: histogram and textures stay."""
    values, mask, spacing = lesion
    whole = np.rint(values)
    families = ("intensity_histogram", *TEXTURES)
    fbs = {"method": "fbs", "bin_width": 10}
    before = measured((whole, mask, spacing), resegment_range=(0.0, 100.0), discretisation=fbs, families=families)
    moved = (0.0 + shift, 100.0 + shift)
    after = measured((whole + shift, mask, spacing), resegment_range=moved, discretisation=fbs, families=families)
    assert_equal(before, after)


@settings(max_examples=10, deadline=None)
@given(lesion=lesions())
def test_slices_in_another_order_give_the_same_by_slice(lesion: Drawn) -> None:
    """By slice, a slice does not know its neighbours: textures stay when the stack is shuffled."""
    values, mask, spacing = lesion
    order = np.random.default_rng(len(mask)).permutation(len(mask))
    families = ("glcm", "glrlm", "glszm", "ngtdm", "ngldm")
    given = {"by_slice": True, "spacing_mm": (0.0, 1.3, 1.3), "interpolation": "linear", "families": families}
    assert_equal(measured(lesion, **given), measured((values[order], mask[order], spacing), **given))


def test_threads_give_the_same_bits() -> None:
    """Several lesions at once, each as if it were alone."""
    rng = np.random.default_rng(6)
    drawn: list[Drawn] = [
        (rng.normal(0, 50, (6, 9, 8)), rng.random((6, 9, 8)) < 0.6, (2.0, 1.0, 1.0)) for _ in range(8)
    ]

    def one(lesion: Drawn) -> bytes:
        values, mask, spacing = lesion
        geometry = Geometry(mask.shape, spacing)
        chosen = ibsi.Settings(spacing_mm=(1.0, 1.0, 1.0))
        return ibsi.compute(Image(values, geometry), Roi(mask, geometry), chosen).tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, drawn)) == [one(lesion) for lesion in drawn]
