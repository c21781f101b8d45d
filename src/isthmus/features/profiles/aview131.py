"""131 features of CT in twelve categories, as a study of anaplastic thyroid carcinoma counts them (A-VIEW with PyRadiomics).

The paper names the number of features of each category; which they are is our inference (docs/reference/counted-profiles.md). The
category stands in the column's `family`: shape 26, firstorder 14, histogram 7, percentile 6, gradient 4, glcm 22, gldm 14, glrlm 14,
glszm 16, ngtdm 5, fractal 1, moment 2. All are of the unfiltered image; everything but filters and features is a setting of the profile
`pyradiomics`.

References
----------
Sci Rep 2023 (CT of anaplastic or poorly differentiated against differentiated thyroid carcinoma).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features import fractal, moment
from isthmus.features._spec import FeatureSpec
from isthmus.features.ibsi import intensity_histogram, morphology
from isthmus.features.profiles import _counted, pyradiomics
from isthmus.features.profiles._configured import settings_with
from isthmus.features.profiles._counted import GLCM_22, fixed, further_column, levels_of, named, pick
from isthmus.features.profiles.pyradiomics.layout import layout_of
from isthmus.features.profiles.pyradiomics.processing import Prepared
from isthmus.features.profiles.pyradiomics.settings import CountingSettings
from isthmus.features.profiles.pyradiomics.vocabulary import feature_names
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.table import ColumnMeta

__all__ = ["CATEGORIES", "NAME", "Settings", "columns", "compute", "grey_levels", "measured"]

NAME = "aview131"

CATEGORIES = (
    "shape",
    "firstorder",
    "histogram",
    "percentile",
    "gradient",
    "glcm",
    "gldm",
    "glrlm",
    "glszm",
    "ngtdm",
    "fractal",
    "moment",
)

# of PyRadiomics, in the categories the paper gives them
_OF_THE_HISTOGRAM = ("Entropy", "Uniformity")
_PERCENTILES = ("10Percentile", "90Percentile")
_RESCALED = ("GrayLevelNonUniformityNormalized", "RunLengthNonUniformityNormalized")
_FEATURES = named(
    shape=(*feature_names("shape"), "Compactness1", "Compactness2", "SphericalDisproportion"),
    firstorder=feature_names("firstorder"),
    glcm=GLCM_22,
    gldm=feature_names("gldm"),
    glrlm=(name for name in feature_names("glrlm") if name not in _RESCALED),
    glszm=feature_names("glszm"),
    ngtdm=feature_names("ngtdm"),
)

# further features: category, family that defines them, features
_DENSITIES = pick(
    morphology,
    "Asphericity",
    *(f"{part}Density{solid}" for solid in ("AABB", "OMBB", "AEE", "ConvexHull") for part in ("Volume", "Area")),
)
_MOMENTS = pick(intensity_histogram, "Mean", "Variance", "Skewness", "Kurtosis", "Mode")
_GRADIENTS = pick(
    intensity_histogram, "MaximumGradient", "MaximumGradientLevel", "MinimumGradient", "MinimumGradientLevel"
)
_PERCENT = (5, 25, 75, 95)
_FURTHER_PERCENTILES = tuple(
    FeatureSpec(
        name=f"{percent}Percentile",
        formula=f"P_{{{percent}}}",
        unit="intensity",
        parameter=f"{percent / 100:.2f}",
        discretised=False,
    )
    for percent in _PERCENT
)
_FURTHER = (
    ("shape", "morphology", _DENSITIES),
    ("histogram", "intensity_histogram", _MOMENTS),
    ("percentile", "firstorder", _FURTHER_PERCENTILES),
    ("gradient", "intensity_histogram", _GRADIENTS),
    ("fractal", "fractal", fractal.FEATURES),
    ("moment", "moment", moment.FEATURES),
)
_DENSITY_PLACES = [_core.morphology_names().index(spec.tag) for spec in _DENSITIES]
_MOMENT_PLACES = [intensity_histogram.FEATURES.index(spec) for spec in _MOMENTS]
_GRADIENT_PLACES = [intensity_histogram.FEATURES.index(spec) for spec in _GRADIENTS]

measured, grey_levels = pyradiomics.measured, pyradiomics.grey_levels
Settings = settings_with(pyradiomics.Settings, NAME, {}, fixed(("none",), _FEATURES))


@lru_cache(maxsize=16)
def columns(settings: pyradiomics.Settings) -> tuple[ColumnMeta, ...]:
    """The facts of every column, category by category; percentiles in ascending order."""
    found = [_in_its_category(meta) for meta in pyradiomics.columns(settings)]
    found += [meta for meta, _ in _further_columns(settings)]
    return tuple(sorted(found, key=_order))


def compute(image: Image, roi: Roi, settings: pyradiomics.Settings) -> NDArray[np.float64]:
    """Feature values of one region, in the order of `columns(settings)`; parameters and errors as the profile `pyradiomics`."""
    return _counted.compute(image, roi, settings, columns(settings), _further, _further_columns(settings))


def _in_its_category(meta: ColumnMeta) -> ColumnMeta:
    if meta.family == "firstorder" and meta.feature in _OF_THE_HISTOGRAM:
        return replace(meta, family="histogram")
    if meta.family == "firstorder" and meta.feature in _PERCENTILES:
        return replace(meta, family="percentile")
    return meta


def _order(meta: ColumnMeta) -> tuple[int, str]:
    return CATEGORIES.index(meta.family), meta.parameter if meta.family == "percentile" else ""


@lru_cache(maxsize=16)
def _further_columns(settings: pyradiomics.Settings) -> Sequence[tuple[ColumnMeta, FeatureSpec]]:
    counting = layout_of(settings).maps[0].counting
    return [
        (replace(further_column(family, spec, "original", counting, settings), family=category), spec)
        for category, family, specs in _FURTHER
        for spec in specs
    ]


def _further(
    ready: Prepared,
    region: _core.Region,
    sample: _core.Sample,
    response: NDArray[Any],
    counting: CountingSettings,
    /,
) -> NDArray[np.float64]:
    """In the order of `_FURTHER`."""
    spacing = ready.image.geometry.spacing_mm
    drawn = _core.Region(ready.shape, spacing)
    # the geometry alone is read from these, so any intensities will do
    solid = _core.morphology(drawn, drawn, _core.Sample(drawn, np.zeros(ready.shape.shape, np.float32)))
    levels = levels_of(sample, response.dtype, counting)
    histogram = _core.intensity_histogram(levels, int(levels.max()))
    return np.concatenate(
        [
            solid[_DENSITY_PLACES],
            histogram[_MOMENT_PLACES],
            np.percentile(response[ready.mask].astype(np.float64), _PERCENT),
            histogram[_GRADIENT_PLACES],
            fractal.compute(ready.shape),
            moment.compute(response, ready.mask, spacing),
        ]
    )
