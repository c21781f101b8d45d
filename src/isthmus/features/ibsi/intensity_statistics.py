r"""Intensity statistics (IBSI UHIW): the intensities :math:`x` of the region, not discretised.

:math:`N` intensities with mean :math:`\mu` and central moments :math:`\mu_n`. Percentiles :math:`P` interpolate linearly.
"""

from __future__ import annotations

from functools import partial

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "intensity_statistics"
AGGREGATIONS = ()

_Intensity = partial(FeatureSpec, discretised=False, unit="intensity")
_Number = partial(FeatureSpec, discretised=False)
_FLAT = "0 when all intensities are equal"
_ROBUST = "undefined where no intensity lies between the percentiles (two voxels)"

FEATURES = (
    _Intensity(tag="stat_mean", ibsi="Q4LE", name="Mean", formula=r"\mu = \frac1N \sum x"),
    _Intensity(
        tag="stat_var", ibsi="ECT3", name="Variance", unit="intensity2", formula=r"\mu_2 = \frac1N \sum (x-\mu)^2"
    ),
    _Number(tag="stat_skew", ibsi="KE2A", name="Skewness", formula=r"\mu_3 / \mu_2^{3/2}", limit=_FLAT),
    _Number(tag="stat_kurt", ibsi="IPH6", name="Kurtosis", formula=r"\mu_4 / \mu_2^2 - 3", limit=_FLAT),
    _Intensity(tag="stat_median", ibsi="Y12H", name="Median", formula=r"P_{50}"),
    _Intensity(tag="stat_min", ibsi="1GSF", name="Minimum", formula=r"\min x"),
    _Intensity(tag="stat_p10", ibsi="QG58", name="10Percentile", formula=r"P_{10}", parameter="0.10"),
    _Intensity(tag="stat_p90", ibsi="8DWT", name="90Percentile", formula=r"P_{90}", parameter="0.90"),
    _Intensity(tag="stat_max", ibsi="84IY", name="Maximum", formula=r"\max x"),
    _Intensity(tag="stat_iqr", ibsi="SALO", name="InterquartileRange", formula=r"P_{75} - P_{25}"),
    _Intensity(tag="stat_range", ibsi="2OJQ", name="Range", formula=r"\max x - \min x"),
    _Intensity(tag="stat_mad", ibsi="4FUA", name="MeanAbsoluteDeviation", formula=r"\frac1N \sum |x - \mu|"),
    _Intensity(
        tag="stat_rmad",
        ibsi="1128",
        name="RobustMeanAbsoluteDeviation",
        formula=r"\text{mean of } |x - \bar x| \text{ over } P_{10} \le x \le P_{90}",
        limit=_ROBUST,
    ),
    _Intensity(tag="stat_medad", ibsi="N72L", name="MedianAbsoluteDeviation", formula=r"\frac1N \sum |x - P_{50}|"),
    _Number(
        tag="stat_cov",
        ibsi="7TET",
        name="CoefficientOfVariation",
        formula=r"\sqrt{\mu_2} / \mu",
        limit="undefined when the mean is 0",
    ),
    _Number(
        tag="stat_qcod",
        ibsi="9S40",
        name="QuartileCoefficientOfDispersion",
        formula=r"(P_{75} - P_{25}) / (P_{75} + P_{25})",
        limit="undefined when the quartiles sum to 0",
    ),
    _Intensity(tag="stat_energy", ibsi="N8CA", name="Energy", unit="intensity2", formula=r"\sum x^2"),
    _Intensity(tag="stat_rms", ibsi="5ZWQ", name="RootMeanSquared", formula=r"\sqrt{\frac1N \sum x^2}"),
)
