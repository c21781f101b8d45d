"""IBSI's vocabulary of features: the families of the reference manual in its order, and how textures are joined.

The tables of the texture families lie here, in the manual's order; the other families are IBSI's alone and lie one folder up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.features import intensity_histogram, intensity_statistics, intensity_volume_histogram
from isthmus.features.ibsi import glcm, gldzm, glrlm, glszm, ngldm, ngtdm
from isthmus.features.ibsi.aggregations import DIRECTIONAL, SUFFIXES, UNDIRECTED

__all__ = ["DIRECTIONAL", "FAMILIES", "SUFFIXES", "TEXTURES", "UNDIRECTED"]

# in the order of the columns; each has NAME and FEATURES, a texture also AGGREGATIONS
TEXTURES: Mapping[str, ModuleType] = MappingProxyType(
    {module.NAME: module for module in (glcm, glrlm, glszm, gldzm, ngtdm, ngldm)}
)
FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {
        **{
            module.NAME: module
            for module in (
                intensity_statistics,
                intensity_histogram,
                intensity_volume_histogram,
            )
        },
        **TEXTURES,
    }
)
