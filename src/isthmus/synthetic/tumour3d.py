"""A meningioma on T1-weighted images with contrast and on T2-weighted ones: flattened at the dura, of known heterogeneity and outline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.image import Geometry
from isthmus.synthetic.brain import CONTRASTS, MrScanner, brain_tissue, centred_axis, magnetised, soft
from isthmus.synthetic.fields import Axes, Volume, smooth_field

__all__ = ["Meningioma", "TumourScans", "render_meningioma"]

_MARGIN_MM = 9.0
_SOLID = {"t1": 1.75, "t2": 0.80}  # relative signal of the enhancing tissue; on T1 without contrast it is like cortex
_NECROSIS = {"t1": 0.45, "t2": 1.25}
_OEDEMA = {"t1": 0.80, "t2": 1.05}
_SHOWN = {"t1": 1.0, "t2": 0.6}  # how much of the heterogeneity a contrast shows


@dataclass(frozen=True, slots=True)
class Meningioma:
    """What is planted in the images of one patient.

    Parameters
    ----------
    diameter_mm : float
        Of the smooth ball under the outline.
    irregularity : float
        Standard deviation of its radius, as a share of it.
    unevenness : float
        Standard deviation of the solid tissue's signal, as a share of white matter.
    grain_mm : float
        How coarse it is.
    necrosis : float
        Share of the inner volume without blood supply.
    oedema_mm : float
        Width of the swollen tissue around.
    """

    diameter_mm: float
    irregularity: float
    unevenness: float
    grain_mm: float
    necrosis: float
    oedema_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class TumourScans:
    """`values` by contrast ("t1", "t2") and `labels` (1: the tumour), shape (k, j, i): axial slices upwards, on one grid."""

    values: Mapping[str, NDArray[np.int16]]
    labels: NDArray[np.uint8]
    geometry: Geometry


def render_meningioma(tumour: Meningioma, scanner: MrScanner, rng: np.random.Generator) -> TumourScans:
    """The tumour and its surroundings, as one scanner shows them in both contrasts."""
    spaces = (scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    reach = tumour.diameter_mm / 2 * (1 + 2 * tumour.irregularity) + _MARGIN_MM
    up, back, left = (centred_axis(reach, step) for step in spaces)
    axes: Axes = (up.astype(np.float32), back.astype(np.float32), left.astype(np.float32))
    depth, dura = _depths(tumour, axes, rng)
    grain = smooth_field(rng, axes, tumour.grain_mm)
    dead = _dead(tumour, depth, smooth_field(rng, axes, 0.25 * tumour.diameter_mm))
    seeds = rng.integers(2**63, size=3)
    scans = {}
    for contrast, own in zip(("t1", "t2"), seeds[1:], strict=True):
        course = np.random.default_rng(seeds[0])  # the same folds in both
        values = brain_tissue(axes, course, contrast)
        swollen = soft(depth + tumour.oedema_mm, 1.5)
        values += 0.8 * (_OEDEMA[contrast] - values) * swollen
        tissue = _SOLID[contrast] + _SHOWN[contrast] * tumour.unevenness * grain
        tissue += (_NECROSIS[contrast] - tissue) * dead
        values += (tissue - values) * soft(depth)
        values += (CONTRASTS[contrast]["bone"] - values) * soft(-dura)
        scans[contrast] = magnetised(np.maximum(values, 0.05), axes, scanner, np.random.default_rng(own))
    labels = (depth > 0).astype(np.uint8)
    geometry = Geometry(shape=labels.shape, spacing_mm=spaces, origin_mm=(float(left[0]), float(back[0]), float(up[0])))
    return TumourScans(scans, labels, geometry)


def _depths(tumour: Meningioma, axes: Axes, rng: np.random.Generator) -> tuple[Volume, Volume]:
    """How deep each voxel lies in the tumour, and inside of the dura, millimetres."""
    up, back, left = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    radius = tumour.diameter_mm / 2
    normal = rng.normal(size=3)
    normal /= np.linalg.norm(normal)
    dura = 0.7 * radius - (normal[0] * up + normal[1] * back + normal[2] * left)
    bumps = smooth_field(rng, axes, 0.45 * radius)
    outline = radius * (1.0 + tumour.irregularity * bumps)
    depth = np.minimum(outline - np.sqrt(up**2 + back**2 + left**2), dura)
    return depth.astype(np.float32), dura.astype(np.float32)


def _dead(tumour: Meningioma, depth: Volume, field: Volume) -> Volume:
    """Share of each voxel that is necrotic: the given share of the volume deeper than a fifth of the radius."""
    inner = depth > 0.1 * tumour.diameter_mm
    if tumour.necrosis <= 0 or not inner.any():
        return np.zeros_like(depth)
    limit = np.quantile(field[inner], 1.0 - tumour.necrosis)
    return np.where(inner, soft(4.0 * (field - limit)), 0.0).astype(np.float32)
