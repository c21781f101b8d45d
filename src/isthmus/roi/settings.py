"""[roi]: which outline is the lesion and which region is made of it, for all blocks; a block may override each key."""

from __future__ import annotations

from pydantic import field_validator

from isthmus.settings import Section

__all__ = ["Label", "RegionSettings", "RoiSettings"]

# the value in a mask, the name in an RTSTRUCT or SEG, several as one lesion, or None: the only one, or 1
Label = int | str | tuple[int | str, ...] | None


class RegionSettings(Section):
    """margin_mm: grow (or, negative, shrink) the lesion. ring_mm: the tissue between two distances from it instead, such as [0, 5].

    within: the mask column (`mask:<within>`) of the organ that a ring, or what a margin adds, is clipped to, and within_label: its label
    there.
    """

    margin_mm: float | None = None
    ring_mm: tuple[float, float] | None = None
    within: str | None = None
    within_label: int | str | None = None

    @field_validator("ring_mm")
    @classmethod
    def _outwards(cls, ring: tuple[float, float] | None) -> tuple[float, float] | None:
        if ring is not None and not (ring[0] < ring[1] and ring[1] > 0):
            raise ValueError(f"ring_mm = {list(ring)}: two distances in mm, the second larger and above 0")
        return ring

    @property
    def changes(self) -> bool:
        """Whether the region is another than the lesion."""
        return bool(self.margin_mm) or self.ring_mm is not None


class RoiSettings(RegionSettings):
    """label: the mask's value, the name of an RTSTRUCT's ROI, or a list of them as one lesion; minimum_voxels: smaller masks are excluded.

    And the keys of `RegionSettings`.
    """

    label: Label = None
    minimum_voxels: int | None = None
