"""MetaImage: damage, layouts, headers that lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from image.making import lopsided, oblique
from isthmus.errors import ImageReadError
from isthmus.image import Geometry, Image
from isthmus.image.io import read_image, write_image

HEADER = (
    "ObjectType = Image\nNDims = 3\nDimSize = 5 4 3\nElementType = MET_SHORT\n"
    "ElementSpacing = {}\n{}ElementDataFile = {}\n"
)


def noise() -> Image:
    """A volume that does not compress to nothing."""
    values = np.random.default_rng(1).integers(-1000, 1000, (20, 30, 40)).astype(np.int16)
    return Image(values, Geometry(values.shape, (1, 1, 1)))


def raw(path: Path, data: bytes, spacing: str = "1 1 1", more: str = "", name: str = "LOCAL") -> Path:
    """A file with this header and these bytes."""
    path.write_bytes(HEADER.format(spacing, more, name).encode() + data)
    return path


@pytest.mark.parametrize("suffix", [".mha", ".mhd"])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_truncated(tmp_path: Path, suffix: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    """Voxels cut short are an error, and nothing is printed."""
    write_image(noise(), tmp_path / f"scan{suffix}")
    data = next((path for path in tmp_path.iterdir() if "raw" in path.name), tmp_path / f"scan{suffix}")
    data.write_bytes(data.read_bytes()[: int(share * data.stat().st_size)])
    with pytest.raises(ImageReadError, match=rf"scan\{suffix}.*truncated"):
        read_image(tmp_path / f"scan{suffix}")
    assert capfd.readouterr() == ("", "")


def test_damaged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One wrong byte fails the checksum (SimpleITK hands back other voxels)."""
    write_image(noise(), tmp_path / "a.mha")
    data = bytearray((tmp_path / "a.mha").read_bytes())
    data[-5000] ^= 0x55
    (tmp_path / "a.mha").write_bytes(data)
    with pytest.raises(ImageReadError, match="compressed data are damaged"):
        read_image(tmp_path / "a.mha")
    assert capfd.readouterr() == ("", "")


