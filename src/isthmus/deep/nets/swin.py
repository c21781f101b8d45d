"""The Swin transformer (Liu et al., ICCV 2021) in two or three dimensions: attention in windows that move by half a window every other
block. Swin-T with the default settings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from isthmus.deep.nets.cbam import convolution

__all__ = ["SwinTransformer"]


class _Block(nn.Module):
    """Attention inside windows, then a hidden layer. Maps have their channels last."""

    def __init__(self, dims: int, width: int, heads: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.dims, self.heads, self.window, self.shifted = dims, heads, window, shifted
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros((2 * window - 1) ** dims, heads))
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        nn.init.trunc_normal_(self.bias, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self._attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def _attention(self, x: torch.Tensor) -> torch.Tensor:
        window, places = self.window, tuple(range(1, 1 + self.dims))
        size = x.shape[1:-1]
        x = functional.pad(x, (0, 0, *(n for s in reversed(size) for n in (0, -s % window))))
        padded = x.shape[1:-1]
        # a map that one window covers does not move along that axis
        shift = tuple(window // 2 if self.shifted and n > window else 0 for n in padded)
        if any(shift):
            x = x.roll(tuple(-s for s in shift), places)
        windows = _split(x, window, self.dims)
        count, tokens, width = windows.shape
        parts = self.qkv(windows).reshape(count, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        offset = self._position_bias()
        if any(shift):
            apart = _apart(padded, window, shift, x.device)
            offset = (offset + apart[:, None]).repeat(len(x), 1, 1, 1)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=offset)
        x = _join(self.projection(seen.transpose(1, 2).reshape(count, tokens, width)), window, padded)
        if any(shift):
            x = x.roll(shift, places)
        return x[(slice(None), *(slice(0, n) for n in size))]

    def _position_bias(self) -> torch.Tensor:
        """Bias of each pair of places in a window, by how far apart they are; shape (heads, places, places)."""
        window = self.window
        axes = torch.meshgrid(*[torch.arange(window, device=self.bias.device)] * self.dims, indexing="ij")
        index: Any = 0
        for axis in axes:
            flat = axis.flatten()
            index = index * (2 * window - 1) + flat[:, None] - flat[None, :] + window - 1
        return self.bias[index.flatten()].reshape(window**self.dims, window**self.dims, -1).permute(2, 0, 1)


def _split(x: torch.Tensor, window: int, dims: int) -> torch.Tensor:
    """(batch, *size, channels) to (batch * windows, places, channels)."""
    shape = [part for n in x.shape[1:-1] for part in (n // window, window)]
    x = x.reshape(x.shape[0], *shape, x.shape[-1])
    order = (0, *range(1, 2 * dims, 2), *range(2, 2 * dims + 1, 2), 2 * dims + 1)
    return x.permute(order).reshape(-1, window**dims, x.shape[-1])


def _join(x: torch.Tensor, window: int, size: Sequence[int]) -> torch.Tensor:
    """The inverse of `_split`."""
    dims, parts = len(size), [n // window for n in size]
    x = x.reshape(-1, *parts, *[window] * dims, x.shape[-1])
    order = (0, *(axis for n in range(dims) for axis in (1 + n, 1 + dims + n)), 1 + 2 * dims)
    return x.permute(order).reshape(x.shape[0], *size, x.shape[-1])


def _apart(size: Sequence[int], window: int, shift: Sequence[int], device: torch.device) -> torch.Tensor:
    """-100 for pairs of places that only the moving brought into one window; shape (windows, places, places)."""
    region = torch.zeros((1, *size, 1), device=device)
    ranges = [[slice(0, -window), slice(-window, -s), slice(-s, None)] if s else [slice(None)] for s in shift]
    for number, part in enumerate(itertools.product(*ranges)):
        region[0][part] = number
    flat = _split(region, window, len(size))[..., 0]
    return torch.where(flat[:, None, :] == flat[:, :, None], 0.0, -100.0)


class _Merging(nn.Module):
    """Neighbours along every axis become the channels of one place; half of the channels stay."""

    def __init__(self, dims: int, width: int) -> None:
        super().__init__()
        self.dims = dims
        self.norm = nn.LayerNorm(2**dims * width)
        self.reduction = nn.Linear(2**dims * width, 2 * width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.pad(x, (0, 0, *(n for s in reversed(x.shape[1:-1]) for n in (0, s % 2))))
        # the first axis fastest, as published
        starts = [corner[::-1] for corner in itertools.product(range(2), repeat=self.dims)]
        corners: list[list[slice]] = [[slice(start, None, 2) for start in corner] for corner in starts]
        pieces = [x[(slice(None), *every)] for every in corners]
        return self.reduction(self.norm(torch.cat(pieces, -1)))


class SwinTransformer(nn.Module):
    """Four stages of window attention, each half as fine as the one before.

    Parameters
    ----------
    dims : int
    channels, classes : int
    width : int
        Channels of the first stage.
    depths, heads : sequence of int
        Blocks and heads of each stage.
    window, patch : int
    """

    def __init__(
        self,
        dims: int = 2,
        channels: int = 3,
        classes: int = 1000,
        width: int = 96,
        depths: Sequence[int] = (2, 2, 6, 2),
        heads: Sequence[int] = (3, 6, 12, 24),
        window: int = 7,
        patch: int = 4,
    ) -> None:
        super().__init__()
        self.dims = dims
        self.patch = convolution(dims)(channels, width, patch, stride=patch)
        self.patch_norm = nn.LayerNorm(width)
        self.stages = nn.ModuleList()
        self.merging = nn.ModuleList()
        for number, (depth, count) in enumerate(zip(depths, heads, strict=True)):
            wide = width * 2**number
            self.stages.append(nn.Sequential(*(_Block(dims, wide, count, window, n % 2 == 1) for n in range(depth))))
            if number + 1 < len(depths):
                self.merging.append(_Merging(dims, wide))
        self.norm = nn.LayerNorm(wide)
        self.avgpool = nn.AdaptiveAvgPool3d(1) if dims == 3 else nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(wide, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch_norm(self.patch(x).movedim(1, -1))
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number < len(self.merging):
                x = self.merging[number](x)
        return self.head(self.avgpool(self.norm(x).movedim(-1, 1)).flatten(1))
