"""NIfTI: headers that lie, files that end early, scaling."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from image.making import SHAPE, lopsided, oblique
from isthmus.errors import ImageReadError, IsthmusWarning
from isthmus.image import Geometry, Image
from isthmus.image.io import read_image, write_image

STRAIGHT = np.diag([1.0, 2.0, 3.0, 1.0])


def nifti(
    path: Path,
    sform: np.ndarray | None = None,
    qform: np.ndarray | None = None,
    values: np.ndarray | None = None,
    change: Callable[[nibabel.Nifti1Header], None] = lambda header: None,
    kind: type = nibabel.Nifti1Header,
) -> Path:
    """A NIfTI file with these forms and this change to its header, written as it is: nibabel would repair it."""
    values = lopsided().T if values is None else values
    header = kind()
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape)
    header.set_xyzt_units("mm")
    header.set_sform(sform, 1 if sform is not None else 0)
    if qform is not None:
        header.set_qform(qform, 1)
    header["pixdim"][1:4] = (1, 2, 3)
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    change(header)
    padding = bytes(header.single_vox_offset - header.sizeof_hdr)
    path.write_bytes(header.binaryblock + padding + values.tobytes(order="F"))
    return path


@pytest.mark.parametrize("share", [0.0005, 0.3, 0.5, 0.99, 0.9999])
def test_truncated_gzip(tmp_path: Path, share: float) -> None:
    """A .nii.gz cut short is an error wherever the cut lies (SimpleITK hands back garbage)."""
    noise = np.random.default_rng(1).integers(-1000, 1000, (20, 30, 40)).astype(np.int16)
    path = tmp_path / "scan.nii.gz"
    write_image(Image(noise, Geometry(noise.shape, (1, 1, 1))), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ImageReadError, match=r"scan\.nii\.gz.*truncated"):
        read_image(path)


@pytest.mark.parametrize("n_bytes", [100, 347, 352, 400, 471])
def test_truncated(tmp_path: Path, n_bytes: int) -> None:
    """A .nii cut short is an error wherever the cut lies."""
    path = tmp_path / "scan.nii"
    write_image(Image(lopsided(), oblique()), path)
    assert path.stat().st_size == 472
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ImageReadError, match="truncated"):
        read_image(path)


def test_damaged_gzip(tmp_path: Path) -> None:
    """One wrong byte in compressed voxels fails the checksum."""
    path = tmp_path / "scan.nii.gz"
    data = bytearray(gzip.compress(nifti(tmp_path / "a.nii", STRAIGHT).read_bytes()))
    data[-6] ^= 1  # a bit of the checksum
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match="compressed data are damaged"):
        read_image(path)


def test_gzip_of_several_members(tmp_path: Path) -> None:
    """A gzip in blocks (bgzip, pigz) is read whole."""
    data = nifti(tmp_path / "a.nii", STRAIGHT).read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data[:400]) + gzip.compress(data[400:]))
    np.testing.assert_array_equal(read_image(tmp_path / "b.nii.gz").values, lopsided())


@pytest.mark.parametrize("cut", [0, 5, 2000])
def test_large_gzip(tmp_path: Path, cut: int) -> None:
    """Above a million bytes the file is unpacked in one go: whole it is the same, cut short it is the same error."""
    values = np.random.default_rng(1).integers(0, 4, (70, 100, 100)).astype(np.int16)
    path = tmp_path / "scan.nii.gz"
    write_image(Image(values, Geometry(values.shape, (1, 1, 1))), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    if cut:
        with pytest.raises(ImageReadError, match="truncated"):
            read_image(path)
    else:
        np.testing.assert_array_equal(read_image(path).values, values)


def test_large_gzip_of_two_members(tmp_path: Path) -> None:
    """Two large members are both read."""
    values = np.random.default_rng(1).integers(0, 4, (150, 100, 100)).astype(np.int16)
    write_image(Image(values, Geometry(values.shape, (1, 1, 1))), tmp_path / "a.nii")
    data = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data[:1_400_000]) + gzip.compress(data[1_400_000:]))
    np.testing.assert_array_equal(read_image(tmp_path / "b.nii.gz").values, values)


def test_compressed_whatever_the_name(tmp_path: Path) -> None:
    """A gzip called .nii is still read."""
    data = nifti(tmp_path / "a.nii", STRAIGHT).read_bytes()
    (tmp_path / "b.nii").write_bytes(gzip.compress(data))
    np.testing.assert_array_equal(read_image(tmp_path / "b.nii").values, lopsided())


def test_not_nifti(tmp_path: Path) -> None:
    """Text with the ending .nii is named as such."""
    (tmp_path / "a.nii").write_text("hello " * 200)
    with pytest.raises(ImageReadError, match="not a NIfTI image"):
        read_image(tmp_path / "a.nii")


def test_four_dimensions(tmp_path: Path) -> None:
    """A time series is refused, with its size."""
    path = nifti(tmp_path / "a.nii", STRAIGHT, values=np.zeros((5, 4, 3, 6), np.int16))
    with pytest.raises(ImageReadError, match="4-D image of 5 x 4 x 3 x 6"):
        read_image(path)


def test_fourth_dimension_of_one(tmp_path: Path) -> None:
    """A fourth dimension of one is no time series."""
    path = nifti(tmp_path / "a.nii", STRAIGHT, values=lopsided().T[..., None])
    assert read_image(path).geometry.shape == SHAPE


def test_colours(tmp_path: Path) -> None:
    """RGB is refused."""
    colours = np.zeros((5, 4, 3), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(ImageReadError, match=r"colours \(RGB\)"):
        read_image(nifti(tmp_path / "a.nii", STRAIGHT, values=colours))


@pytest.mark.parametrize("spacing", [0.0, -1.0, np.nan])
@pytest.mark.parametrize("form", ["sform", "qform", "neither"])
def test_bad_spacing(tmp_path: Path, spacing: float, form: str) -> None:
    """A spacing that is no length is refused, whichever form holds (SimpleITK turns 0 into 1)."""

    def change(header: nibabel.Nifti1Header) -> None:
        header["pixdim"][3] = spacing

    path = nifti(
        tmp_path / "a.nii",
        STRAIGHT if form == "sform" else None,
        STRAIGHT if form == "qform" else None,
        change=change,
    )
    with pytest.raises(ImageReadError, match=r"spacing .* must be a number > 0"):
        read_image(path)


def test_disagreeing_forms(tmp_path: Path) -> None:
    """sform and qform that place the volume differently: the error says both."""
    moved = STRAIGHT.copy()
    moved[0, 3] = 7.5
    with pytest.raises(
        ImageReadError, match=r"sform and qform disagree, corners up to 7\.5 mm apart: sform .* qform .*7\.5"
    ):
        read_image(nifti(tmp_path / "a.nii", STRAIGHT, moved))


def test_sform_against_pixdim(tmp_path: Path) -> None:
    """An sform and spacings that contradict each other (SimpleITK takes the latter with a warning on stderr)."""
    doubled = STRAIGHT @ np.diag([1, 1, 2, 1])
    with pytest.raises(ImageReadError, match=r"contradicts itself.*6\.0.*by the sform.*3\.0.*by pixdim"):
        read_image(nifti(tmp_path / "a.nii", doubled))


def test_sheared_sform(tmp_path: Path) -> None:
    """What SimpleITK refuses is straightened, with the angle."""
    sheared = STRAIGHT.copy()
    sheared[0, 1] = 0.02
    path = nifti(tmp_path / "a.nii", sheared)
    with pytest.raises(RuntimeError, match="orthonormal"):
        sitk.ReadImage(str(path))
    with pytest.warns(IsthmusWarning, match=r"sheared by 0\.286 degrees"):
        image = read_image(path)
    assert image.acquisition["sform_shear_deg"] == pytest.approx(0.2864, abs=1e-3)


def test_strongly_sheared_sform(tmp_path: Path) -> None:
    """A tilt of degrees is not straightened."""
    sheared = STRAIGHT.copy()
    sheared[1, 2] = 0.6  # atan(0.6 / 3) = 11.3 degrees, shared by two axes
    pixdim = np.hypot(0.6, 3.0)
    with pytest.raises(ImageReadError, match=r"sheared by 5\.65 degrees"):
        read_image(nifti(tmp_path / "a.nii", sheared, change=lambda header: header["pixdim"].__setitem__(3, pixdim)))


def test_qform_alone(tmp_path: Path) -> None:
    """With no sform the qform holds: nibabel's RAS becomes LPS."""
    moved = STRAIGHT.copy()
    moved[:3, 3] = 10, 20, 30
    geometry = read_image(nifti(tmp_path / "a.nii", None, moved)).geometry
    np.testing.assert_allclose(geometry.affine[:3] @ [1, 1, 1, 1], [-11, -22, 33], atol=1e-5)


