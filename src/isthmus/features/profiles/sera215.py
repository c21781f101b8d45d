"""The 215 features of SERA: the profile `ibsi` as it stands in space, on the unfiltered image.

79 of region and intensities, 136 textures in three dimensions: GLCM 25 and GLRLM 16 averaged over directions and merged, GLSZM 16,
GLDZM 16, NGTDM 5, NGLDM 17. An image of one slice is a volume of one slice, by the same definitions: GLCM, GLSZM, NGTDM and NGLDM
are those of the slice; the nine of thirteen directions that leave it give GLRLM runs of one voxel; and outside begins above and below, so
GLDZM finds every zone at distance 1.

References
----------
Ashrafinia, doctoral thesis, Johns Hopkins University, 2019 (SERA).
"""

from __future__ import annotations

from isthmus.features.profiles import ibsi
from isthmus.features.profiles._configured import configured

__all__ = ["PROFILE"]

_WHOLE = ibsi.Settings()

PROFILE = configured(
    ibsi,
    "sera215",
    {},
    fixed={
        "filters": _WHOLE.filters,
        "families": _WHOLE.families,
        "aggregations": ("ITBB", "IAZD", "KOBO"),
        "by_slice": False,
    },
)
