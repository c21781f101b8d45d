"""Profiles: a vocabulary of features with its rules for discretisation, resampling and what is left undefined."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.errors import PlanError, did_you_mean
from isthmus.features.profiles import aview131, ibsi, lvlnm1357, pyradiomics, sera215, uptake
from isthmus.features.profiles._configured import Configured
from isthmus.features.profiles.ibsi_configurations import CONFIGURATIONS
from isthmus.features.profiles.pyradiomics_counts import COUNTS

__all__ = ["PROFILES", "get_profile"]

Profile = ModuleType | Configured  # both have NAME, Settings, columns, compute, measured and grey_levels

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        **{module.NAME: module for module in (pyradiomics, ibsi, uptake)},
        **CONFIGURATIONS,
        # counts of the literature
        **{profile.NAME: profile for profile in (aview131, sera215.PROFILE, lvlnm1357)},
        **COUNTS,
    }
)


def get_profile(name: str) -> Profile:
    """The profile of that name; an unknown one is a PlanError that lists those there are."""
    if name in PROFILES:
        return PROFILES[name]
    raise PlanError(f"unknown feature profile {name!r}.{did_you_mean(name, PROFILES)}")
