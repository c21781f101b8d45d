"""The explicit mapping from the names of a plan to the steps of this room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.harmonise.combat import Combat
from isthmus.harmonise.volume import VolumeAdjustment
from isthmus.table.steps import Step

__all__ = ["STEPS"]

STEPS: Mapping[str, type[Step]] = MappingProxyType({step.name: step for step in (Combat, VolumeAdjustment)})
