"""The `ibsi` profile: its settings, its columns, and what it does with regions at the edge of the definitions."""

from __future__ import annotations

import math
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from isthmus.errors import CaseError, GeometryMismatchError, ImageReadError, MaskError, UndefinedFeatureWarning
from isthmus.features import extract
from isthmus.features.ibsi import FAMILIES
from isthmus.features.profiles import PROFILES, get_profile, ibsi
from isthmus.image import Geometry, Image
from isthmus.roi import Roi
from isthmus.table import FeatureTable

TEXTURE = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")


def lesion(shape: tuple[int, int, int] = (8, 9, 10), *, seed: int = 1, quantity: str = "HU") -> tuple[Image, Roi]:
    rng = np.random.default_rng(seed)
    geometry = Geometry(shape, (3.0, 1.0, 1.0))
    values = rng.normal(40, 30, shape).round().astype(np.int16)
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 4, n - n // 4) for n in shape)] = True
    return Image(values, geometry, quantity), Roi(mask, geometry)


def measured(image: Image, roi: Roi, **settings: Any) -> dict[str, float]:
    chosen = ibsi.Settings(**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        values = ibsi.compute(image, roi, chosen)
    return {meta.column: float(value) for meta, value in zip(ibsi.columns(chosen), values, strict=True)}


# ------------------------------------------------------------------------------------------ columns


def test_the_count_of_features() -> None:
    """79 without aggregation; GLCM and GLRLM twice, the other textures once."""
    assert len(ibsi.columns(ibsi.Settings())) == 79 + 2 * (25 + 16) + 16 + 16 + 5 + 17


def test_names_are_tags_with_the_aggregation() -> None:
    """As the field writes them."""
    names = [meta.column for meta in ibsi.columns(PROFILES["ibsi-digital"].Settings())]
    wanted = ("cm_joint_max_2d_avg", "cm_joint_max_2.5d_mrg", "cm_joint_max_3d_avg", "rlm_sre_3d_mrg")
    assert {*wanted, "szm_sze_2d", "szm_sze_2.5d", "szm_sze_3d", "stat_mean", "ivh_v10"} <= set(names)


@pytest.mark.parametrize("profile", [name for name in PROFILES if name.startswith("ibsi")])
def test_names_are_unique_in_every_vocabulary(profile: str) -> None:
    """Columns, and IBSI's codes with aggregation and parameter."""
    columns = PROFILES[profile].columns(PROFILES[profile].Settings())
    values = pd.DataFrame([[0.0] * len(columns)], columns=[meta.column for meta in columns])
    frame = FeatureTable(values, pd.DataFrame({"patient": ["p"]}), columns).to_frame(names="ibsi")
    assert frame.columns.is_unique


def test_the_facts_of_columns() -> None:
    """Code, parameter, aggregation, discretisation and unit of some columns."""
    fbs = {"method": "fbs", "bin_width": 25}
    settings = ibsi.Settings(discretisation=fbs, ivh_discretisation={"method": "none"})
    facts = {meta.column: meta for meta in ibsi.columns(settings)}
    found = {
        name: (meta.ibsi_code, meta.parameter, meta.aggregation, meta.discretisation, meta.unit)
        for name, meta in facts.items()
    }
    assert found["cm_joint_max_3d_mrg"] == ("GYBY", "", "IAZD", "FBS 25", "")
    assert found["ngl_lde_3d"] == ("SODN", "", "KOBO", "FBS 25", "")
    assert found["stat_p10"] == ("QG58", "0.10", "", "", "intensity")
    assert found["ivh_v90"] == ("BC2M", "0.90", "", "", "")
    assert found["ivh_i10"] == ("GBPN", "0.10", "", "", "intensity")
    assert found["ih_entropy"] == ("TLU2", "", "", "FBS 25", "")
    assert found["morph_volume"] == ("RNU0", "", "", "", "mm3")


def test_a_bin_number_has_no_unit() -> None:
    """The intensity at a volume fraction is the number of a bin where bins are counted."""
    facts = {meta.column: meta for meta in ibsi.columns(ibsi.Settings())}
    assert (facts["ivh_i10"].unit, facts["ivh_i10"].discretisation) == ("", "FBN 1000")


def test_families_and_aggregations_choose_columns() -> None:
    """By slice, textures are joined within slices; a family is left out whole."""
    named = [meta.column for meta in ibsi.columns(ibsi.Settings(by_slice=True, families=("glszm", "glrlm")))]
    assert len(named) == 4 * 16 + 2 * 16
    assert not any(name.endswith(("3d", "3d_avg", "3d_mrg")) for name in named)


def test_response_maps_of_other_filters_are_not_ibsis() -> None:
    """The facts say so: PyRadiomics' squares are no filter of IBSI 2."""
    asked = {"families": ("intensity_statistics",), "filters": ["none", {"name": "mean", "support": 3}, "square"]}
    facts = {meta.filter: meta.ibsi_compliant for meta in ibsi.columns(ibsi.Settings(**asked))}
    assert list(facts.values()) == ["true", "true", "false"]


# ------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resegment_range": (400.0, -500.0)}, "the lower bound comes first"),
        ({"spacing_mm": (1.0, -1.0, 1.0)}, "above 0"),
        ({"families": ("glcm", "glcm")}, "name each once"),
        ({"aggregations": ("KOBO",), "families": ("glcm",)}, "none of KOBO fits family glcm"),
        ({"distances": (0,)}, "from 1 on"),
        ({"discretisation": {"method": "fbs"}}, "needs bin_width"),
        ({"filters": ["no such"]}, "is not known"),
        ({"binwidth": 25}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any], message: str) -> None:
    """Each names what came and what was expected."""
    with pytest.raises(ValidationError, match=message):
        ibsi.Settings(**given)


