"""Perturbations of an image and its lesion: what another day, another reader or another scanner might have given.

A feature that moves with them cannot be trusted. Each perturbation is drawn from its own seed, so that the same number always gives the
same image and mask, in any order and on any machine.

References
----------
Zwanenburg et al., Scientific Reports 9:614, 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus.errors import MaskError
from isthmus.image.box import bounding_box, widened
from isthmus.image.image import Image
from isthmus.roi.roi import Roi
from isthmus.roi.supervoxels import supervoxels
from isthmus.settings import Section

__all__ = ["MARGIN_MM", "PerturbSettings", "Perturbation", "noise_level", "perturb", "perturbations"]

MARGIN_MM = 25.0  # of the image around the lesion that a perturbed case keeps
_SURE, _NEVER = 0.9, 0.2  # share of a supervoxel in the lesion from which it belongs to it always, below which never


class PerturbSettings(Section):
    """Which perturbations: every combination of the lists, `repeats` times.

    rotations_deg: of the slice plane about the lesion's centre. translations: shifts along every axis, as parts of a voxel. volumes:
    relative changes of the lesion's volume (0.1: ten per cent more). noise: add noise of the level found in the image. contours: draw the
    outline anew along supervoxels. repeats: how often noise and contours are drawn. seed: of every draw.
    """

    rotations_deg: tuple[float, ...] = (0.0,)
    translations: tuple[float, ...] = (0.0,)
    volumes: tuple[float, ...] = (0.0,)
    noise: bool = False
    contours: bool = False
    repeats: int = Field(default=1, ge=1)
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One perturbation; the fields are those of `PerturbSettings`, `number` tells draws apart (from 1)."""

    number: int
    rotation_deg: float = 0.0
    translation: float = 0.0
    volume: float = 0.0
    noise: bool = False
    contour: bool = False
    seed: int = 1

    @property
    def name(self) -> str:
        """What it does, in short: "rotation 4, translation 0.25, volume +0.1, noise, contour"."""
        parts = []
        if self.rotation_deg:
            parts.append(f"rotation {self.rotation_deg:g}")
        if self.translation:
            parts.append(f"translation {self.translation:g}")
        if self.volume:
            parts.append(f"volume {self.volume:+g}")
        parts += [word for word, on in (("noise", self.noise), ("contour", self.contour)) if on]
        return ", ".join(parts) or "none"


def perturbations(settings: PerturbSettings) -> Iterator[Perturbation]:
    """Every combination, in a fixed order."""
    combinations = product(range(settings.repeats), settings.rotations_deg, settings.translations, settings.volumes)
    for number, (_, rotation, translation, volume) in enumerate(combinations, start=1):
        yield Perturbation(number, rotation, translation, volume, settings.noise, settings.contours, settings.seed)


def perturb(image: Image, roi: Roi, how: Perturbation, margin_mm: float = MARGIN_MM) -> tuple[Image, Roi]:
    """The perturbed image and lesion, cut to `margin_mm` around it.

    Noise, then rotation and translation in one interpolation (linear; the mask by one half), then the volume, then the contour.

    Raises
    ------
    MaskError
        Nothing is left of the lesion.
    """
    draw = np.random.default_rng([how.seed, how.number])
    tight = bounding_box(roi.mask)
    if tight is None:
        raise MaskError("the mask is empty; there is nothing to perturb")
    k, j, i = (int(np.ceil(margin_mm / s)) for s in image.geometry.spacing_mm)
    box, _ = widened(tight, (k, j, i), roi.mask.shape)
    values, mask = image.values[box].astype(np.float64), roi.mask[box]
    if how.noise:
        level = noise_level(values)
        values = values + draw.normal(0.0, level, values.shape) if level > 0 else values
    if how.rotation_deg or how.translation:
        values, mask = _moved(values, mask, image.geometry.spacing_mm, how)
    if how.volume:
        mask = _resized(mask, image.geometry.spacing_mm, how.volume, draw)
    if how.contour:
        mask = _redrawn(values, mask, image.geometry.spacing_mm, draw)
    if not mask.any():
        raise MaskError(
            f"nothing is left of the lesion ({roi.n_voxels} voxels) after perturbation {how.number} ({how.name})"
        )
    geometry = image.geometry.part(box)
    # int16 and int32 stay what they are: intensities of CT are whole numbers
    kept = (
        np.rint(values).astype(image.values.dtype)
        if image.values.dtype.kind in "iu"
        else values.astype(image.values.dtype)
    )
    return replace(image, values=kept, geometry=geometry, instances={}), replace(roi, mask=mask, geometry=geometry)


