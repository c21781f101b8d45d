"""A brain metastasis on T1-weighted MR with contrast: an enhancing rim around a dead core, in swollen white matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.image import Geometry
from isthmus.synthetic.brain import MrScanner, brain_tissue, centred_axis, magnetised, soft
from isthmus.synthetic.fields import Axes, smooth_field

__all__ = ["Metastasis", "MetastasisScan", "render_metastasis"]

_MARGIN_MM = 7.0
_RIM, _CORE, _OEDEMA = 1.9, 0.50, 0.82  # relative signal


@dataclass(frozen=True, slots=True)
class Metastasis:
    """What is planted in the image of one patient.

    Parameters
    ----------
    diameter_mm : float
    irregularity : float
        Standard deviation of the radius, as a share of it.
    core : float
        Radius of the dead core, as a share of the whole.
    unevenness : float
        Standard deviation of the rim's signal, as a share of white matter.
    oedema_mm : float
        Width of the swollen tissue around.
    """

    diameter_mm: float
    irregularity: float
    core: float
    unevenness: float
    oedema_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class MetastasisScan:
    """`values` and `labels` (1: the metastasis), shape (k, j, i): axial slices upwards."""

    values: NDArray[np.int16]
    labels: NDArray[np.uint8]
    geometry: Geometry


def render_metastasis(lesion: Metastasis, scanner: MrScanner, rng: np.random.Generator) -> MetastasisScan:
    """The metastasis and its surroundings, as one scanner shows them."""
    spaces = (scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    radius = lesion.diameter_mm / 2
    reach = radius * (1 + 2 * lesion.irregularity) + _MARGIN_MM
    up, back, left = (centred_axis(reach, step) for step in spaces)
    axes: Axes = (up.astype(np.float32), back.astype(np.float32), left.astype(np.float32))
    distance = np.sqrt(axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2)
    depth = radius * (1.0 + lesion.irregularity * smooth_field(rng, axes, 0.45 * radius)) - distance
    core = radius * lesion.core * (1.0 + 0.15 * smooth_field(rng, axes, 0.35 * radius)) - distance
    values = brain_tissue(axes, rng, "t1")
    values += 0.7 * (_OEDEMA - values) * soft(depth + lesion.oedema_mm, 1.5)
    rim = _RIM + lesion.unevenness * smooth_field(rng, axes, 1.8)
    tissue = rim + (_CORE - rim) * soft(core, 0.8)
    values += (tissue - values) * soft(depth)
    labels = (depth > 0).astype(np.uint8)
    geometry = Geometry(shape=labels.shape, spacing_mm=spaces, origin_mm=(float(left[0]), float(back[0]), float(up[0])))
    return MetastasisScan(magnetised(np.maximum(values, 0.05), axes, scanner, rng), labels, geometry)