def test_a_side_of_the_range_can_be_open() -> None:
    """Infinity leaves it open."""
    assert ibsi.Settings(resegment_range=(0.0, math.inf)).bounds == (0.0, None)


def test_hu_and_integers_are_rounded_unless_told() -> None:
    """Interpolated CT has whole intensities; SUV has not."""
    image, roi = lesion()
    suv = Image(image.values.astype(np.float32), image.geometry, "SUVbw")
    asked = {"spacing_mm": (1.0, 0.7, 0.7), "families": ("intensity_statistics",)}
    assert measured(image, roi, **asked)["stat_max"].is_integer()
    assert not measured(suv, roi, **asked)["stat_max"].is_integer()
    assert measured(suv, roi, **asked, rounding="nearest_integer")["stat_max"].is_integer()


def test_by_slice_keeps_the_slices() -> None:
    """The slice spacing asked for is not obeyed, so no voxel mixes two slices."""
    image, roi = lesion()
    asked = {"by_slice": True, "families": ("morphology",)}
    assert measured(image, roi, spacing_mm=(1.0, 2.0, 2.0), **asked) == measured(
        image, roi, spacing_mm=(0.0, 2.0, 2.0), **asked
    )


@pytest.mark.parametrize("name", [name for name in PROFILES if name.startswith("ibsi-")])
def test_configurations_are_the_profile_with_other_defaults(name: str) -> None:
    """The same columns and values as the profile with those settings; they travel to other processes."""
    configuration = get_profile(name)
    settings = configuration.Settings()
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert configuration.Settings.model_fields.keys() == ibsi.Settings.model_fields.keys()
    assert configuration.columns(settings) == ibsi.columns(ibsi.Settings(**dict(settings)))
    with pytest.raises(ValidationError):
        configuration.Settings(outlier_sigma=-1.0)


# ------------------------------------------------------------------------------------------ the masks' parts


