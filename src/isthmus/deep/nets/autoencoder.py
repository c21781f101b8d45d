"""A convolutional autoencoder with attention over channels and places (CBAM) after every stage, in two or three dimensions."""

from __future__ import annotations

import torch
from torch import nn

from isthmus.deep.nets.cbam import CBAM, convolution

__all__ = ["AttentionAutoencoder", "VariationalAutoencoder"]


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


class VariationalAutoencoder(AttentionAutoencoder):
    """The same with a code that is a distribution (Kingma and Welling, ICLR 2014): normal, its mean the code, its spread learned.

    In training a code is drawn; in evaluation mode it is the mean, so that the same crop gives the same code. `divergence` of the last pass
    is what training adds to the mean squared difference: `2 noise^2 / values` times the Kullback-Leibler divergence from the standard
    normal, which makes their sum, up to a factor and a constant, the negative evidence lower bound of a crop whose values are normal around
    what comes out, with the deviation `noise`.

    Parameters
    ----------
    noise : float
        In the units of the crop, whose values mostly lie between 0 and 1.
    """

    def __init__(
        self, dims: int = 2, size: int = 64, channels: int = 1, code: int = 128, width: int = 16, noise: float = 0.1
    ) -> None:
        super().__init__(dims, size, channels, code, width)
        self.spread = nn.Linear(self.code.in_features, code)
        self.noise = noise
        self.divergence = torch.zeros(())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.encoder(x).flatten(1)
        mean, log_variance = self.code(inner), self.spread(inner).clamp(-20, 20)
        apart = (mean**2 + log_variance.exp() - 1 - log_variance).sum(1) / 2
        self.divergence = 2 * self.noise**2 * apart.mean() / x[0].numel()
        code = mean
        if self.training:
            code = mean + (log_variance / 2).exp() * torch.randn(mean.shape).to(mean)
        return self.decoder(self.expand(code).relu().reshape(-1, *self.shape))
