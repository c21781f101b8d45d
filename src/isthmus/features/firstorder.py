r"""First-order statistics of the intensities :math:`x` (IBSI intensity statistics, UHIW; entropy and uniformity of the histogram).

:math:`N` intensities with mean :math:`\mu`; :math:`p_i` is the share of grey level :math:`i`. Percentiles interpolate linearly.
"""

from __future__ import annotations

from functools import partial

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATION", "FEATURES", "NAME"]

NAME = "firstorder"
AGGREGATION = ""

_Intensity = partial(FeatureSpec, discretised=False, unit="intensity")
_Number = partial(FeatureSpec, discretised=False)

FEATURES = (
    _Intensity(name="10Percentile", ibsi="QG58", formula=r"P_{10}", parameter="0.10"),
    _Intensity(name="90Percentile", ibsi="8DWT", formula=r"P_{90}", parameter="0.90"),
    _Intensity(name="Energy", ibsi="N8CA", formula=r"\sum x^2", unit="intensity2"),
    FeatureSpec(name="Entropy", ibsi="TLU2", formula=r"-\sum_i p_i \log_2 p_i"),
    _Intensity(name="InterquartileRange", ibsi="SALO", formula=r"P_{75} - P_{25}"),
    _Number(
        name="Kurtosis",
        ibsi="IPH6",
        formula=r"\mu_4 / \mu_2^2",
        limit="0 when all intensities are equal",
        differs="not in excess: IBSI's value is 3 lower",
    ),
    _Intensity(name="Maximum", ibsi="84IY", formula=r"\max x"),
    _Intensity(name="MeanAbsoluteDeviation", ibsi="4FUA", formula=r"\frac1N \sum |x - \mu|"),
    _Intensity(name="Mean", ibsi="Q4LE", formula=r"\mu = \frac1N \sum x"),
    _Intensity(name="Median", ibsi="Y12H", formula=r"P_{50}"),
    _Intensity(name="Minimum", ibsi="1GSF", formula=r"\min x"),
    _Intensity(name="Range", ibsi="2OJQ", formula=r"\max x - \min x"),
    _Intensity(
        name="RobustMeanAbsoluteDeviation",
        ibsi="1128",
        formula=r"\text{mean of } |x - \bar x| \text{ over } P_{10} \le x \le P_{90}",
        limit="undefined where no intensity lies between the percentiles (two voxels)",
    ),
    _Intensity(name="RootMeanSquared", ibsi="5ZWQ", formula=r"\sqrt{\frac1N \sum x^2}"),
    _Number(name="Skewness", ibsi="KE2A", formula=r"\mu_3 / \mu_2^{3/2}", limit="0 when all intensities are equal"),
    _Intensity(name="TotalEnergy", formula=r"s_k s_j s_i \sum x^2", unit="intensity2 mm3"),
    FeatureSpec(name="Uniformity", ibsi="BJ5W", formula=r"\sum_i p_i^2"),
    _Intensity(name="Variance", ibsi="ECT3", formula=r"\mu_2 = \frac1N \sum (x-\mu)^2", unit="intensity2"),
)
