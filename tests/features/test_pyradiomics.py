"""The `pyradiomics` profile: settings, column facts, edges, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from isthmus.errors import (
    CaseError,
    GeometryMismatchError,
    ImageReadError,
    MaskError,
    PlanError,
    UndefinedFeatureWarning,
)
from isthmus.features import PROFILES, get_profile
from isthmus.features.families import FAMILIES
from isthmus.features.profiles import pyradiomics
from isthmus.features.profiles.pyradiomics import Settings, bin_edges, columns, compute
from isthmus.image import Geometry, Image
from isthmus.roi import Roi


def block(
    values: np.ndarray, mask: np.ndarray | None = None, spacing: tuple[float, float, float] = (2, 1, 1)
) -> tuple[Image, Roi]:
    geometry = Geometry(values.shape, spacing)
    return Image(values, geometry), Roi(np.ones(values.shape, bool) if mask is None else mask, geometry)


def noise(shape: tuple[int, int, int] = (5, 6, 7), dtype: type = np.int16) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 200, shape).astype(dtype)


def by_name(name: str, settings: Settings | None = None) -> pyradiomics.ColumnMeta:
    return next(meta for meta in columns(settings or Settings()) if meta.column == name)


def test_the_profile_is_found_by_name() -> None:
    """PROFILES maps the name to the module."""
    assert PROFILES["pyradiomics"] is get_profile("pyradiomics") is pyradiomics


def test_an_unknown_profile_is_refused_with_a_suggestion() -> None:
    """A typing error names the profile that was meant."""
    with pytest.raises(PlanError, match="Did you mean 'pyradiomics'"):
        get_profile("pyradiomic")


def test_there_are_107_columns() -> None:
    """Shape 14, first order 18, GLCM 24, GLRLM 16, GLSZM 16, GLDM 14, NGTDM 5."""
    assert len(columns(Settings())) == 107


def test_values_and_columns_have_one_order() -> None:
    """The value under a column's name is that feature: a mean, a volume and a count that are known."""
    image, roi = block(noise())
    values = dict(zip((m.column for m in columns(Settings())), compute(image, roi, Settings()), strict=True))
    assert values["original_firstorder_Mean"] == pytest.approx(image.values.mean())


def test_volume_uses_the_spacing() -> None:
    """Voxel volume is the number of voxels times the spacing's product."""
    settings = Settings(features=("shape_VoxelVolume",))
    assert compute(*block(noise(), spacing=(3, 2, 0.5)), settings) == pytest.approx([210 * 3.0])


def test_facts_of_a_texture_column() -> None:
    """Family, feature, IBSI code, aggregation and discretisation are said."""
    meta = by_name("original_glcm_Contrast")
    assert (meta.filter, meta.family, meta.feature, meta.ibsi_code, meta.aggregation, meta.discretisation) == (
        "original",
        "glcm",
        "Contrast",
        "ACUI",
        "ITBB",
        "FBS 25",
    )


def test_percentiles_are_told_apart_by_their_parameter() -> None:
    """10th and 90th percentile carry 0.10 and 0.90."""
    assert [by_name(f"original_firstorder_{n}Percentile").parameter for n in (10, 90)] == ["0.10", "0.90"]


@pytest.mark.parametrize(
    ("column", "settings", "compliant"),
    [
        ("original_firstorder_Mean", Settings(), "true"),
        ("original_firstorder_Kurtosis", Settings(), "false"),
        ("original_shape_MajorAxisLength", Settings(), "false"),
        ("original_glcm_Contrast", Settings(), "false"),
        ("original_glcm_Contrast", Settings(bin_count=32), "true"),
        ("original_glcm_MCC", Settings(bin_count=32), "false"),
        ("original_ngtdm_Contrast", Settings(bin_count=32), "false"),
        ("original_firstorder_Mean", Settings(spacing_mm=(1, 1, 1)), "false"),
    ],
)
def test_what_leaves_ibsi_says_so(column: str, settings: Settings, compliant: str) -> None:
    """Own formulas, bins anchored at 0 and the resampling grid are not IBSI's."""
    assert by_name(column, settings).ibsi_compliant == compliant


