"""The contract every image format keeps: what goes in comes out, in the same place; the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from image.making import SHAPE, lopsided, oblique, write_series
from isthmus.image import Geometry, Image
from isthmus.image.io import FORMATS, LabelImage, dicom, picture, read_image, read_labels, write_image, write_labels

FILES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def made(folder: Path, suffix: str, dtype: type = np.int16) -> Path:
    """The lopsided oblique volume in one format."""
    if suffix == "dicom":
        write_series(folder / "series", lopsided(dtype), oblique())
        return folder / "series"
    path = folder / f"volume{suffix}"
    write_image(Image(lopsided(dtype), oblique()), path)
    return path


def test_the_contract_covers_every_format() -> None:
    """A format that joins the mapping joins this suite."""
    assert set(FORMATS) == {*FILES, *dicom.SUFFIXES, *picture.SUFFIXES}


@pytest.mark.parametrize("suffix", [*FILES, "dicom"])
class TestImageContract:
    """A lopsided oblique volume: a swapped or flipped axis cannot pass."""

    def test_values(self, tmp_path: Path, suffix: str) -> None:
        """Every voxel keeps its value and its index (k, j, i)."""
        np.testing.assert_array_equal(read_image(made(tmp_path, suffix)).values, lopsided())

    def test_shape(self, tmp_path: Path, suffix: str) -> None:
        """The grid has the array's shape."""
        assert read_image(made(tmp_path, suffix)).geometry.shape == SHAPE

    def test_spacing(self, tmp_path: Path, suffix: str) -> None:
        """Spacing comes in the order (k, j, i)."""
        np.testing.assert_allclose(read_image(made(tmp_path, suffix)).geometry.spacing_mm, (2.5, 0.75, 1.25), rtol=1e-6)

    def test_origin(self, tmp_path: Path, suffix: str) -> None:
        """The origin is LPS (x, y, z)."""
        np.testing.assert_allclose(
            read_image(made(tmp_path, suffix)).geometry.origin_mm, oblique().origin_mm, rtol=1e-6
        )

    def test_direction(self, tmp_path: Path, suffix: str) -> None:
        """Column a of the direction is the LPS unit vector along array axis a."""
        direction = read_image(made(tmp_path, suffix)).geometry.direction
        np.testing.assert_allclose(direction, oblique().direction, atol=1e-6)

    def test_type(self, tmp_path: Path, suffix: str) -> None:
        """16-bit whole numbers stay so."""
        assert read_image(made(tmp_path, suffix)).values.dtype == np.int16

    def test_source(self, tmp_path: Path, suffix: str) -> None:
        """The image knows its path."""
        path = made(tmp_path, suffix)
        assert read_image(path).source == str(path)

    def test_read_only(self, tmp_path: Path, suffix: str) -> None:
        """Nobody can write into an image."""
        assert not read_image(made(tmp_path, suffix)).values.flags.writeable

    def test_repeatable(self, tmp_path: Path, suffix: str) -> None:
        """Two readings have one fingerprint."""
        path = made(tmp_path, suffix)
        assert read_image(path).fingerprint == read_image(path).fingerprint

    def test_silent(self, tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
        """Nothing is printed."""
        read_image(made(tmp_path, suffix))
        assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", FILES)
class TestFileContract:
    """What files can do and DICOM, which is only read, cannot."""

    @pytest.mark.parametrize(
        ("stored", "read_as"),
        [
            (np.int8, np.int16),
            (np.uint8, np.int16),
            (np.int16, np.int16),
            (np.uint16, np.int32),
            (np.int32, np.int32),
            (np.uint32, np.int32),
            (np.float32, np.float32),
            (np.float64, np.float64),
        ],
    )
    def test_types(self, tmp_path: Path, suffix: str, stored: type, read_as: type) -> None:
        """Small integers are widened, floats kept."""
        path = tmp_path / f"v{suffix}"
        write_labels_or_image(lopsided(stored), path)
        assert read_image(path).values.dtype == read_as

    def test_agrees_with_simpleitk(self, tmp_path: Path, suffix: str) -> None:
        """SimpleITK sees the same voxels in the same place."""
        path = made(tmp_path, suffix)
        theirs = sitk.ReadImage(str(path))
        for index in [(0, 0, 0), (4, 3, 2), (1, 2, 0)]:
            i, j, k = index
            ours = read_image(path)
            assert theirs[index] == ours.values[k, j, i]
            np.testing.assert_allclose(
                theirs.TransformIndexToPhysicalPoint(index), (ours.geometry.affine @ [k, j, i, 1])[:3], atol=1e-4
            )

    def test_reads_what_simpleitk_wrote(self, tmp_path: Path, suffix: str) -> None:
        """A file of another writer lies in the same place."""
        theirs = sitk.GetImageFromArray(lopsided())
        theirs.SetSpacing((1.25, 0.75, 2.5))
        theirs.SetOrigin(oblique().origin_mm)
        theirs.SetDirection(oblique().direction[:, ::-1].ravel())
        sitk.WriteImage(theirs, str(tmp_path / f"v{suffix}"))
        assert read_image(tmp_path / f"v{suffix}").geometry.difference(oblique()) is None

    def test_same_bytes(self, tmp_path: Path, suffix: str) -> None:
        """Writing twice gives the same bytes, and no time of day in them."""
        contents = []
        for folder in ("a", "b"):
            made(tmp_path / folder, suffix)
            contents.append({path.name: path.read_bytes() for path in sorted((tmp_path / folder).iterdir())})
        assert contents[0] == contents[1]
        for data in contents[0].values():
            at = data.find(b"\x1f\x8b\x08")
            assert at < 0 or data[at + 4 : at + 8] == bytes(4)

    def test_left_handed_axes(self, tmp_path: Path, suffix: str) -> None:
        """A grid that runs from feet to head or from head to feet comes back as it was."""
        geometry = Geometry(SHAPE, (1, 2, 3), (4, 5, 6), np.array([[0, 0, 1], [0, -1, 0], [1.0, 0, 0]]))
        write_image(Image(lopsided(), geometry), tmp_path / f"v{suffix}")
        assert read_image(tmp_path / f"v{suffix}").geometry.difference(geometry) is None

    def test_one_slice(self, tmp_path: Path, suffix: str) -> None:
        """A single slice keeps its three dimensions and its spacing across."""
        geometry = Geometry((1, 4, 5), (3.0, 1.0, 2.0))
        write_image(Image(lopsided(shape=(1, 4, 5)), geometry), tmp_path / f"v{suffix}")
        assert read_image(tmp_path / f"v{suffix}").geometry.spacing_mm == (3.0, 1.0, 2.0)

    def test_labels(self, tmp_path: Path, suffix: str) -> None:
        """A label map keeps its small integer type."""
        write_labels(LabelImage(lopsided(np.uint8), oblique()), tmp_path / f"v{suffix}")
        assert read_labels(tmp_path / f"v{suffix}").values.dtype == np.uint8

    def test_nan_passes(self, tmp_path: Path, suffix: str) -> None:
        """NaN is read as NaN; the ROI decides whether it matters."""
        values = lopsided(np.float32)
        values[0, 0, 0] = np.nan
        write_image(Image(values, oblique()), tmp_path / f"v{suffix}")
        assert np.isnan(read_image(tmp_path / f"v{suffix}").values[0, 0, 0])


def write_labels_or_image(values: np.ndarray, path: Path) -> None:
    """Write any type: as a label map where the numbers are whole."""
    if values.dtype.kind in "iu":
        write_labels(LabelImage(values, oblique()), path)
    else:
        write_image(Image(values, oblique()), path)
