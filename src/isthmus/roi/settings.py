"""[roi]: which outline is the lesion, for all blocks; a block may override each key."""

from __future__ import annotations

from isthmus.settings import Section

__all__ = ["RoiSettings"]


class RoiSettings(Section):
    """label: the mask's value, or the name of an RTSTRUCT's ROI; minimum_voxels: smaller masks are excluded."""

    label: int | str | None = None
    minimum_voxels: int | None = None
