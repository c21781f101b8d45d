"""Heterogeneity of real lesions: every patient of the soft-tissue sarcoma cohort, MR and PET."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.habitat import (
    ItedSettings,
    Ith2dSettings,
    Ith3dSettings,
    TextureSettings,
    cut,
    ited,
    ited_columns,
    ith2d,
    ith3d,
    measure_supervoxels,
)
from isthmus.image.io import read_image
from isthmus.roi import read_roi

BIN_WIDTHS = {"MR_T1": 10.0, "PET": 0.25}
QUICK = ["STS_003"]


def of_patient(folder: Path, modality: str) -> None:
    """93 finite values; a zero only where one component suffices, or each cluster is one piece."""
    image = read_image(folder / f"{modality}_image.nii.gz")
    roi = read_roi(folder / f"{modality}_mask.nii.gz", image)
    pieces = cut(image, roi)
    table = measure_supervoxels(pieces, TextureSettings(bin_width=BIN_WIDTHS[modality]), patient=folder.name)
    row = ited(table, ItedSettings(resamples=0))
    values = row[ited_columns(whole=False)]
    components = row[[f"{name}_k" for name in values.index]].to_numpy()
    assert (row.attrs["reasons"], int(values.isna().sum())) == ({}, 0), folder.name
    np.testing.assert_array_equal(values.to_numpy() == 0, components == 1, err_msg=folder.name)
    whole = ith3d(pieces, table, Ith3dSettings(most=4, starts=3, resamples=0, permutations=10)).values
    flat = ith2d(image, roi, Ith2dSettings(bin_width=BIN_WIDTHS[modality], clusters=(3, 6), starts=2))
    scores = [whole["ith3d_coherence"], whole["ith3d_fragment"], flat.score]
    assert all(0 <= score < 1 for score in scores), (folder.name, scores)
    assert (whole["ith3d_fragment"] == 0) == (whole["ith3d_pieces"] == 1), folder.name


@pytest.mark.parametrize("modality", BIN_WIDTHS)
@pytest.mark.parametrize("patient", QUICK)
def test_a_real_lesion(shared_data: Path, patient: str, modality: str) -> None:
    """One patient in every run."""
    of_patient(shared_data / "sts" / patient, modality)


@pytest.mark.slow
@pytest.mark.parametrize("modality", BIN_WIDTHS)
def test_every_patient(shared_data: Path, modality: str) -> None:
    """All 26: none missing, none zero by failure."""
    folders = sorted((shared_data / "sts").glob("STS_*"))
    assert len(folders) == 26
    for folder in folders:
        of_patient(folder, modality)
