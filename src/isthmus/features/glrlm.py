r"""Grey level run length (IBSI TP0I).

:math:`r_{ij}` runs of level :math:`i` and length :math:`j` along one direction, :math:`N_r` in all, :math:`p_{ij} = r_{ij} / N_r`,
:math:`N_v` voxels; each feature is the mean over the directions with a line that holds two voxels of the region.
"""

from __future__ import annotations

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATION", "FEATURES", "NAME"]

NAME = "glrlm"
AGGREGATION = "ITBB"

FEATURES = (
    FeatureSpec(name="GrayLevelNonUniformity", ibsi="R5YN", formula=r"\sum_i r_{i\cdot}^2 / N_r"),
    FeatureSpec(name="GrayLevelNonUniformityNormalized", ibsi="OVBL", formula=r"\sum_i r_{i\cdot}^2 / N_r^2"),
    FeatureSpec(name="GrayLevelVariance", ibsi="8CE5", formula=r"\sum (i-\mu_i)^2 p_{ij}"),
    FeatureSpec(name="HighGrayLevelRunEmphasis", ibsi="G3QZ", formula=r"\sum i^2 r_{i\cdot} / N_r"),
    FeatureSpec(name="LongRunEmphasis", ibsi="W4KF", formula=r"\sum j^2 r_{\cdot j} / N_r"),
    FeatureSpec(name="LongRunHighGrayLevelEmphasis", ibsi="3KUM", formula=r"\sum i^2 j^2 r_{ij} / N_r"),
    FeatureSpec(name="LongRunLowGrayLevelEmphasis", ibsi="IVPO", formula=r"\sum j^2 r_{ij} / i^2 / N_r"),
    FeatureSpec(name="LowGrayLevelRunEmphasis", ibsi="V3SW", formula=r"\sum r_{i\cdot} / i^2 / N_r"),
    FeatureSpec(name="RunEntropy", ibsi="HJ9O", formula=r"-\sum p_{ij} \log_2 p_{ij}"),
    FeatureSpec(name="RunLengthNonUniformity", ibsi="W92Y", formula=r"\sum_j r_{\cdot j}^2 / N_r"),
    FeatureSpec(name="RunLengthNonUniformityNormalized", ibsi="IC23", formula=r"\sum_j r_{\cdot j}^2 / N_r^2"),
    FeatureSpec(name="RunPercentage", ibsi="9ZK5", formula=r"N_r / N_v"),
    FeatureSpec(name="RunVariance", ibsi="SXLW", formula=r"\sum (j-\mu_j)^2 p_{ij}"),
    FeatureSpec(name="ShortRunEmphasis", ibsi="22OV", formula=r"\sum r_{\cdot j} / j^2 / N_r"),
    FeatureSpec(name="ShortRunHighGrayLevelEmphasis", ibsi="GD3A", formula=r"\sum i^2 r_{ij} / j^2 / N_r"),
    FeatureSpec(name="ShortRunLowGrayLevelEmphasis", ibsi="HTZT", formula=r"\sum r_{ij} / (i^2 j^2) / N_r"),
)
