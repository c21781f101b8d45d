"""One lesion as one row."""

from __future__ import annotations

import numpy as np

from habitat.making import ball, lesion
from isthmus.habitat import (
    HeterogeneitySettings,
    ItedSettings,
    Ith2dSettings,
    Ith3dSettings,
    cut,
    describe,
    ited,
    measure_supervoxels,
)
from isthmus.habitat.case import case_columns
from isthmus.roi import Roi

QUICK = HeterogeneitySettings(
    ited=ItedSettings(resamples=0),
    ith2d=Ith2dSettings(clusters=(3,), starts=2),
    ith3d=Ith3dSettings(resamples=0, permutations=5),
)


def test_the_row_is_made_of_the_parts() -> None:
    """Every column is there, and the parts alone give the same numbers."""
    image, roi = lesion()
    found = describe(image, roi, QUICK, patient="p1")
    alone = ited(measure_supervoxels(cut(image, roi), patient="p1"), QUICK.ited)
    assert list(found.values.index) == case_columns(QUICK)
    np.testing.assert_array_equal(found.values[list(alone.index)], alone)


def test_a_lesion_too_small_to_be_cut_says_so() -> None:
    """NaN with the reason, never 0; the slice still has a score where it has pixels enough."""
    image, roi = ball("homogeneous", 1)
    mask = np.zeros_like(roi.mask)
    mask[5:9, 5:9, 5:9] = True
    tiny = Roi(mask, roi.geometry)
    settings = QUICK.model_copy(update={"supervoxels": QUICK.supervoxels.model_copy(update={"minimum_voxels": 100})})
    found = describe(image, tiny, settings)
    assert "one supervoxel needs 100" in found.reasons["supervoxels"]
    assert (found.pieces, np.isnan(found.values["ited_glcm_Contrast"]), found.values["ith2d"] >= 0) == (
        None,
        True,
        True,
    )
