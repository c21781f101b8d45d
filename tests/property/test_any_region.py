"""Any legal region gives a value or NaN with a reason: never infinity, never a crash, never a word from NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus import extract
from isthmus.errors import CaseError, ImageReadError, MaskError, UndefinedFeatureWarning
from isthmus.features.labels import measure_labels
from isthmus.features.maps import KernelSettings, feature_maps, on_grid_of
from isthmus.features.profiles import get_profile, ibsi, pyradiomics
from isthmus.image import Geometry, Image
from isthmus.roi import Roi

Array = NDArray[Any]
SHAPE = (6, 7, 8)
FILTERS = (
    "none",
    {"name": "recursive_log", "sigma_mm": (1, 2.5)},
    "stationary_wavelet",
    "square",
    "square_root",
    "logarithm",
    "exponential",
    "gradient",
    "lbp2d",
    "lbp3d",
)
COUNTED = ("aview131", "sera215", "lvlnm1357", "pyr1409")
MEAN = {"name": "mean", "support": 3}
EVERY_IMAGE = pyradiomics.Settings(filters=FILTERS)
PROFILES: dict[str, tuple[Any, Any]] = {
    "every image type": (pyradiomics, EVERY_IMAGE),
    "bin count": (pyradiomics, pyradiomics.Settings(bin_count=32)),
    "in slices": (
        pyradiomics,
        pyradiomics.Settings(
            slice_axis="k", families=("shape2D", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
        ),
    ),
    "far and weighted": (
        pyradiomics,
        pyradiomics.Settings(
            slice_axis="i", distances=(1, 3), weighting="euclidean", gldm_alpha=2, voxel_array_shift=300
        ),
    ),
    "finer grid": (pyradiomics, pyradiomics.Settings(spacing_mm=(0.5, 0.5, 0.5), bin_count=8)),
    "normalised": (pyradiomics, pyradiomics.Settings(normalise=True, remove_outliers=3, normalise_scale=100)),
    "re-segmented": (pyradiomics, pyradiomics.Settings(resegment_range=(-1, 1), resegment_mode="sigma")),
    "cropped": (pyradiomics, pyradiomics.Settings(pre_crop=True, filters=FILTERS)),
    "ibsi": (ibsi, ibsi.Settings()),
    "ibsi by slice": (ibsi, ibsi.Settings(by_slice=True)),
    "ibsi, another grid": (
        ibsi,
        ibsi.Settings(
            spacing_mm=(2, 2, 2), resegment_range=(-500, 400), outlier_sigma=2, distances=(1, 2), ngldm_alpha=1
        ),
    ),
    "ibsi, fixed bins": (
        ibsi,
        ibsi.Settings(
            discretisation={"method": "fbs", "bin_width": 25},
            ivh_discretisation={"method": "fbs", "bin_width": 2.5},
            filters=("none", MEAN, {"name": "log", "sigma_mm": 1.5}),
            response_discretisation={"method": "fbn", "bin_count": 16},
            families=("intensity_statistics", "intensity_histogram", "intensity_volume_histogram", "glcm"),
        ),
    ),
    **{name: (PROFILE, PROFILE.Settings()) for name in COUNTED for PROFILE in [get_profile(name)]},
}


def regions() -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """One of each kind that has no interior, no neighbours, no background or no middle."""

    def of(*places: Any) -> NDArray[np.bool_]:
        mask = np.zeros(SHAPE, bool)
        for place in places:
            mask[place] = True
        return mask

    k, j, i = np.indices(SHAPE)
    yield "one voxel", of((2, 3, 4))
    yield "the corner", of((0, 0, 0))
    yield "two voxels", of((2, 3, 4), (2, 3, 5))
    yield "two that touch at a corner", of((2, 3, 4), (3, 4, 5))
    yield "two far apart", of((0, 0, 0), (5, 6, 7))
    for axis in range(3):
        line: list[Any] = [2, 3, 4]
        line[axis] = slice(None)
        yield f"a line along axis {axis}", of(tuple(line))
        plane: list[Any] = [slice(None)] * 3
        plane[axis] = SHAPE[axis] - 1
        yield f"a plane across axis {axis}", of(tuple(plane))
    yield "the whole image", np.ones(SHAPE, bool)
    yield "a shell at every border", ~of((slice(1, -1), slice(1, -1), slice(1, -1)))
    yield "two parts", of(np.s_[:2, :2, :2], np.s_[4:, 5:, 5:])
    yield "a checkerboard", (k + j + i) % 2 == 0
    yield "no two neighbours", (k % 2 == 0) & (j % 2 == 0) & (i % 2 == 0)
    yield "a ball", (k - 3) ** 2 + (j - 3) ** 2 + (i - 4) ** 2 <= 7


def images() -> Iterator[tuple[str, Array]]:
    """Every type, and intensities that are alike, many, negative, huge, tiny or at the end of their type."""
    rng = np.random.default_rng(1)
    yield "int16", rng.integers(-1000, 1000, SHAPE).astype(np.int16)
    yield "the ends of int16", rng.choice(np.array([-32768, 32767], np.int16), SHAPE)
    yield "the ends of int32", rng.choice(np.array([-(2**31), 2**31 - 1], np.int32), SHAPE)
    yield "float32", rng.normal(0, 50, SHAPE).astype(np.float32)
    yield "float64", rng.normal(100, 50, SHAPE)
    yield "one grey level", np.full(SHAPE, 7, np.int16)
    yield "one grey level, negative", np.full(SHAPE, -7.3, np.float32)
    yield "zeros", np.zeros(SHAPE)
    yield "two values", rng.integers(0, 2, SHAPE).astype(np.int16)
    yield "4096 grey levels", (25 * rng.integers(0, 4096, SHAPE)).astype(np.int32)
    yield "a million grey levels", rng.integers(0, 25_000_000, SHAPE).astype(np.int32)
    yield "all negative", rng.integers(-900, -100, SHAPE).astype(np.int16)
    yield "1e30", rng.normal(0, 1e30, SHAPE)
    yield "1e30 in single precision", rng.normal(0, 1e30, SHAPE).astype(np.float32)
    yield "the ends of float32", rng.choice(np.array([-3.4e38, 3.4e38], np.float32), SHAPE)
    yield "beyond what can be squared", rng.choice(np.array([-1.7e308, 1.7e308]), SHAPE)
    yield "one huge level", np.full(SHAPE, 1e30)
    yield "denormal", rng.random(SHAPE) * 1e-310
    yield "denormal in single precision", (rng.random(SHAPE) * 1e-40).astype(np.float32)
    yield "all but alike", np.where(rng.random(SHAPE) < 0.1, 5 + 1e-13, 5.0)
    yield "small differences far from 0", 1e9 + rng.random(SHAPE)
    unclean = rng.normal(0, 9, SHAPE)
    unclean[0, 0, 0], unclean[5, 6, 7] = np.nan, np.inf
    yield "NaN and infinity at two corners", unclean


SPACINGS = ((1.0, 1.0, 1.0), (10.0, 1.0, 1.0), (0.37, 1.9, 0.81), (1e-3, 1e-3, 1e-3), (1e3, 1e3, 1e3))


def measured(values: Array, mask: Array, spacing: tuple[float, float, float], how: str) -> Array | None:
    """The values, once every claim holds of them; None where the case was refused with a reason and a cure."""
    profile, settings = PROFILES[how]
    geometry = Geometry(values.shape, spacing)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        refused = ""
        try:
            found = profile.compute(Image(values, geometry), Roi(mask, geometry), settings)
        except CaseError as error:
            refused = str(error)
    if refused:
        assert ". " in refused, refused  # what came, and what to do
        return None
    foreign = [one for one in said if not issubclass(one.category, UndefinedFeatureWarning)]
    assert not foreign, [str(one.message) for one in foreign]
    assert not np.isinf(found).any()
    missing = [meta for meta, value in zip(profile.columns(settings), found, strict=True) if np.isnan(value)]
    assert len(said) == bool(missing)
    reason = str(said[0].message) if said else ""
    if len(missing) <= 120:  # more are named by their first five and their number
        assert not [m.column for m in missing if m.column not in reason and f"{m.filter} (all" not in reason]
    return found


@pytest.mark.parametrize("how", PROFILES)
def test_every_region_of_every_image_has_values_or_reasons(how: str) -> None:
    """Drawn combinations of region, intensities and spacing; each region and each image at least once."""
    every = list(product(regions(), images()))
    rng = np.random.default_rng(sum(map(ord, how)))
    turn = rng.permutation(len(every))
    fresh: list[int] = []
    seen: set[str] = set()
    for number in turn:
        (region, _), (image, _) = every[number]
        if not {region, image} <= seen:
            seen |= {region, image}
            fresh.append(number)
    done = 0
    for count, number in enumerate(fresh):
        (region, mask), (image, values) = every[number]
        spacing = SPACINGS[count % len(SPACINGS)]
        try:
            done += measured(values, mask, spacing, how) is not None
        except Exception as error:
            error.add_note(f"{how}: {region}, {image}, spacing {spacing}")
            raise
    assert done >= 5


@pytest.mark.parametrize("masked", [True, False])
def test_every_region_has_maps(masked: bool) -> None:
    """Maps of every family and kind of region: finite or NaN with one warning, the initial value outside."""
    pictures, done = dict(images()), 0
    for number, (name, mask) in enumerate(regions()):
        if mask.sum() < 2:
            continue
        values = list(pictures.values())[number % 9]
        geometry = Geometry(SHAPE, SPACINGS[number % len(SPACINGS)])
        settings = pyradiomics.Settings(bin_count=12, filters=("none", "gradient"))
        kernel = KernelSettings(masked_kernel=masked, initial_value=-1)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                found = list(feature_maps(Image(values, geometry), Roi(mask, geometry), settings, kernel))
            except CaseError as error:
                assert ". " in str(error), name  # noqa: PT017
                continue
        assert len(found) == 2 * 93
        done += 1
        lacking = False
        for column, made in found:
            whole = on_grid_of(made).values
            assert not np.isinf(whole).any(), (name, column)
            assert (whole[~mask] == -1).all(), (name, column)
            lacking |= bool(np.isnan(whole[mask]).any())
        assert [one.category for one in said] == [UndefinedFeatureWarning] * lacking, (
            name,
            [str(w.message) for w in said],
        )


def test_every_region_is_a_label() -> None:
    """Many regions at once have what each has alone: the same bits, missing where it is missing, refused where it is refused."""
    settings = pyradiomics.Settings(filters=("none", "square", "stationary_wavelet"), bin_count=12)
    pictures = dict(images())
    for picture in ("int16", "float32", "one grey level", "two values", "1e30"):
        image = Image(pictures[picture], Geometry(SHAPE, (10, 1, 1)))
        for name, mask in regions():
            labels = np.where(mask, 7, 0).astype(np.int16)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UndefinedFeatureWarning)
                together = measure_labels(image, labels, settings=settings)
                try:
                    alone = pyradiomics.compute(image, Roi(mask, image.geometry), settings)
                except CaseError:
                    assert together.isna().all(axis=None), (picture, name)
                    assert list(together.attrs["reasons"]) == [7], (picture, name)
                    continue
            np.testing.assert_array_equal(together.loc[7].to_numpy(), alone, err_msg=f"{picture}, {name}")


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 2, 2), (1, 5, 6), (5, 1, 3), (3, 3, 3), (4, 4, 4), (2, 9, 2)])
def test_images_smaller_than_a_filter_have_values_or_reasons(shape: tuple[int, int, int]) -> None:
    """Odd and even sizes down to two voxels, for every profile and image type."""
    values = np.random.default_rng(3).integers(-100, 100, shape).astype(np.int16)
    for how in PROFILES:
        measured(values, np.ones(shape, bool), (1.0, 1.0, 1.0), how)


def test_a_single_voxel_is_measured_by_ibsi_and_refused_by_pyradiomics() -> None:
    """IBSI has values for one voxel; PyRadiomics asks for two."""
    values, mask = np.arange(336, dtype=np.int16).reshape(SHAPE), dict(regions())["one voxel"]
    found = measured(values, mask, (1.0, 1.0, 1.0), "ibsi")
    assert found is not None
    assert np.isfinite(found).mean() > 0.5
    with pytest.raises(MaskError, match="at least 1 dimensions and 2 voxels"):
        pyradiomics.compute(
            Image(values, Geometry(SHAPE, (1, 1, 1))), Roi(mask, Geometry(SHAPE, (1, 1, 1))), EVERY_IMAGE
        )


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("how", ["bin count", "re-segmented", "ibsi", "ibsi by slice"])
def test_what_is_no_number_inside_the_region_is_refused(how: str, wrong: float) -> None:
    """One NaN or infinite voxel inside is an error that counts it."""
    profile, settings = PROFILES[how]
    values, mask = np.random.default_rng(2).normal(0, 9, SHAPE), dict(regions())["a ball"]
    values[3, 3, 4] = wrong
    geometry = Geometry(SHAPE, (1, 1, 1))
    with pytest.raises(ImageReadError, match="1 of .* NaN or infinite"):
        profile.compute(Image(values, geometry), Roi(mask, geometry), settings)


@pytest.mark.parametrize("how", ["bin count", "far and weighted", "re-segmented", "ibsi", "ibsi by slice"])
def test_what_is_no_number_outside_the_region_changes_nothing(how: str) -> None:
    """NaN and infinity where no feature looks leave every bit. (IBSI's peaks leave such voxels out; they are compared without.)"""
    profile, settings = PROFILES[how]
    values, mask = np.random.default_rng(2).normal(0, 9, SHAPE), dict(regions())["a ball"]
    spoilt = np.where(mask, values, np.resize([np.nan, np.inf, -np.inf, 1e308], SHAPE))
    reads = np.array([meta.family != "local_intensity" for meta in profile.columns(settings)])
    clean, other = (measured(image, mask, (1.0, 1.0, 1.0), how) for image in (values, spoilt))
    assert clean is not None
    assert other is not None
    np.testing.assert_array_equal(other[reads], clean[reads])


def test_a_filter_that_reads_what_is_no_number_says_so() -> None:
    """Outside the region, but within a filter's reach: the map's features are missing, with the reason."""
    values, mask = np.random.default_rng(2).normal(0, 9, SHAPE), dict(regions())["a ball"]
    values[0, 0, 0] = np.nan
    geometry = Geometry(SHAPE, (1, 1, 1))
    with pytest.warns(UndefinedFeatureWarning, match="square: the image is NaN or infinite somewhere"):
        pyradiomics.compute(
            Image(values, geometry), Roi(mask, geometry), pyradiomics.Settings(filters=("none", "square"))
        )


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("profile", ["pyradiomics", "ibsi"])
def test_how_an_array_lies_in_memory_changes_nothing(profile: str, dtype: type) -> None:
    """Big-endian, read-only, Fortran-ordered, reversed and strided arrays: the same bits."""
    rng = np.random.default_rng(5)
    values, spacing = rng.integers(0, 500, SHAPE).astype(dtype), (2.0, 1.0, 1.0)
    mask = dict(regions())["two parts"]
    read_only = values.copy()
    read_only.setflags(write=False)
    spread = np.zeros((12, 14, 24), dtype)
    spread[::2, ::2, ::3] = values
    lying = {
        "big-endian": values.astype(values.dtype.newbyteorder(">")),
        "read-only": read_only,
        "Fortran order": np.asfortranarray(values),
        "reversed": values[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
        "strided": spread[::2, ::2, ::3],
    }
    filters = FILTERS if profile == "pyradiomics" else ("none", MEAN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        expected = extract((values, spacing), (mask, spacing), profile, filters=filters)
        for name, array in lying.items():
            for region in (mask, np.asfortranarray(mask), mask[::-1].copy()[::-1]):
                found = extract((array, spacing), (region, spacing), profile, filters=filters)
                np.testing.assert_array_equal(found, expected, err_msg=name)


def test_intensities_too_large_for_a_variance_are_refused() -> None:
    """1e300 cannot be squared; the error says what can be done."""
    values = np.random.default_rng(1).normal(0, 1e300, SHAPE)
    for profile in ("pyradiomics", "ibsi"):
        with pytest.raises(ImageReadError, match="rescale the image"):
            extract((values, (1, 1, 1)), (np.ones(SHAPE, bool), (1, 1, 1)), profile)


def test_peaks_cost_no_more_than_the_image() -> None:
    """With voxels of a micrometre the ball of 1 cm3 is far larger than the image: its mean is the image's, at once."""
    values = np.random.default_rng(4).normal(0, 9, SHAPE)
    settings = ibsi.Settings(families=("local_intensity",), rounding="none")
    geometry = Geometry(SHAPE, (1e-6, 1e-6, 1e-6))
    found = ibsi.compute(Image(values, geometry), Roi(np.ones(SHAPE, bool), geometry), settings)
    np.testing.assert_allclose(found, values.mean(), rtol=1e-12)
