"""The counted profiles of the literature: how many columns of what, and that each value is its base profile's."""

from __future__ import annotations

import math
import pickle
import tomllib
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from isthmus.errors import PlanError, UndefinedFeatureWarning
from isthmus.features import extract
from isthmus.features.profiles import PROFILES, aview131, ibsi, lvlnm1357, pyradiomics
from isthmus.features.profiles._configured import settings_with
from isthmus.filters import filter_labels
from isthmus.image import Geometry, Image
from isthmus.image.io import read_image
from isthmus.roi import Roi, read_roi
from isthmus.study import Plan
from isthmus.table import FeatureTable

COUNTS = {"aview131": 131, "sera215": 215, "lvlnm1357": 1357, "pyr1409": 1409, "pyr1561": 1561, "pyr1106": 1106}
ON_MAPS = ("lvlnm1357", "pyr1409", "pyr1561", "pyr1106")
OF_PYRADIOMICS = ("aview131", *ON_MAPS)

BANDS = ["wavelet-LLH", "wavelet-LHL", "wavelet-LHH", "wavelet-HLL", "wavelet-HLH", "wavelet-HHL", "wavelet-HHH"]
WAVELETS = [*BANDS, "wavelet-LLL"]
POINTWISE = ["square", "squareroot", "logarithm", "exponential", "gradient"]
SEVENTEEN = ["original", *WAVELETS, *POINTWISE, "lbp-3D-m1", "lbp-3D-m2", "lbp-3D-k"]


def columns(name: str, **settings: Any) -> tuple[Any, ...]:
    return PROFILES[name].columns(PROFILES[name].Settings(**settings))


def lesion(shape: tuple[int, int, int] = (10, 14, 16), *, seed: int = 3) -> tuple[Image, Roi]:
    """A ball-like region in noise with a gradient, or a disc in a picture of one slice."""
    rng = np.random.default_rng(seed)
    geometry = Geometry(shape, (2.0, 1.0, 1.0))
    values = (rng.normal(60, 40, shape) + 3 * np.arange(shape[2])).round().astype(np.int16)
    place = np.indices(shape)
    radii = sum(((axis - (n - 1) / 2) / max(0.4 * n, 0.5)) ** 2 for axis, n in zip(place, shape, strict=True))
    return Image(values, geometry, "HU"), Roi(radii <= 1, geometry, "lesion")


PICTURE = (1, 30, 34)