def test_truncated_uncompressed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Raw voxels cut short are an error with both sizes."""
    with pytest.raises(ImageReadError, match="truncated: 10 of 120 bytes"):
        read_image(raw(tmp_path / "a.mha", bytes(10)))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_order(tmp_path: Path, order: str) -> None:
    """Both byte orders give the same numbers."""
    path = raw(
        tmp_path / "a.mha", lopsided().astype(f"{order}i2").tobytes(), more=f"BinaryDataByteOrderMSB = {order == '>'}\n"
    )
    np.testing.assert_array_equal(read_image(path).values, lopsided())


def test_header_cut_short(tmp_path: Path) -> None:
    """A header that ends early is not read."""
    (tmp_path / "a.mha").write_text(HEADER[:60])
    with pytest.raises(ImageReadError, match="no line 'ElementDataFile"):
        read_image(tmp_path / "a.mha")


def test_missing_voxel_file(tmp_path: Path) -> None:
    """A header whose voxels were not copied along says so."""
    with pytest.raises(ImageReadError, match=r"voxels lie in a\.raw, which is not beside it"):
        read_image(raw(tmp_path / "a.mhd", b"", name="a.raw"))


@pytest.mark.parametrize("spacing", ["0 1 1", "1 -1 1", "1 nan 1"])
def test_bad_spacing(tmp_path: Path, spacing: str) -> None:
    """A spacing that is no length is refused."""
    with pytest.raises(ImageReadError, match=r"spacing \[.*\] mm \(i, j, k\); each must be a number > 0"):
        read_image(raw(tmp_path / "a.mha", bytes(120), spacing))


@pytest.mark.parametrize(
    ("old", "new"), [("NDims = 3", "NDims = x"), ("DimSize = 5 4 3", "DimSize = 5 4"), ("MET_SHORT", "MET_X")]
)
def test_damaged_header(tmp_path: Path, old: str, new: str) -> None:
    """Keys that make no sense are named."""
    path = raw(tmp_path / "a.mha", bytes(120))
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    with pytest.raises(ImageReadError, match="damaged header"):
        read_image(path)


def test_text_voxels(tmp_path: Path) -> None:
    """Voxels written as text are read too."""
    numbers = " ".join(map(str, lopsided().ravel())).encode() + b"\n"
    np.testing.assert_array_equal(
        read_image(raw(tmp_path / "a.mha", numbers, more="BinaryData = False\n")).values, lopsided()
    )


def test_file_with_a_head(tmp_path: Path) -> None:
    """Voxels after a foreign head are read too."""
    (tmp_path / "a.raw").write_bytes(b"x" * 16 + lopsided().tobytes())
    path = raw(tmp_path / "a.mhd", b"", more="HeaderSize = 16\n", name="a.raw")
    np.testing.assert_array_equal(read_image(path).values, lopsided())


def test_picture(tmp_path: Path) -> None:
    """A picture becomes one slice."""
    sitk.WriteImage(sitk.GetImageFromArray(lopsided()[0]), str(tmp_path / "a.mha"))
    assert read_image(tmp_path / "a.mha").values.shape == (1, 4, 5)


def test_four_dimensions(tmp_path: Path) -> None:
    """A time series is refused, with its size."""
    series = sitk.JoinSeries([sitk.GetImageFromArray(lopsided()) for _ in range(6)])
    sitk.WriteImage(series, str(tmp_path / "a.mha"))
    with pytest.raises(ImageReadError, match="4-D image of 5 x 4 x 3 x 6"):
        read_image(tmp_path / "a.mha")


def test_fourth_dimension_of_one(tmp_path: Path) -> None:
    """A fourth dimension of one is no time series."""
    sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(lopsided())]), str(tmp_path / "a.mha"))
    assert read_image(tmp_path / "a.mha").geometry.shape == oblique().shape


def test_colours(tmp_path: Path) -> None:
    """RGB is refused."""
    colours = sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True)
    sitk.WriteImage(colours, str(tmp_path / "a.mha"))
    with pytest.raises(ImageReadError, match="3 numbers per voxel"):
        read_image(tmp_path / "a.mha")


@pytest.mark.parametrize("key", ["TransformMatrix", "Rotation", "Orientation"])
@pytest.mark.parametrize("place", ["Offset", "Position", "Origin"])
def test_the_grid_is_that_of_itk(tmp_path: Path, key: str, place: str) -> None:
    """Every spelling of origin and axes gives the grid that SimpleITK reads."""
    grid = oblique((3, 4, 5))
    assert grid.direction is not None
    axes = " ".join(map(repr, grid.direction[:, ::-1].T.ravel().tolist()))
    origin = " ".join(map(repr, grid.origin_mm))
    path = raw(tmp_path / "a.mha", bytes(120), "0.7 0.8 2.5", f"{key} = {axes}\n{place} = {origin}\n")
    ours, theirs = read_image(path).geometry, sitk.ReadImage(str(path))
    assert ours.direction is not None
    np.testing.assert_allclose(ours.direction[:, ::-1].ravel(), theirs.GetDirection(), rtol=1e-15)
    assert (ours.origin_mm, ours.spacing_mm[::-1]) == (theirs.GetOrigin(), theirs.GetSpacing())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("Offset = 1 2\n", "Offset has 2 numbers, and 3 were expected"),
        ("TransformMatrix = 1 0 0 0 1 0 0 0 x\n", "TransformMatrix must be numbers"),
        ("TransformMatrix = 1 0 0 0 1 0 0 0 nan\n", "origin or direction is not a number"),
    ],
)
def test_a_damaged_grid(tmp_path: Path, more: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Refused in our words; nothing else is printed."""
    with pytest.raises(ImageReadError, match=said):
        read_image(raw(tmp_path / "a.mha", bytes(120), more=more))
    assert capfd.readouterr() == ("", "")
