"""Agreement of random masks equals the definitions written out, to 1e-9: volumes and slices, anisotropic voxels, empty masks; overlap and
Hausdorff distance equal SimpleITK's."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from isthmus.segment import compare_masks
from oracle.masks import agreement

SHAPES = [((7, 9, 8), (3.0, 0.7, 0.5)), ((1, 14, 12), (5.0, 0.4, 0.9)), ((5, 6, 7), (1.0, 1.0, 1.0))]


def random_masks(seed: int, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(draw.normal(size=shape), [1 if n > 1 else 0 for n in shape])
    other = field + 0.25 * draw.normal(size=shape)
    return field > 0.1, other > 0.15


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_random_masks(seed: int, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    """Every number."""
    a, b = random_masks(seed, shape)
    assert compare_masks(a, b, spacing, tolerance_mm=0.9).to_dict() == pytest.approx(
        agreement(a, b, spacing, 0.9), abs=1e-9
    )


@pytest.mark.parametrize("empty", [(True, False), (False, True), (True, True)])
def test_empty_masks(empty: tuple[bool, bool]) -> None:
    """An empty reference, an empty prediction, both."""
    masks = [np.zeros_like(one) if none else one for one, none in zip(random_masks(1, (5, 6, 7)), empty, strict=True)]
    found = compare_masks(*masks, (3.0, 0.7, 0.5)).to_dict()
    assert found == pytest.approx(agreement(*masks, (3.0, 0.7, 0.5), 1.0), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(4))
def test_simpleitk_gives_the_same_overlap_and_hausdorff_distance(seed: int) -> None:
    """Dice, Jaccard and volume similarity to 1e-12; the Hausdorff distance, which ITK takes over all voxels and thereby over surfaces."""
    a, b = random_masks(seed, (7, 9, 8))
    spacing = (3.0, 0.7, 0.5)
    images = [sitk.GetImageFromArray(one.astype(np.uint8)) for one in (a, b)]
    for image in images:
        image.SetSpacing(spacing[::-1])
    overlap, distance = sitk.LabelOverlapMeasuresImageFilter(), sitk.HausdorffDistanceImageFilter()
    overlap.Execute(*images)
    distance.Execute(*images)
    found = compare_masks(a, b, spacing)
    assert (found.dice, found.jaccard) == pytest.approx(
        (overlap.GetDiceCoefficient(), overlap.GetJaccardCoefficient()), abs=1e-12
    )
    assert _of_voxels(a, b, spacing) == pytest.approx(distance.GetHausdorffDistance(), abs=1e-6)
    assert found.hd_mm >= distance.GetHausdorffDistance() - 1e-6


def _of_voxels(a: np.ndarray, b: np.ndarray, spacing: tuple[float, ...]) -> float:
    """The Hausdorff distance of the sets of voxels, which never exceeds that of their surfaces."""
    first, second = np.argwhere(a) * spacing, np.argwhere(b) * spacing
    away = np.linalg.norm(first[:, None] - second[None], axis=2)
    return float(max(away.min(axis=1).max(), away.min(axis=0).max()))
