"""What every filter shares: the base of its settings, and boxes of voxels."""

from __future__ import annotations

from isthmus.image.box import Box, widened
from isthmus.settings import Section

__all__ = ["Box", "FilterSettings", "widened"]


class FilterSettings(Section):
    """name: which filter; each filter's own settings stand in its module."""

    name: str
