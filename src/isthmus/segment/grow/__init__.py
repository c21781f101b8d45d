"""Masks from a few clicks, without training: thresholds, region growing, morphological snakes, GrowCut."""

from __future__ import annotations

from isthmus.segment.grow.grow import METHODS, grow, grow_recorded, grow_settings
from isthmus.segment.grow.seeds import Seeds, read_seeds

__all__ = ["METHODS", "Seeds", "grow", "grow_recorded", "grow_settings", "read_seeds"]
