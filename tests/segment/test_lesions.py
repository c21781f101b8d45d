"""Lesion by lesion: one to one, what touches, what is missed and what is none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from isthmus.segment import match_lesions

SPACING = (5.0, 0.5, 0.7)


def boxes(*places: tuple[int, int], shape: tuple[int, int, int] = (6, 20, 40)) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    for start, wide in places:
        mask[1:4, 5:15, start : start + wide] = True
    return mask


def test_lesions_are_found_missed_and_false() -> None:
    """One of each, with their volumes in ml."""
    found = match_lesions(boxes((2, 6), (14, 6)), boxes((3, 6), (30, 4)), SPACING)
    assert [one.kind for one in found.lesions] == ["detected", "missed", "false"]
    hit, missed, false = found.lesions
    voxel = np.prod(SPACING) / 1000
    assert (hit.iou, hit.dice) == pytest.approx((5 / 7, 5 / 6))
    assert (missed.volume_reference_ml, missed.volume_ml) == pytest.approx((180 * voxel, 0))
    assert false.volume_ml == pytest.approx(120 * voxel)
    assert found.to_dict() == {
        "lesions_reference": 2, "lesions_detected": 1, "lesions_missed": 1, "lesions_false": 1, "lesion_sensitivity": 0.5,
        "lesion_precision": 0.5,
    }  # fmt: skip


def test_a_lesion_that_joins_two_finds_one() -> None:
    """The larger one; one partner each."""
    found = match_lesions(boxes((2, 4), (8, 10)), boxes((2, 16)), SPACING)
    assert [one.kind for one in found.lesions] == ["missed", "detected"]
    assert found.lesions[1].iou == pytest.approx(10 / 16)


def test_corners_touch() -> None:
    """Voxels that share a corner are one lesion."""
    mask = np.zeros((3, 4, 4), dtype=bool)
    mask[0, 1, 1] = mask[1, 2, 2] = True
    assert match_lesions(mask, mask, SPACING).to_dict()["lesions_reference"] == 1


def test_a_touch_is_no_detection() -> None:
    """Below the least IoU; with 0 a shared voxel is enough, and neighbours that share none are strangers."""
    a, b = boxes((2, 10)), boxes((11, 10))
    assert match_lesions(a, b, SPACING).count("detected") == 0
    assert match_lesions(a, b, SPACING, least_iou=0.0).count("detected") == 1
    assert match_lesions(a, boxes((12, 10)), SPACING, least_iou=0.0).count("detected") == 0


@pytest.mark.parametrize("empty", ["both", "reference", "mask"])
def test_empty_masks(empty: str) -> None:
    """No lesion in the reference: no sensitivity; none in the other: no precision."""
    none, some = boxes(), boxes((2, 4))
    a, b = {"both": (none, none), "reference": (none, some), "mask": (some, none)}[empty]
    found = match_lesions(a, b, SPACING).to_dict()
    assert np.isnan(found["lesion_sensitivity"]) == (empty != "mask")
    assert np.isnan(found["lesion_precision"]) == (empty != "reference")
    assert found["lesions_false"] == (empty == "reference")


@pytest.mark.parametrize("seed", range(6))
def test_the_pairing_is_the_best_of_all(seed: int) -> None:
    """Against every one-to-one pairing written out, on random blobs found part by part."""
    from scipy import ndimage

    draw = np.random.default_rng(seed)
    fields = [ndimage.gaussian_filter(draw.normal(size=(1, 26, 26)), (0, 2, 2)) for _ in range(2)]
    a, b = (fields[0] > 0.08), (fields[0] + 0.7 * fields[1] > 0.08)

    def parts(mask: np.ndarray) -> list[np.ndarray]:
        left, found = mask.copy(), []
        while left.any():
            grown = np.zeros_like(mask)
            grown[tuple(np.argwhere(left)[0])] = True
            while True:
                wider = ndimage.maximum_filter(grown, 3) & mask
                if (wider == grown).all():
                    break
                grown = wider
            found.append(grown)
            left &= ~grown
        return found

    first, second = parts(a), parts(b)
    iou = np.array([[(x & y).sum() / (x | y).sum() for y in second] for x in first])
    iou[iou < 0.1] = 0
    wide = max(len(first), len(second))
    square = np.zeros((wide, wide))
    square[: len(first), : len(second)] = iou
    assert wide <= 8, "too many pairings to write out"
    best = max(sum(square[n, p] for n, p in enumerate(order)) for order in itertools.permutations(range(wide)))
    found = match_lesions(a, b, SPACING)
    assert sum(one.iou for one in found.lesions) == pytest.approx(best)
    assert found.to_dict()["lesions_reference"] == len(first)


@pytest.mark.parametrize("least", [-0.1, 1.1])
def test_a_share_is_from_0_to_1(least: float) -> None:
    """The least IoU."""
    with pytest.raises(ValueError, match="from 0 to 1"):
        match_lesions(boxes((2, 4)), boxes((2, 4)), SPACING, least_iou=least)
