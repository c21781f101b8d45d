"""The `pyradiomics` profile beyond the unfiltered image: response maps, normalisation, crops, re-segmentation, settings per filter."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from isthmus import _core
from isthmus.errors import (
    CaseError,
    GeometryMismatchError,
    ImageReadError,
    IsthmusWarning,
    MaskError,
    UndefinedFeatureWarning,
)
from isthmus.features.profiles.pyradiomics import Settings, columns, compute
from isthmus.image import Geometry, Image
from isthmus.image.io import from_array
from isthmus.roi import Roi

# as many maps as PyRadiomics has without LBP: 18 and the image itself
EIGHTEEN: list[Any] = [
    "none",
    {"name": "recursive_log", "sigma_mm": [1.0, 2.0, 3.0, 4.0, 5.0]},
    "stationary_wavelet",
    "square",
    "square_root",
    "logarithm",
    "exponential",
    "gradient",
]


def case(dtype: type = np.int16, seed: int = 1) -> tuple[Image, Roi]:
    """Smooth noise with a ball inside, slices 2 mm apart."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(14, 18, 20))
    for axis in range(3):
        values = values + np.roll(values, 1, axis)
    k, j, i = np.ogrid[:14, :18, :20]
    geometry = Geometry(values.shape, (2, 1, 1))
    mask = (k - 6) ** 2 / 16 + (j - 9) ** 2 / 25 + (i - 9) ** 2 / 36 <= 1
    return Image((values * 60 + 200).astype(dtype), geometry), Roi(mask, geometry)


def found(image: Image, roi: Roi, **settings: Any) -> dict[str, float]:
    chosen = Settings(**settings)
    return dict(zip((m.column for m in columns(chosen)), map(float, compute(image, roi, chosen)), strict=True))


# ---------------------------------------------------------------------- history


@pytest.fixture(scope="module")
def alone() -> dict[str, np.ndarray]:
    """Each map's features when it is computed by itself, in fresh memory."""
    image, roi = case()
    values: dict[str, np.ndarray] = {}
    for one in EIGHTEEN:
        settings = Settings(filters=[one])
        for meta, value in zip(columns(settings), compute(image, roi, settings), strict=True):
            values[meta.column] = value
    return values


def test_eighteen_maps_in_one_call_have_the_bits_of_each_alone(alone: dict[str, Any]) -> None:
    """Nothing is remembered from one map to the next."""
    image, roi = case()
    together = found(image, roi, filters=EIGHTEEN)
    assert together == {name: float(alone[name]) for name in together}


def test_what_was_computed_before_does_not_matter(alone: dict[str, Any]) -> None:
    """Another image of another type and other settings in between."""
    found(*case(np.float32, seed=2), filters=["square", "lbp2d"], bin_width=3, distances=(1, 2))
    image, roi = case()
    assert found(image, roi, filters=EIGHTEEN) == {name: float(alone[name]) for name in alone}


def test_two_threads_give_the_bits_of_one(alone: dict[str, Any]) -> None:
    """Two threads at once, each with images of its own."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: found(*case(), filters=EIGHTEEN), range(2)))
    assert both == [{name: float(alone[name]) for name in both[0]}] * 2


# ---------------------------------------------------------------------- filters and their settings


def test_every_map_has_93_features_and_shape_stands_once() -> None:
    """14 + 19 x 93."""
    assert len(columns(Settings(filters=EIGHTEEN))) == 14 + 19 * 93


def test_a_filter_may_have_a_bin_width_of_its_own() -> None:
    """The square's levels are cut by its own width; the image's stay."""
    image, roi = case()
    both = found(image, roi, filters=["none", {"name": "square", "bin_width": 7}])
    square = found(image, roi, filters=["square"], bin_width=7)
    assert {n: v for n, v in both.items() if n.startswith("square")} == {
        n: v for n, v in square.items() if "shape" not in n
    }


def test_the_facts_of_a_map_name_its_filter_and_its_bins() -> None:
    """Filter label and discretisation of the column; no response map of PyRadiomics is IBSI's."""
    meta = columns(Settings(filters=[{"name": "square", "bin_count": 8}], features=("glcm_Contrast",)))[0]
    assert (meta.column, meta.filter, meta.discretisation, meta.ibsi_compliant) == (
        "square_glcm_Contrast",
        "square",
        "FBN 8",
        "false",
    )


