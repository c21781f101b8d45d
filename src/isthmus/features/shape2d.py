r"""Shape of a region in one slice, as PyRadiomics' class shape2D measures it.

The outline joins the midpoints between pixels of the region and pixels outside (marching squares; pixels that touch at a corner only
are kept apart); it has length :math:`P` and encloses :math:`A`. :math:`\lambda_1 \ge \lambda_2` are the principal variances of the
:math:`N` pixel centres (divided by N). Holes count: their outline is added to the length and their area is not.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features._spec import FeatureSpec
from isthmus.image import Spacing

__all__ = ["AGGREGATION", "FEATURES", "NAME", "compute"]

NAME = "shape2D"
AGGREGATION = ""

_Shape = partial(FeatureSpec, discretised=False)
_LINE = "0 when the region is a straight line"

FEATURES = (
    _Shape(name="Elongation", formula=r"\sqrt{\lambda_2/\lambda_1}", limit=f"{_LINE}; undefined for a single pixel"),
    _Shape(name="MajorAxisLength", unit="mm", formula=r"4\sqrt{\lambda_1}"),
    _Shape(name="MaximumDiameter", unit="mm", formula=r"\max \|a-b\|, \text{ vertices } a, b"),
    _Shape(name="MeshSurface", unit="mm2", formula=r"A = \sum_l a_l \times b_l / 2"),
    _Shape(name="MinorAxisLength", unit="mm", formula=r"4\sqrt{\lambda_2}", limit=_LINE),
    _Shape(name="Perimeter", unit="mm", formula=r"P = \sum_l \|a_l - b_l\|"),
    _Shape(name="PerimeterSurfaceRatio", unit="1/mm", formula=r"P / A"),
    _Shape(name="PixelSurface", unit="mm2", formula=r"N \, s_j s_i"),
    _Shape(name="Sphericity", formula=r"2\sqrt{\pi A} / P"),
)


def compute(mask: NDArray[np.bool_], spacing_mm: Spacing, *, across: int = 0) -> NDArray[np.float64]:
    """Values of the nine features, in the order of `FEATURES`.

    Parameters
    ----------
    mask : bool array, shape (k, j, i)
        The box of the region, one voxel thick along the axis `across`.
    spacing_mm : tuple of 3 floats
        (k, j, i).
    across : {0, 1, 2}
        The axis across the slice (PyRadiomics' force2Ddimension).

    Returns
    -------
    array, shape (9,)
        Elongation of a single pixel is NaN.

    Raises
    ------
    ValueError
        The mask is empty, or thicker than one voxel across the slice.
    """
    spacing = (spacing_mm[across], *(s for axis, s in enumerate(spacing_mm) if axis != across))
    region = _core.Region(np.ascontiguousarray(np.moveaxis(mask, across, 0)), spacing)  # type: ignore[arg-type]
    return _core.shape2d(region)
