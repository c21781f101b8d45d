"""Lesions whose habitats are known: one tissue, two that lie apart, two that lie in layers, or one that changes gradually.

What a score of heterogeneity ought to say of them follows from its definition, so they are what such scores are tried on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import did_you_mean
from isthmus.image import Geometry, Image
from isthmus.roi import Roi
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.fields import Axes, Volume, smooth_field
from isthmus.synthetic.lesion import Lesion, render_lesion
from isthmus.synthetic.scanner import SCANNERS, Scanner, acquire

__all__ = ["STRUCTURES", "Structure", "StructuredLesion", "make_structured_lesion"]

Structure = Literal["homogeneous", "compact", "interleaved", "gradient"]
STRUCTURES: tuple[Structure, ...] = get_args(Structure)

_PROPORTIONS = (1.0, 0.8, 0.68)  # half axes (z, y, x) of a thyroid lesion
_LAYERS = 5
_MARGIN_MM = 8.0
_COARSER = 4.0
"""How many times the texture of the second tissue is stronger than that of the first."""
_BALL_SD = np.sqrt(0.2)  # of one coordinate in the unit ball


@dataclass(frozen=True, eq=False)
class StructuredLesion:
    """A lesion as a scanner shows it, and what it is made of.

    Parameters
    ----------
    image : Image
        CT, Hounsfield units.
    roi : Roi
        The lesion.
    habitats : int8 array, shape (k, j, i)
        1 or 2 inside the lesion, by the tissue that fills most of the voxel, 0 outside. A homogeneous lesion has 1 only; in a gradient
        2 is its brighter half, which is not a tissue of its own.
    structure : str
    """

    image: Image
    roi: Roi
    habitats: NDArray[np.int8]
    structure: Structure


def make_structured_lesion(
    structure: Structure,
    millilitres: float,
    *,
    contrast_hu: float = 50.0,
    layer_mm: float | None = None,
    spacing_mm: tuple[float, float, float] | None = None,
    scanner: Scanner = SCANNERS[0],
    seed: int = 1,
) -> StructuredLesion:
    """One lesion of known structure: irregular outline, textured tissue, muscle and air beside it, blur and noise of a scanner.

    Parameters
    ----------
    structure : {"homogeneous", "compact", "interleaved", "gradient"}
        One tissue; two halves; two tissues in alternating layers; one tissue whose density and texture change gradually from side to
        side, the density with the variance it has in two halves. The direction is drawn.
    millilitres : float
        About 1 or more; by the outline, before it is drawn in voxels.
    contrast_hu : float
        Difference in density between the tissues; the texture of the second is four times as strong, too.
    layer_mm : float, optional
        Thickness of a layer: larger lesions then have more of them. Unset, there are five, and the pattern grows with the lesion.
    spacing_mm : tuple of 3 floats, optional
        (k, j, i), the last two alike; that of the scanner unless said.
    scanner : Scanner
        Its blur, noise and calibration.
    seed : int
        Together with the structure it names the random numbers.

    Raises
    ------
    ValueError
        An argument is out of its range; the message says which.
    """
    if structure not in STRUCTURES:
        raise ValueError(f"structure = {structure!r} is not known.{did_you_mean(structure, STRUCTURES)}")
    if not millilitres > 0 or contrast_hu < 0 or (layer_mm is not None and not layer_mm > 0):
        raise ValueError(
            f"millilitres = {millilitres}, layer_mm = {layer_mm}, contrast_hu = {contrast_hu}: the first two must be above 0, "
            "the last not below"
        )
    through, row, column = spacing_mm or (scanner.slice_spacing_mm, scanner.pixel_mm, scanner.pixel_mm)
    if row != column or min(through, row) <= 0:
        raise ValueError(f"spacing_mm = {spacing_mm}: above 0, and pixels are square: the last two must be the same")
    rng = np.random.default_rng(child_seed(seed, "structured lesion", structure))
    lesion = _plan(millilitres)
    reach = lesion.half_axes_mm[0] * (1 + 4 * lesion.irregularity) + _MARGIN_MM
    axis = np.arange(-np.ceil(reach), np.ceil(reach) + 1, dtype=np.float32)
    axes: Axes = (axis, axis, axis)
    hu, filled, second = _render(lesion, structure, axes, contrast_hu, layer_mm, rng)
    seen_by = replace(
        scanner,
        slice_spacing_mm=through,
        slice_thickness_mm=max(through, scanner.slice_thickness_mm) if spacing_mm is None else through,
        pixel_mm=row,
        slices=int(2 * (reach - 2) / through) + 1,
        pixels=int(2 * (reach - 2) / row) + 1,
    )
    seen = acquire(hu, filled, axes, seen_by, rng)
    share = acquire(1000 * second, filled, axes, replace(seen_by, noise_hu=0.0, offset_hu=0.0), rng)
    geometry = Geometry(shape=seen.values.shape, spacing_mm=seen.spacing_mm, origin_mm=seen.origin_mm)
    mask = seen.mask.astype(bool)
    habitats = np.where(mask, 1 + (share.values >= 500), 0).astype(np.int8)
    return StructuredLesion(Image(seen.values, geometry, quantity="HU"), Roi(mask, geometry), habitats, structure)


def _plan(millilitres: float) -> Lesion:
    z, y, x = _PROPORTIONS
    half = float((1000 * millilitres * 3 / (4 * np.pi * z * y * x)) ** (1 / 3))
    return Lesion(
        centre_mm=(0.0, 0.0, 0.0),
        half_axes_mm=(half * z, half * y, half * x),
        irregularity=0.07,
        mean_hu=90.0,
        amplitude_hu=9.0,
        correlation_mm=2.2,
        necrotic_fraction=0.0,
        calcifications=0,
    )


def _render(
    lesion: Lesion,
    structure: Structure,
    axes: Axes,
    contrast_hu: float,
    layer_mm: float | None,
    rng: np.random.Generator,
) -> tuple[Volume, Volume, Volume]:
    """The anatomy in Hounsfield units, the share of each voxel inside the lesion, and where the second tissue is."""
    box, inside, tissue = render_lesion(lesion, axes, rng)
    direction = rng.standard_normal(3)
    direction /= np.linalg.norm(direction)
    z, y, x = (axis / half * way for axis, half, way in zip(axes, lesion.half_axes_mm, direction, strict=True))
    along = z[:, None, None] + y[None, :, None] + x[None, None, :]  # -1 to 1 from side to side of the lesion
    half = float(np.prod(lesion.half_axes_mm) ** (1 / 3))
    warp = 0.05 * smooth_field(rng, axes, 0.5 * half)
    if structure == "interleaved":
        layers = _LAYERS if layer_mm is None else 2 * half / layer_mm
        phase = 0.5 if layer_mm is None else rng.uniform(0, 2)
        second = np.cos(np.pi * (layers * (along + warp + 1) / 2 - phase)) < 0
    else:
        second = along + warp > 0
    if structure == "homogeneous":
        second = np.zeros_like(second)
    # from -1 (the first tissue) to 1 (the second)
    change = along / _BALL_SD if structure == "gradient" else 2.0 * second - 1
    hu = 55 + 6 * smooth_field(rng, axes, 2.5)
    hu[
        :, :, axes[2] > lesion.half_axes_mm[2] * (1 + 2 * lesion.irregularity) + 2
    ] = -1000  # air close by, as in the neck
    filled = np.zeros_like(hu)
    filled[box] = inside
    if structure != "homogeneous":
        coarse = np.exp(change[box] * np.log(_COARSER) / 2)
        tissue = lesion.mean_hu + contrast_hu * change[box] / 2 + coarse * (tissue - lesion.mean_hu)
    hu[box] += inside * (tissue - hu[box])
    return hu.astype(np.float32), filled, second.astype(np.float32)
