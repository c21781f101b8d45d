"""PyRadiomics' features, value for value, its deviations from IBSI included.

107 features of the unfiltered image in 3-D: shape 14, first order 18, GLCM 24, GLRLM 16, GLSZM 16, GLDM 14, NGTDM 5.

References
----------
van Griethuysen et al., Cancer Research 77(21), 2017, doi:10.1158/0008-5472.CAN-17-0339 (version 3.0.1).
"""

from __future__ import annotations

import threading
import warnings
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from isthmus import _core
from isthmus.errors import CaseError, GeometryMismatchError, ImageReadError, MaskError, UndefinedFeatureWarning
from isthmus.features.families import FAMILIES
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.settings import Section
from isthmus.table import ColumnMeta

__all__ = ["NAME", "Settings", "bin_edges", "columns", "compute"]

NAME = "pyradiomics"

FamilyName = Literal["shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
_ALL: tuple[FamilyName, ...] = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
_MOST_BINS = 4_000_000


class Settings(Section):
    """What a `[[features]]` block may set for this profile.

    bin_width: width of a grey level bin in the image's own quantity; edges lie at its multiples. bin_count: this many bins
    between the region's smallest and largest intensity instead. spacing_mm: resample to this spacing (k, j, i) first; 0 keeps
    the original along that axis. interpolation: of the image (masks are always nearest). pad_distance: new voxels kept around the
    region when resampling. families: which to compute; features: only these, such as "glcm_Contrast".
    minimum_voxels, minimum_dimensions: smaller regions are refused. label: the mask's value, where a parameter file names one.
    """

    bin_width: float = Field(default=25.0, gt=0, allow_inf_nan=False)
    bin_count: int | None = Field(default=None, ge=1)
    spacing_mm: tuple[float, float, float] | None = None
    interpolation: Literal["cubic_spline", "linear", "nearest"] = "cubic_spline"
    pad_distance: int = Field(default=5, ge=0)
    families: tuple[FamilyName, ...] = _ALL
    features: tuple[str, ...] | None = None
    minimum_voxels: int = Field(default=2, ge=2)
    minimum_dimensions: int = Field(default=1, ge=1, le=3)
    label: int | None = None

    @field_validator("spacing_mm")
    @classmethod
    def _positive(cls, spacing: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if spacing is not None and not all(np.isfinite(s) and s >= 0 for s in spacing):
            raise ValueError(
                f"spacing_mm = {spacing}: three numbers (k, j, i), each above 0, or 0 to keep the original"
            )
        return None if spacing == (0, 0, 0) else spacing

    @field_validator("families")
    @classmethod
    def _some(cls, families: tuple[FamilyName, ...]) -> tuple[FamilyName, ...]:
        if not families or len(set(families)) != len(families):
            raise ValueError(f"families = {families}: name each family once, at least one")
        return families

    @field_validator("features")
    @classmethod
    def _known(cls, features: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if features is None:
            return None
        known = {f"{family}_{spec.name}" for family, module in FAMILIES.items() for spec in module.FEATURES}
        unknown = [feature for feature in features if feature not in known]
        if unknown or not features:
            raise ValueError(f"features: unknown {', '.join(unknown) or 'empty list'}; a name looks like glcm_Contrast")
        return features


@lru_cache(maxsize=64)
def columns(settings: Settings) -> tuple[ColumnMeta, ...]:
    """The facts of every column, in the order of the values `compute` returns."""
    return tuple(meta for meta, _ in _selection(settings))


def compute(image: Image, roi: Roi, settings: Settings) -> NDArray[np.float64]:
    """Feature values of one region, in the order of `columns(settings)`.

    Parameters
    ----------
    image : Image
        int16, int32, float32 or float64.
    roi : Roi
        On the same grid.
    settings : Settings

    Returns
    -------
    array, shape (number of columns,)
        NaN where a feature is not defined for this region; one UndefinedFeatureWarning names them.

    Raises
    ------
    MaskError
        The region is empty or too small.
    GeometryMismatchError
        Image and region lie on different grids.
    ImageReadError
        Intensities of the region are NaN or infinite.
    """
    if roi.geometry is not image.geometry and (difference := image.geometry.difference(roi.geometry)):
        raise GeometryMismatchError(
            f"image and region {roi.name!r} lie on different grids: {difference}. Was the mask drawn on another series?"
        )
    values, mask, spacing = image.values, roi.mask, image.geometry.spacing_mm
    if settings.spacing_mm is not None:
        from isthmus.features.profiles.pyradiomics_grid import resample

        _boxed(mask, roi.name, settings)
        values, mask, spacing = resample(image, roi, settings)
    box = _boxed(mask, roi.name, settings)
    return _values(values[box], mask[box], spacing, roi.name, settings)


def _boxed(mask: NDArray[np.bool_], name: str, settings: Settings) -> tuple[slice, ...]:
    """The bounding box of a mask that is large enough along enough axes."""
    if mask.strides[2] != 1:
        mask = np.ascontiguousarray(mask)
    low, high, any_voxel = _core.bounding_box(mask)
    if not any_voxel:
        raise MaskError(
            f"region {name!r} holds no voxel. Is the label right, and does the resampled grid still meet the lesion?"
        )
    dimensions = sum(stop - start > 1 for start, stop in zip(low, high, strict=True))
    if dimensions < settings.minimum_dimensions:
        found = "a single voxel" if dimensions == 0 else f"{dimensions}-dimensional"
        raise MaskError(
            f"region {name!r} is {found}; at least {settings.minimum_dimensions} dimensions and "
            f"{settings.minimum_voxels} voxels are needed. Was the right label chosen?"
        )
    return tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))


_local = threading.local()


def _workspace() -> _core.Workspace:
    """Scratch memory of this thread."""
    workspace: _core.Workspace | None = getattr(_local, "workspace", None)
    if workspace is None:
        workspace = _local.workspace = _core.Workspace()
    return workspace


def _values(
    values: NDArray[Any], mask: NDArray[np.bool_], spacing: tuple[float, float, float], name: str, settings: Settings
) -> NDArray[np.float64]:
    """Features of the voxels of one box."""
    if mask.strides[2] != 1:
        mask = np.ascontiguousarray(mask)
    region = _core.Region(mask, spacing)
    if region.size < settings.minimum_voxels:
        raise MaskError(
            f"region {name!r} has {region.size} voxels; at least {settings.minimum_voxels} are needed. "
            "Was the right label chosen? Otherwise exclude the case, or lower minimum_voxels"
        )
    sample = _core.Sample(region, values)
    if sample.not_finite:
        raise ImageReadError(
            f"{sample.not_finite} of {region.size} voxels of region {name!r} are NaN or infinite. Repair the image or the mask"
        )
    edges = bin_edges(values.dtype, sample.minimum, sample.maximum, settings)
    families, positions = _plan(settings)
    try:
        result = _core.features(region, sample, edges, families, _workspace())
    except ValueError as error:
        raise CaseError(f"region {name!r}: {error}") from error
    if positions is not None:
        result = result[positions]
    if np.isnan(result).any():
        undefined = [meta.column for meta, value in zip(columns(settings), result, strict=True) if np.isnan(value)]
        warnings.warn(
            UndefinedFeatureWarning(
                f"region {name!r} ({region.size} voxels): not defined and missing: {', '.join(undefined)}"
            ),
            stacklevel=3,
        )
    return result


def bin_edges(dtype: np.dtype[Any], minimum: float, maximum: float, settings: Settings) -> NDArray[np.float64]:
    """Edges of the grey level bins, in the arithmetic of the image's own type, as PyRadiomics computes them with NumPy 2."""
    # integers as double: the sum of an int16 and two bin widths must not overflow
    kind = np.dtype(np.float64) if dtype.kind in "iu" else dtype
    low, high = kind.type(minimum), kind.type(maximum)
    if settings.bin_count is not None:
        edges = np.histogram_bin_edges(np.array([low, high]), settings.bin_count).astype(np.float64)
        edges[-1] += 1  # so that the largest intensity falls into the last bin
        return edges
    width = settings.bin_width
    bins = (maximum - minimum) / width
    if bins > _MOST_BINS:
        raise CaseError(
            f"bin width {width:g} cuts the region's intensities, {minimum:g} to {maximum:g}, into {bins:.3g} bins; "
            f"at most {_MOST_BINS} are possible. Choose a wider bin_width, or bin_count"
        )
    edges = np.arange(low - low % width, high + 2 * width, width).astype(np.float64)
    return np.array([edges[0] - 0.5, edges[0] + 0.5]) if len(edges) == 1 else edges


@lru_cache(maxsize=64)
def _selection(settings: Settings) -> tuple[tuple[ColumnMeta, int], ...]:
    """Facts of the wanted columns, each with its place among the values of the chosen families."""
    chosen = []
    place = 0
    for family, module in FAMILIES.items():
        if family not in _families(settings):
            continue
        for spec in module.FEATURES:
            if settings.features is None or f"{family}_{spec.name}" in settings.features:
                chosen.append((_meta(module, spec, settings), place))
            place += 1
    return tuple(chosen)


@lru_cache(maxsize=64)
def _plan(settings: Settings) -> tuple[int, NDArray[np.intp] | None]:
    """Bits of the families for the core, and the positions of the wanted values (None: all of them)."""
    order = list(FAMILIES)
    bits = sum(1 << order.index(family) for family in _families(settings))
    positions = (
        None if settings.features is None else np.array([place for _, place in _selection(settings)], dtype=np.intp)
    )
    return bits, positions


def _families(settings: Settings) -> set[str]:
    """The families to compute: those named, or those of the single features named."""
    if settings.features is None:
        return set(settings.families)
    return {feature.split("_", 1)[0] for feature in settings.features}


def _meta(module: Any, spec: Any, settings: Settings) -> ColumnMeta:
    """The facts of one column.

    Not IBSI: features whose formula differs (`spec.differs`); with a bin width everything computed from grey levels, because
    the edges are anchored at 0 and not at the re-segmentation bound or the minimum; everything after resampling, because the
    new grid is aligned at the corner of the first voxel, integers are truncated and the mask is nearest neighbour.
    """
    binned = (
        ""
        if not spec.discretised
        else f"FBN {settings.bin_count}"
        if settings.bin_count
        else f"FBS {settings.bin_width:g}"
    )
    compliant = bool(spec.ibsi) and not spec.differs and settings.spacing_mm is None and not binned.startswith("FBS")
    return ColumnMeta(
        column=f"original_{module.NAME}_{spec.name}",
        filter="original",
        family=module.NAME,
        feature=spec.name,
        ibsi_code=spec.ibsi,
        parameter=spec.parameter,
        aggregation=module.AGGREGATION,
        discretisation=binned,
        unit=spec.unit,
        ibsi_compliant="true" if compliant else "false",
    )
