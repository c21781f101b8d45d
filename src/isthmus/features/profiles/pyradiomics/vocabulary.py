"""PyRadiomics' names: feature classes in its order, its features, those it deprecated, those it removed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType, ModuleType

from isthmus.features import firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape, shape2d
from isthmus.features._spec import FeatureSpec

__all__ = ["DEPRECATED", "FAMILY_NAMES", "MODULES", "REMOVED", "SHAPES", "deprecated_specs", "feature_names", "specs"]

SHAPES = ("shape", "shape2D")
MODULES: Mapping[str, ModuleType] = MappingProxyType(
    {module.NAME: module for module in (shape, shape2d, firstorder, glcm, gldm, glrlm, glszm, ngtdm)}
)
FAMILY_NAMES = tuple(MODULES)

_WHOLE = partial(FeatureSpec, discretised=False)


# Features PyRadiomics computes only when named, from others of their family: what they are and what they are made of.
DEPRECATED: Mapping[str, tuple[FeatureSpec, tuple[str, ...], Callable[..., float]]] = MappingProxyType(
    {
        "firstorder_StandardDeviation": (
            _WHOLE(name="StandardDeviation", formula=r"\sqrt{\mu_2}", unit="intensity"),
            ("Variance",),
            math.sqrt,
        ),
        "shape_Compactness1": (
            _WHOLE(name="Compactness1", ibsi="SKGS", formula=r"V / (\sqrt\pi A^{3/2})"),
            ("MeshVolume", "SurfaceArea"),
            lambda volume, area: volume / (area**1.5 * math.sqrt(math.pi)),
        ),
        "shape_Compactness2": (
            _WHOLE(name="Compactness2", ibsi="BQWJ", formula=r"36 \pi V^2 / A^3"),
            ("MeshVolume", "SurfaceArea"),
            lambda volume, area: 36 * math.pi * volume**2 / area**3,
        ),
        "shape_SphericalDisproportion": (
            _WHOLE(name="SphericalDisproportion", ibsi="KRCK", formula=r"A / \sqrt[3]{36 \pi V^2}"),
            ("MeshVolume", "SurfaceArea"),
            lambda volume, area: area / (36 * math.pi * volume**2) ** (1 / 3),
        ),
        "shape2D_SphericalDisproportion": (
            _WHOLE(name="SphericalDisproportion", formula=r"1 / \text{sphericity}"),
            ("Sphericity",),
            lambda sphericity: 1 / sphericity,
        ),
    }
)

# Names PyRadiomics still accepts but gives no column for, and the feature (or constant) each equals.
REMOVED: Mapping[str, str] = MappingProxyType(
    {
        "glcm_Dissimilarity": "glcm_DifferenceAverage",
        "glcm_Homogeneity1": "glcm_Id",
        "glcm_Homogeneity2": "glcm_Idm",
        "glcm_SumVariance": "glcm_ClusterTendency",
        "gldm_GrayLevelNonUniformityNormalized": "firstorder_Uniformity",
        "gldm_DependencePercentage": "1",
    }
)


def specs(family: str) -> tuple[FeatureSpec, ...]:
    """The features PyRadiomics computes by default for a family, in its order."""
    return tuple(MODULES[family].FEATURES)


def deprecated_specs(family: str) -> tuple[FeatureSpec, ...]:
    """Those it computes when named."""
    return tuple(spec for name, (spec, _, _) in DEPRECATED.items() if name.split("_")[0] == family)


def feature_names(family: str, *, deprecated: bool = False) -> tuple[str, ...]:
    """Names of a family's features."""
    return tuple(spec.name for spec in (*specs(family), *(deprecated_specs(family) if deprecated else ())))