@pytest.mark.parametrize(
    ("settings", "family", "code"),
    [
        ({}, "glcm", "ITBB"),
        ({"weighting": "no_weighting"}, "glcm", "IAZD"),
        ({"slice_axis": "k"}, "glrlm", "JJUI"),
        ({"slice_axis": "k", "weighting": "euclidean"}, "glrlm", "ZW7Z"),
        ({"slice_axis": "k"}, "glszm", "62GR"),
        ({}, "ngtdm", "KOBO"),
        ({"slice_axis": "k"}, "firstorder", ""),
    ],
)
def test_the_aggregation_is_named_by_its_ibsi_code(settings: dict[str, Any], family: str, code: str) -> None:
    """How slices and directions come together."""
    chosen = columns(Settings(families=(family,), **settings))  # type: ignore[arg-type]
    assert {meta.aggregation for meta in chosen} == {code}


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ([], "at least one filter"),
        ("square", "a list of filters"),
        (["sqare"], "filter 'sqare' is not known. Did you mean 'square'"),
        ([{"name": "square", "bin_with": 3}], "has no setting 'bin_with'. Did you mean 'bin_width'"),
        ([{"name": "square", "bin_width": -3}], "filter 'square': bin_width = -3"),
        (["square", "square"], "square would be computed twice"),
    ],
)
def test_wrong_filters_are_named(filters: Any, said: str) -> None:
    """Filter and setting stand in the message."""
    with pytest.raises(ValidationError, match=said):
        Settings(filters=filters)


def test_settings_come_back_from_their_dump() -> None:
    """What the lock file holds is the same settings."""
    settings = Settings(
        filters=["none", {"name": "recursive_log", "sigma_mm": [1, 2.5], "bin_width": 10}], slice_axis="j"
    )
    assert Settings.model_validate(settings.model_dump(mode="json", exclude_none=True)) == settings


def test_a_width_too_large_for_the_image_costs_no_other_map() -> None:
    """LoG needs voxels: the map that cannot be is missing with its reason, before and after it values stand."""
    image, roi = case()
    with pytest.warns(UndefinedFeatureWarning, match="sigma = 40 mm needs at least"):
        values = found(
            image, roi, filters=[{"name": "recursive_log", "sigma_mm": [1, 40, 2]}], features=["firstorder_Mean"]
        )
    assert [np.isnan(value) for value in values.values()] == [False, True, False]


def test_a_map_with_nan_is_missing_and_the_reason_is_said() -> None:
    """The kurtosis of a flat neighbourhood is not defined."""
    _, roi = case()
    flat = Image(np.full(roi.mask.shape, 5, np.int16), roi.geometry)
    with pytest.warns(UndefinedFeatureWarning, match=r"lbp-3D-k: \d+ of \d+ voxels are NaN") as caught:
        values = found(flat, roi, filters=["lbp3d"], features=["firstorder_Mean"])
    assert (len(caught), np.isnan(list(values.values())).tolist()) == (1, [False, False, True])


def test_too_many_levels_of_a_map_cost_only_that_map() -> None:
    """The unfiltered image is counted, the map that is not says why."""
    image, roi = case(np.float64)
    with pytest.warns(UndefinedFeatureWarning, match="square: bin width 1e-06 cuts"):
        values = found(image, roi, filters=["none", {"name": "square", "bin_width": 1e-6}], features=["glcm_Contrast"])
    assert np.isnan(list(values.values())).tolist() == [False, True]


# ---------------------------------------------------------------------- before the filters


def test_normalising_gives_mean_0_and_deviation_1_over_the_image() -> None:
    """First order of a region that is the whole image: mean 0, variance (N - 1) / N, times the scale squared."""
    image, _ = case()
    whole = Roi(np.ones(image.values.shape, bool), image.geometry)
    values = found(
        image, whole, normalise=True, normalise_scale=10, features=["firstorder_Mean", "firstorder_Variance"]
    )
    n = image.values.size
    assert list(values.values()) == pytest.approx([0, 100 * (n - 1) / n], abs=1e-9)


