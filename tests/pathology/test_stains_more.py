"""Reinhard and Vahadane: known mixtures, and the reference pair of tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from isthmus.errors import ImageReadError
from isthmus.pathology import RUIFROK, estimate_macenko, estimate_vahadane, normalise
from isthmus.pathology.reinhard import Colours, colours, lab, rgb_of_lab, transfer
from isthmus.pathology.stain import BACKGROUND
from isthmus.pathology.tissue import grey


@pytest.fixture(scope="module")
def tiles(shared_data: Path) -> dict[str, np.ndarray]:
    folder = shared_data / "pathology" / "stain_normalisation"
    names = {"source": "source_medium-nuclei-score-level1", "target": "target_tissue-level0-7352-11762-7864-12274"}
    return {key: np.asarray(Image.open(folder / f"{name}.png").convert("RGB")) for key, name in names.items()}


def test_lab_and_back_is_the_same_colour() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    assert np.abs(rgb_of_lab(lab(rgb)).astype(int) - rgb).max() <= 1


def test_white_and_black_have_their_lightness() -> None:
    values = lab(np.array([[[255, 255, 255], [0, 0, 0]]], dtype=np.uint8))
    assert values[0, :, 0] == pytest.approx([100, 0], abs=0.01)
    assert np.abs(values[0, :, 1:]).max() < 0.02


STORED = {
    "target": Colours(
        np.array([57.77235476, 30.6667066, -12.3231239]), np.array([15.37156544, 10.19152132, 5.33366456])
    ),
    "source": Colours(
        np.array([63.60525855, 34.10860319, -3.26439523]), np.array([13.75089992, 13.89511025, 6.91485312])
    ),
}


def reference_tissue(rgb: np.ndarray, brightest: int) -> np.ndarray:
    """As histolab has it, which made the reference: dark, dilated by a disk of radius 2, gaps filled where no square of 20 fits."""
    y, x = np.ogrid[-2:3, -2:3]
    dark = ndimage.binary_dilation(grey(rgb) <= brightest, x * x + y * y <= 4)
    return np.asarray(ndimage.binary_fill_holes(dark, np.ones((20, 20))))


def test_the_stored_lab_statistics_are_met(tiles: dict[str, np.ndarray]) -> None:
    """To all the digits stored for the source; to 0.003 for the target, whose mask no threshold of whole grey levels gives exactly."""
    for name, brightest, near in (("source", 187, 1e-8), ("target", 178, 3e-3)):
        found = colours(tiles[name], reference_tissue(tiles[name], brightest))
        assert found.mean == pytest.approx(STORED[name].mean, abs=near)
        assert found.sd == pytest.approx(STORED[name].sd, abs=near)


def test_every_pixel_of_the_reference_is_met(tiles: dict[str, np.ndarray], shared_data: Path) -> None:
    """With the stored statistics and the reference's mask: 512 x 512 x 3 equal values, in tissue and in glass."""
    with Image.open(shared_data / "pathology" / "stain_normalisation" / "expected_medium_reinhard.png") as stored:
        expected = np.asarray(stored.convert("RGB"))
    mask = reference_tissue(tiles["source"], 187)
    np.testing.assert_array_equal(transfer(tiles["source"], STORED["source"], STORED["target"], mask), expected)


def test_the_result_has_the_targets_colours(tiles: dict[str, np.ndarray]) -> None:
    source, target = colours(tiles["source"]), colours(tiles["target"])
    moved = colours(transfer(tiles["source"], source, target))
    assert moved.mean == pytest.approx(target.mean, abs=1.5)
    assert moved.sd == pytest.approx(target.sd, rel=0.12)


def test_one_colour_has_no_spread() -> None:
    with pytest.raises(ImageReadError, match="one colour"):
        colours(np.full((5, 5, 3), 100, dtype=np.uint8))


def test_vahadane_finds_planted_stains() -> None:
    """Pixels that are often of one stain only: within 3 degrees."""
    draw = np.random.default_rng(1)
    amount = draw.uniform(0.5, 1.5, (80, 80, 2)) * draw.choice([[1, 0.02], [0.02, 1], [0.6, 0.6]], (80, 80))
    vectors = RUIFROK.vectors + np.array([[0.03, 0.05], [-0.02, -0.1], [0.05, 0.2]])
    vectors /= np.linalg.norm(vectors, axis=0)
    rgb = np.clip(np.rint(BACKGROUND * np.exp(-(amount @ vectors.T))), 0, 255).astype(np.uint8)
    cosine = (estimate_vahadane(rgb).vectors * vectors).sum(axis=0)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 3


def test_vahadane_is_near_macenko_on_the_reference_pair(tiles: dict[str, np.ndarray]) -> None:
    """Two ways to the same stains: under 12 degrees apart, non-negative, haematoxylin first."""
    for rgb in tiles.values():
        one, other = estimate_vahadane(rgb).vectors, estimate_macenko(rgb).vectors
        assert (one >= 0).all()
        assert one[0, 0] > one[0, 1]
        assert np.degrees(np.arccos(np.clip((one * other).sum(axis=0), -1, 1))).max() < 12


def test_vahadane_leaves_an_image_as_it_is_when_it_is_its_own_target(tiles: dict[str, np.ndarray]) -> None:
    stains = estimate_vahadane(tiles["target"])
    same = normalise(tiles["target"], stains, stains)
    assert np.abs(same.astype(int) - tiles["target"]).mean() < 3
