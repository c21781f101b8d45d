"""The processing configurations of IBSI 1 as data: the profile `ibsi` with other defaults (reference manual, section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from isthmus.features.profiles import ibsi
from isthmus.features.profiles._configured import Configured, configured

__all__ = ["CONFIGURATIONS"]

_CT = {"rounding": "nearest_integer", "mask_interpolation": "linear", "mask_threshold": 0.5}
_FBS_25 = {"method": "fbs", "bin_width": 25.0}
_FBN_32 = {"method": "fbn", "bin_count": 32}
_AS_IT_IS = {"method": "none"}

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ibsi-digital": {
        "discretisation": _AS_IT_IS,
        "ivh_discretisation": _AS_IT_IS,
        "aggregations": ("BTW3", "SUJT", "JJUI", "ZW7Z", "ITBB", "IAZD", "8QNN", "62GR", "KOBO"),
    },
    "ibsi-A": {
        **_CT,
        "by_slice": True,
        "resegment_range": (-500.0, 400.0),
        "discretisation": _FBS_25,
        "ivh_discretisation": _AS_IT_IS,
    },
    "ibsi-B": {
        **_CT,
        "by_slice": True,
        "spacing_mm": (0.0, 2.0, 2.0),
        "interpolation": "linear",
        "resegment_range": (-500.0, 400.0),
        "discretisation": _FBN_32,
        "ivh_discretisation": _AS_IT_IS,
    },
    "ibsi-C": {
        **_CT,
        "spacing_mm": (2.0, 2.0, 2.0),
        "interpolation": "linear",
        "resegment_range": (-1000.0, 400.0),
        "discretisation": _FBS_25,
        "ivh_discretisation": {"method": "fbs", "bin_width": 2.5},
    },
    "ibsi-D": {
        **_CT,
        "spacing_mm": (2.0, 2.0, 2.0),
        "interpolation": "linear",
        "outlier_sigma": 3.0,
        "discretisation": _FBN_32,
        "ivh_discretisation": _AS_IT_IS,
    },
    "ibsi-E": {
        **_CT,
        "spacing_mm": (2.0, 2.0, 2.0),
        "interpolation": "cubic_spline",
        "resegment_range": (-1000.0, 400.0),
        "outlier_sigma": 3.0,
        "discretisation": _FBN_32,
        "ivh_discretisation": {"method": "fbn", "bin_count": 1000},
    },
}

CONFIGURATIONS: Mapping[str, Configured] = MappingProxyType(
    {name: configured(ibsi, name, defaults) for name, defaults in _DEFAULTS.items()}
)
