r"""Grey level co-occurrence matrix (IBSI LFYI), symmetric.

:math:`p(i,j)` is the share of neighbouring pairs with levels :math:`i, j`, :math:`\mu` and :math:`\sigma^2` mean and variance of its
marginal :math:`p_x`, :math:`p_+` and :math:`p_-` the distributions of :math:`i+j` and :math:`|i-j|`; :math:`H` are entropies.
"""

from __future__ import annotations

from isthmus.features._spec import FeatureSpec
from isthmus.features.ibsi.aggregations import DIRECTIONAL

__all__ = ["AGGREGATIONS", "EQUAL", "FEATURES", "NAME", "UNDEFINED"]

NAME = "glcm"
AGGREGATIONS = DIRECTIONAL
UNDEFINED = "undefined where no two voxels of the region are neighbours at the distance"
# two features of IBSI equal another one term by term, and the core counts them once
EQUAL = {"Dissimilarity": "DifferenceAverage", "SumVariance": "ClusterTendency"}

_ONE = "where one level occurs"

FEATURES = (
    FeatureSpec(tag="cm_joint_max", ibsi="GYBY", name="MaximumProbability", formula=r"\max p(i,j)"),
    FeatureSpec(tag="cm_joint_avg", ibsi="60VM", name="JointAverage", formula=r"\mu = \sum i \, p(i,j)"),
    FeatureSpec(tag="cm_joint_var", ibsi="UR99", name="SumSquares", formula=r"\sigma^2 = \sum (i-\mu)^2 p(i,j)"),
    FeatureSpec(tag="cm_joint_entr", ibsi="TU9B", name="JointEntropy", formula=r"H_{xy} = -\sum p(i,j) \log_2 p(i,j)"),
    FeatureSpec(tag="cm_diff_avg", ibsi="TF7R", name="DifferenceAverage", formula=r"\mu_- = \sum k \, p_-(k)"),
    FeatureSpec(tag="cm_diff_var", ibsi="D3YU", name="DifferenceVariance", formula=r"\sum (k - \mu_-)^2 p_-(k)"),
    FeatureSpec(tag="cm_diff_entr", ibsi="NTRS", name="DifferenceEntropy", formula=r"-\sum p_-(k) \log_2 p_-(k)"),
    FeatureSpec(tag="cm_sum_avg", ibsi="ZGXS", name="SumAverage", formula=r"\mu_+ = \sum k \, p_+(k)"),
    FeatureSpec(tag="cm_sum_var", ibsi="OEEB", name="SumVariance", formula=r"\sum (k - \mu_+)^2 p_+(k)"),
    FeatureSpec(tag="cm_sum_entr", ibsi="P6QZ", name="SumEntropy", formula=r"-\sum p_+(k) \log_2 p_+(k)"),
    FeatureSpec(tag="cm_energy", ibsi="8ZQL", name="JointEnergy", formula=r"\sum p(i,j)^2"),
    FeatureSpec(tag="cm_contrast", ibsi="ACUI", name="Contrast", formula=r"\sum (i-j)^2 p(i,j)"),
    FeatureSpec(tag="cm_dissimilarity", ibsi="8S9J", name="Dissimilarity", formula=r"\sum |i-j| \, p(i,j)"),
    FeatureSpec(tag="cm_inv_diff", ibsi="IB1Z", name="Id", formula=r"\sum p_-(k) / (1+k)"),
    FeatureSpec(
        tag="cm_inv_diff_norm",
        ibsi="NDRX",
        name="Idn",
        formula=r"\sum p_-(k) / (1+k/N_g)",
    ),
    FeatureSpec(tag="cm_inv_diff_mom", ibsi="WF0Z", name="Idm", formula=r"\sum p_-(k) / (1+k^2)"),
    FeatureSpec(
        tag="cm_inv_diff_mom_norm",
        ibsi="1QCO",
        name="Idmn",
        formula=r"\sum p_-(k) / (1+k^2/N_g^2)",
    ),
    FeatureSpec(tag="cm_inv_var", ibsi="E8JP", name="InverseVariance", formula=r"\sum_{k>0} p_-(k) / k^2"),
    FeatureSpec(
        tag="cm_corr",
        ibsi="NI2N",
        name="Correlation",
        formula=r"\sum (i-\mu)(j-\mu) p(i,j) / \sigma^2",
        limit=f"1 {_ONE}",
    ),
    FeatureSpec(tag="cm_auto_corr", ibsi="QWB0", name="Autocorrelation", formula=r"\sum i j \, p(i,j)"),
    FeatureSpec(tag="cm_clust_tend", ibsi="DG8W", name="ClusterTendency", formula=r"\sum (i+j-2\mu)^2 p(i,j)"),
    FeatureSpec(tag="cm_clust_shade", ibsi="7NFM", name="ClusterShade", formula=r"\sum (i+j-2\mu)^3 p(i,j)"),
    FeatureSpec(tag="cm_clust_prom", ibsi="AE86", name="ClusterProminence", formula=r"\sum (i+j-2\mu)^4 p(i,j)"),
    FeatureSpec(
        tag="cm_info_corr1",
        ibsi="R8DG",
        name="Imc1",
        formula=r"(H_{xy} - 2 H_x) / H_x",
        limit=f"0 {_ONE}",
    ),
    FeatureSpec(
        tag="cm_info_corr2",
        ibsi="JN9H",
        name="Imc2",
        formula=r"\sqrt{1 - e^{-2(2 H_x - H_{xy})}}",
        limit=f"0 {_ONE}",
    ),
)
