"""How far two masks of one lesion agree: overlap, distances between their surfaces, volumes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.image.box import bounding_box, widened

__all__ = ["MaskAgreement", "compare_masks", "modification"]

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]

_PERCENTILE = 95.0


@dataclass(frozen=True)
class MaskAgreement:
    """Agreement of a mask with a reference; distances in mm, volumes in ml.

    Parameters
    ----------
    dice, jaccard : float
        1 where both masks are empty.
    hd_mm : float
        Hausdorff distance: the largest distance from a surface voxel of either mask to the surface of the other.
    hd95_mm : float
        The larger of the two directed 95th percentiles of those distances.
    hd95_pooled_mm : float
        The 95th percentile of both directions pooled, which other software calls HD95, too; never the larger of the two.
    assd_mm : float
        Average symmetric surface distance: the mean of both directions pooled.
    surface_dice : float
        Share of both surfaces within the tolerance of the other.
    volume_reference_ml, volume_ml, volume_difference_ml : float
        Difference: the mask minus the reference.
    volume_difference_percent : float
        Of the reference; NaN where it is empty.
    volume_log_ratio : float
        Natural logarithm of mask / reference; NaN where either is empty.
    centroid_shift_mm : float

    Distances are NaN where either mask is empty: there is no surface to measure to.
    """

    dice: float
    jaccard: float
    hd_mm: float
    hd95_mm: float
    hd95_pooled_mm: float
    assd_mm: float
    surface_dice: float
    volume_reference_ml: float
    volume_ml: float
    volume_difference_ml: float
    volume_difference_percent: float
    volume_log_ratio: float
    centroid_shift_mm: float

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def compare_masks(reference: Mask, mask: Mask, spacing_mm: Spacing, *, tolerance_mm: float = 1.0) -> MaskAgreement:
    """Compare a mask with a reference on the same grid.

    Parameters
    ----------
    reference, mask : bool arrays, shape (k, j, i)
    spacing_mm : tuple of float
    tolerance_mm : float
        Of the surface Dice.

    Raises
    ------
    ValueError
        The shapes differ.

    References
    ----------
    Definitions: Maier-Hein et al., Nat Methods 21:195-212, 2024. Surface Dice: Nikolov et al., J Med Internet Res 23:e26151, 2021,
    counted in surface voxels. A surface voxel has a face on something outside the mask; beyond the image is outside. An image of one slice
    has no faces towards other slices.
    """
    if reference.shape != mask.shape:
        raise ValueError(f"masks have shapes {reference.shape} and {mask.shape}; expected the same grid")
    both = reference | mask
    tight = bounding_box(both)
    box = widened(tight, (1, 1, 1), both.shape)[0] if tight is not None else (slice(0),) * 3
    a, b = reference[box], mask[box]
    n_a, n_b, common = int(a.sum()), int(b.sum()), int((a & b).sum())
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    volume_a, volume_b = n_a * voxel_ml, n_b * voxel_ml
    there = n_a > 0 and n_b > 0
    axes = [axis for axis in range(3) if both.shape[axis] > 1]
    forth, back = _surface_distances(a, b, spacing_mm, axes) if there else (np.array([np.nan]), np.array([np.nan]))
    pooled = np.concatenate([forth, back])
    return MaskAgreement(
        dice=2 * common / (n_a + n_b) if n_a + n_b else 1.0,
        jaccard=common / (n_a + n_b - common) if n_a + n_b else 1.0,
        hd_mm=float(pooled.max()),
        hd95_mm=max(float(np.percentile(forth, _PERCENTILE)), float(np.percentile(back, _PERCENTILE))),
        hd95_pooled_mm=float(np.percentile(pooled, _PERCENTILE)),
        assd_mm=float(pooled.mean()),
        surface_dice=float((pooled <= tolerance_mm).mean()) if there else float("nan"),
        volume_reference_ml=volume_a,
        volume_ml=volume_b,
        volume_difference_ml=volume_b - volume_a,
        volume_difference_percent=100 * (volume_b - volume_a) / volume_a if n_a else float("nan"),
        volume_log_ratio=float(np.log(volume_b / volume_a)) if there else float("nan"),
        centroid_shift_mm=_centroid_shift(a, b, spacing_mm) if there else float("nan"),
    )


def modification(dice: float) -> str:
    """How much an editor changed a mask: "none" (identical: a Dice of 1), "minor" (above 0.9), "moderate" (above 0.7), "major"."""
    if dice >= 1:
        return "none"
    return "minor" if dice > 0.9 else "moderate" if dice > 0.7 else "major"


def _surface_distances(
    a: Mask, b: Mask, spacing_mm: Spacing, axes: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each surface voxel of a to the surface of b, and of b to that of a."""
    from scipy import ndimage

    cross = np.zeros((3, 3, 3), dtype=bool)
    cross[1, 1, 1] = True
    for axis in axes:
        cross[tuple(slice(None) if other == axis else 1 for other in range(3))] = True
    surfaces = [mask & ~ndimage.binary_erosion(mask, cross) for mask in (a, b)]
    to_a, to_b = (ndimage.distance_transform_edt(~surface, sampling=spacing_mm) for surface in surfaces)
    return to_b[surfaces[0]], to_a[surfaces[1]]


def _centroid_shift(a: Mask, b: Mask, spacing_mm: Spacing) -> float:
    centres = [np.argwhere(mask).mean(axis=0) * spacing_mm for mask in (a, b)]
    return float(np.linalg.norm(centres[1] - centres[0]))
