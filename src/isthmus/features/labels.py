"""Features of every region of one label map: supervoxels, habitats, all lesions of a scan."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from isthmus import _core
from isthmus.errors import CaseError, GeometryMismatchError, MaskError, UndefinedFeatureWarning, first_few
from isthmus.features._intensities import check_intensities
from isthmus.features.extract import settings_of
from isthmus.features.profiles import get_profile, pyradiomics
from isthmus.features.profiles.pyradiomics.layout import layout_of
from isthmus.features.profiles.pyradiomics.settings import CountingSettings
from isthmus.filters import response_maps
from isthmus.image import Image
from isthmus.image.box import bounding_box
from isthmus.image.labels import LabelImage
from isthmus.roi import Roi
from isthmus.settings import Section

__all__ = ["measure_labels"]


def measure_labels(
    image: Image,
    labels: LabelImage | ArrayLike,
    profile: str = "pyradiomics",
    settings: Section | None = None,
    *,
    workers: int = 1,
) -> pd.DataFrame:
    """Features of every label of a map: the values of `measure`, region by region, at a fraction of the time.

    The map is read once, every response map is made once, and each region is measured in its own box, in the core.

    Parameters
    ----------
    image : Image
    labels : LabelImage or integer array, shape (k, j, i)
        On the image's grid; 0 is background.
    profile : str
        See `isthmus.features.PROFILES`.
    settings : Section, optional
        Of the profile; default: its defaults. Settings that change the region or the grid (resampling, re-segmentation,
        normalisation, counting inside slices) are obeyed region by region, at the price of one by one.
    workers : int
        Threads. Never changes a number.

    Returns
    -------
    pandas.DataFrame
        A row per label, ascending, and the profile's columns. NaN where a feature is not defined, with one
        UndefinedFeatureWarning. A region that cannot be measured is a row of NaN; `frame.attrs["reasons"]` says why, by label.

    Raises
    ------
    MaskError
        The map holds no label.
    GeometryMismatchError
        The map lies on another grid.
    """
    module = get_profile(profile)
    chosen: Any = settings_of(profile, {}) if settings is None else settings
    values = _whole_labels(image, labels)
    columns = [meta.column for meta in module.columns(chosen)]
    by_core = module is pyradiomics and _in_one_pass(chosen)
    measured, found, reasons = (_together if by_core else _one_by_one)(image, values, module, chosen, workers)
    frame = pd.DataFrame(found, index=pd.Index(measured, name="label"), columns=columns)
    frame.attrs["reasons"] = reasons
    _warn(frame, reasons)
    return frame


def _whole_labels(image: Image, labels: LabelImage | ArrayLike) -> NDArray[np.int32]:
    """The labels as the core reads them, checked against the image."""
    if isinstance(labels, LabelImage):
        if difference := image.geometry.difference(labels.geometry):
            raise GeometryMismatchError(
                f"image and label map lie on different grids: {difference}. Resample one of them"
            )
        labels = labels.values
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise MaskError(f"a label map holds whole numbers; this one is {array.dtype}. Round or threshold it first")
    if array.shape != image.values.shape:
        raise GeometryMismatchError(f"the label map has shape {array.shape}, the image {image.values.shape} (k, j, i)")
    limits = np.iinfo(np.int32)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise MaskError(f"labels reach {array.max()}; at most {limits.max} is possible. Number them anew")
    values = np.ascontiguousarray(array, dtype=np.int32)
    if not values.any():
        raise MaskError("the label map holds no label: all voxels are 0")
    return values


Found = tuple[list[int], NDArray[np.float64], dict[int, str]]
EdgesOf = Callable[[_core.LabelledRegion], NDArray[np.float64]]
_NO_EDGES = np.empty(0)


def _one_by_one(image: Image, labels: NDArray[np.int32], module: Any, settings: Any, workers: int) -> Found:
    """Any profile, any settings."""
    present = [int(label) for label in np.unique(labels) if label != 0]
    rows = np.full((len(present), len(module.columns(settings))), np.nan)
    reasons = {}
    for row, label in enumerate(present):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedFeatureWarning)  # said once, for all regions
            try:
                rows[row] = module.compute(image, Roi(labels == label, image.geometry, str(label)), settings)
            except CaseError as error:
                reasons[label] = str(error)
    return present, rows, reasons


def _in_one_pass(settings: Any) -> bool:
    """What the core measures for all regions at once."""
    plain = CountingSettings()
    return (
        settings.spacing_mm is None
        and not settings.pre_crop
        and not settings.normalise
        and settings.resegment_range is None
        and "shape2D" not in layout_of(settings).shapes
        and all(
            counting.model_copy(update={"bin_width": plain.bin_width, "bin_count": plain.bin_count}) == plain
            for _, counting in settings.images
        )
    )


def _together(image: Image, labels: NDArray[np.int32], module: Any, settings: Any, workers: int) -> Found:
    """PyRadiomics' features of all regions, one response map after the other."""
    layout = layout_of(settings)
    box = bounding_box(labels != 0)
    assert box is not None
    labels = labels[box]
    regions = _core.labelled_regions(labels, image.values[box])
    reasons = {region.label: reason for region in regions if (reason := _too_small(region, settings))}
    skipped = set(reasons)
    found = np.full((len(regions), layout.size), np.nan)

    def measure(response: NDArray[Any], bits: int, start: int, edges_of: EdgesOf, name: str) -> None:
        """The families of these bits on one response map, into the columns from `start` on."""
        seen = _core.labelled_regions(labels, response)
        edges = [_NO_EDGES] * len(seen)
        failures = [""] * len(seen)
        for number, region in enumerate(seen):
            if region.label not in skipped:
                try:
                    edges[number] = edges_of(region)
                except CaseError as error:
                    failures[number] = str(error)
        ends = np.cumsum([len(some) for some in edges], dtype=np.int64)
        values, refused = _core.label_features(
            labels, response, image.geometry.spacing_mm, seen, np.concatenate(edges), ends, bits, workers
        )
        width = len(values) // len(seen)
        found[:, start : start + width] = values.reshape(len(seen), width)
        for region, *why in zip(seen, failures, refused, strict=True):
            if any(why):
                said = f"{name}: {''.join(why)}"
                reasons[region.label] = f"{reasons[region.label]}; {said}" if region.label in reasons else said

    for start in layout.shapes.values():
        measure(image.values[box], 1, start, lambda region: np.array([0.0, 1.0]), "shape")
    for part in layout.maps if layout.families else ():
        for name, start, response in zip(
            part.labels, part.starts, response_maps(image, box, part.settings), strict=True
        ):
            measure(response, layout.bits, start, _bins(response.dtype, part.counting), name)
    values = found[:, layout.take]
    for column, function, places in layout.derived:
        for row, arguments in enumerate(found[:, list(places)]):
            values[row, column] = function(*map(float, arguments)) if np.isfinite(arguments).all() else np.nan
    return [region.label for region in regions], values, reasons


