r"""Morphology (IBSI HCUG): size, roundness, principal axes, densities of enclosing solids, spatial autocorrelation.

The mesh is the marching-cubes surface through the midpoints between region and background: volume :math:`V`, area :math:`A`,
vertices :math:`X_v`. :math:`\lambda_1 \ge \lambda_2 \ge \lambda_3` are the principal variances of the :math:`N` voxel centres
:math:`X_c` (divided by :math:`N - 1`). Geometry comes from the morphological mask; the intensities :math:`x`, their number
:math:`N_g` and mean :math:`\mu` from the intensity mask, with :math:`w_{ij}` one over the distance of the centres of two voxels.
"""

from __future__ import annotations

from functools import partial

from isthmus.features._spec import FeatureSpec

__all__ = ["AGGREGATIONS", "FEATURES", "NAME"]

NAME = "morphology"
AGGREGATIONS = ()

_Shape = partial(FeatureSpec, discretised=False)
_ONE_VOXEL = "undefined for a single voxel"
_FLAT = "undefined for a region in one plane, whose ellipsoid is flat"
_CONSTANT = "undefined when all intensities are equal"
_AEE = (
    r"A / A_{aee}, \; A_{aee} = 4\pi ab \sum_{\nu=0}^{20} \frac{(\alpha\beta)^\nu}{1-4\nu^2} "
    r"P_\nu\!\left(\frac{\alpha^2+\beta^2}{2\alpha\beta}\right), \; \alpha^2 = 1 - b^2/a^2, \beta^2 = 1 - c^2/a^2"
)

FEATURES = (
    _Shape(
        tag="morph_volume", ibsi="RNU0", name="Volume", unit="mm3", formula=r"V = \sum_t a_t \cdot (b_t \times c_t) / 6"
    ),
    _Shape(tag="morph_vol_approx", ibsi="YEKZ", name="VoxelVolume", unit="mm3", formula=r"N \, s_k s_j s_i"),
    _Shape(
        tag="morph_area_mesh",
        ibsi="C0JK",
        name="SurfaceArea",
        unit="mm2",
        formula=r"A = \sum_t \|(b_t - a_t) \times (c_t - a_t)\| / 2",
    ),
    _Shape(tag="morph_av", ibsi="2PR5", name="SurfaceVolumeRatio", unit="1/mm", formula=r"A / V"),
    _Shape(tag="morph_comp_1", ibsi="SKGS", name="Compactness1", formula=r"V / (\pi^{1/2} A^{3/2})"),
    _Shape(tag="morph_comp_2", ibsi="BQWJ", name="Compactness2", formula=r"36 \pi V^2 / A^3"),
    _Shape(tag="morph_sph_dispr", ibsi="KRCK", name="SphericalDisproportion", formula=r"A / (36 \pi V^2)^{1/3}"),
    _Shape(tag="morph_sphericity", ibsi="QCFX", name="Sphericity", formula=r"(36 \pi V^2)^{1/3} / A"),
    _Shape(tag="morph_asphericity", ibsi="25C7", name="Asphericity", formula=r"(A^3 / (36 \pi V^2))^{1/3} - 1"),
    _Shape(
        tag="morph_com",
        ibsi="KLMA",
        name="CentreOfMassShift",
        unit="mm",
        formula=r"\| \frac1N \sum X_c - \sum x X_g / \sum x \|",
        limit="undefined when the intensities sum to 0",
    ),
    _Shape(
        tag="morph_diam", ibsi="L0JK", name="Maximum3DDiameter", unit="mm", formula=r"\max \|a - b\|, \; a, b \in X_v"
    ),
    _Shape(
        tag="morph_pca_maj_axis",
        ibsi="TDIC",
        name="MajorAxisLength",
        unit="mm",
        formula=r"4\sqrt{\lambda_1}",
        limit=_ONE_VOXEL,
    ),
    _Shape(
        tag="morph_pca_min_axis",
        ibsi="P9VJ",
        name="MinorAxisLength",
        unit="mm",
        formula=r"4\sqrt{\lambda_2}",
        limit=_ONE_VOXEL,
    ),
    _Shape(
        tag="morph_pca_least_axis",
        ibsi="7J51",
        name="LeastAxisLength",
        unit="mm",
        formula=r"4\sqrt{\lambda_3}",
        limit=_ONE_VOXEL,
    ),
    _Shape(
        tag="morph_pca_elongation",
        ibsi="Q3CK",
        name="Elongation",
        formula=r"\sqrt{\lambda_2/\lambda_1}",
        limit=_ONE_VOXEL,
    ),
    _Shape(
        tag="morph_pca_flatness", ibsi="N17B", name="Flatness", formula=r"\sqrt{\lambda_3/\lambda_1}", limit=_ONE_VOXEL
    ),
    _Shape(tag="morph_vol_dens_aabb", ibsi="PBX1", name="VolumeDensityAABB", formula=r"V / V_{aabb}"),
    _Shape(tag="morph_area_dens_aabb", ibsi="R59B", name="AreaDensityAABB", formula=r"A / A_{aabb}"),
    _Shape(tag="morph_vol_dens_ombb", ibsi="ZH1A", name="VolumeDensityOMBB", formula=r"V / V_{ombb}"),
    _Shape(tag="morph_area_dens_ombb", ibsi="IQYR", name="AreaDensityOMBB", formula=r"A / A_{ombb}"),
    _Shape(
        tag="morph_vol_dens_aee",
        ibsi="6BDE",
        name="VolumeDensityAEE",
        formula=r"3V / (4\pi abc), \; a, b, c = 2\sqrt{\lambda_{1,2,3}}",
        limit=_FLAT,
    ),
    _Shape(tag="morph_area_dens_aee", ibsi="RDD2", name="AreaDensityAEE", formula=_AEE, limit=_FLAT),
    _Shape(tag="morph_vol_dens_mvee", ibsi="SWZ1", name="VolumeDensityMVEE", formula=r"V / V_{mvee}"),
    _Shape(tag="morph_area_dens_mvee", ibsi="BRI8", name="AreaDensityMVEE", formula=r"A / A_{mvee}"),
    _Shape(tag="morph_vol_dens_conv_hull", ibsi="R3ER", name="VolumeDensityConvexHull", formula=r"V / V_{hull}"),
    _Shape(tag="morph_area_dens_conv_hull", ibsi="7T7F", name="AreaDensityConvexHull", formula=r"A / A_{hull}"),
    _Shape(tag="morph_integ_int", ibsi="99N0", name="IntegratedIntensity", unit="intensity mm3", formula=r"V \mu"),
    _Shape(
        tag="morph_moran_i",
        ibsi="N365",
        name="MoranI",
        formula=r"\frac{N_g}{\sum w_{ij}} \frac{\sum_{i \ne j} w_{ij} (x_i-\mu)(x_j-\mu)}{\sum (x_i-\mu)^2}",
        limit=_CONSTANT,
    ),
    _Shape(
        tag="morph_geary_c",
        ibsi="NPT7",
        name="GearyC",
        formula=r"\frac{N_g - 1}{2 \sum w_{ij}} \frac{\sum_{i \ne j} w_{ij} (x_i-x_j)^2}{\sum (x_i-\mu)^2}",
        limit=_CONSTANT,
    ),
)