def test_bin_number_is_named_in_the_facts() -> None:
    """A fixed bin number is FBN."""
    assert by_name("original_glszm_ZoneEntropy", Settings(bin_count=32)).discretisation == "FBN 32"


def test_families_choose_columns_in_their_order_and_shape_stands_first() -> None:
    """As in PyRadiomics: the order of the families is that of the columns, but shape is computed before the images."""
    chosen = columns(Settings(families=("ngtdm", "shape", "firstorder")))
    assert [meta.family for meta in chosen] == ["shape"] * 14 + ["ngtdm"] * 5 + ["firstorder"] * 18


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_alone_has_the_values_it_has_among_all(family: str) -> None:
    """Choosing one family changes none of its bits."""
    image, roi = block(noise(dtype=np.float32))
    everything = dict(zip((m.column for m in columns(Settings())), compute(image, roi, Settings()), strict=True))
    settings = Settings(families=(family,))  # type: ignore[arg-type]
    found = compute(image, roi, settings)
    np.testing.assert_array_equal(found, [everything[meta.column] for meta in columns(settings)])


def test_single_features_have_the_values_they_have_among_all() -> None:
    """Choosing features picks the right positions."""
    image, roi = block(noise())
    everything = dict(zip((m.column for m in columns(Settings())), compute(image, roi, Settings()), strict=True))
    settings = Settings(features=("ngtdm_Strength", "firstorder_Median", "glcm_Idn"))
    found = compute(image, roi, settings)
    np.testing.assert_array_equal(found, [everything[meta.column] for meta in columns(settings)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"bin_width": 0},
        {"bin_width": float("inf")},
        {"bin_count": 0},
        {"families": ()},
        {"families": ("glcm", "glcm")},
        {"features": ("glcm_Kontrast",)},
        {"spacing_mm": (1, -1, 1)},
        {"bin_widht": 5},
        {"minimum_voxels": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    """Each is an error of the settings, not of the computation."""
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_edges_are_multiples_of_the_width() -> None:
    """54 to 166 with width 25: the first edge is 50, the last bin holds the maximum."""
    np.testing.assert_array_equal(bin_edges(np.dtype(np.int16), 54, 166, Settings()), [50, 75, 100, 125, 150, 175, 200])


def test_edges_of_negative_intensities() -> None:
    """Edges lie at multiples of the width below zero, too."""
    assert bin_edges(np.dtype(np.float64), -30.0, 10.0, Settings())[0] == -50


def test_edges_do_not_overflow_small_integers() -> None:
    """A maximum near the end of int16 plus two bin widths is not wrapped."""
    assert bin_edges(np.dtype(np.int16), 32000, 32767, Settings(bin_width=500))[-1] > 32767


def test_edges_of_float32_are_computed_in_float32() -> None:
    """The first edge of a width that binary cannot hold is the single-precision one."""
    assert bin_edges(np.dtype(np.float32), 0.1, 1.0, Settings(bin_width=0.1))[0] in (0.0, float(np.float32(0.1)))


def test_bin_number_edges_span_the_intensities() -> None:
    """Four bins from minimum to maximum, the last edge moved up by one so that the maximum is inside."""
    np.testing.assert_array_equal(bin_edges(np.dtype(np.int16), 0, 8, Settings(bin_count=4)), [0, 2, 4, 6, 9])


def test_too_many_bins_is_an_error_that_says_so() -> None:
    """A width far below the intensities' range names width, range and what to do."""
    image, roi = block(noise(dtype=np.float64) * 1e9)
    with pytest.raises(CaseError, match=r"bin width 25 cuts .* Choose a wider bin_width"):
        compute(image, roi, Settings())


def test_an_empty_mask_is_refused() -> None:
    """No voxel: MaskError."""
    with pytest.raises(MaskError, match="holds no voxel"):
        compute(*block(noise(), np.zeros((5, 6, 7), bool)), Settings())


def test_a_single_voxel_is_refused() -> None:
    """One voxel: MaskError, as PyRadiomics refuses it."""
    mask = np.zeros((5, 6, 7), bool)
    mask[2, 2, 2] = True
    with pytest.raises(MaskError, match="is a single voxel; at least 1 dimensions and 2 voxels"):
        compute(*block(noise(), mask), Settings())


def test_fewer_voxels_than_asked_for_are_refused() -> None:
    """The message names both numbers."""
    with pytest.raises(MaskError, match="has 210 voxels; at least 500 are needed"):
        compute(*block(noise()), Settings(minimum_voxels=500))


def test_a_flat_mask_is_refused_where_volumes_are_asked_for() -> None:
    """minimum_dimensions = 3 refuses a region of one slice."""
    mask = np.zeros((5, 6, 7), bool)
    mask[2] = True
    with pytest.raises(MaskError, match="is 2-dimensional; at least 3"):
        compute(*block(noise(), mask), Settings(minimum_dimensions=3))


def test_nan_inside_the_region_is_refused() -> None:
    """The message counts the voxels."""
    values = noise(dtype=np.float32)
    values[1, 1, 1] = np.nan
    with pytest.raises(ImageReadError, match="1 of 210 voxels"):
        compute(*block(values), Settings())


def test_nan_outside_the_region_does_not_matter() -> None:
    """Only the region's voxels are read."""
    values, mask = noise(dtype=np.float32), np.ones((5, 6, 7), bool)
    mask[0] = False
    expected = compute(*block(values, mask), Settings())
    values = values.copy()
    values[0] = np.nan
    np.testing.assert_array_equal(compute(*block(values, mask), Settings()), expected)


def test_another_grid_is_refused() -> None:
    """Image and region must share their grid."""
    image, _ = block(noise())
    _, roi = block(noise(), spacing=(2, 1, 1.5))
    with pytest.raises(GeometryMismatchError, match="different grids"):
        compute(image, roi, Settings())


def test_undefined_features_are_nan_with_one_warning() -> None:
    """Two voxels that do not touch have no pairs: GLCM is missing, and the warning names it."""
    mask = np.zeros((5, 6, 7), bool)
    mask[0, 0, 0] = mask[4, 5, 2] = True
    with pytest.warns(UndefinedFeatureWarning, match="original_glcm_Contrast") as caught:
        values = compute(*block(noise(), mask), Settings())
    missing = {meta.family for meta, value in zip(columns(Settings()), values, strict=True) if np.isnan(value)}
    assert (len(caught), missing) == (1, {"firstorder", "glcm", "glrlm"})


def test_a_flat_region_has_its_conventional_values() -> None:
    """One grey level: correlation and MCC 1, coarseness 1e6, skewness 0."""
    settings = Settings(features=("glcm_Correlation", "glcm_MCC", "ngtdm_Coarseness", "firstorder_Skewness"))
    values = compute(*block(np.full((3, 4, 5), 7, np.int16)), settings)
    np.testing.assert_array_equal(values, [1, 1, 1e6, 0])


def test_resampling_keeps_an_axis_of_zero() -> None:
    """spacing 0 keeps the original: only the other two axes change."""
    image, roi = block(noise((6, 12, 12)), spacing=(5, 1, 1))
    kept = compute(image, roi, Settings(spacing_mm=(0, 2, 2)))
    np.testing.assert_array_equal(compute(image, roi, Settings(spacing_mm=(5, 2, 2))), kept)


def test_resampling_to_the_same_spacing_changes_nothing() -> None:
    """No interpolation where the grid already fits."""
    image, roi = block(noise())
    np.testing.assert_array_equal(compute(image, roi, Settings(spacing_mm=(2, 1, 1))), compute(image, roi, Settings()))
