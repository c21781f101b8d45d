"""Counts of the literature that PyRadiomics' features alone make up: `pyr1561`, `pyr1409` and `pyr1106`.

The studies name the count and PyRadiomics; which response maps and features make it is inferred (docs/reference/counted-profiles.md).
Filters and features are fixed by the name; everything else is a setting of the profile `pyradiomics`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from isthmus.features.profiles import _counted, pyradiomics
from isthmus.features.profiles._configured import Configured, settings_with
from isthmus.features.profiles._counted import BANDS, GLCM_22, POINTWISE, fixed, named
from isthmus.features.profiles.pyradiomics.vocabulary import feature_names
from isthmus.image import Image
from isthmus.roi import Roi

__all__ = ["COUNTS", "SEVENTEEN_MAPS"]

SEVENTEEN_MAPS = ("none", *BANDS, *POINTWISE, "gradient", {"name": "lbp3d", "levels": 2})

_FAMILIES = ("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
_ALL = named(**{family: feature_names(family) for family in _FAMILIES})
_91_A_MAP = named(**{family: feature_names(family) for family in _FAMILIES} | {"glcm": GLCM_22})


def _compute(image: Image, roi: Roi, settings: pyradiomics.Settings) -> NDArray[np.float64]:
    """As the profile `pyradiomics`, but for wavelet bands that hold nothing (see `_counted`)."""
    return _counted.compute(image, roi, settings, pyradiomics.columns(settings))


def _profile(name: str, filters: Iterable[object], features: tuple[str, ...]) -> Configured:
    settings = settings_with(pyradiomics.Settings, name, {}, fixed(filters, features))
    columns, measured, grey_levels = pyradiomics.columns, pyradiomics.measured, pyradiomics.grey_levels
    return Configured(name, settings, columns, _compute, measured, grey_levels)


COUNTS: Mapping[str, Configured] = MappingProxyType(
    {
        profile.NAME: profile
        for profile in (
            _profile("pyr1561", SEVENTEEN_MAPS, _91_A_MAP),
            _profile("pyr1409", ("none", *BANDS, *POINTWISE, "gradient", "lbp2d"), _ALL),
            _profile("pyr1106", ("none", {"name": "recursive_log", "sigma_mm": (1.0, 2.0, 3.0)}, *BANDS), _91_A_MAP),
        )
    }
)
