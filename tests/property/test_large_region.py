"""Ten million voxels in one region."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.features.profiles import ibsi, pyradiomics
from isthmus.image import Geometry, Image
from isthmus.roi import Roi

pytestmark = pytest.mark.slow

SHAPE = (216, 216, 216)


@pytest.fixture(scope="module")
def case() -> tuple[Image, Roi]:
    """Independent grey levels 0 to 63 in a whole cube: every expectation is known."""
    values = np.random.default_rng(1).integers(0, 64, SHAPE).astype(np.int16)
    geometry = Geometry(SHAPE, (1, 1, 1))
    return Image(values, geometry), Roi(np.ones(SHAPE, bool), geometry)


def test_pyradiomics_features_of_ten_million_voxels(case: tuple[Image, Roi]) -> None:
    """Counts do not overflow: volume exact, first order as NumPy's, co-occurrence as for independent levels."""
    settings = pyradiomics.Settings(bin_width=1)
    values = pyradiomics.compute(*case, settings)
    found = dict(zip((meta.column for meta in pyradiomics.columns(settings)), values, strict=True))
    assert np.isfinite(values).all()
    inside = case[0].values.astype(np.float64)
    assert found["original_shape_VoxelVolume"] == 216**3
    np.testing.assert_allclose(found["original_firstorder_Energy"], np.sum(inside**2), rtol=1e-12)
    np.testing.assert_allclose(found["original_firstorder_Variance"], inside.var(), rtol=1e-9)
    variance = (64**2 - 1) / 12
    np.testing.assert_allclose(found["original_glcm_Contrast"], 2 * variance, rtol=2e-3)
    np.testing.assert_allclose(found["original_glcm_JointEntropy"], 12, rtol=2e-3)
    np.testing.assert_allclose(found["original_glcm_Correlation"], 0, atol=2e-3)
    np.testing.assert_allclose(found["original_glrlm_RunPercentage"], 63 / 64, rtol=2e-3)


def test_ibsi_textures_of_ten_million_voxels(case: tuple[Image, Roi]) -> None:
    """Counts do not overflow here either, merged over all directions."""
    settings = ibsi.Settings(
        families=("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"),
        discretisation={"method": "fbs", "bin_width": 1},
    )
    values = ibsi.compute(*case, settings)
    found = dict(zip((meta.column for meta in ibsi.columns(settings)), values, strict=True))
    assert np.isfinite(values).all()
    np.testing.assert_allclose(found["cm_contrast_3d_mrg"], (64**2 - 1) / 6, rtol=2e-3)
    np.testing.assert_allclose(found["rlm_r_perc_3d_mrg"], 63 / 64, rtol=2e-3)
    alike = 26 / 64  # of the 26 neighbours, on average; fewer at the border
    spread = 1 + 2 * alike + alike * 63 / 64 + alike**2  # mean of (1 + number alike) squared
    np.testing.assert_allclose(found["ngl_hde_3d"], spread, rtol=2e-2)
