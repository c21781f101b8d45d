"""Swin-UNet (Cao et al., ECCV Workshops 2022; arXiv 2105.05537): a U-shape of window attention alone. Maps grow by patch expanding."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from isthmus.deep.nets.cbam import convolution
from isthmus.deep.nets.swin import _Block, _Merging

__all__ = ["SwinUNet"]


class _Expanding(nn.Module):
    """Channels become neighbouring places: `factor` times as fine along every axis, `factor ** dims` times fewer channels
    than the linear layer gives."""

    def __init__(self, dims: int, width: int, out: int, factor: int = 2) -> None:
        super().__init__()
        self.dims, self.factor, self.out = dims, factor, out
        self.expand = nn.Linear(width, factor**dims * out, bias=False)
        self.norm = nn.LayerNorm(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, *size, _ = x.shape
        x = self.expand(x).reshape(batch, *size, *[self.factor] * self.dims, self.out)
        order = (0, *itertools.chain(*((1 + n, 1 + self.dims + n) for n in range(self.dims))), 1 + 2 * self.dims)
        return self.norm(x.permute(order).reshape(batch, *(n * self.factor for n in size), self.out))


def _stage(dims: int, width: int, depth: int, heads: int, window: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(dims, width, heads, window, n % 2 == 1) for n in range(depth)))


class SwinUNet(nn.Module):
    """Logits at the size of the image; Swin-T's first blocks down, the same number up again, skip connections between them.

    Parameters
    ----------
    dims : int
    channels, classes : int
        Of the image, of the logits.
    width : int
        Channels of the first stage.
    depths, heads : sequence of int
        Blocks and heads of each stage down; the stages up mirror all but the last.
    window, patch : int

    Notes
    -----
    Any size goes in: it is padded to a multiple of `patch * 2 ** (stages - 1)` and cut again. Without stochastic depth.
    """

    def __init__(
        self,
        dims: int = 2,
        channels: int = 1,
        classes: int = 2,
        width: int = 96,
        depths: Sequence[int] = (2, 2, 2, 2),
        heads: Sequence[int] = (3, 6, 12, 24),
        window: int = 7,
        patch: int = 4,
    ) -> None:
        super().__init__()
        self.dims = dims
        self.multiple = patch * 2 ** (len(depths) - 1)
        self.patch = convolution(dims)(channels, width, patch, stride=patch)
        self.patch_norm = nn.LayerNorm(width)
        widths = [width * 2**n for n in range(len(depths))]
        stages = list(zip(widths, depths, heads, strict=True))
        self.down = nn.ModuleList(_stage(dims, wide, depth, count, window) for wide, depth, count in stages)
        self.merging = nn.ModuleList(_Merging(dims, wide) for wide in widths[:-1])
        self.norm = nn.LayerNorm(widths[-1])
        self.expanding = nn.ModuleList(_Expanding(dims, 2 * wide, wide) for wide in widths[:-1])
        self.joining = nn.ModuleList(nn.Linear(2 * wide, wide) for wide in widths[:-1])
        self.up = nn.ModuleList(_stage(dims, wide, depth, count, window) for wide, depth, count in stages[:-1])
        self.norm_up = nn.LayerNorm(width)
        self.finest = _Expanding(dims, width, width, patch)
        self.head = nn.Linear(width, classes, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = x.shape[2:]
        x = functional.pad(x, tuple(n for s in reversed(size) for n in (0, -s % self.multiple)))
        x = self.patch_norm(self.patch(x).movedim(1, -1))
        skips = []
        for number, stage in enumerate(self.down):
            x = stage(x)
            if number < len(self.merging):
                skips.append(x)
                x = self.merging[number](x)
        x = self.norm(x)
        for number in reversed(range(len(skips))):
            x = self.joining[number](torch.cat([self.expanding[number](x), skips[number]], -1))
            x = self.up[number](x)
        x = self.head(self.finest(self.norm_up(x))).movedim(-1, 1)
        return x[(slice(None), slice(None), *(slice(0, n) for n in size))]
