"""Real data whose masks are known to the voxel: outlines against the masks other software made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.image.io import find_series, rasterise_with_notes, read_acquisition, read_contours, read_image, read_labels
from isthmus.roi import read_roi

STS = [("CT", 8862), ("MR_T1", 8862), ("PET", 388)]


@pytest.mark.parametrize(("modality", "n_voxels"), STS)
def test_sts_outlines(shared_data: Path, modality: str, n_voxels: int) -> None:
    """STS_008: the RTSTRUCT filled on the DICOM series is the NIfTI mask, voxel for voxel."""
    folder = shared_data / "sts" / "dicom" / "STS_008" / modality
    roi = read_roi(folder / "mask", read_image(folder / "image"))
    truth = read_labels(shared_data / "sts" / "STS_008" / f"{modality}_mask.nii.gz")
    assert roi.n_voxels == n_voxels
    np.testing.assert_array_equal(roi.mask, truth.values == 1)


@pytest.mark.parametrize(("modality", "quantity"), [("CT", "HU"), ("MR_T1", "a.u."), ("PET", "SUVbw")])
def test_sts_images(shared_data: Path, modality: str, quantity: str) -> None:
    """STS_008: the DICOM series is the NIfTI image, on the same grid, with its quantity."""
    series = read_image(shared_data / "sts" / "dicom" / "STS_008" / modality / "image")
    file = read_image(shared_data / "sts" / "STS_008" / f"{modality}_image.nii.gz")
    assert series.quantity == quantity
    assert series.geometry.difference(file.geometry) is None
    np.testing.assert_allclose(series.values, file.values, rtol=1e-6)


def test_sts_references_do_not_resolve(shared_data: Path) -> None:
    """STS_008: the outlines refer to another export; that is said, the position decides."""
    folder = shared_data / "sts" / "dicom" / "STS_008" / "PET"
    roi = read_roi(folder / "mask", read_image(folder / "image"))
    assert roi.notes == ("19 contours refer to slices that are not in this series; matched by position",)


def test_raw_pet_outlines(shared_data: Path) -> None:
    """STS_001: on the raw PET's grid GTV_Mass holds 5095 voxels, and every reference agrees with its position."""
    folder = shared_data / "sts" / "raw_pet_dicom" / "STS_001"
    series = find_series(folder / "image")
    mask, notes = rasterise_with_notes(read_contours(folder / "mask")["GTV_Mass"], series.geometry, series.instances)
    assert (int(mask.sum()), notes) == (5095, ())


def test_scanner_of_raw_pet(shared_data: Path) -> None:
    """STS_001: the scanner is known all the same."""
    assert read_acquisition(shared_data / "sts" / "raw_pet_dicom" / "STS_001" / "image")["model"] == "Discovery ST"


def test_ibsi_phantom(shared_data: Path) -> None:
    """IBSI CT phantom: series and RTSTRUCT in one folder give the NIfTI image and its mask of 125256 voxels."""
    phantom = shared_data / "ibsi" / "ct_phantom"
    image = read_image(phantom / "dicom")
    file = read_image(phantom / "nifti" / "image" / "phantom.nii.gz")
    np.testing.assert_array_equal(image.values, file.values)
    roi = read_roi(phantom / "dicom", file)
    assert (roi.name, roi.n_voxels) == ("GTV-1", 125256)
    np.testing.assert_array_equal(roi.mask, read_roi(phantom / "nifti" / "mask" / "mask.nii.gz", file).mask)


def test_pyradiomics_files(shared_data: Path) -> None:
    """PyRadiomics' NRRD pairs lie on one grid and hold a lesion."""
    for image in sorted((shared_data / "pyradiomics").glob("*_image.nrrd")):
        mask = image.with_name(image.name.replace("_image", "_label"))
        assert read_roi(mask, read_image(image)).n_voxels > 100


def test_every_sts_pair(shared_data: Path) -> None:
    """Every PET of the cohort fits its mask, with the voxel count the table states."""
    import pandas as pd

    table = pd.read_csv(shared_data / "sts" / "cases.csv").astype(str)
    column = next(name for name in table.columns if "roi" in name.lower() and "voxel" in name.lower())
    rows = table[table["modality"] == "PET"]
    assert len(rows) == 26
    for row in rows.to_dict("records"):
        folder = shared_data / "sts" / row["patient"]
        roi = read_roi(folder / "PET_mask.nii.gz", read_image(folder / "PET_image.nii.gz"))
        assert roi.n_voxels == int(row[column])
