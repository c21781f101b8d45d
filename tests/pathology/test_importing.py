"""Nuclei of other programs: what is read, and what is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.errors import ImageReadError
from isthmus.pathology.importing import read_labels, read_nuclei


def test_a_picture_of_labels_is_numbered_from_one(tmp_path: Path) -> None:
    """As StarDist saves it: 16 bit, labels with gaps."""
    values = np.zeros((6, 8), dtype=np.uint16)
    values[1:3, 1:3], values[4:, 5:] = 7, 300
    Image.fromarray(values).save(tmp_path / "labels.tif")
    np.testing.assert_array_equal(read_labels(tmp_path / "labels.tif"), np.searchsorted([0, 7, 300], values))


def test_the_reference_labels_are_read_as_they_are(shared_data: Path) -> None:
    path = sorted((shared_data / "pathology" / "nuclei" / "labels").glob("*.png"))[0]
    np.testing.assert_array_equal(read_labels(path), np.asarray(Image.open(path)))


def test_geojson_has_classes(tmp_path: Path) -> None:
    """A square of 3 x 3 pixels, as QuPath exports a detection."""
    ring = [[2, 1], [5, 1], [5, 4], [2, 4], [2, 1]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "detection", "classification": {"name": "Tumor"}},
    }
    (tmp_path / "n.geojson").write_text(json.dumps([feature]))
    labels, classes = read_nuclei(tmp_path / "n.geojson", (8, 8))
    expected = np.zeros((8, 8))
    expected[1:4, 2:5] = 1
    np.testing.assert_array_equal(labels, expected)
    assert classes == ["Tumor"]


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "0.dat").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ImageReadError, match="could run any code"):
        read_nuclei(tmp_path / "0.dat", (8, 8))


def test_objects_in_an_npy_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "n.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(ImageReadError, match="no picture of labels"):
        read_labels(tmp_path / "n.npy")


def test_a_coloured_picture_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "c.png")
    with pytest.raises(ImageReadError, match="one whole number"):
        read_labels(tmp_path / "c.png")


def test_another_shape_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "c.png")
    with pytest.raises(ImageReadError, match="shape"):
        read_nuclei(tmp_path / "c.png", (5, 4))
