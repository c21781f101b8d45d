"""Laws of the feature engine: what must not change a value, or not even a bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from isthmus import _core
from isthmus.features.profiles import pyradiomics
from isthmus.image import Geometry, Image
from isthmus.roi import Roi
from oracle.regions import Case, draws

pytestmark = pytest.mark.filterwarnings("ignore::isthmus.errors.UndefinedFeatureWarning")

CASES = draws(66, seed=7)
ALL = 127


def features(case: Case, instructions: str = "best", workspace: _core.Workspace | None = None) -> np.ndarray:
    return _core.features(*case.prepared(), ALL, workspace or _core.Workspace(), instructions)


def computed(values: np.ndarray, mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    geometry = Geometry(values.shape, spacing)
    return pyradiomics.compute(Image(values, geometry), Roi(mask, geometry), pyradiomics.Settings(bin_width=2.0))


def large_case() -> Case:
    """A textured ball with rows longer than a vector, so that block edges and tails are met."""
    rng = np.random.default_rng(2)
    k, j, i = np.ogrid[-9:10, -30:31, -50:51]
    mask = (k / 9.0) ** 2 + (j / 30.0) ** 2 + (i / 50.0) ** 2 <= 1
    values = np.cumsum(rng.normal(0, 3, mask.shape), axis=2).astype(np.float32)
    return Case(values, mask, (3.0, 1.0, 1.0), 2.0, "ball")


@pytest.mark.parametrize("instructions", _core.instruction_sets())
def test_instruction_sets_give_the_same_bits(instructions: str) -> None:
    """SSE2, AVX2 and AVX-512 kernels give identical doubles."""
    for case in [*CASES, large_case()]:
        np.testing.assert_array_equal(features(case, instructions), features(case, "base"))


def test_unknown_instruction_set_is_refused() -> None:
    """A name that is not an instruction set is an error that says so."""
    with pytest.raises(ValueError, match="'mmx' is not available"):
        features(CASES[0], "mmx")


def test_threads_give_the_same_bits() -> None:
    """Four threads over the same regions give what one gives, each with its own workspace."""
    cases = [*CASES, large_case()] * 3
    alone = [features(case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(features, cases))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_used_workspace_gives_the_same_bits() -> None:
    """Nothing of an earlier region is left in the scratch memory."""
    workspace = _core.Workspace()
    for case in [large_case(), *CASES, *reversed(CASES)]:
        np.testing.assert_array_equal(features(case, workspace=workspace), features(case))


def test_padding_and_moving_the_grid_changes_nothing() -> None:
    """Background around the region, and where it lies in the image, do not matter: identical bits."""
    rng = np.random.default_rng(8)
    for case in CASES:
        before, after = rng.integers(0, 6, (2, 3))
        pads = list(zip(before, after, strict=True))
        values = np.pad(case.values, pads, constant_values=99)
        np.testing.assert_array_equal(
            computed(values, np.pad(case.mask, pads), case.spacing), computed(case.values, case.mask, case.spacing)
        )


def test_the_storage_type_changes_nothing() -> None:
    """Whole numbers stored as int16, int32, float32 or float64 give the same features."""
    for case in CASES[:22]:
        whole = np.round(case.values.astype(np.float64)).astype(np.int16)
        expected = computed(whole, case.mask, case.spacing)
        for dtype in (np.int32, np.float32, np.float64):
            np.testing.assert_allclose(computed(whole.astype(dtype), case.mask, case.spacing), expected, rtol=1e-13)


def test_strides_change_nothing() -> None:
    """Views of a larger array, Fortran order and every second plane are read in place."""
    case = large_case()
    expected = computed(case.values, case.mask, case.spacing)
    np.testing.assert_array_equal(
        computed(np.asfortranarray(case.values), np.asfortranarray(case.mask), case.spacing), expected
    )
    doubled = np.repeat(case.values, 2, axis=0)
    np.testing.assert_array_equal(computed(doubled[::2], case.mask, case.spacing), expected)


def test_flipping_the_grid_changes_no_texture() -> None:
    """Turning an axis round leaves all features but rounding (the 13 directions map onto themselves)."""
    case = large_case()
    expected = computed(case.values, case.mask, case.spacing)
    mesh = [
        n
        for n, meta in enumerate(pyradiomics.columns(pyradiomics.Settings()))
        if "Mesh" in meta.column
        or "SurfaceArea" in meta.column
        or "SurfaceVolume" in meta.column
        or "Spher" in meta.column
    ]
    for axis in range(3):
        found = computed(np.flip(case.values, axis), np.flip(case.mask, axis), case.spacing)
        keep = np.setdiff1d(np.arange(len(found)), mesh)  # ambiguous cubes are cut another way from behind
        np.testing.assert_allclose(found[keep], expected[keep], rtol=1e-7)


def test_more_than_255_levels_use_the_same_definitions() -> None:
    """The same 40 levels, once numbered 1 to 40 and once far apart, count the same zones and runs."""
    rng = np.random.default_rng(4)
    base = rng.integers(0, 40, (6, 9, 40)).astype(np.int32)
    mask = rng.random(base.shape) < 0.8
    near = Case(base, mask, (1.0, 1.0, 1.0), 1.0, "near")
    far = Case(base * 100, mask, (1.0, 1.0, 1.0), 1.0, "far")
    for matrix in ("glszm", "gldm", "glrlm"):
        a, b = (_core.matrices(*case.prepared(), _core.Workspace())[matrix] for case in (near, far))
        np.testing.assert_array_equal(a[:, 2:], b[:, 2:])


def test_very_many_levels_take_the_sparse_road_with_the_same_result() -> None:
    """3,000 levels (pairs sorted, no table) give the features of plain sums over the pairs."""
    rng = np.random.default_rng(9)
    values = rng.permutation(15 * 15 * 15).reshape(15, 15, 15).astype(np.int32)
    case = Case(values, np.ones(values.shape, bool), (1.0, 1.0, 1.0), 1.0, "distinct")
    found = dict(zip(_core.feature_names("glcm"), _core.features(*case.prepared(), 4, _core.Workspace()), strict=True))
    contrast = []
    for axis_steps in [
        (0, 0, 1),
        (0, 1, -1),
        (0, 1, 0),
        (0, 1, 1),
        *[(1, j, i) for j in (-1, 0, 1) for i in (-1, 0, 1)],
    ]:
        here = tuple(slice(max(0, -s), 15 - max(0, s)) for s in axis_steps)
        there = tuple(slice(max(0, s), 15 - max(0, -s)) for s in axis_steps)
        contrast.append(np.mean((values[here] - values[there]).astype(float) ** 2))
    assert found["Contrast"] == pytest.approx(np.mean(contrast), rel=1e-12)


def test_whole_numbers_are_counted_by_value_with_the_same_result() -> None:
    """Halves of whole numbers, measured voxel by voxel, have the textures of the whole ones and half their statistics."""
    case = large_case()
    whole, geometry = np.round(case.values), Geometry(case.values.shape, case.spacing)
    roi = Roi(case.mask, geometry)
    by_value, by_voxel = (
        pyradiomics.compute(Image(whole * scale, geometry), roi, pyradiomics.Settings(bin_width=3.0 * scale))
        for scale in (np.float32(1), np.float32(0.5))
    )
    powers = {"Energy": 2, "TotalEnergy": 2, "Variance": 2}
    without_unit = {"Entropy", "Kurtosis", "Skewness", "Uniformity"}
    for meta, a, b in zip(pyradiomics.columns(pyradiomics.Settings()), by_value, by_voxel, strict=True):
        intensity = meta.family == "firstorder" and meta.feature not in without_unit
        power = powers.get(meta.feature, 1) if intensity else 0
        np.testing.assert_allclose(a, b * 2**power, rtol=1e-12, err_msg=meta.column)
