"""NRRD read from its bytes is what SimpleITK reads, in every spelling of the header."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from image.making import lopsided, oblique
from isthmus.errors import ImageReadError
from isthmus.image import Image
from isthmus.image.io import from_sitk, nrrd, read_image, simpleitk, write_image

HEADER = (
    "NRRD0005\n# made by hand\ntype: {type}\ndimension: 3\nspace: {space}\nsizes: 5 4 3\n"
    "space directions: (0.5,0,0) (0,-2,0) (0,0,3)\nkinds: domain domain domain\nendian: {endian}\nencoding: {encoding}\n"
    "space origin: (1,-2,3)\nkey:=value\n\n"
)


def by_hand(folder: Path, *, type: str = "short", space: str = "left-posterior-superior", endian: str = "little",
            encoding: str = "raw", code: str = "<i2") -> Path:  # fmt: skip
    """A file with this header and the lopsided volume."""
    stored = lopsided().astype(code).tobytes()
    header = HEADER.format(type=type, space=space, endian=endian, encoding=encoding)
    path = folder / "a.nrrd"
    path.write_bytes(header.encode() + (stored if encoding == "raw" else gzip.compress(stored)))
    return path


def itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    """The image as our own reader gives it; SimpleITK must not be asked."""
    monkeypatch.setattr(nrrd.simpleitk, "read", lambda _: pytest.fail("SimpleITK was asked"))
    return read_image(path)


@pytest.mark.parametrize("space", ["left-posterior-superior", "LPS", "right-anterior-superior", "RAS"])
def test_place(tmp_path: Path, space: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid is SimpleITK's, in LPS and RAS."""
    path = by_hand(tmp_path, space=space)
    theirs = from_sitk(sitk.ReadImage(str(path)))
    assert itself(path, monkeypatch).geometry.difference(theirs.geometry, 1e-9) is None


@pytest.mark.parametrize(
    ("type", "code"),
    [("uchar", "u1"), ("int8", "i1"), ("unsigned short", "<u2"), ("int", "<i4"), ("float", "<f4"), ("double", "<f8")],
)
@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz"])
def test_types(tmp_path: Path, type: str, code: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every type and encoding gives the voxels back."""
    path = by_hand(tmp_path, type=type, encoding=encoding, code=code)
    np.testing.assert_array_equal(itself(path, monkeypatch).values, lopsided())


def test_big_endian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other byte order."""
    path = by_hand(tmp_path, endian="big", code=">i2")
    np.testing.assert_array_equal(itself(path, monkeypatch).values, lopsided())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("space: left-posterior-superior", "space: left-anterior-superior"),
        ("encoding: raw", "encoding: ascii"),
        ("kinds: domain domain domain", "axis mins: 0 0 0"),
    ],
)
def test_unusual_layouts_go_to_simpleitk(tmp_path: Path, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not read here is left to SimpleITK, and not guessed."""
    path = by_hand(tmp_path)
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    asked = []
    monkeypatch.setattr(
        nrrd.simpleitk, "read", lambda given: asked.append(given) or (_ for _ in ()).throw(ImageReadError("x"))
    )
    with pytest.raises(ImageReadError):
        read_image(path)
    assert asked == [path]


def test_detached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header with its voxels in a file beside it."""
    write_image(Image(lopsided(), oblique()), tmp_path / "a.nhdr")
    np.testing.assert_array_equal(itself(tmp_path / "a.nhdr", monkeypatch).values, lopsided())


def test_detached_and_lost(tmp_path: Path) -> None:
    """A header whose voxels are not beside it."""
    write_image(Image(lopsided(), oblique()), tmp_path / "a.nhdr")
    next(path for path in tmp_path.iterdir() if "raw" in path.name).unlink()
    with pytest.raises(ImageReadError, match="which is not beside it. Copy both files"):
        read_image(tmp_path / "a.nhdr")


def test_damaged(tmp_path: Path) -> None:
    """A flipped bit in the compressed voxels is an error, no other image."""
    write_image(
        Image(np.random.default_rng(1).integers(0, 999, (9, 20, 30)).astype(np.int16), oblique((9, 20, 30))),
        tmp_path / "a.nrrd",
    )
    data = bytearray((tmp_path / "a.nrrd").read_bytes())
    data[-500] ^= 4
    (tmp_path / "a.nrrd").write_bytes(data)
    with pytest.raises(ImageReadError, match="damaged"):
        read_image(tmp_path / "a.nrrd")


def test_pyradiomics_files(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyRadiomics' own files: the voxels and the grid SimpleITK reads."""
    files = sorted((shared_data / "pyradiomics").glob("*.nrrd"))
    theirs = {path: simpleitk.read(path) for path in files}
    for path in files:
        values, geometry, _ = theirs[path]
        ours = itself(path, monkeypatch)
        np.testing.assert_array_equal(ours.values, values)
        assert ours.geometry.difference(geometry, 1e-6) is None
