"""PyRadiomics' features, value for value, its deviations from IBSI included.

By default the 107 features of the unfiltered image in 3-D: shape 14, first order 18, GLCM 24, GLDM 14, GLRLM 16, GLSZM 16, NGTDM 5.

References
----------
van Griethuysen et al., Cancer Research 77(21), 2017, doi:10.1158/0008-5472.CAN-17-0339 (version 3.0.1).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import CaseError, UndefinedFeatureWarning, first_few
from isthmus.features import shape2d
from isthmus.features._intensities import check_intensities
from isthmus.features.measured import GreyLevels, Measured, Response
from isthmus.features.profiles.pyradiomics.counting import bin_edges, count
from isthmus.features.profiles.pyradiomics.layout import Layout, binned_label, layout_of
from isthmus.features.profiles.pyradiomics.processing import Prepared, prepare
from isthmus.features.profiles.pyradiomics.settings import AXES, CountingSettings, FilteredImage, Settings
from isthmus.filters import response_maps
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.table import ColumnMeta

__all__ = [
    "NAME",
    "CountingSettings",
    "FilteredImage",
    "Found",
    "Further",
    "Settings",
    "bin_edges",
    "columns",
    "compute",
    "find",
    "grey_levels",
    "measured",
    "warn_undefined",
]

NAME = "pyradiomics"


def columns(settings: Settings) -> tuple[ColumnMeta, ...]:
    """The facts of every column, in the order of the values `compute` returns: PyRadiomics' order."""
    return layout_of(settings).columns


def compute(image: Image, roi: Roi, settings: Settings) -> NDArray[np.float64]:
    """Feature values of one region, in the order of `columns(settings)`.

    Parameters
    ----------
    image : Image
        int16, int32, float32 or float64.
    roi : Roi
        On the same grid, unless `settings.resample_mask`.
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
        Intensities of the region are NaN, infinite or beyond 1e75.
    CaseError
        More grey levels in the unfiltered image than can be counted.
    """
    found = find(image, roi, settings)
    if np.isnan(found.values).any():
        warn_undefined(found.values, layout_of(settings).columns, found.ready, roi.name, found.reasons)
    return found.values


class Further(Protocol):
    """Features that another profile counts on the same response maps: from a map, its region and its counting settings to numbers."""

    def __call__(
        self,
        ready: Prepared,
        region: _core.Region,
        sample: _core.Sample,
        response: NDArray[Any],
        counting: CountingSettings,
        /,
    ) -> NDArray[np.float64]: ...


@dataclass(frozen=True, eq=False)
class Found:
    """values: one per column. further: the further features of every response map, None where the map could not be counted.

    ready: what was measured. reasons: why values are missing.
    """

    values: NDArray[np.float64]
    further: tuple[NDArray[np.float64] | None, ...]
    ready: Prepared
    reasons: list[str]


def find(image: Image, roi: Roi, settings: Settings, further: Further | None = None) -> Found:
    """What `compute` returns, without its warning, and what `further` finds on each response map."""
    layout = layout_of(settings)
    ready = prepare(image, roi, settings, only_box=True)
    found = np.full(layout.size, np.nan)
    reasons: list[str] = []
    beside: list[NDArray[np.float64] | None] = []
    region = _core.Region(ready.mask, ready.image.geometry.spacing_mm)
    _shapes(ready, region, settings.slice_axis or "k", layout, found, reasons)
    if layout.families:
        beside = _maps(ready, region, roi.name, layout, found, reasons, further)
    values = found[layout.take]
    for column, function, places in layout.derived:
        arguments = found[list(places)]
        values[column] = function(*map(float, arguments)) if np.isfinite(arguments).all() else np.nan
    return Found(values, tuple(beside), ready, reasons)


def measured(image: Image, roi: Roi, settings: Settings) -> Measured:
    """The image, the region and the response maps that `compute` reads; parameters and errors are those of `compute`."""
    ready = prepare(image, roi, settings)
    seen = Image(ready.image.values[ready.box], ready.image.geometry.part(ready.box), ready.image.quantity)
    return Measured(seen, ready.shape, ready.mask, _responses(ready, layout_of(settings)))


