"""Agreement of masks: definitions by hand, MONAI's numbers, empty masks, anisotropic voxels."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.segment import compare_masks, modification

SPACING = (5.0, 0.5, 0.7)


def block(start: int, stop: int, shape: tuple[int, int, int] = (8, 16, 16)) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[2:6, start:stop, start:stop] = True
    return mask


def random_pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    from scipy import ndimage

    draw = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(draw.standard_normal((12, 24, 20)), 2)
    other = field + 0.3 * ndimage.gaussian_filter(draw.standard_normal(field.shape), 2)
    return field > 0.02, other > 0.02


def test_identical_masks_agree_wholly() -> None:
    found = compare_masks(block(3, 9), block(3, 9), SPACING)
    assert (found.dice, found.jaccard, found.hd_mm, found.assd_mm, found.surface_dice) == (1, 1, 0, 0, 1)
    assert modification(found.dice) == "none"


def test_disjoint_masks_do_not_overlap_and_are_a_major_change() -> None:
    found = compare_masks(block(1, 5), block(9, 13), SPACING)
    assert (found.dice, found.jaccard) == (0, 0)
    assert modification(found.dice) == "major"


@pytest.mark.parametrize(("dice", "grade"), [(0.95, "minor"), (0.9, "moderate"), (0.71, "moderate"), (0.7, "major")])
def test_a_grade_has_its_limits(dice: float, grade: str) -> None:
    """Above 0.9 minor, above 0.7 moderate, else major."""
    assert modification(dice) == grade


def test_two_empty_masks_agree_and_have_no_distance() -> None:
    empty = np.zeros((4, 8, 8), dtype=bool)
    found = compare_masks(empty, empty, SPACING)
    assert (found.dice, found.jaccard, found.volume_ml) == (1, 1, 0)
    assert np.isnan([found.hd_mm, found.hd95_mm, found.assd_mm, found.surface_dice]).all()


@pytest.mark.parametrize("first", [True, False])
def test_one_empty_mask_is_no_agreement_and_no_distance(first: bool) -> None:
    empty = np.zeros((8, 16, 16), dtype=bool)
    masks = (empty, block(3, 9)) if first else (block(3, 9), empty)
    found = compare_masks(*masks, SPACING)
    assert found.dice == 0
    assert np.isnan([found.hd_mm, found.hd95_mm, found.assd_mm, found.surface_dice, found.volume_log_ratio]).all()


def test_volumes_use_the_spacing() -> None:
    found = compare_masks(block(3, 9), block(3, 12), SPACING)
    assert found.volume_ml == pytest.approx(4 * 81 * np.prod(SPACING) / 1000)
    assert found.volume_difference_percent == pytest.approx(100 * (81 - 36) / 36)
    assert found.volume_log_ratio == pytest.approx(np.log(81 / 36))


def test_a_shift_is_measured_in_millimetres_along_its_axis() -> None:
    """One slice of 5 mm, not one voxel."""
    a, b = np.zeros((8, 16, 16), dtype=bool), np.zeros((8, 16, 16), dtype=bool)
    a[2:5, 4:9, 4:9] = True
    b[3:6, 4:9, 4:9] = True
    found = compare_masks(a, b, SPACING)
    assert found.centroid_shift_mm == pytest.approx(5)
    assert found.hd_mm == pytest.approx(5)


def test_a_single_slice_has_an_outline_and_not_only_surface() -> None:
    """In 2-D the inner pixels are no surface: a hole in the middle of a disc is far from the outline."""
    a = np.zeros((1, 21, 21), dtype=bool)
    a[0, 2:19, 2:19] = True
    b = a.copy()
    b[0, 10, 10] = False
    assert compare_masks(a, b, (1.0, 1.0, 1.0)).hd_mm == pytest.approx(7.0)


def test_a_mask_at_the_border_of_the_image_has_a_surface_there() -> None:
    a = np.ones((6, 6, 6), dtype=bool)
    b = a.copy()
    b[0] = False
    assert compare_masks(a, b, (2.0, 1.0, 1.0)).hd_mm == pytest.approx(2.0)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="same grid"):
        compare_masks(np.ones((2, 2, 2), bool), np.ones((2, 2, 3), bool), SPACING)


@pytest.mark.parametrize("seed", range(4))
def test_surface_distances_equal_those_of_every_pair_of_voxels(seed: int) -> None:
    """All pairwise distances, written out."""
    a, b = random_pair(seed)

    def surface(mask: np.ndarray) -> np.ndarray:
        padded = np.pad(mask, 1)
        inner = np.ones_like(mask)
        for axis in range(3):
            for step in (-1, 1):
                inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
        return np.argwhere(mask & ~inner) * SPACING

    away = np.linalg.norm(surface(a)[:, None] - surface(b)[None], axis=2)
    forth, back = away.min(axis=1), away.min(axis=0)
    found = compare_masks(a, b, SPACING, tolerance_mm=0.8)
    both = np.concatenate([forth, back])
    expected = (
        both.max(),
        max(np.percentile(forth, 95), np.percentile(back, 95)),
        np.percentile(both, 95),
        both.mean(),
        (both <= 0.8).mean(),
    )
    got = (found.hd_mm, found.hd95_mm, found.hd95_pooled_mm, found.assd_mm, found.surface_dice)
    assert got == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow  # torch takes seconds to start
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of MONAI, about itself
@pytest.mark.parametrize("seed", range(6))
def test_monai_gives_the_same_numbers(seed: int) -> None:
    """Hausdorff, HD95, ASSD and surface Dice of MONAI 1.6 to 1e-6, on anisotropic voxels."""
    torch = pytest.importorskip("torch")
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

    a, b = random_pair(seed)
    both = [torch.from_numpy(np.stack([~mask, mask])[None].astype(np.float32)) for mask in (b, a)]
    found = compare_masks(a, b, SPACING, tolerance_mm=0.8)
    expected = (
        compute_hausdorff_distance(*both, spacing=list(SPACING)).item(),
        compute_hausdorff_distance(*both, percentile=95, spacing=list(SPACING)).item(),
        compute_average_surface_distance(*both, symmetric=True, spacing=list(SPACING)).item(),
        compute_surface_dice(*both, class_thresholds=[0.8], spacing=list(SPACING)).item(),
    )
    assert (found.hd_mm, found.hd95_mm, found.assd_mm, found.surface_dice) == pytest.approx(expected, rel=1e-6)
