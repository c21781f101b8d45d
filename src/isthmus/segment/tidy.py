"""Cleaning of a drawn mask: its largest part, small parts, parts far from an organ; and the choice of it on held-out cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.image.box import bounding_box, widened

__all__ = ["drop_far", "drop_small", "keep_largest", "largest_helps", "largest_of", "overlap"]

Mask = NDArray[np.bool_]


def keep_largest(mask: Mask) -> Mask:
    """The part with the most voxels (26 neighbours; of equal ones the first)."""
    parts, box = _parts(mask)
    if parts is None or parts.max() < 2:
        return mask
    sizes = np.bincount(parts.ravel())[1:]
    found = np.zeros_like(mask)
    found[box] = parts == int(np.argmax(sizes)) + 1
    return found


def drop_small(mask: Mask, spacing_mm: tuple[float, float, float], least_mm3: float) -> Mask:
    """Without parts of less volume."""
    parts, box = _parts(mask)
    if parts is None:
        return mask
    large = np.bincount(parts.ravel()) * float(np.prod(spacing_mm)) >= least_mm3
    large[0] = False
    found = np.zeros_like(mask)
    found[box] = large[parts]
    return found


def drop_far(mask: Mask, organ: Mask, spacing_mm: tuple[float, float, float], most_mm: float) -> Mask:
    """Without parts of which no voxel lies within a distance of an organ; all stay where there is no organ."""
    if not organ.any() or not mask.any():
        return mask
    from scipy import ndimage

    both = bounding_box(mask | organ)
    assert both is not None
    distance = ndimage.distance_transform_edt(~organ[both], sampling=spacing_mm)
    parts, _ = ndimage.label(mask[both], np.ones((3, 3, 3)))
    near = np.zeros(int(parts.max()) + 1, bool)
    near[np.unique(parts[(distance <= most_mm) & (parts > 0)])] = True
    found = np.zeros_like(mask)
    found[both] = near[parts]
    return found


def overlap(truth: Mask, mask: Mask) -> float:
    """Dice; 1 where both are empty."""
    total = int(truth.sum()) + int(mask.sum())
    return 2 * int((truth & mask).sum()) / total if total else 1.0


def largest_helps(scores: Mapping[str, Iterable[tuple[float, float]]]) -> dict[str, Any]:
    """For each structure: is the mean Dice of held-out cases larger with its largest part only?

    Parameters
    ----------
    scores : mapping
        For each name, the Dice of every held-out case as drawn and with the largest part only.
    """
    found = {}
    for name, pairs in scores.items():
        values = np.array(list(pairs), float).reshape(-1, 2)
        drawn, largest = values.mean(axis=0) if len(values) else (np.nan, np.nan)
        found[name] = {
            "cases": len(values),
            "dice": float(drawn),
            "dice_largest": float(largest),
            "largest": bool(largest > drawn),
        }
    return found


def largest_of(validation: pd.DataFrame) -> dict[str, Any]:
    """`largest_helps` of the rows of a training's `validation.csv`: structure, dice, dice_largest."""
    return largest_helps(
        {
            str(name): list(zip(part["dice"], part["dice_largest"], strict=True))
            for name, part in validation.groupby("structure", sort=False)
        }
    )


def _parts(mask: Mask) -> tuple[Any, Any]:
    """Numbered parts within the mask's box."""
    from scipy import ndimage

    tight = bounding_box(mask)
    if tight is None:
        return None, None
    box = widened(tight, (0, 0, 0), mask.shape)[0]
    return ndimage.label(mask[box], np.ones((3, 3, 3)))[0], box
