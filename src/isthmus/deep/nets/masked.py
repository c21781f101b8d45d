"""Crops with patches painted over, and a network that says what was there: what a body learns from without labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from isthmus.deep.nets.cbam import convolution

__all__ = ["MaskedCrops"]

_JUDGED = 20260101  # which patches are painted over while judging: the same ones every time


class MaskedCrops(nn.Module):
    """A network whose maps say, by one linear layer, the pixels of patches that it was not shown.

    Gives the crop again: shown places as they are, painted ones as predicted, so that the mean squared difference from the crop is that of
    the painted places. The masks are drawn anew in every pass of training (from torch's random state) and are the same in every pass of
    judging.

    Parameters
    ----------
    body : Module
        Changed by training, its classifying layers apart.
    maps : function
        From an output of `layer` to (crops, channels, *places).
    layer : str
        The module of the body whose output is read.
    shape : tuple of int
        Channels and places of a crop.
    share : float
        Of the patches, painted over.
    patch : int
        Along a side.
    """

    def __init__(
        self,
        body: nn.Module,
        maps: Callable[[torch.Tensor], torch.Tensor],
        layer: str,
        shape: tuple[int, ...],
        share: float,
        patch: int,
    ) -> None:
        super().__init__()
        self.body, self.maps, self.share, self.patch = body, maps, share, patch
        self._kept: list[torch.Tensor] = []
        self._hook = body.get_submodule(layer).register_forward_hook(lambda *call: self._kept.append(call[-1]))
        body.eval()
        with torch.inference_mode():
            found = self._through(torch.zeros(1, *shape))
        self.factor = max(-(-size // small) for size, small in zip(shape[1:], found.shape[2:], strict=True))
        self.channels, self.places = shape[0], shape[1:]
        self.decode = convolution(len(self.places))(found.shape[1], self.channels * self.factor ** len(self.places), 1)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        painted = self._painted(len(crops)).to(crops.device)
        grey = crops.mean(tuple(range(2, crops.ndim)), keepdim=True)
        found = self._patches(self.decode(self._through(torch.where(painted, grey, crops))))
        return torch.where(painted, found, crops)

    def close(self) -> None:
        """Leave the body as a plain network again."""
        self._hook.remove()

    def _through(self, crops: torch.Tensor) -> torch.Tensor:
        self._kept.clear()
        self.body(crops)
        return self.maps(self._kept.pop())

    def _painted(self, count: int) -> torch.Tensor:
        draw = None if self.training else torch.Generator().manual_seed(_JUDGED)
        grid = [-(-size // self.patch) for size in self.places]
        mask = torch.rand(count, 1, *grid, generator=draw) < self.share
        for axis, size in enumerate(self.places, 2):
            mask = mask.repeat_interleave(self.patch, axis).narrow(axis, 0, size)
        return mask

    def _patches(self, maps: torch.Tensor) -> torch.Tensor:
        """Each place of the map as the pixels it stands for, brought to the size of the crop."""
        dims, factor = len(self.places), self.factor
        small = maps.shape[2:]
        apart = maps.reshape(len(maps), self.channels, *[factor] * dims, *small)
        order = [0, 1, *(axis for place in range(dims) for axis in (2 + dims + place, 2 + place))]
        whole = apart.permute(order).reshape(len(maps), self.channels, *(factor * size for size in small))
        if tuple(whole.shape[2:]) == tuple(self.places):
            return whole
        mode = {2: "bilinear", 3: "trilinear"}[dims]
        return functional.interpolate(whole, size=self.places, mode=mode, align_corners=False)
