r"""Intensity histogram (IBSI ZVCW): the grey levels :math:`g` of the region as numbers.

:math:`n_g` voxels have level :math:`g`, a share :math:`p_g` of the :math:`N` voxels; :math:`n'_g` is the central difference of the
counts, one-sided at levels 1 and :math:`N_g`.
"""

from __future__ import annotations

from functools import partial

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "intensity_histogram"
AGGREGATIONS = ()

_Level = FeatureSpec
_FLAT = "0 when all levels are equal"
_Gradient = partial(FeatureSpec, limit="undefined for a histogram of one bin")

FEATURES = (
    _Level(tag="ih_mean", ibsi="X6K6", name="Mean", formula=r"\mu = \sum g \, p_g"),
    _Level(tag="ih_var", ibsi="CH89", name="Variance", formula=r"\mu_2 = \sum (g-\mu)^2 p_g"),
    _Level(tag="ih_skew", ibsi="88K1", name="Skewness", formula=r"\mu_3 / \mu_2^{3/2}", limit=_FLAT),
    _Level(tag="ih_kurt", ibsi="C3I7", name="Kurtosis", formula=r"\mu_4 / \mu_2^2 - 3", limit=_FLAT),
    _Level(tag="ih_median", ibsi="WIFQ", name="Median", formula=r"P_{50}"),
    _Level(tag="ih_min", ibsi="1PR8", name="Minimum", formula=r"\min g"),
    _Level(tag="ih_p10", ibsi="GPMT", name="10Percentile", formula=r"P_{10}", parameter="0.10"),
    _Level(tag="ih_p90", ibsi="OZ0C", name="90Percentile", formula=r"P_{90}", parameter="0.90"),
    _Level(tag="ih_max", ibsi="3NCY", name="Maximum", formula=r"\max g"),
    _Level(
        tag="ih_mode",
        ibsi="AMMC",
        name="Mode",
        formula=r"\arg\max_g n_g",
        limit="of several, the one nearest to the mean; of two as near, the lower",
    ),
    _Level(tag="ih_iqr", ibsi="WR0O", name="InterquartileRange", formula=r"P_{75} - P_{25}"),
    _Level(tag="ih_range", ibsi="5Z3W", name="Range", formula=r"\max g - \min g"),
    _Level(tag="ih_mad", ibsi="D2ZX", name="MeanAbsoluteDeviation", formula=r"\sum |g - \mu| \, p_g"),
    _Level(
        tag="ih_rmad",
        ibsi="WRZB",
        name="RobustMeanAbsoluteDeviation",
        formula=r"\text{mean of } |g - \bar g| \text{ over } P_{10} \le g \le P_{90}",
        limit="undefined where no level lies between the percentiles (two voxels)",
    ),
    _Level(tag="ih_medad", ibsi="4RNL", name="MedianAbsoluteDeviation", formula=r"\sum |g - P_{50}| \, p_g"),
    _Level(tag="ih_cov", ibsi="CWYJ", name="CoefficientOfVariation", formula=r"\sqrt{\mu_2} / \mu"),
    _Level(
        tag="ih_qcod",
        ibsi="SLWD",
        name="QuartileCoefficientOfDispersion",
        formula=r"(P_{75} - P_{25}) / (P_{75} + P_{25})",
    ),
    _Level(tag="ih_entropy", ibsi="TLU2", name="Entropy", formula=r"-\sum p_g \log_2 p_g"),
    _Level(tag="ih_uniformity", ibsi="BJ5W", name="Uniformity", formula=r"\sum p_g^2"),
    _Gradient(tag="ih_max_grad", ibsi="12CE", name="MaximumGradient", formula=r"\max n'_g"),
    _Gradient(tag="ih_max_grad_g", ibsi="8E6O", name="MaximumGradientLevel", formula=r"\arg\max_g n'_g"),
    _Gradient(tag="ih_min_grad", ibsi="VQB3", name="MinimumGradient", formula=r"\min n'_g"),
    _Gradient(tag="ih_min_grad_g", ibsi="RHQZ", name="MinimumGradientLevel", formula=r"\arg\min_g n'_g"),
)
