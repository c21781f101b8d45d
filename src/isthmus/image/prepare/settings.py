"""The keys of [image] that change an image before features are computed; a block may override each.

The last three say how image and mask are read. The others are applied in this order: registration, bias field, clipping,
standardisation. What a profile does itself (resampling, its own normalisation) comes afterwards.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from isthmus.settings import Section

__all__ = ["BiasFieldSettings", "PrepareSettings", "RegistrationSettings", "StandardiseSettings"]


PixelSize = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class BiasFieldSettings(Section):
    """N4: shrink: the field is estimated on every n-th voxel; iterations: per level; convergence: where a level stops."""

    name: Literal["n4"] = "n4"
    shrink: int = Field(default=4, ge=1, le=16)
    iterations: tuple[int, ...] = (50, 50, 50, 50)
    convergence: float = Field(default=0.001, gt=0)


class StandardiseSettings(Section):
    """name: "z_score", "nyul" or "white_stripe".

    within: the voxels that mean and deviation come from (z_score). scale, shift: the result is multiplied by `scale`, then
    `shift` is added (z_score, white_stripe). landmarks: the file of the standard scale, or its numbers (nyul). stripe: which
    tissue peak is taken, and half_width: how much of the distribution on either side of it (white_stripe).
    """

    name: Literal["z_score", "nyul", "white_stripe"]
    within: Literal["image", "foreground", "mask"] = "foreground"
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    shift: float = Field(default=0.0, allow_inf_nan=False)
    landmarks: str | tuple[float, ...] | None = None
    stripe: Literal["t1", "t2"] = "t1"
    half_width: float = Field(default=0.05, gt=0, lt=0.5)

    @field_validator("landmarks")
    @classmethod
    def _ascending(cls, landmarks: str | tuple[float, ...] | None) -> str | tuple[float, ...] | None:
        if isinstance(landmarks, tuple) and (len(landmarks) != 11 or list(landmarks) != sorted(set(landmarks))):
            raise ValueError(f"landmarks: expected 11 ascending numbers or the name of a file, came {list(landmarks)}")
        return landmarks


class RegistrationSettings(Section):
    """name: "rigid" moves this image onto the one the mask was drawn on; "same_frame" trusts the scanner's coordinates.

    bins: of the mutual information; iterations: at most, per level. A result that moves the image's centre by more than
    largest_shift_mm, or turns it by more than largest_turn_deg, excludes the case: two scans of one patient that lie further
    apart were not registered, they were lost.
    """

    name: Literal["rigid", "same_frame"]
    bins: int = Field(default=24, ge=8)
    iterations: int = Field(default=200, ge=1)
    largest_shift_mm: float = Field(default=20.0, gt=0)
    largest_turn_deg: float = Field(default=15.0, gt=0)


class PrepareSettings(Section):
    """clip: lowest and highest value kept (a window), either may be open (TOML: `-inf`, `inf`).

    bias_field: "n4". standardise: "z_score", "nyul" or "white_stripe". register: "rigid" or "same_frame", for an image that is not
    the one its mask was drawn on. Each may also be a table with `name` and settings. pictures: a before-and-after picture of each
    case. quality_exclude: the quality checks that exclude a case; the others are only reported. pixel_spacing_mm: the distance of the
    pixels of a picture or ultrasound frame, one number or two (between rows, between columns). allow_colour: take coloured frames by
    their luma. resample_mask: bring a mask that lies on another grid onto the image's by nearest neighbour; a note counts the voxels.
    """

    clip: tuple[float, float] | None = None
    bias_field: BiasFieldSettings | None = None
    standardise: StandardiseSettings | None = None
    register_: RegistrationSettings | None = Field(default=None, alias="register")
    pictures: bool = True
    quality_exclude: tuple[str, ...] = ()
    pixel_spacing_mm: PixelSize | tuple[PixelSize, PixelSize] | None = None
    allow_colour: bool = False
    resample_mask: bool = False

    @field_validator("bias_field", "standardise", "register_", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("clip")
    @classmethod
    def _ascending(cls, clip: tuple[float, float] | None) -> tuple[float, float] | None:
        if clip is not None and (math.isnan(sum(clip)) or not clip[0] < clip[1]):
            raise ValueError(f"clip = {list(clip)}: the first number must lie below the second")
        return clip

    @field_validator("standardise")
    @classmethod
    def _with_landmarks(cls, value: StandardiseSettings | None) -> StandardiseSettings | None:
        if value is not None and value.name == "nyul" and value.landmarks is None:
            raise ValueError(
                'standardise = "nyul" needs landmarks = "FILE", the standard scale; '
                "`isthmus landmarks` learns one from development images"
            )
        return value

    @field_validator("quality_exclude")
    @classmethod
    def _checks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from isthmus.errors import did_you_mean
        from isthmus.image.quality import CHECKS

        for name in names:
            if name not in CHECKS:
                raise ValueError(f"quality_exclude: no check is called {name!r}.{did_you_mean(name, CHECKS)}")
        return names

    @property
    def changes(self) -> bool:
        """Whether any step is asked for."""
        return any(step is not None for step in (self.clip, self.bias_field, self.standardise, self.register_))
