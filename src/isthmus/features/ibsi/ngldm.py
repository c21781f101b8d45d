"""Neighbouring grey level dependence matrix (IBSI REK0).

An element is a voxel; its size is 1 + the number of neighbours within the distance whose level differs by at most `alpha`.
"""

from __future__ import annotations

from isthmus.features.ibsi._size_matrix import size_features
from isthmus.features.ibsi.aggregations import UNDIRECTED

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "ngldm"
AGGREGATIONS = UNDIRECTED

FEATURES = size_features(
    ("ngl_lde", "SODN", "SmallDependenceEmphasis"),
    ("ngl_hde", "IMOQ", "LargeDependenceEmphasis"),
    ("ngl_lgce", "TL9H", "LowGrayLevelEmphasis"),
    ("ngl_hgce", "OAE7", "HighGrayLevelEmphasis"),
    ("ngl_ldlge", "EQ3F", "SmallDependenceLowGrayLevelEmphasis"),
    ("ngl_ldhge", "JA6D", "SmallDependenceHighGrayLevelEmphasis"),
    ("ngl_hdlge", "NBZI", "LargeDependenceLowGrayLevelEmphasis"),
    ("ngl_hdhge", "9QMG", "LargeDependenceHighGrayLevelEmphasis"),
    ("ngl_glnu", "FP8K", "GrayLevelNonUniformity"),
    ("ngl_glnu_norm", "5SPA", "GrayLevelNonUniformityNormalized"),
    ("ngl_dcnu", "Z87G", "DependenceNonUniformity"),
    ("ngl_dcnu_norm", "OKJI", "DependenceNonUniformityNormalized"),
    ("ngl_dc_perc", "6XV8", "DependencePercentage"),
    ("ngl_gl_var", "1PFV", "GrayLevelVariance"),
    ("ngl_dc_var", "DNX2", "DependenceVariance"),
    ("ngl_dc_entr", "FCBV", "DependenceEntropy"),
    ("ngl_dc_energy", "CAS9", "DependenceEnergy"),
)