def test_no_form(tmp_path: Path) -> None:
    """A header without orientation gives the spacing along the patient's axes, and says so."""
    with pytest.warns(IsthmusWarning, match="does not say how the volume lies"):
        geometry = read_image(nifti(tmp_path / "a.nii")).geometry
    np.testing.assert_allclose(geometry.affine[:3] @ [1, 1, 1, 1], [1, 2, 3])


def test_metres(tmp_path: Path) -> None:
    """Spacings in metres become millimetres."""
    small = np.diag([1e-3, 2e-3, 3e-3, 1])

    def change(header: nibabel.Nifti1Header) -> None:
        header["pixdim"][1:4] = (1e-3, 2e-3, 3e-3)
        header.set_xyzt_units("meter")

    geometry = read_image(nifti(tmp_path / "a.nii", small, change=change)).geometry
    np.testing.assert_allclose(geometry.spacing_mm, (3, 2, 1), rtol=1e-6)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 3.0), (1.0, -1024.0), (0.1, 0.0)])
@pytest.mark.parametrize("stored", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_scaling(tmp_path: Path, slope: float, intercept: float, stored: type) -> None:
    """Slope and intercept give SimpleITK's numbers to float32 precision."""

    path = nifti(tmp_path / "b.nii", STRAIGHT, values=lopsided(stored).T)
    data = bytearray(path.read_bytes())
    data[112:120] = struct.pack("<ff", slope, intercept)
    path.write_bytes(data)
    theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    np.testing.assert_allclose(read_image(path).values, theirs, rtol=1e-6)


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_scaling_that_is_none(tmp_path: Path, slope: float) -> None:
    """A slope of 0 means unset, 1 means itself: whole numbers stay whole."""
    path = nifti(tmp_path / "b.nii", STRAIGHT)
    data = bytearray(path.read_bytes())
    data[112:120] = struct.pack("<ff", slope, 0.0)
    path.write_bytes(data)
    assert read_image(path).values.dtype == np.int16


def test_big_endian(tmp_path: Path) -> None:
    """A file in the other byte order gives the same numbers in ours."""
    image = nibabel.Nifti1Image(lopsided().T.astype(">i2"), STRAIGHT, nibabel.Nifti1Header(endianness=">"))
    image.header.set_data_dtype(">i2")
    nibabel.save(image, tmp_path / "a.nii")
    values = read_image(tmp_path / "a.nii").values
    assert values.dtype == np.dtype("=i2")
    np.testing.assert_array_equal(values, lopsided())


def test_version_two(tmp_path: Path) -> None:
    """NIfTI-2 is read too."""
    path = nifti(tmp_path / "a.nii", STRAIGHT, kind=nibabel.Nifti2Header)
    np.testing.assert_array_equal(read_image(path).values, lopsided())


def test_two_dimensions(tmp_path: Path) -> None:
    """A picture is one slice."""
    path = nifti(tmp_path / "a.nii", STRAIGHT, values=lopsided()[0].T)
    assert read_image(path).values.shape == (1, 4, 5)


@pytest.mark.parametrize("large", [2**31, -(2**40)])
def test_large_integers(tmp_path: Path, large: int) -> None:
    """Whole numbers beyond 32 bits become doubles, exactly."""
    values = lopsided(np.int64).T + large
    assert read_image(nifti(tmp_path / "a.nii", STRAIGHT, values=values)).values[0, 0, 1] == large + 1


def test_integers_beyond_doubles(tmp_path: Path) -> None:
    """Whole numbers that no double holds are refused."""
    with pytest.raises(ImageReadError, match="cannot be kept exactly"):
        read_image(nifti(tmp_path / "a.nii", STRAIGHT, values=lopsided(np.int64).T + 2**60))


def test_both_forms_are_written(tmp_path: Path) -> None:
    """Files we write carry sform and qform, and they agree."""
    write_image(Image(lopsided(), oblique()), tmp_path / "a.nii")
    header = nibabel.load(tmp_path / "a.nii").header
    np.testing.assert_allclose(header.get_sform(), header.get_qform(), atol=1e-4)


@pytest.mark.parametrize("offset", [-16.0, 100.0, np.nan, np.inf])
def test_voxels_in_the_header(tmp_path: Path, offset: float) -> None:
    """Voxels cannot start within the header, or nowhere."""
    path = nifti(tmp_path / "a.nii", STRAIGHT, change=lambda header: header.__setitem__("vox_offset", offset))
    with pytest.raises(ImageReadError, match="damaged header: voxels start at byte"):
        read_image(path)


def test_unset_offset(tmp_path: Path) -> None:
    """An offset of 0 means right after the header."""
    path = nifti(tmp_path / "a.nii", STRAIGHT, change=lambda header: header.__setitem__("vox_offset", 0))
    np.testing.assert_array_equal(read_image(path).values, lopsided())


def test_unknown_type(tmp_path: Path) -> None:
    """A code of no type is named."""
    path = nifti(tmp_path / "a.nii", STRAIGHT, change=lambda header: header.__setitem__("datatype", 77))
    with pytest.raises(ImageReadError, match="unknown type"):
        read_image(path)


def test_qform_of_no_numbers(tmp_path: Path) -> None:
    """A quaternion that is none is refused, not handed to linear algebra (a fuzzed file)."""

    def change(header: nibabel.Nifti1Header) -> None:
        header["qoffset_x"] = np.inf

    with pytest.raises(ImageReadError, match="qform holds numbers that are none"):
        read_image(nifti(tmp_path / "a.nii", qform=STRAIGHT, change=change))
