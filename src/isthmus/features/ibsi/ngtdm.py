r"""Neighbourhood grey tone difference matrix (IBSI IPET).

:math:`n_i` voxels of level :math:`i` that have a neighbour in the region, a share :math:`p_i` of :math:`N` such voxels; :math:`s_i`
sums how far each of them lies from the mean of its neighbours. :math:`N_p` levels occur. Sums run over levels that occur.
"""

from __future__ import annotations

from isthmus.features._spec import FeatureSpec
from isthmus.features.ibsi.aggregations import UNDIRECTED

__all__ = ["AGGREGATIONS", "FEATURES", "NAME", "UNDEFINED"]

NAME = "ngtdm"
AGGREGATIONS = UNDIRECTED
UNDEFINED = "undefined where no voxel of the region has a neighbour within the distance"

FEATURES = (
    FeatureSpec(
        tag="ngt_coarseness",
        ibsi="QCDE",
        name="Coarseness",
        formula=r"1 / \sum p_i s_i",
        limit="1000000 where all differences are 0 (IBSI)",
    ),
    FeatureSpec(
        tag="ngt_contrast",
        ibsi="65HE",
        name="Contrast",
        formula=r"\frac{\sum_{ij} p_i p_j (i-j)^2}{N_p (N_p - 1)} \cdot \frac{\sum s_i}{N}",
        limit="0 where one level occurs",
    ),
    FeatureSpec(
        tag="ngt_busyness",
        ibsi="NQ30",
        name="Busyness",
        formula=r"\sum p_i s_i / \sum_{ij} |i p_i - j p_j|",
        limit="0 where one level occurs",
    ),
    FeatureSpec(
        tag="ngt_complexity",
        ibsi="HDEZ",
        name="Complexity",
        formula=r"\frac1N \sum_{ij} |i-j| \frac{p_i s_i + p_j s_j}{p_i + p_j}",
    ),
    FeatureSpec(
        tag="ngt_strength",
        ibsi="1X9X",
        name="Strength",
        formula=r"\sum_{ij} (p_i + p_j)(i-j)^2 / \sum s_i",
        limit="0 where all differences are 0 (IBSI)",
    ),
)
