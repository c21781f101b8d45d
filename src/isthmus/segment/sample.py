"""Patches for training: drawn at random, often around a structure, and changed as nnU-Net changes them.

Rotation and scaling are applied to the volume, not to the patch, so that no patch has an edge of invented values unless the volume ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus.deep.library import load_torch
from isthmus.segment.configuration import Configuration
from isthmus.settings import Section

__all__ = ["AugmentSettings", "TrainingCase", "draw_batch"]


class AugmentSettings(Section):
    """How often and how far patches are changed; the defaults are nnU-Net's.

    rotation_deg: to either side, about each axis (within the slice only, where slices are thick). scale: smallest and largest zoom.
    noise_variance: at most. blur: standard deviation in voxels. brightness, contrast: factors. low_resolution: share of the resolution
    that is left. gamma: exponents; `inverted` of the negative image. `p_*`: probabilities.
    """

    p_rotation: float = Field(default=0.2, ge=0, le=1)
    rotation_deg: float = Field(default=30.0, ge=0, le=180)
    p_scale: float = Field(default=0.2, ge=0, le=1)
    scale: tuple[float, float] = (0.7, 1.4)
    p_noise: float = Field(default=0.1, ge=0, le=1)
    noise_variance: float = Field(default=0.1, ge=0)
    p_blur: float = Field(default=0.2, ge=0, le=1)
    blur: tuple[float, float] = (0.5, 1.0)
    p_brightness: float = Field(default=0.15, ge=0, le=1)
    brightness: tuple[float, float] = (0.75, 1.25)
    p_contrast: float = Field(default=0.15, ge=0, le=1)
    contrast: tuple[float, float] = (0.75, 1.25)
    p_low_resolution: float = Field(default=0.25, ge=0, le=1)
    low_resolution: tuple[float, float] = (0.5, 1.0)
    p_gamma: float = Field(default=0.3, ge=0, le=1)
    p_gamma_inverted: float = Field(default=0.1, ge=0, le=1)
    gamma: tuple[float, float] = (0.7, 1.5)
    mirror: bool = True


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """One case on the network's grid.

    Parameters
    ----------
    row, patient : str
    image : float32 array, shape (k, j, i)
        As `prepare_image` gives it. May be a memory map.
    labels : uint8 array, same shape
        Class numbers.
    places : mapping
        For each class, places (k, j, i) inside it.
    """

    row: str
    patient: str
    image: NDArray[np.float32]
    labels: NDArray[np.uint8]
    places: Mapping[int, NDArray[np.int32]]


def draw_batch(
    cases: Sequence[TrainingCase],
    configuration: Configuration,
    rng: np.random.Generator,
    *,
    foreground: float = 1 / 3,
    augment: AugmentSettings | None = None,
    device: str = "cpu",
) -> tuple[Any, Any]:
    """Images, shape (batch, 1, *patch), and class numbers, shape (batch, *patch); 2-D networks get slices.

    Parameters
    ----------
    cases : sequence of TrainingCase
    configuration : Configuration
        Of the network that is trained, with its intensities: patches are standardised by them before anything else is done to them.
    rng : Generator
        All chance comes from it.
    foreground : float
        Share of the batch (rounded up) whose patch lies around a voxel of a structure, each structure being as likely.
    augment : AugmentSettings, optional
        None: patches as they are.
    device : str
    """
    torch = load_torch()
    count = configuration.batch
    forced = math.ceil(count * foreground - 1e-9) if foreground > 0 else 0
    images, targets = [], []
    for number in range(count):
        case = cases[int(rng.integers(len(cases)))]
        middle = _middle(case, configuration, rng, around=number >= count - forced)
        image, target = _cut(case, middle, configuration, rng, augment, device)
        images.append(image)
        targets.append(target)
    batch, labels = torch.stack(images), torch.stack(targets)
    if augment is not None:
        batch = _changed(batch, configuration, augment, rng)
        if augment.mirror:
            batch, labels = _mirrored(batch, labels, configuration, rng)
    if configuration.dims == 2:
        batch, labels = batch[:, :, 0], labels[:, 0]
    return batch, labels


def _middle(
    case: TrainingCase, configuration: Configuration, rng: np.random.Generator, *, around: bool
) -> NDArray[Any]:
    """The voxel in the middle of a patch: anywhere such that the patch lies inside, or one of a structure."""
    if around and case.places:
        kinds = sorted(case.places)
        places = case.places[kinds[int(rng.integers(len(kinds)))]]
        return np.asarray(places[int(rng.integers(len(places)))], dtype=np.float64)
    patch, shape = np.asarray(configuration.patch), np.asarray(case.image.shape)
    low = np.minimum(patch // 2, (shape - 1) / 2)
    high = np.maximum(shape - 1 - (patch - patch // 2 - 1), low)
    return np.floor(low + rng.uniform(size=3) * (high - low + 1))


def _cut(
    case: TrainingCase,
    middle: NDArray[Any],
    configuration: Configuration,
    rng: np.random.Generator,
    augment: AugmentSettings | None,
    device: str,
) -> tuple[Any, Any]:
    """A patch (1, k, j, i) and its classes (k, j, i), rotated and zoomed as chance has it."""
    torch = load_torch()
    patch = configuration.patch
    matrix = None if augment is None else _turned(configuration, augment, rng)
    if matrix is None:
        image, labels = _block(case, np.floor(middle).astype(int) - np.asarray(patch) // 2, patch)
        image = configuration.standardised(image)
        return torch.from_numpy(image)[None].to(device), torch.from_numpy(labels).to(device).long()
    reach = np.abs(matrix) @ ((np.asarray(patch) - 1) / 2)  # of the patch's corners in the volume
    size = 2 * np.ceil(reach).astype(int) + 3
    if configuration.dims == 2:
        size[0] = 1
    image, labels = _block(case, np.floor(middle).astype(int) - size // 2, tuple(size.tolist()))
    image = configuration.standardised(image)
    # torch's order of axes is the last first, and -1 to 1 runs over the block's outer faces
    scale = np.asarray(patch)[None] / size[:, None] * matrix
    theta = torch.from_numpy(np.ascontiguousarray(scale[::-1, ::-1]).astype(np.float32)).to(device)
    theta = torch.cat([theta, torch.zeros(3, 1, device=device)], 1)[None]
    grid = torch.nn.functional.affine_grid(theta, [1, 1, *patch], align_corners=False)
    moved = torch.nn.functional.grid_sample(
        torch.from_numpy(image)[None, None].to(device), grid, padding_mode="border", align_corners=False
    )
    classes = torch.nn.functional.grid_sample(
        torch.from_numpy(labels.astype(np.float32))[None, None].to(device), grid, mode="nearest", align_corners=False
    )
    return moved[0], classes[0, 0].round().long()


def _turned(
    configuration: Configuration, augment: AugmentSettings, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """From places of the patch (voxels from its middle) to places of the volume; None where nothing is changed."""
    flat = configuration.dims == 2 or configuration.separate_k
    turns = [
        np.deg2rad(rng.uniform(-augment.rotation_deg, augment.rotation_deg))
        if rng.uniform() < augment.p_rotation
        else 0.0
        for _ in range(3)
    ]
    zoom = rng.uniform(*augment.scale) if rng.uniform() < augment.p_scale else 1.0
    if flat:
        turns[1:] = [0.0, 0.0]
    if not any(turns) and zoom == 1.0:
        return None
    # angles are those of the patient: millimetres, not voxels
    spacing = np.asarray([one or 1.0 for one in configuration.spacing_mm])
    matrix = np.eye(3)
    for axis, angle in enumerate(turns):
        one, other = [a for a in range(3) if a != axis]
        turn = np.eye(3)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    zooms = np.array([1.0 if flat else 1 / zoom, 1 / zoom, 1 / zoom])
    found: NDArray[np.float64] = (matrix * spacing[None, :] / spacing[:, None]) * zooms
    return found


def _block(
    case: TrainingCase, start: NDArray[Any], size: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A box of a case; beyond its border the nearest value, and background."""
    shape = np.asarray(case.image.shape)
    low, high = np.asarray(start), np.asarray(start) + np.asarray(size)
    inside = tuple(
        slice(int(a), int(b)) for a, b in zip(np.clip(low, 0, shape - 1), np.clip(high, 1, shape), strict=True)
    )
    around = [(int(part.start - a), int(b - part.stop)) for part, a, b in zip(inside, low, high, strict=True)]
    # a box that lies wholly beyond the border still holds the border's slice
    around = [(max(a, 0), max(b, 0)) for a, b in around]
    image = np.pad(np.asarray(case.image[inside], np.float32), around, mode="edge")
    labels = np.pad(np.asarray(case.labels[inside]), around)
    part = tuple(slice(0, n) for n in size)
    return np.ascontiguousarray(image[part]), np.ascontiguousarray(labels[part])


