"""DICOM series: order, gaps, doubles, tilt, several series, units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import SegmentationStorage

from image.making import SHAPE, in_patient, lopsided, oblique, write_rtstruct, write_series
from isthmus.errors import ImageReadError, IsthmusWarning
from isthmus.image import Geometry
from isthmus.image.io import find_series, read_acquisition, read_image, read_labels

TEN = (10, 4, 5)


def straight(n: int = 10, step: float = 2.0) -> Geometry:
    """An axial grid of n slices."""
    return Geometry((n, 4, 5), (step, 1.0, 1.0))


def moved(k: int, z: float) -> dict[int, dict[str, object]]:
    """Slice k at another height."""
    return {k: {"ImagePositionPatient": [0, 0, z]}}


def test_slice_order(tmp_path: Path) -> None:
    """Slices come in the order of their positions, whatever the files are called."""
    write_series(tmp_path, lopsided(shape=TEN), straight())
    np.testing.assert_array_equal(read_image(tmp_path).values[:, 0, 0], np.arange(10) * 20)


def test_thickness_is_not_spacing(tmp_path: Path) -> None:
    """The step comes from the positions; SliceThickness says something else."""
    write_series(tmp_path, lopsided(shape=TEN), straight())
    assert read_image(tmp_path).geometry.spacing_mm[0] == 2.0


def test_missing_slice(tmp_path: Path) -> None:
    """A gap is named with its place."""
    write_series(tmp_path, lopsided(shape=TEN), straight(), skip=[4])
    with pytest.raises(ImageReadError, match=r"\(1 missing\): step of 4 mm between slices 3 and 4 \(positions 6\.000"):
        read_image(tmp_path)


def test_two_missing_slices(tmp_path: Path) -> None:
    """SimpleITK alone would make another spacing of this."""
    write_series(tmp_path, lopsided(shape=TEN), straight(), skip=[4, 5])
    with pytest.raises(ImageReadError, match=r"\(2 missing\): step of 6 mm"):
        read_image(tmp_path)


def test_variable_spacing(tmp_path: Path) -> None:
    """Steps that differ by more than 1 % are refused with the number."""
    write_series(tmp_path, lopsided(shape=TEN), straight(), each=moved(9, 18.03))
    with pytest.raises(ImageReadError, match=r"\(the spacing varies\): step of 2\.03 mm"):
        read_image(tmp_path)


def test_rounded_positions(tmp_path: Path) -> None:
    """Steps within 1 % are one spacing: the mean."""
    write_series(tmp_path, lopsided(shape=TEN), straight(), each=moved(9, 18.009))
    assert read_image(tmp_path).geometry.spacing_mm[0] == pytest.approx(18.009 / 9)


def test_tolerance_can_be_set(tmp_path: Path) -> None:
    """A wider tolerance lets unequal steps through."""
    write_series(tmp_path, lopsided(shape=TEN), straight(), each=moved(9, 18.03))
    assert find_series(tmp_path, step_tolerance=0.02).geometry.shape == TEN


def test_gantry_tilt(tmp_path: Path) -> None:
    """Slices shifted sideways are refused with the angle."""
    tilt = {k: {"ImagePositionPatient": [0, round(2 * k * np.tan(np.radians(15)), 6), 2 * k]} for k in range(10)}
    write_series(tmp_path, lopsided(shape=TEN), straight(), each=tilt)
    with pytest.raises(ImageReadError, match=r"gantry tilt of 15\.00 degrees"):
        read_image(tmp_path)


def test_copied_slice(tmp_path: Path) -> None:
    """One instance twice is named as a copy."""
    write_series(tmp_path, lopsided(shape=TEN), straight())
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "slice00.dcm").read_bytes())
    with pytest.raises(ImageReadError, match=r"1 positions hold more than one slice.*copies of one instance"):
        read_image(tmp_path)


def test_two_echoes(tmp_path: Path) -> None:
    """Two echoes in one series are told apart by name."""
    for echo in (1, 2):
        write_series(tmp_path, every={"EchoNumbers": echo}, name=f"echo{echo}_", series="1.2.3", geometry=straight(3))
    with pytest.raises(ImageReadError, match=r"2 volumes in one series, told apart by EchoNumbers \(1, 2\)"):
        read_image(tmp_path)


def test_two_series(tmp_path: Path) -> None:
    """Two series in one folder are listed."""
    write_series(tmp_path, name="a")
    write_series(tmp_path, name="b", every={"SeriesDescription": "thorax"})
    with pytest.raises(
        ImageReadError, match=r"2 DICOM series where one was expected.*'neck', 3 slices.*'thorax', 3 slices"
    ):
        read_image(tmp_path)


def test_localiser_in_the_series(tmp_path: Path) -> None:
    """Another orientation under the same series number is another volume."""
    write_series(tmp_path, name="a", series="1.2.3", geometry=straight(3))
    write_series(tmp_path, lopsided()[:1], oblique((1, 4, 5)), name="b", series="1.2.3")
    with pytest.raises(ImageReadError, match="2 DICOM series"):
        read_image(tmp_path)


def test_one_slice(tmp_path: Path) -> None:
    """One slice is read; that its thickness is unknown is said."""
    write_series(tmp_path, lopsided()[:1], oblique((1, 4, 5)))
    with pytest.warns(IsthmusWarning, match="single slice.*1 mm is taken"):
        geometry = read_image(tmp_path / "slice00.dcm").geometry
    assert geometry.spacing_mm == (1.0, 0.75, 1.25)


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    """Notes, an RTSTRUCT and nested folders beside the slices do not disturb."""
    write_series(tmp_path / "deep" / "er")
    (tmp_path / "notes.txt").write_text("hello " * 100)
    (tmp_path / "empty").touch()
    write_rtstruct(tmp_path / "rs.dcm", {"GTV": [(in_patient(oblique(), 0, [(0, 0), (0, 2), (2, 2)]), {})]})
    assert read_image(tmp_path).geometry.shape == SHAPE


def test_no_dicom(tmp_path: Path) -> None:
    """A folder of other things says what it holds."""
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ImageReadError, match=r"holds no DICOM file \(it holds notes\.txt"):
        read_image(tmp_path)


def test_only_an_rtstruct(tmp_path: Path) -> None:
    """An RTSTRUCT is no image."""
    write_rtstruct(tmp_path / "rs.dcm", {"GTV": []})
    with pytest.raises(ImageReadError, match=r"no image among them \(modality RTSTRUCT\)"):
        read_image(tmp_path)


def test_segmentation_is_no_image(tmp_path: Path) -> None:
    """A DICOM segmentation is no image."""
    write_series(tmp_path, lopsided()[:1], straight(1), every={"SOPClassUID": SegmentationStorage, "Modality": "SEG"})
    with pytest.raises(ImageReadError, match=r"segmentation \(SEG\) is a mask, no image"):
        read_image(tmp_path)


def test_dicom_as_a_mask(tmp_path: Path) -> None:
    """A series is no mask."""
    write_series(tmp_path)
    with pytest.raises(ImageReadError, match="no mask: a DICOM image"):
        read_labels(tmp_path)


@pytest.mark.parametrize("attribute", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_slice_without_a_place(tmp_path: Path, attribute: str) -> None:
    """A slice that does not say where it lies is refused."""
    write_series(tmp_path, every={attribute: None})
    with pytest.raises(ImageReadError, match=f"has no {attribute}"):
        read_image(tmp_path)


def test_many_frames(tmp_path: Path) -> None:
    """Enhanced DICOM is refused by name."""
    write_series(tmp_path, every={"NumberOfFrames": 4})
    with pytest.raises(ImageReadError, match="4 frames in one file"):
        read_image(tmp_path)


def test_colours(tmp_path: Path) -> None:
    """A colour frame is refused."""
    write_series(tmp_path, every={"SamplesPerPixel": 3})
    with pytest.raises(ImageReadError, match="colour image"):
        read_image(tmp_path)


@pytest.mark.parametrize("spacing", [[0, 1], [1, -1]])
def test_bad_spacing(tmp_path: Path, spacing: list[float]) -> None:
    """A pixel spacing that is no length is refused."""
    write_series(tmp_path, geometry=straight(3), every={"PixelSpacing": spacing})
    with pytest.raises(ImageReadError, match="each must be a number > 0"):
        read_image(tmp_path)


def test_truncated_pixels(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A slice cut short is an error, and nothing is printed."""
    write_series(tmp_path)
    path = tmp_path / "slice07.dcm"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ImageReadError, match="truncated"):
        read_image(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_truncated_header(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A slice cut in its header is an error, and nothing is printed."""
    write_series(tmp_path)
    path = tmp_path / "slice07.dcm"
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ImageReadError, match=r"slice07\.dcm"):
        read_image(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_rescaled(tmp_path: Path) -> None:
    """CT numbers are slope times pixel plus intercept, and whole."""
    write_series(tmp_path, every={"RescaleSlope": 2, "RescaleIntercept": -1024})
    image = read_image(tmp_path)
    assert image.values.dtype in (np.int16, np.int32)
    np.testing.assert_array_equal(image.values, lopsided() * 2 - 1024)


def test_slopes_that_differ(tmp_path: Path) -> None:
    """Each slice has its own slope (PET); the first being whole does not cut the others."""
    each = {k: {"RescaleSlope": slope} for k, slope in enumerate((1, 0.25, 0.5))}
    write_series(tmp_path, each=each)
    expected = lopsided() * np.array([1, 0.25, 0.5])[:, None, None]
    np.testing.assert_array_equal(read_image(tmp_path).values, expected)


@pytest.mark.parametrize(("kind", "expected"), [("HU", "HU"), ("US", "a.u.")])
def test_ct_quantity(tmp_path: Path, kind: str, expected: str) -> None:
    """CT is in HU unless its header says otherwise."""
    write_series(tmp_path, every={"RescaleType": kind})
    assert read_image(tmp_path).quantity == expected


def test_acquisition(tmp_path: Path) -> None:
    """What the scanner says comes in our names; what it does not say is absent."""
    facts = {"ManufacturerModelName": "M1", "KVP": 120, "ConvolutionKernel": "B30f", "SliceThickness": 2.5}
    write_series(tmp_path, every=facts)
    assert read_acquisition(tmp_path) == {
        "modality": "CT",
        "vendor": "Maker",
        "model": "M1",
        "kvp": 120.0,
        "kernel": "B30f",
        "slice_thickness_mm": 2.5,
        "series": "neck",
    }


def test_acquisition_travels(tmp_path: Path) -> None:
    """The image carries the same facts."""
    write_series(tmp_path)
    assert dict(read_image(tmp_path).acquisition) == read_acquisition(tmp_path)


def test_instances(tmp_path: Path) -> None:
    """The image knows the slice of each instance."""
    uids = write_series(tmp_path)
    assert dict(read_image(tmp_path).instances) == {uid: k for k, uid in enumerate(uids)}


def test_file_without_ending(tmp_path: Path) -> None:
    """A slice without an ending is known by its mark."""
    write_series(tmp_path, lopsided()[:1], straight(1))
    (tmp_path / "slice00.dcm").rename(tmp_path / "IM0001")
    with pytest.warns(IsthmusWarning, match="single slice"):
        assert read_image(tmp_path / "IM0001").geometry.shape == (1, 4, 5)


def test_compressed_pixels(tmp_path: Path) -> None:
    """Run-length encoded pixels are decompressed exactly."""
    values = np.random.default_rng(1).integers(-1000, 1000, (3, 63, 65)).astype(np.int16)
    write_series(tmp_path, values)
    for path in tmp_path.iterdir():
        slice_ = pydicom.dcmread(path)
        slice_.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        slice_.save_as(path)
    np.testing.assert_array_equal(read_image(tmp_path).values, values)


def edited(path: Path, old: bytes, new: bytes) -> None:
    """Overwrite bytes of a file, as a careless exporter would."""
    data = path.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))


def test_odd_values_do_not_print(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A word where a number belongs is kept as it stands, and nothing is printed."""
    write_series(tmp_path, every={"KVP": "120.5"})
    for path in tmp_path.iterdir():
        edited(path, b"120.5", b"12o.5")
    assert read_image(tmp_path).acquisition["kvp"] == "12o.5"
    assert capfd.readouterr() == ("", "")


def test_number_that_is_none(tmp_path: Path) -> None:
    """A word where the grid needs a number is an error of this package."""
    write_series(tmp_path, geometry=straight(3), every={"PixelSpacing": ["1.375", "1.0"]})
    edited(tmp_path / "slice07.dcm", b"1.375", b"1.3x5")
    with pytest.raises(ImageReadError, match="a number in the DICOM headers cannot be read"):
        read_image(tmp_path)


def test_slice_that_is_no_dicom(tmp_path: Path) -> None:
    """A slice overwritten with text is not passed over: the volume would lose it."""
    write_series(tmp_path)
    (tmp_path / "slice00.dcm").write_text("hello " * 100)
    with pytest.raises(ImageReadError, match=r"slice00\.dcm: not a DICOM file, whatever its name says"):
        read_image(tmp_path)


def test_rescale_that_is_none(tmp_path: Path) -> None:
    """An infinite slope is refused."""
    write_series(tmp_path, every={"RescaleSlope": "7.5625"})
    for path in tmp_path.iterdir():
        edited(path, b"7.5625", b"inf   ")
    with pytest.raises(ImageReadError, match="slope or intercept is not a number"):
        read_image(tmp_path)


def test_slice_of_a_damaged_class(tmp_path: Path) -> None:
    """A last slice whose header is lost but for a class that no class is called is not passed over: nothing else would miss it."""
    write_series(tmp_path, lopsided(shape=TEN), straight())
    last = find_series(tmp_path).files[-1]
    data = pydicom.dcmread(last)
    data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.29999"
    for element in list(data):
        del data[element.tag]
    data.save_as(last)
    with pytest.raises(ImageReadError, match=rf"{last.name}: the header of an image that does not say its size"):
        read_image(tmp_path)


def test_raw_data_of_a_maker_are_passed_over(tmp_path: Path) -> None:
    """A class of a maker's own is no slice."""
    write_series(tmp_path, lopsided(shape=TEN), straight())
    last = find_series(tmp_path).files[-1]
    data = pydicom.dcmread(last)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.3.12.2.1107.5.9.1"
    del data.Rows
    data.save_as(last)
    assert read_image(tmp_path).values.shape[0] == 9
