"""Random changes of training crops, so that a network does not learn what a scanner or a hand would do differently next time."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from isthmus.deep.library import load_torch
from isthmus.settings import Section

__all__ = ["AugmentSettings", "augment"]


class AugmentSettings(Section):
    """How far crops are changed; each crop draws its own change, uniformly within the limits.

    probability: of a crop being changed at all. scale: smallest and largest factor. rotation_deg: to either side, about every axis in 3-D.
    shift: of the crop's side, along each axis. shear: how far one axis leans over another. flip: axes that may be mirrored (0 is the
    first). contrast: smallest and largest factor around the crop's mean. noise: standard deviation, of the crop's own.
    """

    probability: float = Field(default=0.8, ge=0, le=1)
    scale: tuple[float, float] = (0.9, 1.1)
    rotation_deg: float = Field(default=15.0, ge=0, le=180)
    shift: float = Field(default=0.05, ge=0, lt=1)
    shear: float = Field(default=0.05, ge=0, lt=1)
    flip: tuple[int, ...] = ()
    contrast: tuple[float, float] = (0.8, 1.2)
    noise: float = Field(default=0.05, ge=0)

    @field_validator("scale", "contrast")
    @classmethod
    def _ascending(cls, limits: tuple[float, float]) -> tuple[float, float]:
        if not 0 < limits[0] <= limits[1]:
            raise ValueError(f"{list(limits)}: two factors above 0, the second not smaller")
        return limits


def augment(batch: Any, settings: AugmentSettings, generator: Any) -> Any:
    """Crops changed at random, of the same shape and on the same device.

    Parameters
    ----------
    batch : tensor, shape (crops, channels, *places)
    settings : AugmentSettings
    generator : torch.Generator
        On the processor, so that the same seed draws the same changes on any device.
    """
    torch = load_torch()
    count, dims = len(batch), batch.ndim - 2

    def drawn(low: float, high: float, *more: int) -> Any:
        return torch.rand((count, *more), generator=generator) * (high - low) + low

    changed = drawn(0, 1) < settings.probability
    matrix = _matrices(drawn, dims, settings)
    contrast, noise = drawn(*settings.contrast), torch.randn(batch.shape, generator=generator) * settings.noise
    unchanged = torch.eye(dims, dims + 1).expand(count, -1, -1)
    matrix = torch.where(changed[:, None, None], matrix, unchanged).to(batch.device)
    contrast = torch.where(changed, contrast, 1.0).to(batch.device)
    noise = torch.where(changed.reshape(-1, *[1] * (dims + 1)), noise, 0.0).to(batch.device)
    grid = torch.nn.functional.affine_grid(matrix, list(batch.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(batch, grid, padding_mode="border", align_corners=False)
    # a crop that is not changed keeps its bits: sampling at its own places would round them
    moved = torch.where(changed.reshape(-1, *[1] * (dims + 1)).to(batch.device), moved, batch)
    shape = (count, *[1] * (dims + 1))
    mean = moved.flatten(1).mean(1).reshape(shape)
    spread = moved.flatten(1).std(1).reshape(shape)
    return (moved - mean) * contrast.reshape(shape) + mean + noise * spread


def _matrices(drawn: Any, dims: int, settings: AugmentSettings) -> Any:
    """From places of the new crop to places of the old, shape (crops, dims, dims + 1), in torch's order of axes (the last first)."""
    torch = load_torch()
    found = torch.eye(dims).expand(len(drawn(0, 1)), -1, -1)
    for one in range(dims):
        for other in range(one + 1, dims):
            angle = torch.deg2rad(drawn(-settings.rotation_deg, settings.rotation_deg))
            turn = torch.eye(dims).repeat(len(angle), 1, 1)
            turn[:, one, one], turn[:, other, other] = angle.cos(), angle.cos()
            turn[:, one, other], turn[:, other, one] = -angle.sin(), angle.sin()
            found = found @ turn
    lean = torch.eye(dims) + drawn(-settings.shear, settings.shear, dims, dims) * (1 - torch.eye(dims))
    found = found @ lean / drawn(*settings.scale)[:, None, None]
    for axis in settings.flip:
        mirrored = torch.where(drawn(0, 1) < 0.5, -1.0, 1.0)
        found[:, :, dims - 1 - axis] = found[:, :, dims - 1 - axis] * mirrored[:, None]
    return torch.cat([found, drawn(-2 * settings.shift, 2 * settings.shift, dims)[:, :, None]], 2)
