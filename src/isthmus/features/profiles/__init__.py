"""Profiles: a vocabulary of features with its rules for discretisation, resampling and what is left undefined."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.errors import PlanError, did_you_mean
from isthmus.features.profiles import pyradiomics

__all__ = ["PROFILES", "get_profile"]

PROFILES: Mapping[str, ModuleType] = MappingProxyType({module.NAME: module for module in (pyradiomics,)})


def get_profile(name: str) -> ModuleType:
    """The profile of that name; an unknown one is a PlanError that lists those there are."""
    if name in PROFILES:
        return PROFILES[name]
    raise PlanError(f"unknown feature profile {name!r}.{did_you_mean(name, PROFILES)}")
