"""What the profiles of a fixed count share: PyRadiomics' features on named response maps, and further features beside them.

A column is called after its map, the family that defines the feature, and the feature: `original_glcm_Contrast`. What the base
profiles also compute has their value bit for bit, with one exception: on an image that is one voxel thick along an axis, wavelet bands
high along that axis are 0 but for rounding, and PyRadiomics measures the rounding; here these columns are missing, with this reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import first_few
from isthmus.features._spec import FeatureSpec
from isthmus.features.profiles import pyradiomics
from isthmus.features.profiles.pyradiomics.counting import bin_edges
from isthmus.features.profiles.pyradiomics.layout import binned_label
from isthmus.features.profiles.pyradiomics.settings import CountingSettings
from isthmus.features.profiles.pyradiomics.vocabulary import feature_names
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.table import ColumnMeta

__all__ = ["BANDS", "GLCM_22", "POINTWISE", "compute", "fixed", "further_column", "levels_of", "named", "pick"]

# groups of response maps, in PyRadiomics' order
BANDS = ({"name": "stationary_wavelet", "wavelet": "coif1"},)  # eight maps
POINTWISE = ("square", "square_root", "logarithm", "exponential")

# the list in PyRadiomics' example parameter files: it leaves SumAverage out, twice JointAverage, and is older than MCC
GLCM_22 = tuple(name for name in feature_names("glcm") if name not in ("MCC", "SumAverage"))


def named(**families: Iterable[str]) -> tuple[str, ...]:
    """PyRadiomics' features as its settings name them, such as glcm_Contrast."""
    return tuple(f"{family}_{name}" for family, names in families.items() for name in names)


def fixed(filters: Iterable[object], features: Sequence[str]) -> dict[str, object]:
    """What makes the count, as class variables of a profile's settings."""
    return {
        "filters": tuple(pyradiomics.FilteredImage.parse(one) for one in filters),
        "families": tuple(dict.fromkeys(feature.split("_", 1)[0] for feature in features)),
        "features": tuple(features),
        "slice_axis": None,  # wavelets inside slices have four bands, not eight
    }


def pick(module: ModuleType, *names: str) -> tuple[FeatureSpec, ...]:
    """Features of a family, by name and in this order."""
    known = {spec.name: spec for spec in module.FEATURES}
    return tuple(known[name] for name in names)


def further_column(
    family: str, spec: FeatureSpec, label: str, counting: CountingSettings, settings: pyradiomics.Settings
) -> ColumnMeta:
    """The facts of a column that PyRadiomics does not have; what makes it IBSI's is what makes PyRadiomics' columns IBSI's."""
    binned = binned_label(counting) if spec.discretised else ""
    compliant = (
        bool(spec.ibsi)
        and not spec.differs
        and label == "original"
        and settings.spacing_mm is None
        and not settings.resample_mask
        and not binned.startswith("FBS")
    )
    return ColumnMeta(
        column=f"{label}_{family}_{spec.name}",
        filter=label,
        family=family,
        feature=spec.name,
        ibsi_code=spec.ibsi,
        parameter=spec.parameter,
        discretisation=binned,
        unit=spec.unit,
        ibsi_compliant="true" if compliant else "false",
    )


def levels_of(sample: _core.Sample, dtype: np.dtype[np.generic], counting: CountingSettings) -> NDArray[np.uint32]:
    """The grey levels the textures are counted on, from 1."""
    return _core.digitise(sample, bin_edges(dtype, sample.minimum, sample.maximum, counting))


def compute(
    image: Image,
    roi: Roi,
    settings: pyradiomics.Settings,
    columns: Sequence[ColumnMeta],
    further: pyradiomics.Further | None = None,
    further_columns: Sequence[tuple[ColumnMeta, FeatureSpec]] = (),
) -> NDArray[np.float64]:
    """Values in the order of `columns`, each from PyRadiomics' columns or from the further ones, which lie map by map.

    Raises
    ------
    CaseError
        As the profile `pyradiomics`.
    """
    found = pyradiomics.find(image, roi, settings, further)
    values = {
        meta.column: value for meta, value in zip(pyradiomics.columns(settings), found.values.tolist(), strict=True)
    }
    if further_columns:
        each = len(further_columns) // len(found.further)
        beside = np.concatenate([np.full(each, np.nan) if one is None else one for one in found.further])
        for (meta, _), value in zip(further_columns, beside.tolist(), strict=True):
            values[meta.column] = value
    reasons = list(found.reasons)
    counted = {meta.filter for meta in columns}
    if empty := [label for label in _rounding_only(found.ready.image.geometry.shape) if label in counted]:
        reasons.append(
            f"{', '.join(empty)}: 0 but for rounding, as the image is one voxel thick along a high-pass axis"
        )
    result = np.array([np.nan if meta.filter in empty else values[meta.column] for meta in columns])
    if np.isnan(result).any():
        reasons += _limits(values, further_columns, empty)
        pyradiomics.warn_undefined(result, columns, found.ready, roi.name, reasons)
    return result


def _rounding_only(shape: tuple[int, int, int]) -> list[str]:
    """Wavelet bands that are high along an axis of one voxel."""
    bands = [f"{i}{j}{k}" for i in "LH" for j in "LH" for k in "LH"]
    return [
        f"wavelet-{band}"
        for band in bands
        if any(letter == "H" and n == 1 for letter, n in zip(band, reversed(shape), strict=True))
    ]


def _limits(
    values: Mapping[str, float], columns: Sequence[tuple[ColumnMeta, FeatureSpec]], empty: Sequence[str]
) -> list[str]:
    """Why further features are missing that have a map, feature by feature."""
    missing: dict[str, list[str]] = {}
    for meta, spec in columns:
        if np.isnan(values[meta.column]) and spec.limit.startswith("undefined") and meta.filter not in empty:
            missing.setdefault(spec.limit.removeprefix("undefined "), []).append(meta.column)
    return [f"{first_few(names)}: {limit}" for limit, names in missing.items()]