def _bins(dtype: np.dtype[Any], counting: CountingSettings) -> EdgesOf:
    """The bin edges of a region on one response map; regions of the same bins share them (a lesion has thousands of windows)."""
    width = counting.bin_width
    made: dict[tuple[float, float], NDArray[np.float64]] = {}

    def edges_of(region: _core.LabelledRegion) -> NDArray[np.float64]:
        low, high = region.minimum, region.maximum
        check_intensities(region.not_finite, region.voxels, low, high)
        if counting.bin_count is not None or dtype == np.float32:
            return pyradiomics.bin_edges(dtype, low, high, counting)
        # edges follow from the first and their number, which `arange` computes in just this way
        first = low - low % width
        number = (high + 2 * width - first) / width
        key = first, math.ceil(number) if math.isfinite(number) else number
        if key not in made:
            made[key] = pyradiomics.bin_edges(dtype, low, high, counting)
        return made[key]

    return edges_of


def _too_small(region: _core.LabelledRegion, settings: Any) -> str | None:
    dimensions = sum(stop - start > 1 for start, stop in zip(region.low, region.high, strict=True))
    if region.voxels < settings.minimum_voxels or dimensions < settings.minimum_dimensions:
        return (
            f"{region.voxels} voxels in {dimensions} dimensions; at least {settings.minimum_voxels} voxels in "
            f"{settings.minimum_dimensions} dimensions are needed"
        )
    return None


def _warn(frame: pd.DataFrame, reasons: dict[int, str]) -> None:
    """One warning for everything that is missing."""
    said = []
    if reasons:
        listed = first_few(f"{label} ({reason})" for label, reason in reasons.items())
        said.append(f"{len(reasons)} of {len(frame)} regions were not, or not fully, measured: {listed}")
    missing = frame.drop(index=list(reasons)).isna().sum()
    if (missing := missing[missing > 0]).size:
        said.append(
            f"not defined and missing: {first_few(f'{name} ({count} regions)' for name, count in missing.items())}"
        )
    if said:
        warnings.warn(UndefinedFeatureWarning("; ".join(said)), stacklevel=3)