def _changed(batch: Any, configuration: Configuration, augment: AugmentSettings, rng: np.random.Generator) -> Any:
    """Intensities changed, each patch by its own draw, in nnU-Net's order."""
    torch = load_torch()
    noise = torch.Generator(device=batch.device).manual_seed(int(rng.integers(2**31)))
    found = []
    for patch in batch:
        one = patch
        if rng.uniform() < augment.p_noise:
            spread = math.sqrt(rng.uniform(0, augment.noise_variance))
            one = one + spread * torch.randn(one.shape, generator=noise, device=one.device)
        if rng.uniform() < augment.p_blur and rng.uniform() < 0.5:
            one = _blurred(one, float(rng.uniform(*augment.blur)))
        if rng.uniform() < augment.p_brightness:
            one = one * float(rng.uniform(*augment.brightness))
        if rng.uniform() < augment.p_contrast:
            mean, low, high = one.mean(), one.min(), one.max()
            one = ((one - mean) * float(rng.uniform(*augment.contrast)) + mean).clamp(low, high)
        if rng.uniform() < augment.p_low_resolution:
            one = _coarse(one, float(rng.uniform(*augment.low_resolution)), flat=configuration.separate_k)
        for probability, sign in ((augment.p_gamma_inverted, -1.0), (augment.p_gamma, 1.0)):
            if rng.uniform() < probability:
                one = sign * _gamma(sign * one, float(rng.uniform(*augment.gamma)))
        found.append(one)
    return torch.stack(found)


