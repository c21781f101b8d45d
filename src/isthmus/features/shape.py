r"""Shape of the region (IBSI morphology, HCUG): mesh, diameters, principal axes.

The mesh is a marching-cubes surface through the midpoints between region and background, with volume :math:`V` and area
:math:`A`; :math:`\lambda_1 \ge \lambda_2 \ge \lambda_3` are the principal variances of the voxel centres (divided by N).
"""

from __future__ import annotations

from functools import partial

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATION", "FEATURES", "NAME"]

NAME = "shape"
AGGREGATION = ""

_Shape = partial(FeatureSpec, discretised=False)
_DIVISOR = "the covariance is divided by N; IBSI divides by N - 1"
_FLAT = "0 when the region lies in one plane"

FEATURES = (
    _Shape(
        name="Elongation",
        ibsi="Q3CK",
        formula=r"\sqrt{\lambda_2/\lambda_1}",
        limit="0 when the region is a straight line",
    ),
    _Shape(name="Flatness", ibsi="N17B", formula=r"\sqrt{\lambda_3/\lambda_1}", limit=_FLAT),
    _Shape(name="LeastAxisLength", ibsi="7J51", unit="mm", formula=r"4\sqrt{\lambda_3}", limit=_FLAT, differs=_DIVISOR),
    _Shape(name="MajorAxisLength", ibsi="TDIC", unit="mm", formula=r"4\sqrt{\lambda_1}", differs=_DIVISOR),
    _Shape(
        name="Maximum2DDiameterColumn", unit="mm", formula=r"\max \|a-b\|, \text{ vertices of one plane of constant } j"
    ),
    _Shape(
        name="Maximum2DDiameterRow", unit="mm", formula=r"\max \|a-b\|, \text{ vertices of one plane of constant } i"
    ),
    _Shape(
        name="Maximum2DDiameterSlice", unit="mm", formula=r"\max \|a-b\|, \text{ vertices of one plane of constant } k"
    ),
    _Shape(name="Maximum3DDiameter", ibsi="L0JK", unit="mm", formula=r"\max \|a-b\|, \text{ vertices } a, b"),
    _Shape(name="MeshVolume", ibsi="RNU0", unit="mm3", formula=r"V = \sum_t a_t \cdot (b_t \times c_t) / 6"),
    _Shape(
        name="MinorAxisLength",
        ibsi="P9VJ",
        unit="mm",
        formula=r"4\sqrt{\lambda_2}",
        limit="0 when the region is a line",
        differs=_DIVISOR,
    ),
    _Shape(name="Sphericity", ibsi="QCFX", formula=r"\sqrt[3]{36 \pi V^2} / A"),
    _Shape(name="SurfaceArea", ibsi="C0JK", unit="mm2", formula=r"A = \sum_t \|(b_t-a_t) \times (c_t-a_t)\| / 2"),
    _Shape(name="SurfaceVolumeRatio", ibsi="2PR5", unit="1/mm", formula=r"A / V"),
    _Shape(name="VoxelVolume", ibsi="YEKZ", unit="mm3", formula=r"N \, s_k s_j s_i"),
)
