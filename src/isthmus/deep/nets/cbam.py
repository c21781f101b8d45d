"""Convolutional block attention (Woo et al., ECCV 2018) in any number of dimensions: which channels matter, then which places."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["CBAM", "convolution"]


def convolution(dims: int) -> type[nn.Module]:
    """The convolution of so many dimensions."""
    return {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[dims]


class CBAM(nn.Module):
    """Weigh the channels of a map, then its places; the shape stays.

    Parameters
    ----------
    dims : int
        Spatial dimensions of the map.
    channels : int
    reduction : int
        How much narrower the hidden layer of the channel gate is.
    kernel : int
        Of the spatial gate; odd.
    """

    def __init__(self, dims: int, channels: int, reduction: int = 16, kernel: int = 7) -> None:
        super().__init__()
        layer, hidden = convolution(dims), max(channels // reduction, 1)
        self.channel = nn.Sequential(
            layer(channels, hidden, 1, bias=False), nn.ReLU(), layer(hidden, channels, 1, bias=False)
        )
        self.spatial = layer(2, 1, kernel, padding=kernel // 2, bias=False)
        self.places = tuple(range(2, 2 + dims))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean, most = x.mean(self.places, keepdim=True), x.amax(self.places, keepdim=True)
        x = x * (self.channel(mean) + self.channel(most)).sigmoid()
        return x * self.spatial(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)).sigmoid()
