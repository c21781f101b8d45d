"""Stains: planted mixtures are found, section 22's checks, and the reference pair of tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.errors import ImageReadError
from isthmus.pathology import RUIFROK, Stains, estimate_macenko, haematoxylin_density, normalise
from isthmus.pathology.stain import BACKGROUND, concentrations


def stained(amount: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(BACKGROUND * np.exp(-(amount @ vectors.T))), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, np.ndarray]:
    """Tissue in which each stain is now and then alone, and its vectors."""
    draw = np.random.default_rng(1)
    amount = draw.uniform(0.5, 1.5, (60, 60, 2)) * draw.choice([[1, 0.02], [0.02, 1], [0.6, 0.6]], (60, 60))
    vectors = RUIFROK.vectors + np.array([[0.03, 0.05], [-0.02, -0.1], [0.05, 0.2]])
    vectors /= np.linalg.norm(vectors, axis=0)
    return stained(amount, vectors), vectors


@pytest.fixture(scope="module")
def tiles(shared_data: Path) -> dict[str, np.ndarray]:
    folder = shared_data / "pathology" / "stain_normalisation"
    names = {
        "source": "source_medium-nuclei-score-level1",
        "target": "target_tissue-level0-7352-11762-7864-12274",
        "macenko": "expected_medium_macenko",
    }
    return {key: np.asarray(Image.open(folder / f"{name}.png").convert("RGB")) for key, name in names.items()}


def test_planted_stains_are_found(planted: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, vectors = planted
    angles = np.degrees(np.arccos(np.clip((estimate_macenko(rgb).vectors * vectors).sum(axis=0), -1, 1)))
    assert (angles < 3).all()


def test_stain_vectors_have_length_one_and_haematoxylin_comes_first(tiles: dict[str, np.ndarray]) -> None:
    for name in ("source", "target"):
        vectors = estimate_macenko(tiles[name]).vectors
        assert np.linalg.norm(vectors, axis=0) == pytest.approx([1, 1])
        assert vectors[0, 0] > vectors[0, 1]
        assert (vectors > 0).all()


def test_an_image_normalised_to_itself_is_unchanged(tiles: dict[str, np.ndarray]) -> None:
    """Mean absolute difference below 2 grey levels (section 22)."""
    stains = estimate_macenko(tiles["target"])
    same = normalise(tiles["target"], stains, stains)
    assert np.abs(same.astype(int) - tiles["target"]).mean() < 2


def test_white_stays_white() -> None:
    """Pure white comes out above 255 before it is cut off; cast without that, it would be black."""
    white = np.full((4, 4, 3), 255, dtype=np.uint8)
    strong = Stains(RUIFROK.vectors, np.array([4.0, 4.0]))
    assert (normalise(white, RUIFROK, strong) == 255).all()


def test_the_reference_pair_is_met(tiles: dict[str, np.ndarray]) -> None:
    """Mean difference under 2 grey levels to the stored result, which takes its strongest concentrations over glass, too."""

    def over_all(rgb: np.ndarray) -> Stains:
        vectors = estimate_macenko(rgb).vectors
        amount = concentrations(rgb, Stains(vectors, np.ones(2))).reshape(-1, 2)
        return Stains(vectors, np.percentile(amount, 99, axis=0))

    found = normalise(tiles["source"], over_all(tiles["source"]), over_all(tiles["target"]))
    assert np.abs(found.astype(int) - tiles["macenko"]).mean() < 2


def test_concentrations_are_those_that_were_mixed() -> None:
    amount = np.random.default_rng(2).uniform(0.1, 1, (8, 8, 2))
    found = haematoxylin_density(stained(amount, RUIFROK.vectors))
    assert found == pytest.approx(amount[..., 0], abs=0.03)  # whole grey levels


def test_glass_has_no_stains() -> None:
    with pytest.raises(ImageReadError, match="0 of 100 pixels are tissue"):
        estimate_macenko(np.full((10, 10, 3), 245, dtype=np.uint8))


def test_one_stain_is_not_split_into_two() -> None:
    amount = np.random.default_rng(3).uniform(0.6, 1.5, (40, 40, 1))
    with pytest.raises(ImageReadError, match="one stain only"):
        estimate_macenko(stained(amount, RUIFROK.vectors[:, :1]))


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ImageReadError, match="expected uint8"):
        estimate_macenko(np.zeros((10, 10, 3)))  # type: ignore[arg-type]