def grey_levels(image: Image, roi: Roi, settings: Settings) -> GreyLevels | None:
    """Grey levels of the unfiltered image in the region; None where no feature is read from them. Errors are those of `compute`."""
    counting = next((own for one, own in settings.images if one.name == "none"), None)
    if counting is None or not layout_of(settings).families:
        return None
    seen = measured(image, roi, settings)
    inside = seen.image.values[seen.intensity_mask]
    lowest, highest = float(inside.min()), float(inside.max())
    levels = int(np.digitize(highest, bin_edges(inside.dtype, lowest, highest, counting)))
    width = None if counting.bin_count else counting.bin_width
    return GreyLevels(levels, lowest, highest, width, binned_label(counting))


def _responses(ready: Prepared, layout: Layout) -> Iterator[Response]:
    """Every response map the layout has places for; a filter that cannot work on this image says why, once per map."""
    for part in layout.maps:
        made = 0
        try:
            for label, values in zip(part.labels, response_maps(ready.image, ready.box, part.settings), strict=True):
                made += 1
                yield Response(label, values)
        except CaseError as error:
            for label in part.labels[made:]:
                yield Response(label, None, f"{part.settings.name}: {error}")


def _shapes(
    ready: Prepared, region: _core.Region, across: str, layout: Layout, found: NDArray[np.float64], reasons: list[str]
) -> None:
    """Shape features into their places."""
    if "shape" in layout.shapes:
        if ready.shape is not ready.mask:
            region = _core.Region(ready.shape, ready.image.geometry.spacing_mm)
        values = _core.shape(region)
        start = layout.shapes["shape"]
        found[start : start + len(values)] = values
    if "shape2D" in layout.shapes:
        axis = AXES.index(across)
        if ready.shape.shape[axis] > 1:
            reasons.append(
                f"shape2D: the region is {ready.shape.shape[axis]} voxels thick across the slices (axis {across}); one was expected"
            )
        else:
            values = shape2d.compute(ready.shape, ready.image.geometry.spacing_mm, across=axis)
            start = layout.shapes["shape2D"]
            found[start : start + len(values)] = values


def _maps(
    ready: Prepared,
    region: _core.Region,
    name: str,
    layout: Layout,
    found: NDArray[np.float64],
    reasons: list[str],
    further: Further | None,
) -> list[NDArray[np.float64] | None]:
    """The features of every response map into their places; a map that cannot be counted leaves its reason."""
    beside: dict[int, NDArray[np.float64]] = {}
    volume = ready.image.geometry.voxel_volume_mm3
    places = [(start, part.counting) for part in layout.maps for start in part.starts]
    for (start, counting), response in zip(places, _responses(ready, layout), strict=True):
        if response.values is None:
            if response.reason not in reasons:
                reasons.append(response.reason)
            continue
        try:
            sample = _core.Sample(region, response.values)
            check_intensities(sample.not_finite, region.size, sample.minimum, sample.maximum)
            found[start : start + layout.count] = count(
                region, sample, response.values, ready.mask, layout.families, volume, counting
            )
            if further is not None:
                beside[start] = further(ready, region, sample, response.values, counting)
        except CaseError as error:
            if response.label == "original":
                raise type(error)(f"region {name!r}: {error}") from error
            reasons.append(f"{response.label}: {error}")
    return [beside.get(start) for start, _ in places]


def warn_undefined(
    values: NDArray[np.float64], columns: Sequence[ColumnMeta], ready: Prepared, name: str, reasons: Sequence[str]
) -> None:
    """One warning that names the values that are missing, and why."""
    absent: dict[str, list[str]] = {}
    for meta, value in zip(columns, values, strict=True):
        if np.isnan(value):
            absent.setdefault(meta.filter, []).append(meta.column)
    sizes = Counter(meta.filter for meta in columns)
    missing: list[str] = []
    for label, names in absent.items():
        # a map that could not be made or counted: its name says it
        whole = len(names) == sizes[label] and label != "original" and len(names) > 1
        missing += [f"{label} (all {len(names)} features)"] if whole else names
    shown = ", ".join(missing) if len(missing) <= 120 else first_few(missing)
    because = f" ({'; '.join(reasons)})" if reasons else ""
    warnings.warn(
        UndefinedFeatureWarning(
            f"region {name!r} ({int(np.count_nonzero(ready.mask))} voxels): not defined and missing{because}: {shown}"
        ),
        stacklevel=3,
    )
