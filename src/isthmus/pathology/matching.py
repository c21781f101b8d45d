"""How well found nuclei agree with labelled ones: Dice, F1, aggregated Jaccard, panoptic quality.

References
----------
Aggregated Jaccard index: Kumar et al., IEEE TMI 36:1550-1560, 2017. Panoptic quality: Kirillov et al., CVPR 2019:9404-9413.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import GeometryMismatchError

__all__ = ["NucleiAgreement", "compare_nuclei"]

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class NucleiAgreement:
    """Found nuclei against labelled ones.

    Parameters
    ----------
    labelled, found, matched : int
        Nuclei; a pair is matched where intersection over union exceeds the threshold (at 0.5 or more no nucleus can have two partners).
    dice : float
        Of all nuclear pixels, whichever nucleus they belong to; 1 where neither picture has any.
    f1 : float
        2 matched / (labelled + found); NaN without nuclei.
    segmentation_quality : float
        Mean intersection over union of the matched pairs; NaN without any.
    panoptic_quality : float
        F1 times that; 0 where nothing matches.
    aggregated_jaccard : float
        Each labelled nucleus with the found one of the largest intersection over union: sum of the intersections over the sum of the
        unions, to which the found nuclei that no one chose are added.
    """

    labelled: int
    found: int
    matched: int
    dice: float
    f1: float
    segmentation_quality: float
    panoptic_quality: float
    aggregated_jaccard: float


def compare_nuclei(labelled: Labels, found: Labels, *, threshold: float = 0.5) -> NucleiAgreement:
    """Compare two pictures of labels (0 where there is no nucleus), each of shape (j, i).

    Raises
    ------
    GeometryMismatchError
        The pictures have different shapes.
    ValueError
        The threshold is below 0.5, where a nucleus could match two.
    """
    if labelled.shape != found.shape:
        raise GeometryMismatchError(f"labelled nuclei of shape {labelled.shape}, found nuclei of shape {found.shape}")
    if threshold < 0.5:
        raise ValueError(f"a threshold of {threshold:g}; below 0.5 a nucleus could match two")
    names, areas = np.unique(labelled[labelled > 0], return_counts=True)
    others, other_areas = np.unique(found[found > 0], return_counts=True)
    both = (labelled > 0) & (found > 0)
    dice = 2 * int(both.sum()) / int(areas.sum() + other_areas.sum()) if len(names) + len(others) else 1.0
    shared = np.zeros((len(names), len(others)))
    np.add.at(shared, (np.searchsorted(names, labelled[both]), np.searchsorted(others, found[both])), 1)
    union = areas[:, None] + other_areas[None, :] - shared
    iou = shared / union
    matches = iou > threshold
    matched = int(matches.sum())
    quality = float(iou[matches].mean()) if matched else float("nan")
    f1 = 2 * matched / (len(names) + len(others)) if len(names) + len(others) else float("nan")
    return NucleiAgreement(
        len(names),
        len(others),
        matched,
        dice,
        f1,
        quality,
        f1 * quality if matched else f1 * 0.0,
        _aggregated_jaccard(shared, union, iou, areas, other_areas),
    )


def _aggregated_jaccard(
    shared: NDArray[np.float64],
    union: NDArray[np.float64],
    iou: NDArray[np.float64],
    areas: NDArray[np.intp],
    other_areas: NDArray[np.intp],
) -> float:
    if not len(areas):
        return float("nan")
    if not len(other_areas):
        return 0.0
    best = iou.argmax(axis=1)
    overlaps = iou.max(axis=1) > 0
    rows = np.flatnonzero(overlaps)
    inside = float(shared[rows, best[rows]].sum())
    around = float(union[rows, best[rows]].sum()) + float(areas[~overlaps].sum())
    unused = np.setdiff1d(np.arange(len(other_areas)), best[rows])
    return inside / (around + float(other_areas[unused].sum()))