def test_resegmentation_leaves_morphology_alone() -> None:
    """Only what reads intensities changes."""
    image, roi = lesion()
    before, after = measured(image, roi), measured(image, roi, resegment_range=(20.0, 60.0))
    geometry = {"morph_com", "morph_integ_int", "morph_moran_i", "morph_geary_c"}
    shape = [name for name in before if name.startswith("morph_") and name not in geometry]
    assert [before[name] for name in shape] == [after[name] for name in shape]
    assert after["stat_min"] >= 20 > before["stat_min"]


def test_local_intensity_reads_around_the_region() -> None:
    """A bright neighbour outside the mask raises the peak."""
    image, roi = lesion()
    bright = image.values.copy()
    bright[:, :, -2:] = 3000  # within 6.2 mm of the region
    asked = {"families": ("local_intensity",)}
    assert measured(Image(bright, image.geometry, "HU"), roi, **asked) != measured(image, roi, **asked)


def test_the_surroundings_read_are_enough() -> None:
    """Cutting the image to the region's surroundings changes no local intensity: the whole image gives the same."""
    image, roi = lesion((20, 40, 40))
    asked = {"families": ("local_intensity",), "spacing_mm": (1.3, 0.9, 1.1)}
    from isthmus import _core
    from isthmus.features.profiles.ibsi_chain import process

    after = process(image, roi, ibsi.Settings(**asked), whole=True)
    mask = np.zeros(after.image.values.shape, bool)
    mask[after.box] = after.intensity
    whole = _core.local_intensity(after.image.values, mask, after.spacing_mm)
    np.testing.assert_allclose(list(measured(image, roi, **asked).values()), whole, rtol=1e-12)


# ------------------------------------------------------------------------------------------ edges of the definitions


def region(mask: np.ndarray, values: np.ndarray) -> tuple[Image, Roi]:
    geometry = Geometry(mask.shape, (2.0, 1.0, 1.0))
    return Image(values, geometry), Roi(mask, geometry)


def some_regions() -> dict[str, tuple[Image, Roi]]:
    rng = np.random.default_rng(8)
    values = rng.integers(-100, 200, (5, 6, 7)).astype(np.int16)
    flat = np.full((5, 6, 7), 12, np.int16)
    masks = {name: np.zeros((5, 6, 7), bool) for name in ("voxel", "slice", "line", "pair", "corner", "apart")}
    masks["voxel"][2, 3, 3] = True
    masks["slice"][2, 1:5, 1:6] = True
    masks["line"][:, 3, 3] = True
    masks["pair"][2, 3, 3:5] = True
    masks["corner"][:2, :2, :2] = True
    masks["apart"][0, 0, 0] = masks["apart"][4, 5, 6] = masks["apart"][2, 2, 2:4] = True
    found = {name: region(mask, values) for name, mask in masks.items()}
    found["everything"] = region(np.ones((5, 6, 7), bool), values)
    found["flat"] = region(masks["slice"] | masks["line"], flat)
    found["zero"] = region(np.ones((5, 6, 7), bool), np.zeros((5, 6, 7), np.float32))
    found["huge"] = region(np.ones((5, 6, 7), bool), (values * 1e6).astype(np.float64))
    return found


@pytest.mark.parametrize("kind", some_regions())
@pytest.mark.parametrize("by_slice", [False, True])
def test_every_legal_region_gives_values_or_reasons(kind: str, by_slice: bool) -> None:
    """No feature is infinite; each that is missing is named, with why it is not defined."""
    image, roi = some_regions()[kind]
    settings = ibsi.Settings(by_slice=by_slice)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values = ibsi.compute(image, roi, settings)
    assert not np.isinf(values).any()
    said = " ".join(str(w.message) for w in caught if w.category is UndefinedFeatureWarning)
    missing = [meta.column for meta, value in zip(ibsi.columns(settings), values, strict=True) if np.isnan(value)]
    assert [name for name in missing if name not in said] == []
    assert "unknown" not in said


def test_a_region_that_resegmentation_empties_is_an_error() -> None:
    """With the range and what the region holds."""
    with pytest.raises(MaskError, match="no voxel is left after re-segmentation"):
        measured(*lesion(), resegment_range=(5000.0, 6000.0))


