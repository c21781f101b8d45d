"""What a segmentation network sees and how it is built, derived from the cases it is trained on (Isensee et al., Nat Methods 2021).

The rules are those of nnU-Net; the memory a network takes is estimated by a formula of our own (`training_bytes`). Everything stands in
`configuration.json` of the model folder, where it can be read, and every number can be said before training instead.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from isthmus.errors import PlanError
from isthmus.segment.networks import Shape, get_network, stage_plan
from isthmus.settings import Section
from isthmus.settings.messages import setting_messages

__all__ = ["CaseFacts", "Configuration", "Intensities", "derive", "for_training", "sided", "training_bytes"]

_ANISOTROPIC = 3.0
"""Slices this many times thicker than the plane's pixels are treated apart."""
_MOST_CHANNELS = {2: 512, 3: 320}
_LARGEST_SHARE = 0.05  # of all voxels in one batch


class Intensities(Section):
    """Of the foreground of a network's training cases: 0.5th and 99.5th percentile, mean and standard deviation of what lies between."""

    low: float
    high: float
    mean: float
    sd: float = Field(gt=0)

    def standardise(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Clipped to the percentiles, less the mean, in deviations."""
        clipped = np.clip(values, np.float32(self.low), np.float32(self.high))
        found: NDArray[np.float32] = (clipped - np.float32(self.mean)) / np.float32(self.sd)
        return found


class Configuration(Section):
    """Everything a network needs to be built and to read an image.

    network: a name of `isthmus.segment.NETWORKS`. dims: 2 (slices) or 3. labels: each structure's name and value in masks; the network's
    classes are they in the order of their values, after the background. lesion: one of them. spacing_mm: the grid (k, j, i) images are
    brought to; 0 keeps the image's own along that axis. separate_k: interpolate along k by nearest neighbour, the slices being much
    thicker than wide. patch: what the network sees at a time, voxels (k, j, i). channels, kernels, strides: one a stage, axes (k, j, i) or
    (j, i). convolutions: in every stage. batch: patches at a time. normalisation: "ct" clips to `intensities` and standardises by them,
    "z_score" by each image's own voxels that are not 0. intensities: of a network's own training cases (`for_training`); None in what all
    networks of a model share, unless they are said. mirror: axes (0 k, 1 j, 2 i) that may be mirrored; never left to right where labels
    name a side. because: why the numbers are these.
    """

    network: str = "cbam_unet"
    dims: Literal[2, 3] = 3
    labels: dict[str, int]
    lesion: str = "lesion"
    spacing_mm: tuple[float, float, float]
    separate_k: bool = False
    patch: tuple[int, int, int]
    channels: tuple[int, ...]
    kernels: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]
    convolutions: int = Field(default=2, ge=2)
    batch: int = Field(default=2, ge=1)
    normalisation: Literal["ct", "z_score"] = "ct"
    intensities: Intensities | None = None
    mirror: tuple[int, ...] = (0, 1, 2)
    because: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Configuration:
        get_network(self.network)
        values = sorted(self.labels.values())
        if not values or values[0] < 1 or len(set(values)) < len(values) or values[-1] > 255:
            raise ValueError(f"labels = {self.labels}: every structure needs a value of its own from 1 to 255")
        if self.lesion not in self.labels:
            raise ValueError(f"lesion = {self.lesion!r} is none of the labels {', '.join(self.labels)}")
        if not len(self.channels) == len(self.kernels) == len(self.strides):
            raise ValueError("channels, kernels and strides: one of each a stage")
        if self.dims == 2 and self.patch[0] != 1:
            raise ValueError(f"patch = {list(self.patch)}: a 2-D network sees one slice, so its first number is 1")
        if any(len(one) != self.dims for one in (*self.kernels, *self.strides)):
            raise ValueError(f"kernels and strides of a {self.dims}-D network have {self.dims} numbers a stage")
        down = np.prod(self.strides, axis=0)
        if any(side % step for side, step in zip(self.patch[3 - self.dims :], down, strict=True)):
            raise ValueError(
                f"patch = {list(self.patch)}: the stages halve it to a fraction; multiples of {down.tolist()} fit"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The structures in the order of the network's classes 1, 2, ..."""
        return tuple(sorted(self.labels, key=lambda name: self.labels[name]))

    @property
    def classes(self) -> int:
        """With the background."""
        return len(self.labels) + 1

    @property
    def lesion_class(self) -> int:
        return self.names.index(self.lesion) + 1

    @property
    def shape(self) -> Shape:
        """What the network is built from."""
        patch = self.patch[3 - self.dims :]
        return Shape(self.dims, 1, self.classes, patch, self.channels, self.kernels, self.strides, self.convolutions)

    def of(self, intensities: Intensities | None) -> Configuration:
        """The same with the intensities of one network; None: these."""
        return self if intensities is None else self.model_copy(update={"intensities": intensities})

    def standardised(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Voxels of a prepared image as the network sees them; with "z_score" they are so already.

        Raises
        ------
        PlanError
            "ct" without intensities.
        """
        if self.normalisation != "ct":
            return values
        if self.intensities is None:
            raise PlanError(
                'normalisation = "ct" needs the intensities of the network\'s training cases. Train it again'
            )
        return self.intensities.standardise(values)

    @classmethod
    def parse(cls, document: Mapping[str, Any], where: str = "configuration") -> Configuration:
        """From what `configuration.json` holds.

        Raises
        ------
        PlanError
            A key is unknown, missing or of the wrong kind.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as exc:
            lines = setting_messages(exc, document, known_keys=lambda _: sorted(cls.model_fields), where=where)
            raise PlanError("\n".join(lines)) from exc

    def to_json(self) -> str:
        """As `configuration.json` holds it: one line a key."""
        document = self.model_dump(mode="json")
        lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in document.items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"


@dataclass(frozen=True)
class CaseFacts:
    """What one training case says: its grid, and values of its foreground (a sample).

    Parameters
    ----------
    shape : tuple of int
        Voxels (k, j, i) after the border of zeros is cut off.
    spacing_mm : tuple of float
    foreground : array
        Intensities inside any label.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    foreground: NDArray[np.float32]


def derive(
    cases: Sequence[CaseFacts],
    labels: Mapping[str, int],
    *,
    lesion: str = "lesion",
    network: str = "cbam_unet",
    dims: Literal[2, 3] = 3,
    normalisation: Literal["ct", "z_score"] = "ct",
    memory_gb: float = 8.0,
    base_channels: int = 32,
    given: Mapping[str, Any] | None = None,
) -> Configuration:
    """The configuration that fits these cases: from how large they are and how they are sampled, not from what their voxels hold.

    Parameters
    ----------
    cases : sequence of CaseFacts
    labels : mapping
        Names to values in masks.
    lesion, network, dims, normalisation
        As of `Configuration`.
    memory_gb : float
        What training may take on its device; the patch shrinks until a batch of 2 fits, then the batch grows.
    base_channels : int
        Of the first stage; doubled with each stage up to 320 (2-D: 512).
    given : mapping, optional
        Keys of `Configuration` that are said, not derived. A patch that is said is rounded up to what the stages can halve.

    Raises
    ------
    PlanError
        A key is unknown, or the numbers do not fit together.
    """
    said = dict(given or {})
    row = get_network(network)
    if dims not in row.dims:
        raise PlanError(f"network {network!r} exists in {' and '.join(f'{n}-D' for n in row.dims)}, not in {dims}-D")
    spacing, why_spacing = _target_spacing(cases, dims)
    spacing = tuple(float(one) for one in said.pop("spacing_mm", spacing))
    real = np.where(np.asarray(spacing) > 0, spacing, np.median([case.spacing_mm for case in cases], axis=0))
    sizes = np.array([np.asarray(case.shape) * case.spacing_mm / real for case in cases])
    median = np.maximum(np.median(sizes, axis=0).round(), 1)
    separate = bool(real.max() / real.min() >= _ANISOTROPIC and int(np.argmax(real)) == 0)
    own = {"ct": "by the foreground of each network's own training cases", "z_score": "by each image's own voxels"}
    because = {
        "spacing_mm": why_spacing,
        "normalisation": "by what was said" if "intensities" in said else own[normalisation],
    }
    ready: dict[str, Any] = {
        "network": network, "dims": dims, "labels": dict(labels), "lesion": lesion, "spacing_mm": spacing,
        "separate_k": separate, "normalisation": normalisation,
        "mirror": tuple(axis for axis in range(3 - dims, 3) if axis != 2 or not sided(labels)),
    }  # fmt: skip
    if sided(labels):
        because["mirror"] = "labels name a side, so left and right are never exchanged"
    fixed = said.pop("patch", None)
    wanted = tuple(float(one) for one in fixed) if fixed is not None else None
    shape, why = _sized(median, real, wanted, row, labels, dims, base_channels, memory_gb, said.get("convolutions", 2))
    because["patch"] = "said" if fixed is not None else why
    ready |= {
        "patch": (*([1] if dims == 2 else []), *shape.patch), "channels": shape.channels, "kernels": shape.kernels,
        "strides": shape.strides, "convolutions": shape.convolutions,
    }  # fmt: skip
    all_voxels = float(np.prod(sizes, axis=1).sum())
    fits = int(memory_gb * 1e9 // training_bytes(shape))
    share = int(_LARGEST_SHARE * all_voxels // math.prod(shape.patch))
    ready["batch"] = max(2, min(fits, share))
    because["batch"] = f"{fits} patches fit into {memory_gb:g} GB; at most {_LARGEST_SHARE:.0%} of all voxels at a time"
    return Configuration.parse({**ready, **said, "because": because})


def for_training(configuration: Configuration, cases: Sequence[CaseFacts]) -> Configuration:
    """The configuration of a network that learns from these cases and no others: where it needs intensities and none are said, theirs.

    Raises
    ------
    PlanError
        They are needed, and no case has a foreground.
    """
    if configuration.normalisation != "ct" or configuration.intensities is not None:
        return configuration
    return configuration.of(_intensities(cases))


def sided(labels: Mapping[str, int]) -> bool:
    """Does a label's name say left or right?"""
    words = [part for name in labels for part in name.lower().replace("-", "_").split("_")]
    return "left" in words or "right" in words


def training_bytes(shape: Shape) -> float:
    """An estimate of what training on one patch takes: three maps of four bytes for every convolution of encoder and decoder, twice for
    their gradients, and the logits of every level."""
    total, voxels = 0.0, float(math.prod(shape.patch))
    for level, (channels, stride) in enumerate(zip(shape.channels, shape.strides, strict=True)):
        voxels /= math.prod(stride)
        sides = (
            1 if level == len(shape.channels) - 1 else 2.5
        )  # the decoder's first convolution sees twice the channels
        total += voxels * (channels * shape.convolutions * 3 * sides + 4 * shape.classes) * 4 * 2
    return total


def _target_spacing(cases: Sequence[CaseFacts], dims: int) -> tuple[tuple[float, ...], str]:
    """The median; where slices are thick and few, along k the 10th percentile, so that thin ones are not thrown away."""
    spacings = np.array([case.spacing_mm for case in cases])
    target = np.median(spacings, axis=0)
    if dims == 2:
        return (
            0.0,
            float(target[1]),
            float(target[2]),
        ), f"median of {len(cases)} cases in the plane; slices as they are"
    shape = np.median([case.shape for case in cases], axis=0)
    if target[0] / target[1:].max() >= _ANISOTROPIC and shape[1:].min() / shape[0] >= _ANISOTROPIC:
        target[0] = max(np.percentile(spacings[:, 0], 10), target[1:].max())
        return tuple(
            map(float, target)
        ), f"median of {len(cases)} cases; along k the 10th percentile, the slices being thick"
    return tuple(map(float, target)), f"median of {len(cases)} cases"


def _intensities(cases: Sequence[CaseFacts]) -> Intensities:
    values = np.concatenate([case.foreground for case in cases]).astype(np.float64)
    if not len(values):
        raise PlanError("no case has a voxel with a label; check the masks and the labels' values")
    low, high = np.percentile(values, [0.5, 99.5])
    clipped = np.clip(values, low, high)
    return Intensities(low=float(low), high=float(high), mean=float(clipped.mean()), sd=max(float(clipped.std()), 1e-6))


def _sized(
    median: NDArray[np.float64],
    spacing: NDArray[np.float64],
    fixed: tuple[float, ...] | None,
    row: Any,
    labels: Mapping[str, int],
    dims: int,
    base: int,
    memory_gb: float,
    convolutions: int,
) -> tuple[Shape, str]:
    """The largest patch, in proportion to the median image, with which a batch of 2 fits."""
    space = spacing[3 - dims :]
    limit = median[3 - dims :]
    # a patch as wide as tall in mm, of 256 (3-D) or 2048 (2-D) voxels a side to start with, and never larger than the image
    side = 256.0 if dims == 3 else 2048.0
    size = (
        np.asarray(fixed[3 - dims :])
        if fixed is not None
        else np.minimum(limit, side * space.prod() ** (1 / dims) / space)
    )
    why = "the median image"
    while True:
        kernels, strides = stage_plan(size.tolist(), space.tolist(), least=row.divisor)
        channels = tuple(min(base * 2**n, _MOST_CHANNELS[dims]) for n in range(len(strides)))
        down = np.lcm(np.prod(strides, axis=0), row.divisor)
        patch = tuple(int(n) for n in np.ceil(size / down) * down)
        shape = Shape(dims, 1, len(labels) + 1, patch, channels, kernels, strides, convolutions)
        if fixed is not None or 2 * training_bytes(shape) <= memory_gb * 1e9:
            return shape, why
        # the axis that is largest against the image gives way
        axis = int(np.argmax(np.asarray(patch) / limit))
        if patch[axis] <= 2 * down[axis]:
            axis = int(np.argmax(np.asarray(patch) / down))
        smaller = np.asarray(patch, float)
        smaller[axis] -= down[axis]
        if smaller[axis] < 8:
            raise PlanError(
                f"memory_gb = {memory_gb:g} is too little for this network; give more, or base_channels below {base}"
            )
        size, why = smaller, f"the median image, made smaller until a batch of 2 fits into {memory_gb:g} GB"
