r"""Grey level size zone (IBSI 9SAK).

:math:`r_{ij}` zones of level :math:`i` and size :math:`j` voxels (26-connected), :math:`N_z` in all, :math:`p_{ij} = r_{ij} / N_z`,
:math:`N_v` voxels.
"""

from __future__ import annotations

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATION", "FEATURES", "NAME"]

NAME = "glszm"
AGGREGATION = "KOBO"

FEATURES = (
    FeatureSpec(name="GrayLevelNonUniformity", ibsi="JNSA", formula=r"\sum_i r_{i\cdot}^2 / N_z"),
    FeatureSpec(name="GrayLevelNonUniformityNormalized", ibsi="Y1RO", formula=r"\sum_i r_{i\cdot}^2 / N_z^2"),
    FeatureSpec(name="GrayLevelVariance", ibsi="BYLV", formula=r"\sum (i-\mu_i)^2 p_{ij}"),
    FeatureSpec(name="HighGrayLevelZoneEmphasis", ibsi="5GN9", formula=r"\sum i^2 r_{i\cdot} / N_z"),
    FeatureSpec(name="LargeAreaEmphasis", ibsi="48P8", formula=r"\sum j^2 r_{\cdot j} / N_z"),
    FeatureSpec(name="LargeAreaHighGrayLevelEmphasis", ibsi="J17V", formula=r"\sum i^2 j^2 r_{ij} / N_z"),
    FeatureSpec(name="LargeAreaLowGrayLevelEmphasis", ibsi="YH51", formula=r"\sum j^2 r_{ij} / i^2 / N_z"),
    FeatureSpec(name="LowGrayLevelZoneEmphasis", ibsi="XMSY", formula=r"\sum r_{i\cdot} / i^2 / N_z"),
    FeatureSpec(name="SizeZoneNonUniformity", ibsi="4JP3", formula=r"\sum_j r_{\cdot j}^2 / N_z"),
    FeatureSpec(name="SizeZoneNonUniformityNormalized", ibsi="VB3A", formula=r"\sum_j r_{\cdot j}^2 / N_z^2"),
    FeatureSpec(name="SmallAreaEmphasis", ibsi="5QRC", formula=r"\sum r_{\cdot j} / j^2 / N_z"),
    FeatureSpec(name="SmallAreaHighGrayLevelEmphasis", ibsi="HW1V", formula=r"\sum i^2 r_{ij} / j^2 / N_z"),
    FeatureSpec(name="SmallAreaLowGrayLevelEmphasis", ibsi="5RAI", formula=r"\sum r_{ij} / (i^2 j^2) / N_z"),
    FeatureSpec(name="ZoneEntropy", ibsi="GU8N", formula=r"-\sum p_{ij} \log_2 p_{ij}"),
    FeatureSpec(name="ZonePercentage", ibsi="P30P", formula=r"N_z / N_v"),
    FeatureSpec(name="ZoneVariance", ibsi="3NSA", formula=r"\sum (j-\mu_j)^2 p_{ij}"),
)