def test_outliers_are_moved_to_the_limit() -> None:
    """The largest normalised intensity is the limit times the scale."""
    image, _ = case()
    whole = Roi(np.ones(image.values.shape, bool), image.geometry)
    values = found(
        image, whole, normalise=True, remove_outliers=1.5, normalise_scale=10, features=["firstorder_Maximum"]
    )
    assert list(values.values()) == [15.0]


def test_a_constant_image_cannot_be_normalised() -> None:
    """Its deviation is 0; the message says what to do."""
    _, roi = case()
    with pytest.raises(CaseError, match="all voxels of the image are equal"):
        found(Image(np.full(roi.mask.shape, 3, np.int16), roi.geometry), roi, normalise=True)


def test_nan_outside_the_region_stops_normalising() -> None:
    """Mean and deviation are of the whole image."""
    image, roi = case(np.float32)
    values = image.values.copy()
    values[0, 0, 0] = np.nan
    with pytest.raises(ImageReadError, match="normalise needs the whole image"):
        found(Image(values, image.geometry), roi, normalise=True)


def test_resegmenting_keeps_the_range_for_intensities_and_the_whole_for_shape() -> None:
    """Intensities come from voxels within the range, shape from the region inside the range's box."""
    image, roi = case()
    values = found(
        image,
        roi,
        resegment_range=(150, 260),
        features=["shape_VoxelVolume", "firstorder_Minimum", "firstorder_Maximum"],
    )
    kept = roi.mask & (image.values >= 150) & (image.values <= 260)
    low, high, _ = _core.bounding_box(kept)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    assert list(values.values()) == [
        2.0 * roi.mask[box].sum(),
        image.values[kept].min(),
        image.values[kept].max(),
    ]


def test_resegmenting_shape_takes_the_kept_voxels() -> None:
    """With resegment_shape the volume is that of the voxels within the range."""
    image, roi = case()
    values = found(image, roi, resegment_range=(150, 260), resegment_shape=True, features=["shape_VoxelVolume"])
    kept = roi.mask & (image.values >= 150) & (image.values <= 260)
    assert list(values.values()) == [2.0 * kept.sum()]


def test_an_empty_range_is_refused_with_the_intensities() -> None:
    """The message says what there was and what was asked for."""
    with pytest.raises(MaskError, match="keeps none of .* the limits 5000"):
        found(*case(), resegment_range=(5000,))


def test_a_crop_changes_what_filters_see_and_nothing_else() -> None:
    """The unfiltered image is the same; the LoG sees the crop's edges."""
    image, roi = case()
    settings = {"filters": ["none", {"name": "recursive_log", "sigma_mm": [3]}], "features": ["firstorder_Mean"]}
    whole, cropped = (
        list(found(image, roi, pre_crop=crop, pad_distance=0, **settings).values()) for crop in (False, True)
    )
    assert (whole[0] == cropped[0], whole[1] == cropped[1]) == (True, False)


def test_the_energy_of_shifted_intensities() -> None:
    """voxel_array_shift moves the intensities in Energy, TotalEnergy and RootMeanSquared, and nowhere else."""
    image, roi = case()
    features = ["firstorder_Energy", "firstorder_TotalEnergy", "firstorder_RootMeanSquared", "firstorder_Mean"]
    shifted = image.values[roi.mask].astype(float) + 300
    expected = [(shifted**2).sum(), 2 * (shifted**2).sum(), np.sqrt((shifted**2).mean()), shifted.mean() - 300]
    assert list(found(image, roi, voxel_array_shift=300, features=features).values()) == pytest.approx(expected)


