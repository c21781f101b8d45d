"""Grey level run length matrix (IBSI TP0I).

An element is a run: voxels of one grey level in a line along one direction; its size is its length.
"""

from __future__ import annotations

from isthmus.features.ibsi._size_matrix import size_features
from isthmus.features.ibsi.aggregations import DIRECTIONAL

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "glrlm"
AGGREGATIONS = DIRECTIONAL

FEATURES = size_features(
    ("rlm_sre", "22OV", "ShortRunEmphasis"),
    ("rlm_lre", "W4KF", "LongRunEmphasis"),
    ("rlm_lgre", "V3SW", "LowGrayLevelRunEmphasis"),
    ("rlm_hgre", "G3QZ", "HighGrayLevelRunEmphasis"),
    ("rlm_srlge", "HTZT", "ShortRunLowGrayLevelEmphasis"),
    ("rlm_srhge", "GD3A", "ShortRunHighGrayLevelEmphasis"),
    ("rlm_lrlge", "IVPO", "LongRunLowGrayLevelEmphasis"),
    ("rlm_lrhge", "3KUM", "LongRunHighGrayLevelEmphasis"),
    ("rlm_glnu", "R5YN", "GrayLevelNonUniformity"),
    ("rlm_glnu_norm", "OVBL", "GrayLevelNonUniformityNormalized"),
    ("rlm_rlnu", "W92Y", "RunLengthNonUniformity"),
    ("rlm_rlnu_norm", "IC23", "RunLengthNonUniformityNormalized"),
    ("rlm_r_perc", "9ZK5", "RunPercentage"),
    ("rlm_gl_var", "8CE5", "GrayLevelVariance"),
    ("rlm_rl_var", "SXLW", "RunVariance"),
    ("rlm_rl_entr", "HJ9O", "RunEntropy"),
)
