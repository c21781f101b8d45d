"""The vision transformer (Dosovitskiy et al., ICLR 2021) in two or three dimensions, with a position for the class token as published."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from isthmus.deep.nets.cbam import convolution

__all__ = ["VisionTransformer"]

_EPSILON = 1e-6


class _Block(nn.Module):
    """Attention among the patches, then a hidden layer, each added to what came."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=_EPSILON)
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=_EPSILON)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        parts = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.projection(seen.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patches as words, a class token before them.

    Parameters
    ----------
    dims : int
    size : int
        Pixels or voxels along a side of the input, a multiple of `patch`.
    patch : int
    channels, classes : int
    width, depth, heads, hidden : int
        Those of ViT-B by default.
    """

    def __init__(
        self,
        dims: int = 2,
        size: int = 224,
        patch: int = 16,
        channels: int = 3,
        classes: int = 1000,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
    ) -> None:
        super().__init__()
        self.patch = convolution(dims)(channels, width, patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + (size // patch) ** dims, width))
        self.blocks = nn.Sequential(*(_Block(width, heads, hidden) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        self.head = nn.Linear(width, classes)
        nn.init.normal_(self.positions, std=0.02)
        nn.init.trunc_normal_(self.patch.weight, std=math.sqrt(1 / (channels * patch**dims)))  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        words = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(words), -1, -1), words], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])