def test_deprecated_features_follow_from_the_others() -> None:
    """Standard deviation, both compactnesses and spherical disproportion by their formulas."""
    names = ("Compactness1", "Compactness2", "SphericalDisproportion", "MeshVolume", "SurfaceArea")
    values = found(
        *case(), features=[*(f"shape_{n}" for n in names), "firstorder_StandardDeviation", "firstorder_Variance"]
    )
    one, two, three, volume, area, deviation, variance = values.values()
    expected = [
        volume / (area**1.5 * np.pi**0.5),
        36 * np.pi * volume**2 / area**3,
        area / (36 * np.pi * volume**2) ** (1 / 3),
        variance**0.5,
    ]
    assert [one, two, three, deviation] == pytest.approx(expected)


@pytest.mark.parametrize(("dtype", "lowest"), [(np.uint8, 0), (np.uint16, 0), (np.int16, -50)])
def test_resampling_cuts_to_the_range_of_the_files_type(dtype: type, lowest: int) -> None:
    """Splines undershoot beside an edge; an image of unsigned integers stays unsigned, as in PyRadiomics."""
    values = np.zeros((12, 12, 12), dtype)
    values[:, :, 6:] = 200
    image = from_array(values, (1, 1, 1))
    mask = np.zeros(values.shape, bool)
    mask[3:9, 3:9, 3:9] = True
    settings = {"spacing_mm": (0.7, 0.7, 0.7), "features": ["firstorder_Minimum"]}
    minimum = found(image, Roi(mask, image.geometry), **settings)["original_firstorder_Minimum"]
    assert minimum == 0 if lowest == 0 else lowest < minimum < 0


# ---------------------------------------------------------------------- two dimensions


def test_shape_in_a_slice_needs_one_slice() -> None:
    """Of a region in several slices it is missing, and the reason says how many."""
    with pytest.warns(UndefinedFeatureWarning, match="shape2D: the region is 9 voxels thick"):
        values = found(*case(), slice_axis="k", families=("shape2D",))
    assert np.isnan(list(values.values())).all()


def test_shape_in_a_slice_is_measured_across_the_axis() -> None:
    """One slice along j: 9 features, among them the area of its pixels."""
    image, roi = case()
    mask = np.zeros_like(roi.mask)
    mask[:, 9] = roi.mask[:, 9]
    values = found(image, Roi(mask, roi.geometry), slice_axis="j", families=("shape2D",))
    assert values["original_shape2D_PixelSurface"] == 2.0 * mask.sum()


# ---------------------------------------------------------------------- masks on other grids


def moved(image: Image, roi: Roi, shift_mm: float) -> Roi:
    geometry = Geometry(roi.mask.shape, roi.geometry.spacing_mm, (shift_mm, 0, 0))
    return Roi(roi.mask, geometry)


def test_a_mask_on_another_grid_is_brought_over_on_request_and_said() -> None:
    """Moved by one voxel, the mask covers the voxels it lies on."""
    image, roi = case()
    with pytest.warns(IsthmusWarning, match="resample_mask brought it there"):
        values = found(image, moved(image, roi, 1.0), resample_mask=True, features=["firstorder_Mean"])
    assert list(values.values()) == pytest.approx([image.values[np.roll(roi.mask, 1, axis=2)].mean()])


@pytest.mark.parametrize(("tolerance", "accepted"), [(0.01, False), (0.05, True)])
def test_the_tolerance_is_a_fraction_of_the_spacing(tolerance: float, accepted: bool) -> None:
    """0.02 mm of 1 mm."""
    image, roi = case()
    try:
        found(image, moved(image, roi, 0.02), geometry_tolerance=tolerance, features=["firstorder_Mean"])
    except GeometryMismatchError:
        assert not accepted
    else:
        assert accepted


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "gaussian", "label_gaussian", "lanczos_sinc"])
def test_interpolations_stay_within_reach(interpolation: str) -> None:
    """A constant image stays constant, within what a truncated window allows."""
    _, roi = case()
    image = Image(np.full(roi.mask.shape, 7.0), roi.geometry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        values = found(image, roi, spacing_mm=(1, 1.5, 1.5), interpolation=interpolation, features=["firstorder_Mean"])
    assert list(values.values()) == pytest.approx([7.0], rel=0.003)
