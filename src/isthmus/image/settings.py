"""[image]: how images are brought to one grid, for all blocks; a block may override each key."""

from __future__ import annotations

from isthmus.image.geometry import Spacing
from isthmus.settings import Section

__all__ = ["ImageSettings"]


class ImageSettings(Section):
    """spacing_mm: new voxel spacing (k, j, i); interpolation: as the profile names it.

    Unset keys are the profile's own.
    """

    spacing_mm: Spacing | None = None
    interpolation: str | None = None