def _blurred(patch: Any, sigma: float) -> Any:
    """A Gaussian along every axis longer than a voxel."""
    torch = load_torch()
    radius = max(math.ceil(3 * sigma), 1)
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=patch.device) / sigma) ** 2)
    weights = weights / weights.sum()
    one = patch[None]
    for axis in range(3):
        if patch.shape[1 + axis] <= radius:
            continue
        shape, pad = [1, 1, 1, 1, 1], [0] * 6
        shape[2 + axis] = len(weights)
        pad[2 * (2 - axis)] = pad[2 * (2 - axis) + 1] = radius
        one = torch.nn.functional.conv3d(torch.nn.functional.pad(one, pad, mode="replicate"), weights.reshape(shape))
    return one[0]


def _coarse(patch: Any, share: float, *, flat: bool) -> Any:
    """As from a scanner of less resolution."""
    torch = load_torch()
    size = [n if n == 1 or (flat and axis == 0) else max(round(n * share), 1) for axis, n in enumerate(patch.shape[1:])]
    small = torch.nn.functional.interpolate(patch[None], size=size, mode="nearest-exact")
    return torch.nn.functional.interpolate(small, size=list(patch.shape[1:]), mode="trilinear", align_corners=False)[0]


def _gamma(patch: Any, power: float) -> Any:
    """A curve through the extremes; mean and spread stay."""
    mean, spread, low = patch.mean(), patch.std(), patch.min()
    width = (patch.max() - low).clamp_min(1e-7)
    one = ((patch - low) / width) ** power * width + low
    return (one - one.mean()) / one.std().clamp_min(1e-7) * spread + mean


def _mirrored(batch: Any, labels: Any, configuration: Configuration, rng: np.random.Generator) -> tuple[Any, Any]:
    """Each patch along each axis that may be, with probability 1/2."""
    torch = load_torch()
    images, targets = [], []
    for image, target in zip(batch, labels, strict=True):
        axes = [axis for axis in configuration.mirror if rng.uniform() < 0.5]
        images.append(image.flip([1 + axis for axis in axes]) if axes else image)
        targets.append(target.flip(axes) if axes else target)
    return torch.stack(images), torch.stack(targets)
