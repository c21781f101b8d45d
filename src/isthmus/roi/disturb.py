"""The same lesion in another world: its voxels shuffled (a negative control), or the image as another scanner would have made it.

A radiomics score that survives shuffled voxels reads the size and the histogram of a lesion, not its texture; one that falls with a little
noise, another kernel or thicker slices will not travel to another centre. The mask never changes.

References
----------
Negative controls: Welch et al., Radiother Oncol 130:2-9, 2019. Simulated shift: Zwanenburg et al., Scientific Reports 9:614, 2019.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import CaseError
from isthmus.image.box import bounding_box, widened
from isthmus.image.image import Image
from isthmus.roi.perturb import MARGIN_MM, noise_level
from isthmus.roi.roi import Roi

__all__ = ["Disturbance", "disturb"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What is done to an image.

    Parameters
    ----------
    kind : {"shuffle", "noise", "smooth", "sharpen", "thickness"}
        shuffle: the values inside the lesion change places at random (histogram and outline stay, texture goes). noise: white noise is
        added. smooth, sharpen: a softer or a harder reconstruction kernel, within the slice. thickness: slices are averaged to this
        thickness and interpolated back to the grid, as the partial volume of a thicker slice would have it.
    amount : float
        noise: the standard deviation as a multiple of the noise found in the image itself; smooth and sharpen: sigma of the Gaussian, mm;
        thickness: mm. Without meaning for shuffle.
    seed : int
        Of the draws; the same lesion always gets the same draw.
    """

    kind: Literal["shuffle", "noise", "smooth", "sharpen", "thickness"]
    amount: float = 0.0
    seed: int = 1

    @property
    def name(self) -> str:
        """In words: "noise x 1", "smooth 0.8 mm", "slices of 5 mm", "shuffled voxels"."""
        return {
            "shuffle": "shuffled voxels",
            "noise": f"noise x {self.amount:g}",
            "smooth": f"smooth {self.amount:g} mm",
            "sharpen": f"sharpen {self.amount:g} mm",
            "thickness": f"slices of {self.amount:g} mm",
        }[self.kind]


def disturb(image: Image, roi: Roi, how: Disturbance, margin_mm: float = MARGIN_MM) -> tuple[Image, Roi]:
    """The disturbed image and the unchanged lesion, cut to `margin_mm` around it.

    Whole numbers stay whole numbers.

    Raises
    ------
    CaseError
        The mask is empty, or slices are to become thinner than they are.
    """
    tight = bounding_box(roi.mask)
    if tight is None:
        raise CaseError("the mask is empty; there is nothing to disturb")
    spacing = image.geometry.spacing_mm
    k, j, i = (int(np.ceil(margin_mm / s)) for s in spacing)
    box, _ = widened(tight, (k, j, i), roi.mask.shape)
    values, mask = image.values[box].astype(np.float64), roi.mask[box]
    draw = np.random.default_rng([how.seed, zlib.crc32(np.ascontiguousarray(image.values[tight]).tobytes())])
    changed = _DO[how.kind](values, mask, spacing, how.amount, draw)
    geometry = image.geometry.part(box)
    dtype = image.values.dtype
    kept = image.cut(_within(np.rint(changed), dtype)) if dtype.kind in "iu" else changed.astype(dtype)
    return replace(image, values=kept, geometry=geometry, instances={}), replace(roi, mask=mask, geometry=geometry)


def _within(values: Array, dtype: Any) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    return np.clip(values, limits.min, limits.max).astype(dtype)


def _shuffle(values: Array, mask: NDArray[np.bool_], spacing: Any, amount: float, draw: np.random.Generator) -> Array:
    shuffled = values.copy()
    shuffled[mask] = draw.permutation(values[mask])
    return shuffled


def _noise(values: Array, mask: NDArray[np.bool_], spacing: Any, amount: float, draw: np.random.Generator) -> Array:
    return values + draw.normal(0.0, amount * noise_level(values), values.shape)


def _smooth(values: Array, mask: NDArray[np.bool_], spacing: Any, amount: float, draw: np.random.Generator) -> Array:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(values, (0.0, amount / spacing[1], amount / spacing[2]), mode="nearest"))


def _sharpen(values: Array, mask: NDArray[np.bool_], spacing: Any, amount: float, draw: np.random.Generator) -> Array:
    """Unsharp masking: what the Gaussian takes away is added once more."""
    return 2 * values - _smooth(values, mask, spacing, amount, draw)


def _thicken(values: Array, mask: NDArray[np.bool_], spacing: Any, amount: float, draw: np.random.Generator) -> Array:
    """Means over slabs of the new thickness, centred on the middle of the box, read linearly at the old slices."""
    n, step = len(values), float(spacing[0])
    if amount < step:
        raise CaseError(f"slices of {step:g} mm cannot be made {amount:g} mm thin; name a larger thickness")
    edges = np.arange(n + 1) * step
    middle = edges[-1] / 2
    slabs = max(int(np.ceil(edges[-1] / amount)), 1)
    low = middle + (np.arange(slabs) - slabs / 2) * amount
    overlap = np.clip(np.minimum(edges[1:], (low + amount)[:, None]) - np.maximum(edges[:-1], low[:, None]), 0, None)
    thick = np.tensordot(overlap / overlap.sum(axis=1, keepdims=True), values, axes=1)
    at = np.clip((edges[:-1] + step / 2 - low[0] - amount / 2) / amount, 0, slabs - 1)
    below = np.minimum(at.astype(np.intp), max(slabs - 2, 0))
    above = np.minimum(below + 1, slabs - 1)
    weight = (at - below)[:, None, None]
    return np.asarray((1 - weight) * thick[below] + weight * thick[above])


_DO = {"shuffle": _shuffle, "noise": _noise, "smooth": _smooth, "sharpen": _sharpen, "thickness": _thicken}
