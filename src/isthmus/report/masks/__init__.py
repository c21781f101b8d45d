"""The page of an assessment of masks: figures drawn from its tables alone, one module each (`data(tables)`, `size`, `caption`, `draw`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.report.masks import grades, limits, overlap, reliability

__all__ = ["FIGURES"]

FIGURES: Mapping[str, ModuleType] = MappingProxyType({m.NAME: m for m in (overlap, grades, limits, reliability)})
"""Name -> module, in the order of the page."""
