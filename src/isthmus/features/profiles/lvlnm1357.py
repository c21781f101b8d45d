"""The 1,357 features of an ultrasound study of thyroid cancer: 14 shape and, on 17 response maps each, 22 first-order and 57 texture.

The paper names the counts; which maps and features make them is our inference (docs/reference/counted-profiles.md). First order is
PyRadiomics' 18 and the four statistics of IBSI's intensity histogram that have no twin among them; texture is GLCM 22, GLDM 14,
GLRLM 16 and NGTDM 5. Filters and features are fixed by the name; everything else is a setting of the profile `pyradiomics`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features._spec import FeatureSpec
from isthmus.features.ibsi import intensity_histogram
from isthmus.features.profiles import _counted, pyradiomics
from isthmus.features.profiles._configured import settings_with
from isthmus.features.profiles._counted import GLCM_22, fixed, further_column, levels_of, named, pick
from isthmus.features.profiles.pyradiomics.layout import layout_of
from isthmus.features.profiles.pyradiomics.processing import Prepared
from isthmus.features.profiles.pyradiomics.settings import CountingSettings
from isthmus.features.profiles.pyradiomics.vocabulary import feature_names
from isthmus.features.profiles.pyradiomics_counts import SEVENTEEN_MAPS
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.table import ColumnMeta

__all__ = ["NAME", "Settings", "columns", "compute", "grey_levels", "measured"]

NAME = "lvlnm1357"

_FEATURES = named(
    shape=feature_names("shape"),
    firstorder=feature_names("firstorder"),
    glcm=GLCM_22,
    gldm=feature_names("gldm"),
    glrlm=feature_names("glrlm"),
    ngtdm=feature_names("ngtdm"),
)
_HISTOGRAM = pick(
    intensity_histogram,
    "Mode",
    "MedianAbsoluteDeviation",
    "CoefficientOfVariation",
    "QuartileCoefficientOfDispersion",
)
_PLACES = [intensity_histogram.FEATURES.index(spec) for spec in _HISTOGRAM]

measured, grey_levels = pyradiomics.measured, pyradiomics.grey_levels
Settings = settings_with(pyradiomics.Settings, NAME, {}, fixed(SEVENTEEN_MAPS, _FEATURES))


@lru_cache(maxsize=16)
def columns(settings: pyradiomics.Settings) -> tuple[ColumnMeta, ...]:
    """The facts of every column: shape, then map by map first order, histogram, textures."""
    histogram: dict[str, list[ColumnMeta]] = {}
    for meta, _ in _further_columns(settings):
        histogram.setdefault(meta.filter, []).append(meta)
    found: list[ColumnMeta] = []
    for meta in pyradiomics.columns(settings):
        if meta.feature == GLCM_22[0]:
            found += histogram[meta.filter]
        found.append(meta)
    return tuple(found)


def compute(image: Image, roi: Roi, settings: pyradiomics.Settings) -> NDArray[np.float64]:
    """Feature values of one region, in the order of `columns(settings)`; parameters and errors as the profile `pyradiomics`."""
    return _counted.compute(image, roi, settings, columns(settings), _histogram, _further_columns(settings))


@lru_cache(maxsize=16)
def _further_columns(settings: pyradiomics.Settings) -> Sequence[tuple[ColumnMeta, FeatureSpec]]:
    return [
        (further_column(intensity_histogram.NAME, spec, label, part.counting, settings), spec)
        for part in layout_of(settings).maps
        for label in part.labels
        for spec in _HISTOGRAM
    ]


def _histogram(
    ready: Prepared,
    region: _core.Region,
    sample: _core.Sample,
    response: NDArray[Any],
    counting: CountingSettings,
    /,
) -> NDArray[np.float64]:
    levels = levels_of(sample, response.dtype, counting)
    return _core.intensity_histogram(levels, int(levels.max()))[_PLACES]
