"""Damaged files: whatever bytes are wrong, the answer is an image or an error of this package, never another."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest

from image.making import in_patient, oblique, write_rtstruct, write_series
from isthmus.errors import IsthmusError, IsthmusWarning
from isthmus.image import Image
from isthmus.image.io import is_contours, read_acquisition, read_contours, read_image, write_image

N = 60


def damaged(data: bytes, generator: np.random.Generator, reach: int) -> bytes:
    """The same bytes with one to four of the first `reach` overwritten."""
    wrong = bytearray(data)
    for _ in range(generator.integers(1, 5)):
        letter = generator.integers(256) if generator.random() < 0.5 else generator.choice(list(b"0123456789 -.ae"))
        wrong[generator.integers(min(reach, len(wrong)))] = letter
    return bytes(wrong)


@contextlib.contextmanager
def only_our_errors() -> object:
    """Errors of this package are fine, others are not; warnings of this package are fine too."""
    with warnings.catch_warnings(), contextlib.suppress(IsthmusError):
        warnings.simplefilter("ignore", IsthmusWarning)
        yield


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_image_files(tmp_path: Path, suffix: str) -> None:
    """Headers of image files."""
    generator = np.random.default_rng(3)
    values = generator.integers(-1000, 1000, (6, 7, 8)).astype(np.int16)
    path = tmp_path / f"a{suffix}"
    write_image(Image(values, oblique(values.shape)), path)
    whole = path.read_bytes()
    for _ in range(N):
        path.write_bytes(damaged(whole, generator, 400))
        with only_our_errors():
            read_image(path)


def test_series(tmp_path: Path) -> None:
    """One slice of a DICOM series."""
    generator = np.random.default_rng(3)
    write_series(tmp_path)
    path = tmp_path / "slice07.dcm"
    whole = path.read_bytes()
    for _ in range(N):
        path.write_bytes(damaged(whole, generator, 900))
        with only_our_errors():
            read_image(tmp_path)
            read_acquisition(tmp_path)


def test_rtstruct(tmp_path: Path) -> None:
    """An RTSTRUCT."""
    generator = np.random.default_rng(3)
    outline = (in_patient(oblique(), 1, [(0, 0), (0, 3), (3, 3)]), {})
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": [outline] * 3})
    whole = path.read_bytes()
    for _ in range(N):
        path.write_bytes(damaged(whole, generator, 2000))
        with only_our_errors():
            is_contours(path)
            read_contours(path)
