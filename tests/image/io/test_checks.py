"""The door: files that are not there, suffixes nobody reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from image.making import lopsided, oblique
from isthmus.errors import ImageReadError
from isthmus.image import Image
from isthmus.image.io import read_image, read_labels, write_image
from isthmus.image.io.checks import nearest_rotation, widen


def test_missing_file_with_a_neighbour(tmp_path: Path) -> None:
    """A typing error is answered with the file that was meant."""
    write_image(Image(lopsided(), oblique()), tmp_path / "patient_01.nii.gz")
    with pytest.raises(ImageReadError, match=r"patient_1\.nii\.gz: no such file\. Did you mean patient_01\.nii\.gz"):
        read_image(tmp_path / "patient_1.nii.gz")


def test_missing_file_without_neighbour(tmp_path: Path) -> None:
    """Nothing alike: the message says what is there."""
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ImageReadError, match=r"folder holds 1 other entries \(notes\.txt"):
        read_image(tmp_path / "patient_1.nii.gz")


def test_missing_folder(tmp_path: Path) -> None:
    """A missing folder names the nearest that exists."""
    with pytest.raises(ImageReadError, match=f"nearest that does is {tmp_path}"):
        read_image(tmp_path / "a" / "b" / "c.nii")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".dcm"])
def test_empty_file(tmp_path: Path, suffix: str) -> None:
    """A file of no bytes is named as such."""
    (tmp_path / f"a{suffix}").touch()
    with pytest.raises(ImageReadError, match=r"empty \(0 bytes\)"):
        read_image(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("reader", [read_image, read_labels])
def test_unknown_suffix(tmp_path: Path, reader: object) -> None:
    """An unknown ending is answered with the known ones."""
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(ImageReadError, match=r"'\.docx' are not read; known are \.nii \.nii\.gz \.nrrd"):
        reader(tmp_path / "a.docx")


def test_dicom_is_not_written(tmp_path: Path) -> None:
    """Writing DICOM is refused."""
    with pytest.raises(ImageReadError, match="DICOM is read, not written"):
        write_image(Image(lopsided(), oblique()), tmp_path / "a.dcm")


def test_text_named_dcm(tmp_path: Path) -> None:
    """Text under a DICOM's name is named as such."""
    (tmp_path / "a.dcm").write_text("hello " * 100)
    with pytest.raises(ImageReadError, match="not a DICOM file"):
        read_image(tmp_path / "a.dcm")


def test_complex_voxels() -> None:
    """Complex numbers are refused."""
    with pytest.raises(ImageReadError, match="type complex128"):
        widen(np.zeros((1, 1, 1), complex), "a")


def test_nearest_rotation() -> None:
    """A shear of one axis by s turns both axes by s/2."""
    sheared = np.array([[1, np.sin(0.01), 0], [0, np.cos(0.01), 0], [0, 0, 1]])
    rotation, angle = nearest_rotation(sheared)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
    assert angle == pytest.approx(np.degrees(0.005), rel=1e-4)