def measured(name: str, image: Image, roi: Roi, **settings: Any) -> tuple[dict[str, float], list[str]]:
    """Values by column, and what was warned of."""
    profile = PROFILES[name]
    chosen = profile.Settings(**settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values = profile.compute(image, roi, chosen)
    return dict(zip([meta.column for meta in profile.columns(chosen)], values.tolist(), strict=True)), [
        str(one.message) for one in caught if issubclass(one.category, UndefinedFeatureWarning)
    ]


# ------------------------------------------------------------------------------------------ counts


@pytest.mark.parametrize("name", COUNTS)
def test_the_count_is_in_the_name(name: str) -> None:
    """As many columns as the study names, under any setting, each name once in every vocabulary."""
    facts = columns(name)
    frame = pd.DataFrame([[0.0] * len(facts)], columns=[meta.column for meta in facts])
    table = FeatureTable(frame, pd.DataFrame({"patient": ["p"]}), facts)
    named = [table.to_frame(names=vocabulary).columns.is_unique for vocabulary in (None, "pyradiomics", "ibsi")]
    assert (len(facts), *named) == (COUNTS[name], True, name != "sera215", True)


def test_the_twelve_categories_of_aview() -> None:
    """The paper's: shape, first order, histogram with percentile and gradient 17, five matrices, fractal, moment."""
    found = Counter(meta.family for meta in columns("aview131"))
    together = found.pop("histogram") + found.pop("percentile") + found.pop("gradient")
    matrices = {"glcm": 22, "gldm": 14, "glrlm": 14, "glszm": 16, "ngtdm": 5}
    assert (together, dict(found)) == (17, {"shape": 26, "firstorder": 14, **matrices, "fractal": 1, "moment": 2})


def test_the_categories_stand_together() -> None:
    """Columns come category by category, in the paper's order."""
    assert list(dict.fromkeys(meta.family for meta in columns("aview131"))) == list(aview131.CATEGORIES)


def test_the_groups_of_sera() -> None:
    """79 of region, intensities and histograms; 136 textures in space, GLCM and GLRLM averaged and merged."""
    facts = columns("sera215")
    textures = Counter((meta.family, meta.aggregation) for meta in facts if meta.aggregation)
    assert sum(textures.values()) == 136
    assert textures == {
        ("glcm", "ITBB"): 25, ("glcm", "IAZD"): 25, ("glrlm", "ITBB"): 16, ("glrlm", "IAZD"): 16,
        ("glszm", "KOBO"): 16, ("gldzm", "KOBO"): 16, ("ngtdm", "KOBO"): 5, ("ngldm", "KOBO"): 17,
    }  # fmt: skip


def test_the_groups_of_lvlnm() -> None:
    """14 shape, 374 first order (18 and 4 of the histogram), 969 texture."""
    found = Counter(meta.family for meta in columns("lvlnm1357"))
    first_order = found["firstorder"] + found["intensity_histogram"]
    texture = sum(found[family] for family in ("glcm", "gldm", "glrlm", "ngtdm"))
    assert (found["shape"], first_order, texture) == (14, 374, 969)


@pytest.mark.parametrize(
    ("name", "maps", "each"),
    [
        ("lvlnm1357", SEVENTEEN, 22 + 57),
        ("pyr1561", SEVENTEEN, 91),
        ("pyr1409", ["original", *WAVELETS, *POINTWISE, "lbp-2D"], 93),
        ("pyr1106", ["original", *(f"log-sigma-{s}-0-mm-3D" for s in (1, 2, 3)), *WAVELETS], 91),
    ],
)
def test_the_maps(name: str, maps: list[str], each: int) -> None:
    """Which response maps, and that every one of them has the same number of features beside shape's 14."""
    facts = columns(name)
    assert Counter(meta.filter for meta in facts if meta.family == "shape") == {"original": 14}
    found = Counter(meta.filter for meta in facts if meta.family != "shape")
    assert (sorted(found), set(found.values())) == (sorted(maps), {each})


@pytest.mark.parametrize("name", ["aview131", "lvlnm1357", "pyr1561", "pyr1106"])
def test_glcm_is_without_mcc_and_sum_average(name: str) -> None:
    """22 of PyRadiomics' 24."""
    found = {meta.feature for meta in columns(name) if meta.family == "glcm"}
    assert set(_glcm()) - found == {"MCC", "SumAverage"}


def _glcm() -> list[str]:
    return [meta.feature for meta in pyradiomics.columns(pyradiomics.Settings()) if meta.family == "glcm"]


# ------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize("name", OF_PYRADIOMICS)
@pytest.mark.parametrize("settings", [{}, {"bin_count": 16}, {"spacing_mm": (1.5, 1.5, 1.5), "bin_width": 10.0}])
def test_pyradiomics_columns_have_its_values(name: str, settings: dict[str, Any]) -> None:
    """Every column that the profile `pyradiomics` has under this name has its value, bit for bit."""
    image, roi = lesion()
    ours, _ = measured(name, image, roi, **settings)
    fixed = PROFILES[name].Settings
    theirs, _ = measured("pyradiomics", image, roi, filters=fixed.filters, features=fixed.features, **settings)
    further = {"aview131": 25, "lvlnm1357": 4 * 17}.get(name, 0)
    assert len(theirs) == COUNTS[name] - further
    assert all(ours[column].hex() == value.hex() for column, value in theirs.items())


def test_the_plain_equivalent_of_lvlnm() -> None:
    """All of lvlnm1357 but the histogram is in pyr1561, with the same value; pyr1561 has GLSZM more."""
    image, roi = lesion()
    theirs, _ = measured("pyr1561", image, roi)
    ours = {
        column: value for column, value in measured("lvlnm1357", image, roi)[0].items() if "_histogram_" not in column
    }
    assert ours == {column: value for column, value in theirs.items() if "_glszm_" not in column}


def test_sera_has_the_values_of_ibsi() -> None:
    """It is the profile `ibsi` by default, bit for bit."""
    image, roi = lesion()
    assert measured("sera215", image, roi)[0] == measured("ibsi", image, roi)[0]


@pytest.mark.parametrize("name", ["aview131", "lvlnm1357"])
def test_ibsi_columns_have_its_values(name: str) -> None:
    """Morphology and intensity histogram (fixed bin number) are the profile `ibsi`'s, bit for bit."""
    image, roi = lesion()
    levels = {"method": "fbn", "bin_count": 16}
    chosen = ibsi.Settings(rounding="none", discretisation=levels, families=("morphology", "intensity_histogram"))
    theirs = dict(
        zip(
            [(meta.family, meta.ibsi_code, meta.parameter) for meta in ibsi.columns(chosen)],
            ibsi.compute(image, roi, chosen).tolist(),
            strict=True,
        )
    )
    ours, _ = measured(name, image, roi, bin_count=16)
    shared = {
        meta.column: (column_family(meta.column), meta.ibsi_code, meta.parameter)
        for meta in columns(name, bin_count=16)
        if meta.filter == "original" and column_family(meta.column) in ("morphology", "intensity_histogram")
    }
    assert len(shared) == {"aview131": 9 + 5 + 4, "lvlnm1357": 4}[name]
    assert {column: ours[column].hex() for column in shared} == {c: theirs[key].hex() for c, key in shared.items()}


def column_family(column: str) -> str:
    """The family that defines a feature, from the column's name."""
    label, rest = column.split("_", 1)
    assert label == "original"
    return next(family for family in ("intensity_histogram", "morphology", "firstorder", "") if rest.startswith(family))


@pytest.mark.parametrize("name", COUNTS)
def test_every_value_of_a_tumour(name: str, shared_data: Path) -> None:
    """On PyRadiomics' brain1 nothing is missing and nothing infinite."""
    image = read_image(shared_data / "pyradiomics" / "brain1_image.nrrd")
    roi = read_roi(shared_data / "pyradiomics" / "brain1_label.nrrd", image, label=1)
    values, said = measured(name, image, roi)
    assert ([column for column, value in values.items() if not math.isfinite(value)], said) == ([], [])


@pytest.mark.parametrize("name", COUNTS)
def test_a_picture_has_every_column(name: str) -> None:
    """On one slice what is missing is said: densities of a flat ellipsoid, bands across the slice, LoG."""
    values, said = measured(name, *lesion(PICTURE))
    missing = [column for column, value in values.items() if not math.isfinite(value)]
    across = [f"wavelet-{band}" for band in ("LLH", "LHH", "HLH", "HHH")]
    flat = {
        "aview131": {"original_morphology_VolumeDensityAEE", "original_morphology_AreaDensityAEE"},
        "sera215": {"morph_vol_dens_aee", "morph_area_dens_aee"},
    }
    no_log = name == "pyr1106"
    empty = {
        meta.column
        for meta in columns(name)
        if meta.filter in across or (no_log and meta.filter.startswith("log-sigma"))
    }
    assert set(missing) == flat.get(name, set()) | empty
    assert len(said) == 1


def test_the_reason_for_bands_across_one_slice() -> None:
    """The warning says which bands, and why."""
    _, said = measured("pyr1561", *lesion(PICTURE))
    assert "wavelet-LLH, wavelet-LHH, wavelet-HLH, wavelet-HHH: 0 but for rounding" in said[0]


@pytest.mark.parametrize(("axis", "letter"), [(0, 2), (1, 1), (2, 0)])
def test_bands_follow_the_thin_axis(axis: int, letter: int) -> None:
    """A picture may lie across any axis: the letter of that axis decides (x, y, z in a band's name)."""
    shape = [26, 26, 26]
    shape[axis] = 1
    values, _ = measured("pyr1561", *lesion((shape[0], shape[1], shape[2])))
    missing = {column.split("_")[0] for column, value in values.items() if math.isnan(value)}
    assert missing == {band for band in WAVELETS if band.split("-")[1][letter] == "H"}


@pytest.fixture(scope="module")
def of_a_picture() -> tuple[dict[str, float], dict[str, float]]:
    """sera215 of one slice, and IBSI's textures within it."""
    image, roi = lesion(PICTURE)
    return measured("sera215", image, roi)[0], measured("ibsi", image, roi, by_slice=True)[0]


@pytest.mark.parametrize(("prefix", "count"), [("cm", 50), ("szm", 16), ("ngt", 5), ("ngl", 17)])
def test_textures_of_a_picture_are_those_of_its_slice(
    of_a_picture: tuple[dict[str, float], dict[str, float]], prefix: str, count: int
) -> None:
    """sera215's GLCM, GLSZM, NGTDM and NGLDM of a one-slice volume: the same pairs, zones and neighbours as in the slice."""
    ours, within = of_a_picture
    slices = {"_3d_avg": "_2d_avg", "_3d_mrg": "_2.5d_mrg", "_3d": "_2d"}
    ending = {name: next(end for end in slices if name.endswith(end)) for name in ours if name.startswith(f"{prefix}_")}
    expected = {name: within[name.removesuffix(end) + slices[end]] for name, end in ending.items()}
    assert len(expected) == count
    assert {name: ours[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_runs_of_a_picture(of_a_picture: tuple[dict[str, float], dict[str, float]]) -> None:
    """Nine of thirteen directions leave the slice and see runs of one voxel, whose emphasis is 1."""
    ours, within = of_a_picture
    for name in ("rlm_sre", "rlm_lre", "rlm_r_perc"):
        assert ours[f"{name}_3d_avg"] == pytest.approx((4 * within[f"{name}_2d_avg"] + 9) / 13, rel=1e-12)


def test_zones_of_a_picture_lie_at_the_edge(of_a_picture: tuple[dict[str, float], dict[str, float]]) -> None:
    """Outside begins above and below the slice: every zone is at distance 1."""
    ours, _ = of_a_picture
    assert [ours[f"dzm_{name}_3d"] for name in ("sde", "lde", "zdnu_norm", "zd_var")] == [1, 1, 1, 0]


def test_a_region_of_one_intensity() -> None:
    """Moments and gradients of the histogram are missing, each with its reason; the rest has a value."""
    image, roi = lesion()
    flat = Image(np.full_like(image.values, 7), image.geometry, "HU")
    values, said = measured("aview131", flat, roi)
    missing = {column for column, value in values.items() if math.isnan(value)}
    gradients = ("MaximumGradient", "MaximumGradientLevel", "MinimumGradient", "MinimumGradientLevel")
    assert missing == {"original_moment_J1", "original_moment_J2"} | {
        f"original_intensity_histogram_{name}" for name in gradients
    }
    assert "when all intensities are equal" in said[0]
    assert "for a histogram of one bin" in said[0]


def test_percentiles_agree_with_pyradiomics() -> None:
    """The 25th and 75th are as far apart as PyRadiomics' interquartile range, and the six ascend."""
    values, _ = measured("aview131", *lesion())
    six = [values[f"original_firstorder_{percent}Percentile"] for percent in (5, 10, 25, 75, 90, 95)]
    assert six == sorted(six)
    assert six[3] - six[2] == pytest.approx(values["original_firstorder_InterquartileRange"], rel=1e-14)


def test_resegmentation_reaches_the_further_features() -> None:
    """Moments read the re-segmented region; shape, and so its fractal dimension, the region as drawn unless asked."""
    image, roi = lesion()
    whole, _ = measured("aview131", image, roi)
    inside, _ = measured("aview131", image, roi, resegment_range=(40.0, 120.0))
    assert inside["original_moment_J1"] != whole["original_moment_J1"]
    assert inside["original_firstorder_5Percentile"] >= 40
    low, high = 40.0, 120.0
    kept = Roi(roi.mask & (image.values >= low) & (image.values <= high), image.geometry, "kept")
    shaped, _ = measured("aview131", image, roi, resegment_range=(low, high), resegment_shape=True)
    assert shaped == measured("aview131", image, kept)[0]


# ------------------------------------------------------------------------------------------ facts


@pytest.mark.parametrize("name", COUNTS)
def test_facts_are_complete(name: str) -> None:
    """Every column has a map, a family and a feature, and says whether it is IBSI's."""
    assert all(
        meta.filter and meta.family and meta.feature and meta.ibsi_compliant in ("true", "false")
        for meta in columns(name)
    )


def test_codes_of_aview() -> None:
    """Of 131 features these have no code of IBSI: PyRadiomics' own, four percentiles, fractal and moments."""
    bare = [meta.column.removeprefix("original_") for meta in columns("aview131") if not meta.ibsi_code]
    assert bare == [
        "shape_Maximum2DDiameterColumn",
        "shape_Maximum2DDiameterRow",
        "shape_Maximum2DDiameterSlice",
        "firstorder_TotalEnergy",
        *(f"firstorder_{percent}Percentile" for percent in (5, 25, 75, 95)),
        "fractal_BoxCountingDimension",
        "moment_J1",
        "moment_J2",
    ]


def test_further_columns_say_their_discretisation() -> None:
    """Histograms carry the bins of their map; morphology, percentiles and moments none."""
    found = {meta.column.removeprefix("original_"): meta for meta in columns("aview131", bin_count=32)}
    assert found["intensity_histogram_Mode"].discretisation == "FBN 32"
    assert found["intensity_histogram_Mode"].ibsi_compliant == "true"
    assert found["morphology_Asphericity"].discretisation == ""
    assert found["moment_J1"].ibsi_compliant == "false"
    assert {meta.ibsi_compliant for meta in columns("aview131") if "histogram_" in meta.column} == {"false"}


# ------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("key", ["filters", "families"])
def test_what_makes_the_count_cannot_be_set(name: str, key: str) -> None:
    """Filters and families are no settings of these profiles."""
    with pytest.raises(ValidationError, match=key):
        PROFILES[name].Settings(**{key: ("none",)})


def test_wavelets_inside_slices_cannot_be_asked_for() -> None:
    """They have four bands, and the count eight."""
    with pytest.raises(PlanError, match="slice_axis"):
        extract(lesion()[0], lesion()[1], "pyr1561", slice_axis="k")


@pytest.mark.parametrize("name", COUNTS)
def test_settings_travel_to_other_processes(name: str) -> None:
    """They are pickled and come back equal, fixed parts included."""
    settings = PROFILES[name].Settings(spacing_mm=(1.0, 1.0, 1.0))
    back = pickle.loads(pickle.dumps(settings))
    assert (back, back.filters) == (settings, settings.filters)


def test_an_unknown_fixed_key_is_an_error() -> None:
    """A profile cannot fix what its base does not know."""
    with pytest.raises(KeyError, match="has no field filterz"):
        settings_with(pyradiomics.Settings, "wrong", {}, {"filterz": ()})


def plan(name: str, **keys: Any) -> dict[str, Any]:
    return {
        "cohort": {"table": "cases.csv", "outcome": "y"},
        "features": [{"name": "ct", "image": "ct", "profile": name, **keys}],
        "models": [{"name": "m", "blocks": ["ct"]}],
    }


@pytest.mark.parametrize("name", COUNTS)
def test_the_lock_file_of_a_plan_is_the_same_plan(name: str) -> None:
    """The plan with every default resolved reads back as itself."""
    parsed = Plan.parse(plan(name, spacing_mm=[1, 1, 1]))
    assert Plan.parse(tomllib.loads(parsed.dump())).document() == parsed.document()


@pytest.mark.parametrize("name", COUNTS)
def test_the_filters_of_a_plan_do_not_apply(name: str) -> None:
    """A [filters] section that reaches no block is an error that says so."""
    with pytest.raises(PlanError, match=rf"\[filters\] has no effect: profile {name} chooses its own"):
        Plan.parse({**plan(name), "filters": {"use": ["none", "square"]}})


@pytest.mark.parametrize("name", COUNTS)
def test_extract_by_name(name: str) -> None:
    """`extract` gives a named value per column."""
    image, roi = lesion()
    assert len(extract(image, roi, name)) == COUNTS[name]


def test_every_further_feature_has_a_map() -> None:
    """The histogram columns of lvlnm1357 name each of the 17 maps four times."""
    labels = [label for one in lvlnm1357.Settings.filters for label in filter_labels(one.filter)]
    found = Counter(meta.filter for meta in columns("lvlnm1357") if meta.family == "intensity_histogram")
    assert found == dict.fromkeys(labels, 4)


# ------------------------------------------------------------------------------------------ a map that cannot be counted


def test_a_map_with_too_many_levels_leaves_its_columns() -> None:
    """Where one map has more grey levels than can be counted its columns are missing, further ones too; the others stay."""
    image, roi = lesion()
    huge = image.values * 1e-3
    huge[5, 7, 0] = 1e9  # outside the region: filters see it
    assert not roi.mask[5, 7, 0]
    values, said = measured("lvlnm1357", Image(huge, image.geometry, ""), roi, bin_width=1e-3)
    missing = Counter(column.split("_")[0] for column, value in values.items() if math.isnan(value))
    assert "wavelet-HLL" in missing
    assert "original" not in missing
    assert set(missing.values()) == {22 + 57}
    assert all(f"{label}: bin width" in said[0] for label in missing)
