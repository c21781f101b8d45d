"""`extract`: files, SimpleITK images and arrays give the same Series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from isthmus.errors import GeometryMismatchError, ImageReadError, MaskError, PlanError
from isthmus.features import extract

SPACING = (3.0, 0.5, 0.8)  # k, j, i


@pytest.fixture(scope="module")
def voxels() -> np.ndarray:
    return np.random.default_rng(6).integers(-50, 300, (6, 9, 11)).astype(np.int16)


@pytest.fixture(scope="module")
def labels(voxels: np.ndarray) -> np.ndarray:
    labels = np.zeros(voxels.shape, np.uint8)
    labels[1:5, 2:8, 3:10] = 1
    labels[0, :2, :4] = 2
    return labels


def in_sitk(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING[::-1])
    return image


def test_arrays_and_sitk_images_agree(voxels: np.ndarray, labels: np.ndarray) -> None:
    """An array with spacing (k, j, i) is the SimpleITK image with spacing x, y, z reversed: lopsided on purpose."""
    from_arrays = extract((voxels, SPACING), (labels, SPACING))
    from_sitk = extract(in_sitk(voxels), in_sitk(labels))
    np.testing.assert_array_equal(from_arrays, from_sitk)


def test_arrays_and_files_agree(voxels: np.ndarray, labels: np.ndarray, tmp_path: Path) -> None:
    """Files hold the same image."""
    sitk.WriteImage(in_sitk(voxels), str(tmp_path / "image.nrrd"))
    sitk.WriteImage(in_sitk(labels), str(tmp_path / "mask.nrrd"))
    from_files = extract(tmp_path / "image.nrrd", str(tmp_path / "mask.nrrd"))
    np.testing.assert_array_equal(extract((voxels, SPACING), (labels, SPACING)), from_files)


def test_the_series_is_named_by_the_columns(voxels: np.ndarray, labels: np.ndarray) -> None:
    """The index holds PyRadiomics' names."""
    features = extract((voxels, SPACING), (labels, SPACING))
    assert features["original_shape_VoxelVolume"] == pytest.approx(4 * 6 * 7 * 3.0 * 0.5 * 0.8)


def test_the_label_is_obeyed(voxels: np.ndarray, labels: np.ndarray) -> None:
    """Label 2 has 8 voxels."""
    features = extract((voxels, SPACING), (labels, SPACING), label=2)
    assert features["original_shape_VoxelVolume"] == pytest.approx(8 * 3.0 * 0.5 * 0.8)


def test_a_bool_mask_is_label_1(voxels: np.ndarray, labels: np.ndarray) -> None:
    """True is the lesion."""
    np.testing.assert_array_equal(
        extract((voxels, SPACING), (labels == 1, SPACING)), extract((voxels, SPACING), (labels, SPACING))
    )


def test_an_absent_label_lists_those_present(voxels: np.ndarray, labels: np.ndarray) -> None:
    """The message says which labels there are."""
    with pytest.raises(MaskError, match="no voxel of label 7; labels present: 1, 2"):
        extract((voxels, SPACING), (labels, SPACING), label=7)


def test_another_grid_is_refused(voxels: np.ndarray, labels: np.ndarray) -> None:
    """A mask of another spacing is an error, never resampled in silence."""
    with pytest.raises(GeometryMismatchError, match="different grids"):
        extract((voxels, SPACING), (labels, (3.0, 0.5, 0.5)))


def test_a_missing_file_is_refused(labels: np.ndarray, tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ImageReadError, match=r"absent\.nrrd"):
        extract(tmp_path / "absent.nrrd", (labels, SPACING))


def test_an_unknown_setting_is_refused(voxels: np.ndarray, labels: np.ndarray) -> None:
    """The message names the key and those there are."""
    with pytest.raises(PlanError, match=r"unknown key 'bin_widht'\. Did you mean 'bin_width'"):
        extract((voxels, SPACING), (labels, SPACING), bin_widht=5)


def test_a_thing_that_is_no_image_is_refused(labels: np.ndarray) -> None:
    """A bare array has no spacing."""
    with pytest.raises(TypeError, match=r"tuple \(array, spacing\), not ndarray"):
        extract(labels, (labels, SPACING))


def test_settings_win_over_the_parameter_file(voxels: np.ndarray, labels: np.ndarray, tmp_path: Path) -> None:
    """bin_width from the call, families from the file."""
    path = tmp_path / "params.yaml"
    path.write_text("setting: {binWidth: 50}\nfeatureClass: {glszm: }\n")
    found = extract((voxels, SPACING), (labels, SPACING), params=path, bin_width=10)
    expected = extract((voxels, SPACING), (labels, SPACING), bin_width=10, families=("glszm",))
    np.testing.assert_array_equal(found, expected)


def test_the_parameter_files_label_is_used(voxels: np.ndarray, labels: np.ndarray, tmp_path: Path) -> None:
    """A label in the file holds unless the call names one."""
    path = tmp_path / "params.yaml"
    path.write_text("setting: {label: 2}\n")
    found = extract((voxels, SPACING), (labels, SPACING), params=path)
    np.testing.assert_array_equal(found, extract((voxels, SPACING), (labels, SPACING), label=2))
