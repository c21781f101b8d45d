"""A convolutional autoencoder with attention over channels and places (CBAM) after every stage, in two or three dimensions."""

from __future__ import annotations

import torch
from torch import nn

from isthmus.deep.nets.cbam import CBAM, convolution

__all__ = ["AttentionAutoencoder"]


def _norm(dims: int) -> type[nn.Module]:
    return {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[dims]


class AttentionAutoencoder(nn.Module):
    """Crops to `code` numbers and back. Each of four stages halves the side and doubles the channels.

    Parameters
    ----------
    dims : int
    size : int
        Of the crop, along a side; a multiple of 16.
    channels : int
    code : int
        How many numbers stand for a crop.
    width : int
        Channels of the first stage.
    """

    def __init__(self, dims: int = 2, size: int = 64, channels: int = 1, code: int = 128, width: int = 16) -> None:
        super().__init__()
        wide = [width * 2**stage for stage in range(4)]
        layer, norm = convolution(dims), _norm(dims)
        stages: list[nn.Module] = []
        for before, after in zip([channels, *wide[:-1]], wide, strict=True):
            stages += [layer(before, after, 3, stride=2, padding=1, bias=False), norm(after), nn.ReLU()]
            stages += [layer(after, after, 3, padding=1, bias=False), norm(after), nn.ReLU(), CBAM(dims, after)]
        self.encoder = nn.Sequential(*stages)
        self.shape = (wide[-1], *[size // 16] * dims)
        places = (size // 16) ** dims
        self.code = nn.Linear(wide[-1] * places, code)
        self.expand = nn.Linear(code, wide[-1] * places)
        stages = []
        for before, after in zip(wide[::-1], [*wide[-2::-1], width], strict=True):
            stages += [nn.Upsample(scale_factor=2, mode="nearest"), layer(before, after, 3, padding=1, bias=False)]
            stages += [norm(after), nn.ReLU()]
        self.decoder = nn.Sequential(*stages, layer(width, channels, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        code = self.code(self.encoder(x).flatten(1))
        return self.decoder(self.expand(code).relu().reshape(-1, *self.shape))
