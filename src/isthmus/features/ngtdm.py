r"""Neighbourhood grey tone difference (IBSI IPET): how far, on average, a grey level lies from the mean of its neighbours.

:math:`p_i` is the share of the voxels with level :math:`i`, :math:`s_i` the sum of their :math:`|i - \bar n|`, where
:math:`\bar n` is the mean level of the voxel's neighbours in the region; :math:`N` voxels, :math:`N_p` levels that occur.
"""

from __future__ import annotations

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATION", "FEATURES", "NAME"]

NAME = "ngtdm"
AGGREGATION = "KOBO"

_ALONE = "voxels without neighbours count with difference 0; IBSI leaves them out"

FEATURES = (
    FeatureSpec(
        name="Busyness",
        ibsi="NQ30",
        formula=r"\sum_i p_i s_i / \sum_i \sum_j |i p_i - j p_j|",
        limit="0 for one grey level",
        differs=_ALONE,
    ),
    FeatureSpec(
        name="Coarseness",
        ibsi="QCDE",
        formula=r"1 / \sum_i p_i s_i",
        limit="1e6 where no voxel differs from its neighbours",
        differs=_ALONE,
    ),
    FeatureSpec(
        name="Complexity",
        ibsi="HDEZ",
        formula=r"\frac1N \sum_i \sum_j |i-j| (p_i s_i + p_j s_j) / (p_i + p_j)",
        differs=_ALONE,
    ),
    FeatureSpec(
        name="Contrast",
        ibsi="65HE",
        formula=r"\frac{1}{N_p(N_p-1)} \sum_i \sum_j p_i p_j (i-j)^2 \cdot \frac1N \sum_i s_i",
        limit="0 for one grey level",
        differs=_ALONE,
    ),
    FeatureSpec(
        name="Strength",
        ibsi="1X9X",
        formula=r"\sum_i \sum_j (p_i+p_j)(i-j)^2 / \sum_i s_i",
        limit="0 where no voxel differs from its neighbours",
        differs=_ALONE,
    ),
)