def test_an_empty_mask_is_an_error() -> None:
    """Before anything is computed."""
    image, roi = lesion()
    with pytest.raises(MaskError, match="holds no voxel"):
        measured(image, Roi(np.zeros_like(roi.mask), roi.geometry))


def test_too_few_voxels_are_an_error() -> None:
    """When the block asks for a minimum."""
    with pytest.raises(MaskError, match="at least 100000 are needed"):
        measured(*lesion(), minimum_voxels=100000)


def test_another_grid_is_an_error() -> None:
    """The message says how the grids differ."""
    image, roi = lesion()
    with pytest.raises(GeometryMismatchError, match="spacing_mm"):
        measured(image, Roi(roi.mask, Geometry(roi.mask.shape, (2.0, 1.0, 1.0))))


@pytest.mark.parametrize("settings", [{}, {"resegment_range": (0.0, 100.0)}, {"spacing_mm": (1.0, 1.0, 2.0)}])
def test_nan_inside_the_region_is_an_error(settings: dict[str, Any]) -> None:
    """Also where re-segmentation would have dropped it."""
    image, roi = lesion()
    values = image.values.astype(np.float32)
    values[4, 4, 4] = np.nan
    with pytest.raises(ImageReadError, match="NaN or infinite"):
        measured(Image(values, image.geometry), roi, **settings)


def test_nan_outside_the_region_is_ignored() -> None:
    """Without resampling, only voxels of the region and of its spheres are read."""
    image, roi = lesion()
    values = image.values.astype(np.float32)
    values[0, 0, 0] = np.nan
    asked = {"rounding": "none"}
    assert np.isfinite(list(measured(Image(values, image.geometry), roi, **asked).values())).all()


def test_intensities_that_need_bins_say_so() -> None:
    """Without discretisation SUV is no grey level."""
    image, roi = lesion()
    suv = Image(image.values / np.float32(7), image.geometry, "SUVbw")
    with pytest.raises(CaseError, match="bin_width"):
        measured(suv, roi, discretisation={"method": "none"})


# ------------------------------------------------------------------------------------------ laws


def test_values_do_not_depend_on_history() -> None:
    """The same bits alone, and after another region."""
    first = measured(*lesion())
    measured(*lesion((12, 30, 20), seed=4))
    assert measured(*lesion()) == first


def test_the_frame_around_the_region_does_not_matter() -> None:
    """More image on every side changes nothing but local intensity at the border, when nothing is resampled."""
    image, roi = lesion()
    wide = tuple((3, 3) for _ in range(3))
    geometry = Geometry(tuple(n + 6 for n in roi.mask.shape), roi.geometry.spacing_mm)
    padded = Image(np.pad(image.values, wide, mode="edge"), geometry, "HU"), Roi(np.pad(roi.mask, wide), geometry)
    families = [name for name in FAMILIES if name != "local_intensity"]
    before, after = measured(image, roi, families=families), measured(*padded, families=families)
    assert before.keys() == after.keys()
    np.testing.assert_allclose(list(after.values()), list(before.values()), rtol=1e-9)


def test_fixed_bin_number_ignores_the_scale() -> None:
    """Twice the intensities plus 10 have the same grey levels."""
    image, roi = lesion()
    other = Image(image.values * np.int16(2) + np.int16(10), image.geometry, "HU")
    before, after = (measured(one, roi, families=("intensity_histogram", *TEXTURE)) for one in (image, other))
    assert before == after


def test_extract_takes_the_profile_by_name() -> None:
    """From Python, with a setting of its own."""
    image, roi = lesion()
    spacing = image.geometry.spacing_mm
    found = extract((image.values, spacing), (roi.mask, spacing), "ibsi-E", families=["intensity_statistics"])
    assert list(found.index)[:2] == ["stat_mean", "stat_var"]
