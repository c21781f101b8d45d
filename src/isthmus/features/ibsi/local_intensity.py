r"""Local intensity (IBSI 9ST6): means over spheres of 1 cm3.

:math:`S(v)` holds the voxels of the image, inside the region or not, whose centres lie within
:math:`(3 / 4\pi)^{1/3}` cm = 6.2 mm of the centre of voxel :math:`v`. Spheres end at the border of the image; voxels outside the
region that are NaN or infinite are left out of them. Centres are the voxels of the intensity mask.
"""

from __future__ import annotations

from functools import partial

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATIONS", "FEATURES", "NAME", "RADIUS_MM", "UNDEFINED"]

NAME = "local_intensity"
UNDEFINED = "undefined where the intensities around the region are too large to be summed"
AGGREGATIONS = ()
RADIUS_MM = (3 / (4 * 3.141592653589793)) ** (1 / 3) * 10

_Peak = partial(FeatureSpec, discretised=False, unit="intensity")

FEATURES = (
    _Peak(
        tag="loc_peak_loc",
        ibsi="VJGA",
        name="LocalIntensityPeak",
        formula=r"\frac{1}{|S(v)|} \sum_{u \in S(v)} x_u, \; v \text{ the voxel of largest intensity}",
        limit="the highest of the means when several voxels share the largest intensity",
    ),
    _Peak(
        tag="loc_peak_glob",
        ibsi="0F91",
        name="GlobalIntensityPeak",
        formula=r"\max_v \frac{1}{|S(v)|} \sum_{u \in S(v)} x_u",
    ),
)
