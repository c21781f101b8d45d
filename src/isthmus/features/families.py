"""The families, in the order of the columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.features import firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape

__all__ = ["FAMILIES"]

FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {module.NAME: module for module in (shape, firstorder, glcm, glrlm, glszm, gldm, ngtdm)}
)
