"""The shortcut of type A (He et al., CVPR 2016): no parameters."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["PaddedShortcut"]


class PaddedShortcut(nn.Module):
    """Every `stride`-th voxel, and zeros for the channels that are new.

    Parameters
    ----------
    channels : int
        That come out.
    stride : int
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[..., :: self.stride, :: self.stride, :: self.stride]
        empty = torch.zeros((len(x), self.channels - x.shape[1], *x.shape[2:]), dtype=x.dtype, device=x.device)
        return torch.cat([x, empty], 1)
