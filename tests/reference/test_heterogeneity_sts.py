"""Heterogeneity of real lesions: every patient of the soft-tissue sarcoma cohort, MR and PET."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.habitat import ItedSettings, TextureSettings, cut, ited, ited_columns, measure_supervoxels
from isthmus.image.io import read_image
from isthmus.roi import read_roi

BIN_WIDTHS = {"MR_T1": 10.0, "PET": 0.25}
QUICK = ["STS_003"]


def of_patient(folder: Path, modality: str) -> None:
    """93 finite values; a zero only where one component suffices."""
    image = read_image(folder / f"{modality}_image.nii.gz")
    roi = read_roi(folder / f"{modality}_mask.nii.gz", image)
    table = measure_supervoxels(cut(image, roi), TextureSettings(bin_width=BIN_WIDTHS[modality]), patient=folder.name)
    row = ited(table, ItedSettings(resamples=0))
    values = row[ited_columns(whole=False)]
    components = row[[f"{name}_k" for name in values.index]].to_numpy()
    assert (row.attrs["reasons"], int(values.isna().sum())) == ({}, 0), folder.name
    np.testing.assert_array_equal(values.to_numpy() == 0, components == 1, err_msg=folder.name)


@pytest.mark.parametrize("modality", BIN_WIDTHS)
@pytest.mark.parametrize("patient", QUICK)
def test_ited_of_a_real_lesion(shared_data: Path, patient: str, modality: str) -> None:
    """One patient in every run."""
    of_patient(shared_data / "sts" / patient, modality)


@pytest.mark.slow
@pytest.mark.parametrize("modality", BIN_WIDTHS)
def test_ited_of_every_patient(shared_data: Path, modality: str) -> None:
    """All 26: none missing, none zero by failure."""
    folders = sorted((shared_data / "sts").glob("STS_*"))
    assert len(folders) == 26
    for folder in folders:
        of_patient(folder, modality)
