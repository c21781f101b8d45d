r"""Intensity-volume histogram (IBSI P88C): which part of the region has at least a given intensity.

:math:`\nu_g` is the part of the volume with level :math:`g` or more, :math:`\gamma_g` the intensity fraction, from 0 at the lowest
to 1 at the highest level of the histogram.
"""

from __future__ import annotations

from functools import partial

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "intensity_volume_histogram"
AGGREGATIONS = ()

_Volume = partial(FeatureSpec, limit="undefined for a histogram of one bin")
_Intensity = partial(
    FeatureSpec, unit="intensity", limit="undefined where every level is reached by a larger part of the volume"
)

FEATURES = (
    _Volume(
        tag="ivh_v10",
        ibsi="BC2M",
        name="VolumeAtIntensity10",
        parameter="0.10",
        formula=r"\max \nu_g, \gamma_g \ge 0.1",
    ),
    _Volume(
        tag="ivh_v90",
        ibsi="BC2M",
        name="VolumeAtIntensity90",
        parameter="0.90",
        formula=r"\max \nu_g, \gamma_g \ge 0.9",
    ),
    _Intensity(
        tag="ivh_i10", ibsi="GBPN", name="IntensityAtVolume10", parameter="0.10", formula=r"\min g, \nu_g \le 0.1"
    ),
    _Intensity(
        tag="ivh_i90", ibsi="GBPN", name="IntensityAtVolume90", parameter="0.90", formula=r"\min g, \nu_g \le 0.9"
    ),
    _Volume(tag="ivh_diff_v10_v90", ibsi="DDTU", name="VolumeDifference1090", formula=r"V_{10} - V_{90}"),
    _Intensity(tag="ivh_diff_i10_i90", ibsi="CNV2", name="IntensityDifference1090", formula=r"I_{10} - I_{90}"),
    FeatureSpec(
        tag="ivh_auc",
        ibsi="9CMM",
        name="AreaUnderCurve",
        formula=r"\int \nu \, d\gamma",
        limit="0 for a histogram of one bin (IBSI)",
    ),
)
