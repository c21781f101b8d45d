"""IBSI's vocabulary of features: one module per family of the reference manual, a table of its features in the manual's order.

A family module has `NAME`, `FEATURES` and `AGGREGATIONS` (IBSI codes of how its matrices are joined; empty where it has none), and
`UNDEFINED` where all its features can lack a value together. Its numbers come from the core, or from `features/morphology.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.features.ibsi import (
    glcm,
    gldzm,
    glrlm,
    glszm,
    intensity_histogram,
    intensity_statistics,
    intensity_volume_histogram,
    local_intensity,
    morphology,
    ngldm,
    ngtdm,
)
from isthmus.features.ibsi.aggregations import SUFFIXES

__all__ = ["FAMILIES", "SUFFIXES", "TEXTURES"]

# in the order of the columns
TEXTURES: Mapping[str, ModuleType] = MappingProxyType(
    {module.NAME: module for module in (glcm, glrlm, glszm, gldzm, ngtdm, ngldm)}
)
_OTHERS = (morphology, local_intensity, intensity_statistics, intensity_histogram, intensity_volume_histogram)
FAMILIES: Mapping[str, ModuleType] = MappingProxyType({**{module.NAME: module for module in _OTHERS}, **TEXTURES})
