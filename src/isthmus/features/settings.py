"""[[features]]: one block of features from one image and its mask."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from isthmus.image.prepare.settings import PrepareSettings
from isthmus.roi.settings import Label, RegionSettings
from isthmus.settings import Section

__all__ = ["PREPARE_KEYS", "REGION_KEYS", "BlockKind", "FeatureBlock"]

BlockKind = Literal["radiomics", "ited", "ithscore", "habitat", "deep"]

# as a plan spells them
PREPARE_KEYS = frozenset(field.alias or name for name, field in PrepareSettings.model_fields.items())
REGION_KEYS = frozenset(RegionSettings.model_fields)


class FeatureBlock(Section):
    """One block.

    name: the block's name. kind: what is measured: features of the region as a whole ("radiomics"), what its supervoxels say ("ited",
    "ithscore", "habitat"), or what a frozen network makes of it ("deep"). image, mask: the columns `image:<name>` and `mask:<name>`
    (mask: the image's name unless said).
    profile: a name of `features.PROFILES`. params: a PyRadiomics parameter file, relative to the plan. Both of "radiomics" only.
    aggregate: how several rows of one patient become one: "mean", "max", "largest" (the row with the largest ROI), or
    "predictions" (the model sees every row, the patient's probability is the mean of theirs).
    scores: of kind "ithscore", those that models read (default: all); radiomics features are chosen by keys of their profile.
    Every other key is a setting of the profile (or, of another kind, a part of [habitat] or [deep]), of the preparation of the image, or
    of the region, and overrides [image], [roi], [habitat] and [deep].
    """

    model_config = Section.model_config | {"extra": "allow"}

    name: str = Field(min_length=1)
    kind: BlockKind = "radiomics"
    image: str
    mask: str | None = None
    profile: str = "pyradiomics"
    params: str | None = None
    label: Label = None
    aggregate: Literal["mean", "max", "largest", "predictions"] = "mean"
    scores: list[str] = Field(default=[])

    @property
    def overrides(self) -> dict[str, Any]:
        """The keys that belong to the profile, or the parts of [habitat] or [deep]."""
        return {key: value for key, value in (self.model_extra or {}).items() if key not in PREPARE_KEYS | REGION_KEYS}

    @property
    def of_supervoxels(self) -> bool:
        """Is it of a kind that is made of supervoxels?"""
        return self.kind in ("ited", "ithscore", "habitat")

    @property
    def learns(self) -> bool:
        """Are its columns made by a step that learns on training rows?"""
        return self.kind in ("ited", "habitat")

    @property
    def preparation(self) -> dict[str, Any]:
        """The keys that say how the image is prepared."""
        return {key: value for key, value in (self.model_extra or {}).items() if key in PREPARE_KEYS}

    @property
    def region(self) -> dict[str, Any]:
        """The keys that say which region is made of the lesion."""
        return {key: value for key, value in (self.model_extra or {}).items() if key in REGION_KEYS}

    @property
    def mask_name(self) -> str:
        return self.mask or self.image
