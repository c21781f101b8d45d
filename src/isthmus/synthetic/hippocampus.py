"""Both hippocampi on a coronal T1-weighted volume: how much of them is left, and how uneven their tissue is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.image import Geometry
from isthmus.synthetic.brain import CONTRASTS, MrScanner, brain_tissue, centred_axis, magnetised, soft
from isthmus.synthetic.fields import Axes, Volume, smooth_field

__all__ = ["LEFT", "RIGHT", "HippocampalScan", "Hippocampi", "render_hippocampi"]

LEFT, RIGHT = 17, 53
"""Values in the mask: the numbers of FreeSurfer's colour table."""

_HALF_LENGTH_MM = 20.0
_BOX_MM = (27.0, 19.0, 44.0)  # half, of the volume: along the hippocampus, upwards, across


@dataclass(frozen=True, slots=True)
class Hippocampi:
    """What is planted in the image of one patient.

    Parameters
    ----------
    shrinkage : float
        Logarithm of how much smaller across they are than a healthy pair.
    unevenness : float
        Standard deviation of the tissue inside, as a share of white matter.
    grain_mm : float
        How coarse it is.
    asymmetry : float
        Logarithm of the left one's width over the right one's.
    """

    shrinkage: float
    unevenness: float
    grain_mm: float
    asymmetry: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class HippocampalScan:
    """`values` and `labels` (k, j, i): coronal slices from front to back, rows downwards, columns to the patient's left."""

    values: NDArray[np.int16]
    labels: NDArray[np.uint8]
    geometry: Geometry


def render_hippocampi(pair: Hippocampi, scanner: MrScanner, rng: np.random.Generator) -> HippocampalScan:
    """The medial temporal lobes around both hippocampi, as one scanner shows them."""
    spaces = (scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    back, down, left = (centred_axis(half, step) for half, step in zip(_BOX_MM, spaces, strict=True))
    axes: Axes = (back.astype(np.float32), down.astype(np.float32), left.astype(np.float32))
    values = brain_tissue(axes, rng, "t1")
    signal = CONTRASTS["t1"]
    stem = soft(15.0 - np.hypot(left[None, None, :], 0.6 * (back - 6.0)[:, None, None]), 1.0)
    values += (signal["white"] * 0.95 - values) * stem
    labels = np.zeros(values.shape, dtype=np.uint8)
    uneven = smooth_field(rng, axes, pair.grain_mm)
    for side, label in ((1.0, LEFT), (-1.0, RIGHT)):
        depth, above = _depths(pair, axes, side, rng)
        fluid = soft(above) * signal["fluid"]
        values += (fluid - values) * soft(above)
        tissue = signal["grey"] + pair.unevenness * uneven
        share = soft(depth)
        values += (tissue - values) * share
        labels[share >= 0.5] = label
    geometry = Geometry(
        shape=values.shape,
        spacing_mm=spaces,
        origin_mm=(float(left[0]), float(back[0]), float(-down[0])),
        direction=np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    )
    return HippocampalScan(magnetised(values, axes, scanner, rng), labels, geometry)


def _depths(pair: Hippocampi, axes: Axes, side: float, rng: np.random.Generator) -> tuple[Volume, Volume]:
    """How deep each voxel lies in one hippocampus, and in the fluid of the temporal horn above and lateral of it, millimetres."""
    back, down, left = (axis[shape] for axis, shape in zip(axes, _ALONG, strict=True))
    along = np.clip(back / _HALF_LENGTH_MM, -1.0, 1.0)
    profile = np.sqrt(np.maximum(1.0 - along**2, 0.0)) * (1.0 - 0.25 * along)  # the head is thicker than the tail
    width = np.exp(side * pair.asymmetry / 2 - pair.shrinkage) * float(np.exp(rng.normal(0.0, 0.03)))
    across = side * (27.0 - 0.006 * back**2)
    height = -0.3 * back
    half_x, half_z = 8.0 * width * profile + 1e-3, 5.0 * width * profile + 1e-3
    bent = down - height + 0.02 * (left - across) ** 2  # the body curls
    radius = np.hypot((left - across) / half_x, bent / half_z)
    depth = np.where(np.abs(back) < _HALF_LENGTH_MM, (1.0 - radius) * half_z, -5.0)
    gap = 1.2 + 6.0 * np.maximum(pair.shrinkage, -0.07)  # what is lost is filled with fluid
    lateral = side * (left - across)
    horn = np.hypot((lateral - half_x * 0.6) / (half_x * 0.8 + gap), (bent + half_z + gap / 2) / (gap + 1e-3))
    above = np.where(np.abs(back) < _HALF_LENGTH_MM, (1.0 - horn) * gap, -5.0)
    return depth.astype(np.float32), above.astype(np.float32)


_ALONG = ((slice(None), None, None), (None, slice(None), None), (None, None, slice(None)))
