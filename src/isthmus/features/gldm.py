r"""Grey level dependence (IBSI neighbouring grey level dependence, REK0; coarseness 0, distance 1).

:math:`r_{ij}` voxels of level :math:`i` that with :math:`j - 1` of their 26 neighbours share that level, :math:`N_v` voxels in all,
:math:`p_{ij} = r_{ij} / N_v`.
"""

from __future__ import annotations

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATION", "FEATURES", "NAME"]

NAME = "gldm"
AGGREGATION = "KOBO"

FEATURES = (
    FeatureSpec(name="DependenceEntropy", ibsi="FCBV", formula=r"-\sum p_{ij} \log_2 p_{ij}"),
    FeatureSpec(name="DependenceNonUniformity", ibsi="Z87G", formula=r"\sum_j r_{\cdot j}^2 / N_v"),
    FeatureSpec(name="DependenceNonUniformityNormalized", ibsi="OKJI", formula=r"\sum_j r_{\cdot j}^2 / N_v^2"),
    FeatureSpec(name="DependenceVariance", ibsi="DNX2", formula=r"\sum (j-\mu_j)^2 p_{ij}"),
    FeatureSpec(name="GrayLevelNonUniformity", ibsi="FP8K", formula=r"\sum_i r_{i\cdot}^2 / N_v"),
    FeatureSpec(name="GrayLevelVariance", ibsi="1PFV", formula=r"\sum (i-\mu_i)^2 p_{ij}"),
    FeatureSpec(name="HighGrayLevelEmphasis", ibsi="OAE7", formula=r"\sum i^2 r_{i\cdot} / N_v"),
    FeatureSpec(name="LargeDependenceEmphasis", ibsi="IMOQ", formula=r"\sum j^2 r_{\cdot j} / N_v"),
    FeatureSpec(name="LargeDependenceHighGrayLevelEmphasis", ibsi="9QMG", formula=r"\sum i^2 j^2 r_{ij} / N_v"),
    FeatureSpec(name="LargeDependenceLowGrayLevelEmphasis", ibsi="NBZI", formula=r"\sum j^2 r_{ij} / i^2 / N_v"),
    FeatureSpec(name="LowGrayLevelEmphasis", ibsi="TL9H", formula=r"\sum r_{i\cdot} / i^2 / N_v"),
    FeatureSpec(name="SmallDependenceEmphasis", ibsi="SODN", formula=r"\sum r_{\cdot j} / j^2 / N_v"),
    FeatureSpec(name="SmallDependenceHighGrayLevelEmphasis", ibsi="JA6D", formula=r"\sum i^2 r_{ij} / j^2 / N_v"),
    FeatureSpec(name="SmallDependenceLowGrayLevelEmphasis", ibsi="EQ3F", formula=r"\sum r_{ij} / (i^2 j^2) / N_v"),
)
