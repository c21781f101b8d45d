"""Grey level size zone matrix (IBSI 9SAK).

An element is a zone: connected voxels of one grey level (26 neighbours, 8 within a slice); its size is its number of voxels.
"""

from __future__ import annotations

from isthmus.features.ibsi._size_matrix import size_features
from isthmus.features.ibsi.aggregations import UNDIRECTED

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "glszm"
AGGREGATIONS = UNDIRECTED

FEATURES = size_features(
    ("szm_sze", "5QRC", "SmallAreaEmphasis"),
    ("szm_lze", "48P8", "LargeAreaEmphasis"),
    ("szm_lgze", "XMSY", "LowGrayLevelZoneEmphasis"),
    ("szm_hgze", "5GN9", "HighGrayLevelZoneEmphasis"),
    ("szm_szlge", "5RAI", "SmallAreaLowGrayLevelEmphasis"),
    ("szm_szhge", "HW1V", "SmallAreaHighGrayLevelEmphasis"),
    ("szm_lzlge", "YH51", "LargeAreaLowGrayLevelEmphasis"),
    ("szm_lzhge", "J17V", "LargeAreaHighGrayLevelEmphasis"),
    ("szm_glnu", "JNSA", "GrayLevelNonUniformity"),
    ("szm_glnu_norm", "Y1RO", "GrayLevelNonUniformityNormalized"),
    ("szm_zsnu", "4JP3", "SizeZoneNonUniformity"),
    ("szm_zsnu_norm", "VB3A", "SizeZoneNonUniformityNormalized"),
    ("szm_z_perc", "P30P", "ZonePercentage"),
    ("szm_gl_var", "BYLV", "GrayLevelVariance"),
    ("szm_zs_var", "3NSA", "ZoneVariance"),
    ("szm_zs_entr", "GU8N", "ZoneEntropy"),
)
