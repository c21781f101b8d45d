"""Folds and bubbles that were planted are left out of the tissue; clean tissue stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.pathology import TissueSettings, find_tissue, open_slide
from isthmus.pathology.stain import BACKGROUND, optical_density
from isthmus.pathology.tiles import thumbnail
from isthmus.synthetic.slides import SlidePlan, paint

UM = 8.0


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    """1.2 mm of tissue at 8 um per pixel."""
    fine = paint(SlidePlan(rows=1200, columns=1200, mpp=1.0), 0, 0, 1200, 1200)
    return np.asarray(fine.reshape(150, 8, 150, 8, 3).mean((1, 3)).round(), dtype=np.uint8)


def places() -> tuple[np.ndarray, np.ndarray]:
    j, i = np.indices((150, 150))
    return j * UM, i * UM


def with_density(rgb: np.ndarray, density: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(BACKGROUND * np.exp(-density)), 0, 255).astype(np.uint8)


def test_clean_tissue_stays(clean: np.ndarray) -> None:
    assert find_tissue(clean, UM).artefact_share < 0.01


def test_a_clean_slide_stays(shared_data: Path) -> None:
    pytest.importorskip("openslide")
    slide = open_slide(shared_data / "pathology" / "wsi" / "CMU-1-Small-Region.svs")
    assert find_tissue(thumbnail(slide, UM), UM).artefact_share < 0.01


def test_a_fold_is_left_out(clean: np.ndarray) -> None:
    """Three layers of tissue in a bent band of 50 um; the tissue more than 40 um away from it stays."""
    y, x = places()
    away = np.where((x > 150) & (x < 900), np.abs(y - 400 - 60 * np.sin(x / 200)), 1e9)
    density = optical_density(clean)
    density[away < 25] *= 3
    before, after = find_tissue(clean, UM).mask, find_tissue(with_density(clean, density), UM).mask
    assert after[away < 25].mean() < 0.1
    far = before & (away > 40) & ((x < 110) | (x > 940) | (np.abs(y - 400) > 120))
    assert after[far].mean() > 0.99


@pytest.mark.parametrize("radius", [90, 130])
def test_a_bubble_is_left_out_with_what_is_under_it(clean: np.ndarray, radius: float) -> None:
    y, x = places()
    away = np.hypot(y - 800, x - 500)
    density = optical_density(clean)
    density[np.abs(away - radius) < 16] += 0.9
    before, after = find_tissue(clean, UM).mask, find_tissue(with_density(clean, density), UM).mask
    assert after[away < radius].mean() < 0.05
    assert after[before & (away > radius + 50)].mean() > 0.99


def test_a_bubble_on_glass_is_no_tissue() -> None:
    y, x = places()
    glass = np.full((150, 150, 3), 242, dtype=np.uint8)
    glass[100:140, 10:140] = (200, 120, 170)
    glass[np.abs(np.hypot(y - 350, x - 500) - 150) < 14] = 90
    assert not find_tissue(glass, UM).mask[:80].any()


def test_ink_over_tissue_is_left_out(clean: np.ndarray) -> None:
    """Purple-black, which is no pen by its colour."""
    density = optical_density(clean)
    density[60:70, 40:110] = (1.45, 2.2, 1.7)
    assert find_tissue(with_density(clean, density), UM).mask[61:69, 42:108].mean() < 0.05


def test_artefacts_can_be_kept(clean: np.ndarray) -> None:
    density = optical_density(clean)
    density[60:70, 40:110] = (1.45, 2.2, 1.7)
    kept = find_tissue(with_density(clean, density), UM, TissueSettings(artefacts=False))
    assert kept.artefact_share == 0
    assert kept.mask[62:68, 45:105].mean() > 0.9


def test_the_share_of_artefacts_is_that_inside_a_region(clean: np.ndarray) -> None:
    """Ink on the left half: none of it counts where only the right half is looked at, twice as much of the left half."""
    density = optical_density(clean)
    density[60:70, 40:70] = (1.45, 2.2, 1.7)
    tissue = find_tissue(with_density(clean, density), UM)
    left = np.indices(tissue.mask.shape)[1] < 75
    assert tissue.within(~left).artefact_share == 0
    assert tissue.within(left).artefact_share == pytest.approx(2 * tissue.artefact_share, rel=0.05)