def noise_level(values: NDArray[Any]) -> float:
    """Standard deviation of the noise, from the finest diagonal details of each slice (Haar wavelet, median absolute value).

    References
    ----------
    Donoho and Johnstone, Biometrika 81:425-455, 1994.
    """
    even = values[:, : values.shape[1] // 2 * 2, : values.shape[2] // 2 * 2].astype(np.float64)
    if even.size == 0:
        return 0.0
    details = (even[:, ::2, ::2] - even[:, 1::2, ::2] - even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 2
    finite = details[np.isfinite(details)]
    return float(np.median(np.abs(finite)) / 0.6744897501960817) if finite.size else 0.0


def _moved(
    values: NDArray[np.float64], mask: NDArray[np.bool_], spacing: tuple[float, float, float], how: Perturbation
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Turned about the lesion's centre in the slice plane and shifted by a part of a voxel, in one interpolation."""
    from scipy import ndimage

    angle = np.deg2rad(how.rotation_deg)
    scale = np.diag(spacing)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    matrix = np.linalg.inv(scale) @ turn @ scale
    centre = np.argwhere(mask).mean(axis=0)
    shift = np.array([how.translation if n > 1 else 0.0 for n in mask.shape])
    offset = centre - matrix @ (centre + shift)
    image = ndimage.affine_transform(values, matrix, offset, order=1, mode="nearest")
    inside = ndimage.affine_transform(mask.astype(np.float64), matrix, offset, order=1, mode="constant", cval=0.0)
    return image, inside >= 0.5


def _resized(
    mask: NDArray[np.bool_], spacing: tuple[float, float, float], change: float, draw: np.random.Generator
) -> NDArray[np.bool_]:
    """Grown or shrunk to the wanted number of voxels: nearest layers first, the last one thinned at random."""
    from isthmus.roi.region import signed_distance

    present = int(mask.sum())
    wanted = max(round(present * (1 + change)), 1)
    largest = float(np.cbrt(max(wanted - present, 1) * np.prod(spacing))) + 2 * max(spacing)
    distance = signed_distance(mask, spacing, largest if wanted > present else 0.0)
    order = np.lexsort((draw.random(mask.size), distance.ravel()))
    result = np.zeros(mask.size, dtype=bool)
    result[order[:wanted]] = True
    return result.reshape(mask.shape) & np.isfinite(distance)


def _redrawn(
    values: NDArray[np.float64], mask: NDArray[np.bool_], spacing: tuple[float, float, float], draw: np.random.Generator
) -> NDArray[np.bool_]:
    """The outline drawn anew: supervoxels that lie in the lesion belong to it, those on its edge by chance."""
    volume = float(mask.sum() * np.prod(spacing))
    everything = np.isfinite(values)
    pieces = supervoxels(np.where(everything, values, 0), everything, spacing, volume_mm3=min(125.0, volume / 20))
    inside = np.bincount(pieces.ravel(), weights=mask.ravel().astype(np.float64))
    share = inside / np.maximum(np.bincount(pieces.ravel()), 1)
    chosen = (share >= _SURE) | ((share >= _NEVER) & (draw.random(share.size) < share))
    chosen[0] = False
    if not chosen.any():  # a lesion smaller than a piece keeps the piece it lies in most
        chosen[1 + int(np.argmax(share[1:]))] = True
    redrawn: NDArray[np.bool_] = chosen[pieces]
    return redrawn
