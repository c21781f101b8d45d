"""Preparation of an image before its features: bias field, clipping to a window, standardisation; registration of a mask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import CaseError
from isthmus.image.image import Image
from isthmus.image.prepare.bias_field import correct_bias_field
from isthmus.image.prepare.foreground import foreground
from isthmus.image.prepare.register import carry_over, find_transform
from isthmus.image.prepare.settings import PrepareSettings, StandardiseSettings
from isthmus.image.prepare.standardise import (
    fit_standard_scale,
    nyul,
    read_scale,
    white_stripe,
    write_scale,
    z_score,
)

__all__ = [
    "PrepareSettings",
    "carry_over",
    "find_transform",
    "fit_standard_scale",
    "prepare",
    "read_scale",
    "write_scale",
]


def prepare(image: Image, mask: NDArray[np.bool_], settings: PrepareSettings) -> Image:
    """The image after the bias field, clipping and standardisation that the settings ask for, in that order.

    Parameters
    ----------
    image : Image
    mask : bool array, shape (k, j, i)
        The lesion, for `standardise = { name = "z_score", within = "mask" }`.
    settings : PrepareSettings

    Returns
    -------
    Image
        The same object when nothing is asked for; else float32 after a bias field, float64 after standardisation (quantity "a.u."),
        and the image's own type after clipping alone.

    Raises
    ------
    CaseError
        A step is not defined for this image: negative intensities for N4, one value everywhere, standardisation of HU.
    """
    values = image.values
    if settings.bias_field is not None:
        values = correct_bias_field(image, settings.bias_field)
    if settings.clip is not None:
        values = _clipped(values, settings.clip)
    quantity = image.quantity
    if settings.standardise is not None:
        if image.quantity in ("HU", "SUVbw"):
            raise CaseError(
                f"standardise = {settings.standardise.name!r} on an image in {image.quantity}: these values have a unit that "
                "standardisation would throw away, and it depends on how much air is in the picture. Use clip instead"
            )
        values, quantity = _standardised(values, mask, settings.standardise), "a.u."
    return image if values is image.values else replace(image, values=values, quantity=quantity)


def _clipped(values: NDArray[Any], window: tuple[float, float]) -> NDArray[Any]:
    low, high = window
    if values.dtype.kind in "iu":  # the bounds that whole numbers can have
        limits = np.iinfo(values.dtype)
        low, high = max(np.ceil(low), limits.min), min(np.floor(high), limits.max)
    return np.clip(values, values.dtype.type(low), values.dtype.type(high))


def _standardised(values: NDArray[Any], mask: NDArray[np.bool_], settings: StandardiseSettings) -> NDArray[np.float64]:
    if settings.name == "nyul":
        assert settings.landmarks is not None
        landmarks = settings.landmarks
        return nyul(values, read_scale(landmarks) if isinstance(landmarks, str) else landmarks)
    if settings.name == "white_stripe":
        return white_stripe(
            values,
            stripe=settings.stripe,
            half_width=settings.half_width,
            scale=settings.scale,
            shift=settings.shift,
        )
    inside = mask if settings.within == "mask" else _voxels(values, settings.within)
    return z_score(values, inside, settings.scale, settings.shift)


def _voxels(values: NDArray[Any], within: str) -> NDArray[np.bool_]:
    """Every finite voxel, or those of the foreground."""
    return foreground(values) if within == "foreground" else np.isfinite(values)
