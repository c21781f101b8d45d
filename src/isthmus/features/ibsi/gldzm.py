"""Grey level distance zone matrix (IBSI VMDZ).

An element is a zone: connected voxels of one grey level; its size is its smallest distance to the region's border, in voxel
steps through the region as it was drawn (6 neighbours, 4 within a slice).
"""

from __future__ import annotations

from isthmus.features.ibsi._size_matrix import size_features
from isthmus.features.ibsi.aggregations import UNDIRECTED

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "gldzm"
AGGREGATIONS = UNDIRECTED

FEATURES = size_features(
    ("dzm_sde", "0GBI", "SmallDistanceEmphasis"),
    ("dzm_lde", "MB4I", "LargeDistanceEmphasis"),
    ("dzm_lgze", "S1RA", "LowGrayLevelZoneEmphasis"),
    ("dzm_hgze", "K26C", "HighGrayLevelZoneEmphasis"),
    ("dzm_sdlge", "RUVG", "SmallDistanceLowGrayLevelEmphasis"),
    ("dzm_sdhge", "DKNJ", "SmallDistanceHighGrayLevelEmphasis"),
    ("dzm_ldlge", "A7WM", "LargeDistanceLowGrayLevelEmphasis"),
    ("dzm_ldhge", "KLTH", "LargeDistanceHighGrayLevelEmphasis"),
    ("dzm_glnu", "VFT7", "GrayLevelNonUniformity"),
    ("dzm_glnu_norm", "7HP3", "GrayLevelNonUniformityNormalized"),
    ("dzm_zdnu", "V294", "ZoneDistanceNonUniformity"),
    ("dzm_zdnu_norm", "IATH", "ZoneDistanceNonUniformityNormalized"),
    ("dzm_z_perc", "VIWW", "ZonePercentage"),
    ("dzm_gl_var", "QK93", "GrayLevelVariance"),
    ("dzm_zd_var", "7WT1", "ZoneDistanceVariance"),
    ("dzm_zd_entr", "GBDU", "ZoneDistanceEntropy"),
)
