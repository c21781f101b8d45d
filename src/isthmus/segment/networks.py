"""The segmentation networks: one row each. All give logits of the size of what they see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.deep.library import load_torch
from isthmus.errors import PlanError, did_you_mean, missing_extra

__all__ = ["NETWORKS", "SegmentationNetwork", "Shape", "build", "get_network", "levels", "logits", "stage_plan"]

_SMALLEST_MAP = 4
"""Voxels along a side of the coarsest map, at least."""


@dataclass(frozen=True)
class Shape:
    """What a network is built from: dimensions, channels of the image, classes with the background, the patch it sees, and for each stage
    channels, kernel and stride."""

    dims: int
    inputs: int
    classes: int
    patch: tuple[int, ...]
    channels: tuple[int, ...]
    kernels: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]
    convolutions: int = 2


@dataclass(frozen=True)
class SegmentationNetwork:
    """One row.

    Parameters
    ----------
    name : str
    build : function
        From a shape to the module.
    dims : tuple of int
    reference : str
    deep_supervision : bool
        It gives logits of several levels while it is trained.
    divisor : int
        Every side of the patch is a multiple of it (beside what the strides ask for).
    """

    name: str
    build: Callable[[Shape], Any]
    dims: tuple[int, ...]
    reference: str
    deep_supervision: bool = False
    divisor: int = 1


def get_network(name: str) -> SegmentationNetwork:
    """The row of a network.

    Raises
    ------
    PlanError
        There is none of this name.
    """
    if name not in NETWORKS:
        raise PlanError(
            f"segmentation network {name!r} is not known.{did_you_mean(name, NETWORKS)} There are {', '.join(NETWORKS)}"
        )
    return NETWORKS[name]


def build(name: str, shape: Shape, *, seed: int | None = 42) -> Any:
    """The module in evaluation mode, its random parameters drawn from `seed` (of the world's random state, where None).

    Raises
    ------
    PlanError
        There is no such network in so many dimensions, or the extra `deep` is not installed.
    """
    row = get_network(name)
    torch = load_torch(f"network {name!r}")
    if shape.dims not in row.dims:
        raise PlanError(f"network {name!r} exists in {' and '.join(f'{n}-D' for n in row.dims)}, not in {shape.dims}-D")
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return row.build(shape).eval()


def levels(module: Any, batch: Any) -> list[Any]:
    """Logits of every level, the finest first, of a module that is being trained."""
    _supervise(module, True)
    found = module(batch)
    if isinstance(found, list | tuple):
        return list(found)
    # MONAI's DynUNet stacks its levels, all of full size, along the second axis
    return list(found.unbind(1)) if found.ndim == batch.ndim + 1 else [found]


def logits(module: Any, batch: Any) -> Any:
    """Logits of the finest level, shape (n, classes, *places)."""
    _supervise(module, False)
    return module(batch)


def _supervise(module: Any, on: bool) -> None:
    from isthmus.deep.nets.plain_unet import PlainUNet

    if isinstance(module, PlainUNet):
        module.deep_supervision = on


def stage_plan(
    patch: Sequence[float], spacing_mm: Sequence[float], *, least: int = 1, most_stages: int = 7
) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """Kernels and strides of every stage for a patch of this size.

    An axis is halved while its map stays at least 4 voxels wide and its spacing is within twice the finest; its kernel is 3 wide from the
    stage on where its spacing is within twice the finest, 1 before. `least`: the patch will be rounded up to a multiple of it.
    """
    size = np.maximum(np.ceil(np.asarray(patch, float) / least) * least, 1)
    spacing = np.asarray(spacing_mm, float).copy()
    kernels, strides = [], [(1,) * len(size)]
    open_up = np.zeros(len(size), bool)
    while True:
        near = spacing / spacing.min() < 2
        open_up |= near
        kernels.append(tuple(3 if one else 1 for one in open_up))
        can = size >= 2 * _SMALLEST_MAP
        # the finest axes may be used up while others wait
        halved = can & (spacing < 2 * spacing[can].min()) if can.any() else can
        if not halved.any() or len(strides) >= most_stages:
            return tuple(kernels), tuple(strides)
        strides.append(tuple(2 if one else 1 for one in halved))
        size = np.where(halved, np.ceil(size / 2), size)
        spacing = np.where(halved, spacing * 2, spacing)


# ---------------------------------------------------------------------- how each is built


def _plain(attention: bool) -> Callable[[Shape], Any]:
    def made(shape: Shape) -> Any:
        from isthmus.deep.nets.plain_unet import PlainUNet

        return PlainUNet(
            shape.dims, shape.inputs, shape.classes, shape.channels, shape.kernels, shape.strides,
            convolutions=shape.convolutions, attention=attention,
        )  # fmt: skip

    return made


def _unet(shape: Shape) -> Any:
    from monai.networks.nets.unet import UNet

    return UNet(
        shape.dims,
        shape.inputs,
        shape.classes,
        shape.channels,
        _steps(shape),
        kernel_size=3,
        num_res_units=0,
        act="PRELU",
    )


def _attention_unet(shape: Shape) -> Any:
    from monai.networks.nets.attentionunet import AttentionUnet

    return AttentionUnet(shape.dims, shape.inputs, shape.classes, shape.channels, _steps(shape))


def _steps(shape: Shape) -> Any:
    """Strides between the stages; MONAI's U-Nets take them from the second stage on."""
    return [one[0] if len(set(one)) == 1 else one for one in shape.strides[1:]]


def _dynunet(shape: Shape) -> Any:
    from monai.networks.nets.dynunet import DynUNet

    return DynUNet(
        shape.dims, shape.inputs, shape.classes, shape.kernels, shape.strides, shape.strides[1:], filters=shape.channels,
        deep_supervision=len(shape.strides) > 2, deep_supr_num=max(len(shape.strides) - 3, 1),
    )  # fmt: skip


def _swin_unetr(shape: Shape) -> Any:
    if find_spec("einops") is None:
        raise missing_extra("network 'swin_unetr'", "einops", "deep")
    from monai.networks.nets.swin_unetr import SwinUNETR

    if max(shape.patch) <= 32:  # the deepest level would be a single voxel, which cannot be normalised
        raise PlanError(
            f"network 'swin_unetr': a patch of {shape.patch}; one side must be above 32. Set patch, or take another network"
        )
    # a width that its heads (3, 6, 12, 24) divide; 24 is the paper's small one
    width = max(12, 12 * (min(shape.channels[0], 48) // 12))
    return SwinUNETR(shape.inputs, shape.classes, feature_size=width, spatial_dims=shape.dims)


def _swin_unet(shape: Shape) -> Any:
    from isthmus.deep.nets.swin_unet import SwinUNet

    return SwinUNet(
        shape.dims, shape.inputs, shape.classes, width=3 * shape.channels[0]
    )  # 96, the paper's, for 32 channels


def _medt(shape: Shape) -> Any:
    from isthmus.deep.nets.medt import MedT

    width = max(shape.channels[0] // 2, 4)  # 16, the paper's, for 32 channels
    widths = (width, 2 * width, 4 * width, 8 * width)
    return MedT(shape.inputs, shape.classes, max(shape.patch), heads=width // 2, widths=widths)


def _rows() -> tuple[SegmentationNetwork, ...]:
    both = (2, 3)
    return (
        SegmentationNetwork(
            "cbam_unet", _plain(attention=True), both,
            "plain-convolution U-Net of nnU-Net (Isensee et al., Nat Methods 2021), attention after Woo et al., ECCV 2018",
            deep_supervision=True,
        ),
        SegmentationNetwork(
            "plain_unet", _plain(attention=False), both, "the same without attention: Isensee et al., Nat Methods 2021",
            deep_supervision=True,
        ),
        SegmentationNetwork("unet", _unet, both, "Ronneberger et al., MICCAI 2015 (MONAI)"),
        SegmentationNetwork("attention_unet", _attention_unet, both, "Oktay et al., MIDL 2018 (MONAI)"),
        SegmentationNetwork("dynunet", _dynunet, both, "nnU-Net's architecture (MONAI)", deep_supervision=True),
        SegmentationNetwork("swin_unetr", _swin_unetr, both, "Hatamizadeh et al., BrainLes 2022 (MONAI)", divisor=32),
        SegmentationNetwork("swin_unet", _swin_unet, both, "Cao et al., ECCV workshops 2022"),
        SegmentationNetwork("medt", _medt, (2,), "Valanarasu et al., MICCAI 2021"),
    )  # fmt: skip


NETWORKS: Mapping[str, SegmentationNetwork] = MappingProxyType({row.name: row for row in _rows()})
