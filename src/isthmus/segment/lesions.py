"""Lesion by lesion: which of a reference's separate lesions another mask has, and which of its own are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.image.box import bounding_box

__all__ = ["Lesion", "LesionMatch", "match_lesions"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Lesion:
    """One separate part of either mask.

    Parameters
    ----------
    kind : str
        "detected" (in both), "missed" (in the reference only) or "false" (in the other only).
    volume_reference_ml, volume_ml : float
        0 where it has no partner.
    iou, dice : float
        With the partner; 0 without.
    """

    kind: str
    volume_reference_ml: float
    volume_ml: float
    iou: float
    dice: float


@dataclass(frozen=True)
class LesionMatch:
    """The lesions of a pair of masks: those of the reference in the order of their first voxel, then those of the other that are none."""

    lesions: tuple[Lesion, ...]

    def count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.lesions)

    def to_dict(self) -> dict[str, float]:
        """Counts, and the case's sensitivity (NaN without a lesion in the reference) and precision (NaN without one in the other)."""
        hit, missed, false = (self.count(kind) for kind in ("detected", "missed", "false"))
        nan = float("nan")
        return {
            "lesions_reference": float(hit + missed),
            "lesions_detected": float(hit),
            "lesions_missed": float(missed),
            "lesions_false": float(false),
            "lesion_sensitivity": hit / (hit + missed) if hit + missed else nan,
            "lesion_precision": hit / (hit + false) if hit + false else nan,
        }


def match_lesions(
    reference: Mask, mask: Mask, spacing_mm: tuple[float, float, float], *, least_iou: float = 0.1
) -> LesionMatch:
    """Match the separate lesions of two masks on one grid, one to one.

    Parameters
    ----------
    reference, mask : bool arrays, shape (k, j, i)
    spacing_mm : tuple of float
    least_iou : float
        Two lesions can be partners where intersection over union is at least this and they share a voxel; of all ways to pair them the
        one with the largest sum counts.

    Raises
    ------
    ValueError
        The shapes differ, or `least_iou` is not from 0 to 1.

    References
    ----------
    Maier-Hein et al., Nat Methods 21:195-212, 2024: localisation by IoU, assignment one to one. Lesions touch by faces, edges or corners.
    """
    from scipy import ndimage, optimize

    if reference.shape != mask.shape:
        raise ValueError(f"masks have shapes {reference.shape} and {mask.shape}; expected the same grid")
    if not 0 <= least_iou <= 1:
        raise ValueError(f"least_iou = {least_iou:g}: from 0 to 1")
    box = bounding_box(reference | mask)
    if box is None:
        return LesionMatch(())
    reference, mask = reference[box], mask[box]
    touching = np.ones((3, 3, 3), dtype=bool)
    (first, n), (second, m) = (ndimage.label(one, touching) for one in (reference, mask))
    common = np.zeros((n + 1, m + 1))
    both = reference | mask
    np.add.at(common, (first[both], second[both]), 1)
    sizes = common.sum(axis=1)[1:], common.sum(axis=0)[1:]
    shared = common[1:, 1:]
    iou = shared / (sizes[0][:, None] + sizes[1][None, :] - shared) if n and m else np.zeros((n, m))
    able = (iou >= least_iou) & (shared > 0)
    partner = {
        int(a): int(b)
        for a, b in zip(*optimize.linear_sum_assignment(np.where(able, -iou, 0.0)), strict=True)
        if able[a, b]
    }
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    found = []
    for a in range(n):
        if a in partner:
            b = partner[a]
            dice = 2 * shared[a, b] / (sizes[0][a] + sizes[1][b])
            found.append(
                Lesion("detected", sizes[0][a] * voxel_ml, sizes[1][b] * voxel_ml, float(iou[a, b]), float(dice))
            )
        else:
            found.append(Lesion("missed", sizes[0][a] * voxel_ml, 0.0, 0.0, 0.0))
    alone = [b for b in range(m) if b not in partner.values()]
    found += [Lesion("false", 0.0, sizes[1][b] * voxel_ml, 0.0, 0.0) for b in alone]
    return LesionMatch(tuple(found))
