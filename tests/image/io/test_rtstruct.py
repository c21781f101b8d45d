"""RTSTRUCT files: names, several files, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from image.making import in_patient, lopsided, oblique, write_rtstruct, write_series
from isthmus.errors import ImageReadError, MaskError
from isthmus.image import Image
from isthmus.image.io import is_contours, read_contours, write_image

TRIANGLE = (in_patient(oblique(), 1, [(0, 0), (0, 3), (3, 3)]), {})


def test_points(tmp_path: Path) -> None:
    """Points come back in LPS millimetres."""
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": [TRIANGLE]})
    np.testing.assert_allclose(read_contours(path)["GTV"][0].points_mm, TRIANGLE[0], atol=1e-5)


def test_names_in_order(tmp_path: Path) -> None:
    """ROIs keep the order of the file, one that was never drawn too."""
    path = write_rtstruct(tmp_path / "rs.dcm", {"node": [TRIANGLE], "GTV": [TRIANGLE, TRIANGLE], "empty": []})
    assert {name: len(contours) for name, contours in read_contours(path).items()} == {"node": 1, "GTV": 2, "empty": 0}


def test_kind_and_reference(tmp_path: Path) -> None:
    """The geometric type and the slice referred to are kept."""
    points = TRIANGLE[0][:1]
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": [(points, {"kind": "POINT", "instance": "1.2.3"})]})
    contour = read_contours(path)["GTV"][0]
    assert (contour.kind, contour.instance) == ("POINT", "1.2.3")


def test_folder(tmp_path: Path) -> None:
    """A folder that holds one RTSTRUCT beside slices will do."""
    write_series(tmp_path / "slices")
    write_rtstruct(tmp_path / "rs.dcm", {"GTV": [TRIANGLE]})
    assert list(read_contours(tmp_path)) == ["GTV"]


def test_two_files(tmp_path: Path) -> None:
    """Two RTSTRUCTs in one folder are listed."""
    write_rtstruct(tmp_path / "a.dcm", {"GTV": [TRIANGLE]})
    write_rtstruct(tmp_path / "b.dcm", {"GTV": [TRIANGLE]})
    with pytest.raises(ImageReadError, match=r"2 RTSTRUCT files \(a\.dcm, b\.dcm\)"):
        read_contours(tmp_path)


def test_no_rtstruct(tmp_path: Path) -> None:
    """A series is no outline."""
    write_series(tmp_path)
    with pytest.raises(ImageReadError, match="no RTSTRUCT there"):
        read_contours(tmp_path)


def test_missing(tmp_path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(ImageReadError, match="no such file"):
        read_contours(tmp_path / "rs.dcm")


def test_same_name_twice(tmp_path: Path) -> None:
    """Two ROIs of one name cannot be told apart."""
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": [TRIANGLE], "GTV*": [TRIANGLE]})
    with pytest.raises(MaskError, match="two ROIs are called 'GTV'"):
        read_contours(path)


def test_no_roi(tmp_path: Path) -> None:
    """An RTSTRUCT without ROIs is named as such."""
    with pytest.raises(MaskError, match="names no ROI"):
        read_contours(write_rtstruct(tmp_path / "rs.dcm", {}))


def test_truncated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file cut short is an error, and nothing is printed."""
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": [TRIANGLE] * 5})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises((ImageReadError, MaskError), match=r"rs\.dcm"):
        read_contours(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("what", "expected"), [("rtstruct", True), ("series", False), ("nifti", False), ("text", False)]
)
def test_is_contours(tmp_path: Path, what: str, expected: bool) -> None:
    """Outlines are told from images by what they are."""
    path = tmp_path / what
    if what == "rtstruct":
        write_rtstruct(path, {"GTV": [TRIANGLE]})
    elif what == "series":
        write_series(path)
    elif what == "nifti":
        path = tmp_path / "a.nii"
        write_image(Image(lopsided(), oblique()), path)
    else:
        path.write_text("hello")
    assert is_contours(path) is expected


def test_is_contours_missing(tmp_path: Path) -> None:
    """What does not exist is no outline."""
    assert not is_contours(tmp_path / "a")
