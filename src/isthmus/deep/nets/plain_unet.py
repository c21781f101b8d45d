"""A plain-convolution U-Net in the nnU-Net style (Isensee et al., Nat Methods 2021), with attention at the end of every stage if wanted.

Attention of this network is simpler than CBAM (Woo et al., ECCV 2018): the channel gate knows means only and is one full layer, and the
spatial kernel is 5 wide.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from isthmus.deep.nets.cbam import convolution

__all__ = ["AttentionUnit", "ConvolutionUnit", "PlainUNet"]

SLOPE = 0.01


def _norm(dims: int) -> type[nn.Module]:
    return {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}[dims]


class ConvolutionUnit(nn.Module):
    """Convolution, instance norm, leaky ReLU (which a unit before an attention unit's gates leaves out)."""

    def __init__(
        self, dims: int, inputs: int, outputs: int, kernel: Sequence[int], stride: Sequence[int], *, active: bool = True
    ) -> None:
        super().__init__()
        padding = tuple((side - 1) // 2 for side in kernel)
        self.convolution = convolution(dims)(inputs, outputs, tuple(kernel), tuple(stride), padding)
        self.norm = _norm(dims)(outputs, eps=1e-5, affine=True)
        self.active = nn.LeakyReLU(SLOPE) if active else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.active(self.norm(self.convolution(x)))
        return found


class AttentionUnit(nn.Module):
    """Convolution and norm without activation, then a gate for each channel, then one for each place."""

    def __init__(self, dims: int, inputs: int, outputs: int, kernel: Sequence[int], stride: Sequence[int]) -> None:
        super().__init__()
        layer = convolution(dims)
        self.body = ConvolutionUnit(dims, inputs, outputs, kernel, stride, active=False)
        self.channel = layer(outputs, outputs, 1)
        self.spatial = layer(2, 1, 5, padding=2, bias=False)
        self.places = tuple(range(2, 2 + dims))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.body(x)
        x = x * self.channel(x.mean(self.places, keepdim=True)).sigmoid()
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        gated: torch.Tensor = x * self.spatial(both).sigmoid()
        return gated


def _stage(
    dims: int, inputs: int, outputs: int, kernel: Sequence[int], stride: Sequence[int], count: int, attention: bool
) -> nn.Sequential:
    """`count` convolutions; the first carries the stride, the last one the attention, followed by a leaky ReLU."""
    still = (1,) * dims
    units: list[nn.Module] = []
    for number in range(count):
        first, last = number == 0, number == count - 1
        shape = (dims, inputs if first else outputs, outputs, kernel, stride if first else still)
        units += [AttentionUnit(*shape), nn.LeakyReLU(SLOPE)] if last and attention else [ConvolutionUnit(*shape)]
    return nn.Sequential(*units)


class PlainUNet(nn.Module):
    """Encoder of stages, decoder of one level fewer, one segmentation layer a level.

    Parameters
    ----------
    dims, inputs, classes : int
        Classes with the background.
    channels : sequence of int
        One a stage.
    kernels, strides : sequence of sequence of int
        One a stage; the first stride is usually 1.
    convolutions : int
        In every stage; at least 2, as the first carries the stride and the last the attention.
    attention : bool
    deep_supervision : bool
        May be set at any time. On, the network gives a list of logits, the finest first; off, only the finest. Parameters are the same.

    Raises
    ------
    ValueError
        Fewer than 2 convolutions, fewer than 2 stages, or lists of different lengths.
    """

    def __init__(
        self,
        dims: int,
        inputs: int,
        classes: int,
        channels: Sequence[int],
        kernels: Sequence[Sequence[int]],
        strides: Sequence[Sequence[int]],
        *,
        convolutions: int = 2,
        attention: bool = True,
        deep_supervision: bool = True,
    ) -> None:
        super().__init__()
        if convolutions < 2:
            raise ValueError(f"convolutions = {convolutions}: a stage needs 2 or more")
        if len(channels) < 2 or not len(channels) == len(kernels) == len(strides):
            raise ValueError(
                f"{len(channels)} channels, {len(kernels)} kernels and {len(strides)} strides; one of each a stage, 2 stages or more"
            )
        widths = [inputs, *channels]
        self.encoder = nn.ModuleList(
            _stage(dims, widths[n], widths[n + 1], kernels[n], strides[n], convolutions, attention)
            for n in range(len(channels))
        )
        transposed: type[nn.Module] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}[dims]
        still, levels = (1,) * dims, list(range(len(channels) - 2, -1, -1))
        self.up = nn.ModuleList(
            transposed(channels[n + 1], channels[n], tuple(strides[n + 1]), tuple(strides[n + 1])) for n in levels
        )
        self.decoder = nn.ModuleList(
            _stage(dims, 2 * channels[n], channels[n], kernels[n], still, convolutions, attention) for n in levels
        )
        self.heads = nn.ModuleList(convolution(dims)(channels[n], classes, 1) for n in levels)
        self.deep_supervision = deep_supervision
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        skips = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        outputs: list[torch.Tensor] = []
        for level, (up, stage, head) in enumerate(zip(self.up, self.decoder, self.heads, strict=True)):
            x = stage(torch.cat([up(x), skips[-2 - level]], 1))
            if self.deep_supervision or level == len(self.up) - 1:
                outputs.insert(0, head(x))
        return outputs if self.deep_supervision else outputs[0]
