"""[image]: how images are prepared and brought to one grid, for all blocks; a block may override each key."""

from __future__ import annotations

from isthmus.image.geometry import Spacing
from isthmus.image.prepare.settings import PrepareSettings

__all__ = ["ImageSettings"]


class ImageSettings(PrepareSettings):
    """spacing_mm: new voxel spacing (k, j, i); interpolation: as the profile names it; unset, they are the profile's own.

    And the keys of `PrepareSettings`.
    """

    spacing_mm: Spacing | None = None
    interpolation: str | None = None
