"""Taking the scanner and the hospital out of the features: steps that are fitted on training rows and applied to one
patient of a known centre as to a thousand."""

from __future__ import annotations

from isthmus.harmonise.combat import Combat
from isthmus.harmonise.registry import STEPS
from isthmus.harmonise.settings import HarmoniseSettings

__all__ = ["STEPS", "Combat", "HarmoniseSettings"]
