"""Reinhard and Vahadane: known mixtures, and the reference pair of tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.errors import ImageReadError
from isthmus.pathology import RUIFROK, estimate_macenko, estimate_vahadane, normalise
from isthmus.pathology.reinhard import colours, lab, rgb_of_lab, transfer
from isthmus.pathology.stain import BACKGROUND
from isthmus.pathology.tissue import find_tissue


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


def test_the_reference_pair_has_nearly_the_stored_lab_statistics(tiles: dict[str, np.ndarray]) -> None:
    """The stored ones come from another mask of the tissue: means within 3, standard deviations within 2.5 units of CIELAB."""
    expected = {
        "target": ((57.77235476, 30.6667066, -12.3231239), (15.37156544, 10.19152132, 5.33366456)),
        "source": ((63.60525855, 34.10860319, -3.26439523), (13.75089992, 13.89511025, 6.91485312)),
    }
    for name, (mean, sd) in expected.items():
        found = colours(tiles[name], find_tissue(tiles[name], 0.5).mask)
        assert found.mean == pytest.approx(mean, abs=3)
        assert found.sd == pytest.approx(sd, abs=2.5)


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
