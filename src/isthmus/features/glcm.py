r"""Grey level co-occurrence (IBSI LFYI), symmetric, distance 1.

:math:`p(i,j)` is the share of neighbouring pairs with levels :math:`i, j` along one direction, :math:`p_x` its marginal,
:math:`p_+` and :math:`p_-` the distributions of :math:`i+j` and :math:`|i-j|`; each feature is the mean over the directions
in which the region holds a pair.
"""

from __future__ import annotations

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATION", "FEATURES", "NAME"]

NAME = "glcm"
AGGREGATION = "ITBB"

FEATURES = (
    FeatureSpec(name="Autocorrelation", ibsi="QWB0", formula=r"\sum i j \, p(i,j)"),
    FeatureSpec(name="ClusterProminence", ibsi="AE86", formula=r"\sum (i+j-2\mu)^4 p(i,j)"),
    FeatureSpec(name="ClusterShade", ibsi="7NFM", formula=r"\sum (i+j-2\mu)^3 p(i,j)"),
    FeatureSpec(name="ClusterTendency", ibsi="DG8W", formula=r"\sum (i+j-2\mu)^2 p(i,j)"),
    FeatureSpec(name="Contrast", ibsi="ACUI", formula=r"\sum (i-j)^2 p(i,j)"),
    FeatureSpec(
        name="Correlation",
        ibsi="NI2N",
        formula=r"\sum (i-\mu)(j-\mu) p(i,j) / \sigma^2",
        limit="1 where one level occurs",
    ),
    FeatureSpec(name="DifferenceAverage", ibsi="TF7R", formula=r"\sum k \, p_-(k)"),
    FeatureSpec(name="DifferenceEntropy", ibsi="NTRS", formula=r"-\sum p_-(k) \log_2 p_-(k)"),
    FeatureSpec(name="DifferenceVariance", ibsi="D3YU", formula=r"\sum (k - \mu_-)^2 p_-(k)"),
    FeatureSpec(name="Id", ibsi="IB1Z", formula=r"\sum p_-(k) / (1+k)"),
    FeatureSpec(name="Idm", ibsi="WF0Z", formula=r"\sum p_-(k) / (1+k^2)"),
    FeatureSpec(name="Idmn", ibsi="1QCO", formula=r"\sum p_-(k) / (1+k^2/N_g^2)"),
    FeatureSpec(name="Idn", ibsi="NDRX", formula=r"\sum p_-(k) / (1+k/N_g)"),
    FeatureSpec(name="Imc1", ibsi="R8DG", formula=r"(H_{xy} - 2 H_x) / H_x", limit="0 where one level occurs"),
    FeatureSpec(
        name="Imc2",
        ibsi="JN9H",
        formula=r"\sqrt{1 - e^{-2(2 H_x - H_{xy})}}",
        limit="0 where one level occurs; a direction whose root is imaginary by rounding is left out",
    ),
    FeatureSpec(name="InverseVariance", ibsi="E8JP", formula=r"\sum_{k>0} p_-(k) / k^2"),
    FeatureSpec(name="JointAverage", ibsi="60VM", formula=r"\mu = \sum i \, p(i,j)"),
    FeatureSpec(name="JointEnergy", ibsi="8ZQL", formula=r"\sum p(i,j)^2"),
    FeatureSpec(name="JointEntropy", ibsi="TU9B", formula=r"-\sum p(i,j) \log_2 p(i,j)"),
    FeatureSpec(
        name="MCC",
        formula=r"\sqrt{\lambda_2(Q)}, \; Q(i,j) = \sum_k p(i,k) p(j,k) / (p_x(i) p_x(k))",
        limit="1 for a flat region; 0 for a direction with one level",
    ),
    FeatureSpec(name="MaximumProbability", ibsi="GYBY", formula=r"\max p(i,j)"),
    FeatureSpec(name="SumAverage", ibsi="ZGXS", formula=r"\sum k \, p_+(k)"),
    FeatureSpec(name="SumEntropy", ibsi="P6QZ", formula=r"-\sum p_+(k) \log_2 p_+(k)"),
    FeatureSpec(name="SumSquares", ibsi="UR99", formula=r"\sigma^2 = \sum (i-\mu)^2 p(i,j)"),
)
