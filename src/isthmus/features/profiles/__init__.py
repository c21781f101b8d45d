"""Profiles: a vocabulary of features with its rules for discretisation, resampling and what is left undefined."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.errors import PlanError
from isthmus.features.profiles import pyradiomics

__all__ = ["PROFILES", "get_profile"]

PROFILES: Mapping[str, ModuleType] = MappingProxyType({module.NAME: module for module in (pyradiomics,)})


def get_profile(name: str) -> ModuleType:
    """The profile of that name; an unknown one is a PlanError that lists those there are."""
    if name in PROFILES:
        return PROFILES[name]
    near = difflib.get_close_matches(name, PROFILES, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise PlanError(f"unknown feature profile {name!r}.{hint} Known: {', '.join(PROFILES)}")
