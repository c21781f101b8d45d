"""NRRD, and SimpleITK's images in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from image.making import SHAPE, lopsided, oblique
from isthmus.errors import ImageReadError
from isthmus.image import Geometry, Image
from isthmus.image.io import from_array, from_sitk, read_image, to_sitk, write_image

NRRD = (
    "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 2 2 2\n"
    "space directions: {}\nkinds: domain domain domain\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
)


def noise() -> Image:
    """A volume that does not compress to nothing."""
    values = np.random.default_rng(1).integers(-1000, 1000, (20, 30, 40)).astype(np.int16)
    return Image(values, Geometry(values.shape, (1, 1, 1)))


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr"])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_truncated(tmp_path: Path, suffix: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    """Voxels cut short are an error, and nothing is printed."""
    write_image(noise(), tmp_path / f"scan{suffix}")
    data = next((path for path in tmp_path.iterdir() if "raw" in path.name), tmp_path / f"scan{suffix}")
    data.write_bytes(data.read_bytes()[: int(share * data.stat().st_size)])
    with pytest.raises(ImageReadError, match=rf"scan\{suffix}.*truncated"):
        read_image(tmp_path / f"scan{suffix}")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr"])
def test_not_an_image(tmp_path: Path, suffix: str) -> None:
    """Text under an image's name is named as such."""
    (tmp_path / f"a{suffix}").write_text("hello " * 100)
    with pytest.raises(ImageReadError, match=r"not a N.* image, whatever its name says"):
        read_image(tmp_path / f"a{suffix}")


def test_bad_spacing_nrrd(tmp_path: Path) -> None:
    """A space direction of length 0 is refused."""
    (tmp_path / "a.nrrd").write_bytes(NRRD.format("(1,0,0) (0,0,0) (0,0,1)").encode() + bytes(16))
    with pytest.raises(ImageReadError, match="spacing of 0 mm"):
        read_image(tmp_path / "a.nrrd")


def test_sheared_nrrd(tmp_path: Path) -> None:
    """Axes that are not at right angles are refused (SimpleITK lets them through)."""
    (tmp_path / "a.nrrd").write_bytes(NRRD.format("(1,0,0) (0.2,1,0) (0,0,1)").encode() + bytes(16))
    with pytest.raises(ImageReadError, match=r"axes are not at right angles \(cosine 0\.196\)"):
        read_image(tmp_path / "a.nrrd")


def test_four_dimensions(tmp_path: Path) -> None:
    """A time series is refused, with its size."""
    series = sitk.JoinSeries([sitk.GetImageFromArray(lopsided()) for _ in range(6)])
    sitk.WriteImage(series, str(tmp_path / "a.nrrd"))
    with pytest.raises(ImageReadError, match="4-D image of 5 x 4 x 3 x 6"):
        read_image(tmp_path / "a.nrrd")


def test_colours(tmp_path: Path) -> None:
    """RGB is refused."""
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True), str(tmp_path / "a.nrrd"))
    with pytest.raises(ImageReadError, match="3 numbers per voxel"):
        read_image(tmp_path / "a.nrrd")


def test_from_sitk() -> None:
    """An image in memory comes over with its place."""
    theirs = to_sitk(Image(lopsided(), oblique()))
    assert from_sitk(theirs).geometry.difference(oblique(), 1e-9) is None


def test_from_sitk_copies() -> None:
    """Changing SimpleITK's image afterwards does not change ours."""
    theirs = to_sitk(Image(lopsided(), oblique()))
    ours = from_sitk(theirs)
    theirs[0, 0, 0] = 99
    assert ours.values[0, 0, 0] == 0


def test_from_sitk_picture() -> None:
    """A picture becomes one slice."""
    assert from_sitk(sitk.GetImageFromArray(lopsided()[0])).values.shape == (1, 4, 5)


def test_to_sitk_points() -> None:
    """A voxel lies at one place in both worlds."""
    theirs = to_sitk(Image(lopsided(), oblique()))
    np.testing.assert_allclose(theirs.TransformIndexToPhysicalPoint((4, 3, 2)), (oblique().affine @ [2, 3, 4, 1])[:3])


def test_from_array() -> None:
    """An array and a spacing make an image."""
    assert from_array(lopsided(), (1, 2, 3)).geometry.spacing_mm == (1, 2, 3)


def test_from_array_copies() -> None:
    """Changing the array afterwards does not change the image."""
    array = lopsided()
    image = from_array(array, (1, 2, 3))
    array[:] = 7
    assert image.values[0, 0, 1] == 1


@pytest.mark.parametrize("spacing", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan"))])
def test_from_array_bad_spacing(spacing: tuple[float, float, float]) -> None:
    """A spacing that is no length is refused."""
    with pytest.raises(ImageReadError, match="must be a number > 0"):
        from_array(lopsided(), spacing)


def test_from_array_four_dimensions() -> None:
    """An array of another dimension is refused."""
    with pytest.raises(ImageReadError, match="2-D image of 4 x 5"):
        from_array(lopsided()[0], (1, 1, 1))


def test_shape_of_the_helper() -> None:
    """The test volume is lopsided, else these tests prove little."""
    assert len(set(SHAPE)) == 3
