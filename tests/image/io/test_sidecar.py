"""The JSON beside an image file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from image.making import lopsided, oblique
from isthmus.errors import ImageReadError, IsthmusWarning
from isthmus.image import Image
from isthmus.image.io import read_acquisition, read_image, write_image
from isthmus.image.io.sidecar import NAMES, sidecar_path


def scan(folder: Path, content: object | None, suffix: str = ".nii.gz") -> Path:
    """An image with this sidecar."""
    path = folder / f"scan{suffix}"
    write_image(Image(lopsided(), oblique()), path)
    if content is not None:
        (folder / "scan.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "scan.nrrd", "scan.mha"])
def test_path(name: str) -> None:
    """The sidecar has the image's stem."""
    assert sidecar_path(Path(name)).name == "scan.json"


def test_path_with_dots() -> None:
    """Only the image's ending goes."""
    assert sidecar_path(Path("p.1.ct.nii.gz")).name == "p.1.ct.json"


def test_bids_names(tmp_path: Path) -> None:
    """BIDS's words become ours."""
    path = scan(tmp_path, {"Manufacturer": "A", "ManufacturersModelName": "B", "MagneticFieldStrength": 3, "Other": 1})
    assert read_acquisition(path) == {"vendor": "A", "model": "B", "field_strength_t": 3.0}


def test_seconds(tmp_path: Path) -> None:
    """BIDS gives seconds, we give milliseconds."""
    assert read_acquisition(scan(tmp_path, {"EchoTime": 0.0125}))["echo_time_ms"] == pytest.approx(12.5)


def test_our_names(tmp_path: Path) -> None:
    """Our own names are taken as they are, and first."""
    path = scan(tmp_path, {"phase": "arterial", "echo_time_ms": 12, "EchoTime": 1, "kvp": 120})
    assert read_acquisition(path) == {"kvp": 120, "echo_time_ms": 12, "phase": "arterial"}


def test_lists(tmp_path: Path) -> None:
    """Several values become one text, as DICOM writes them."""
    assert read_acquisition(scan(tmp_path, {"ConvolutionKernel": ["Br40", "3"]}))["kernel"] == "Br40\\3"


def test_nothing(tmp_path: Path) -> None:
    """Without a sidecar nothing is known."""
    assert read_acquisition(scan(tmp_path, None)) == {}


def test_empty_values(tmp_path: Path) -> None:
    """Empty values are not facts."""
    assert read_acquisition(scan(tmp_path, {"KVP": None, "Manufacturer": ""})) == {}


def test_travels_with_the_image(tmp_path: Path) -> None:
    """The image carries the same facts."""
    path = scan(tmp_path, {"KVP": 120}, ".nrrd")
    assert dict(read_image(path).acquisition) == {"kvp": 120.0}


@pytest.mark.parametrize(("content", "match"), [("{not json", "not readable as JSON"), ([1], "holds a list")])
def test_unreadable(tmp_path: Path, content: object, match: str) -> None:
    """A damaged sidecar costs its facts, not the case."""
    path = scan(tmp_path, content)
    with pytest.warns(IsthmusWarning, match=match):
        assert read_acquisition(path) == {}


def test_missing_image(tmp_path: Path) -> None:
    """Facts of a file that is not there are an error."""
    with pytest.raises(ImageReadError, match="no such file"):
        read_acquisition(tmp_path / "scan.nii")


def test_names_are_dicoms_too() -> None:
    """The DICOM reader and the sidecar speak one vocabulary."""
    from isthmus.image.io.dicom import FACTS

    assert {ours for ours, _, _ in FACTS} == set(NAMES)
