"""Every feature of IBSI 1, by IBSI's own processing chain.

174 features without aggregation: morphology 29, local intensity 2, intensity statistics 18, intensity histogram 23,
intensity-volume histogram 7, GLCM 25, GLRLM 16, GLSZM 16, GLDZM 16, NGTDM 5, NGLDM 17; textures come once per aggregation.

References
----------
Zwanenburg et al., Radiology 295(2), 2020, doi:10.1148/radiol.2020191145; reference manual arXiv:1612.07003.
Whybra et al., Radiology 310(2), 2024, doi:10.1148/radiol.231319 (filters).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from isthmus import _core
from isthmus.errors import CaseError, UndefinedFeatureWarning
from isthmus.features import morphology
from isthmus.features._intensities import check_intensities
from isthmus.features._spec import FeatureSpec
from isthmus.features._workspace import workspace
from isthmus.features.discretise import Discretisation, volume_histogram_levels
from isthmus.features.discretise import grey_levels as discretise
from isthmus.features.ibsi import FAMILIES, SUFFIXES, TEXTURES
from isthmus.features.ibsi.local_intensity import RADIUS_MM
from isthmus.features.measured import GreyLevels, Measured, Response
from isthmus.features.profiles.ibsi_chain import Processed, process
from isthmus.filters import FilterList, FilterSettings, filter_labels, parse_filter, response_maps
from isthmus.image import Image
from isthmus.image.resample import Interpolation
from isthmus.roi import Roi
from isthmus.settings import Section
from isthmus.table import ColumnMeta

__all__ = ["NAME", "Settings", "columns", "compute", "grey_levels", "measured"]

NAME = "ibsi"

FamilyName = Literal[
    "morphology",
    "local_intensity",
    "intensity_statistics",
    "intensity_histogram",
    "intensity_volume_histogram",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
]
_ALL: tuple[FamilyName, ...] = FamilyName.__args__  # type: ignore[attr-defined]
# the region's shape and the image around it: of the unfiltered image only (IBSI 2, section 4.2)
_UNFILTERED = ("morphology", "local_intensity")

_UNFILTERED_IMAGE = parse_filter("none")
# response maps that IBSI 2 defines; the other filters are PyRadiomics'
_IBSI_FILTERS = frozenset(
    ("none", "mean", "log", "laws", "gabor", "wavelet", "simoncelli", "riesz_log", "riesz_simoncelli")
)

Aggregation = Literal["BTW3", "SUJT", "JJUI", "ZW7Z", "ITBB", "IAZD", "8QNN", "62GR", "KOBO"]
_VOLUME: tuple[Aggregation, ...] = ("ITBB", "IAZD", "KOBO")
_BY_SLICE: tuple[Aggregation, ...] = ("BTW3", "SUJT", "JJUI", "ZW7Z", "8QNN", "62GR")


class Settings(Section):
    """What a `[[features]]` block may set for this profile.

    spacing_mm: resample to this spacing (k, j, i); 0 keeps the original along that axis. by_slice: keep the slices, and join
    textures within slices unless aggregations says otherwise. interpolation, mask_interpolation; mask_threshold: the part from
    which a resampled voxel belongs to the region. rounding: to whole intensities, before and after interpolation; unset, HU and
    integer images are rounded. resegment_range: intensities that count, both bounds included, -inf or inf for an open side.
    outlier_sigma: leave out intensities further than this many standard deviations from the region's mean.
    discretisation: of histogram and textures; ivh_discretisation: of the intensity-volume histogram; response_discretisation,
    response_ivh_discretisation: the same on response maps, whose units mean little. families; aggregations: IBSI codes.
    distances: of co-occurring voxels (GLCM), in voxels; neighbourhoods (NGTDM, NGLDM) reach to the largest; ngldm_alpha: the
    difference of grey levels that still counts as dependent; distance_weighting: of directions where they are merged (GLCM, GLRLM).
    filters: the images to measure, "none" the unfiltered one. minimum_voxels: smaller regions are refused.
    """

    spacing_mm: tuple[float, float, float] | None = None
    by_slice: bool = False
    interpolation: Interpolation = "cubic_spline"
    mask_interpolation: Interpolation = "linear"
    mask_threshold: float = Field(default=0.5, gt=0, le=1)
    rounding: Literal["nearest_integer", "none"] | None = None
    resegment_range: tuple[float, float] | None = None
    outlier_sigma: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    discretisation: Discretisation = Discretisation(method="fbn", bin_count=32)
    ivh_discretisation: Discretisation = Discretisation(method="fbn", bin_count=1000)
    response_discretisation: Discretisation = Discretisation(method="fbn", bin_count=32)
    response_ivh_discretisation: Discretisation = Discretisation(method="fbn", bin_count=1000)
    families: tuple[FamilyName, ...] = _ALL
    aggregations: tuple[Aggregation, ...] | None = None
    distances: tuple[int, ...] = (1,)
    ngldm_alpha: int = Field(default=0, ge=0)
    distance_weighting: Literal["none", "manhattan", "euclidean", "infinity"] = "none"
    filters: FilterList = (_UNFILTERED_IMAGE,)
    minimum_voxels: int = Field(default=1, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _bins_are_a_table(cls, given: Any) -> Any:
        for key, method in (("bin_width", "fbs"), ("bin_count", "fbn")):
            if isinstance(given, Mapping) and key in given:
                raise ValueError(
                    f'{key}: this profile says it as discretisation = {{ method = "{method}", {key} = {given[key]} }}'
                )
        return given

    @field_validator("spacing_mm")
    @classmethod
    def _not_negative(cls, spacing: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if spacing is not None and not all(math.isfinite(s) and s >= 0 for s in spacing):
            raise ValueError(
                f"spacing_mm = {spacing}: three numbers (k, j, i), each above 0, or 0 to keep the original"
            )
        return None if spacing == (0, 0, 0) else spacing

    @field_validator("resegment_range")
    @classmethod
    def _ascending(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds is not None and not bounds[0] < bounds[1]:
            raise ValueError(f"resegment_range = {bounds}: the lower bound comes first; -inf or inf leaves a side open")
        return bounds

    @field_validator("families", "aggregations", "distances", check_fields=False)  # sera215 fixes the first two
    @classmethod
    def _each_once(cls, named: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if named is not None and (not named or len(set(named)) != len(named)):
            raise ValueError(f"{named}: name each once, at least one")
        return named

    @field_validator("distances")
    @classmethod
    def _whole(cls, distances: tuple[int, ...]) -> tuple[int, ...]:
        if any(distance < 1 for distance in distances):
            raise ValueError(f"distances = {distances}: Chebyshev distances in voxels, from 1 on")
        return distances

    @model_validator(mode="after")
    def _every_texture_is_joined(self) -> Settings:
        for family in self.families:
            if family in TEXTURES and not _joined(family, self):
                known = ", ".join(FAMILIES[family].AGGREGATIONS)
                raise ValueError(
                    f"aggregations: none of {', '.join(self.aggregated)} fits family {family}; add one of {known}"
                )
        return self

    @property
    def aggregated(self) -> tuple[Aggregation, ...]:
        """The aggregations, the defaults filled in."""
        return self.aggregations or (_BY_SLICE if self.by_slice else _VOLUME)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The re-segmentation range, None where a side is open."""
        low, high = self.resegment_range or (-math.inf, math.inf)
        return (low if math.isfinite(low) else None, high if math.isfinite(high) else None)

    def rounds(self, image: Image) -> bool:
        """Whether intensities of this image are rounded to whole numbers."""
        if self.rounding is None:
            return image.quantity == "HU" or image.values.dtype.kind in "iu"
        return self.rounding == "nearest_integer"


@lru_cache(maxsize=64)
def columns(settings: Settings) -> tuple[ColumnMeta, ...]:
    """The facts of every column, in the order of the values `compute` returns."""
    return tuple(meta for meta, _ in _columns(settings))


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
        NaN where a feature is not defined for this region; one UndefinedFeatureWarning names them, and why.

    Raises
    ------
    MaskError
        The region is empty, too small, or nothing is left of it after interpolation or re-segmentation.
    GeometryMismatchError
        Image and region lie on different grids.
    ImageReadError
        Intensities of the region are NaN, infinite or beyond 1e75.
    CaseError
        The intensities cannot be discretised as asked.
    """
    processed = _processed(image, roi, settings)
    try:
        result = np.concatenate(list(_values(processed, settings, roi.name)))
    except ValueError as error:
        if isinstance(error, CaseError):
            raise
        raise CaseError(f"region {roi.name!r}: {error}") from error
    _say_what_is_undefined(result, processed, settings, roi.name)
    return result


def measured(image: Image, roi: Roi, settings: Settings) -> Measured:
    """The image, the masks and the response maps that `compute` reads; parameters and errors are those of `compute`."""
    processed = _processed(image, roi, settings)
    whole, box = processed.image, processed.box
    seen = Image(whole.values[box], whole.geometry.part(box), whole.quantity)
    responses = (Response(label, values) for _, label, values in _responses(processed, settings))
    return Measured(seen, processed.morphological, processed.intensity, responses)


def grey_levels(image: Image, roi: Roi, settings: Settings) -> GreyLevels | None:
    """Grey levels of the unfiltered image in the region; None where no feature is read from them. Errors are those of `compute`."""
    counted = {"intensity_histogram", *TEXTURES}.intersection(settings.families)
    if not counted or not any(map(_is_unfiltered, settings.filters)):
        return None
    seen = measured(image, roi, settings)
    inside, how = seen.image.values[seen.intensity_mask], settings.discretisation
    levels = discretise(inside, how, settings.bounds[0])
    first = int(levels.levels.min())
    return GreyLevels(levels.bins - first + 1, float(inside.min()), float(inside.max()), how.bin_width, how.label)


def _processed(image: Image, roi: Roi, settings: Settings) -> Processed:
    filtered = any(not _is_unfiltered(one) for one in settings.filters)
    margin = RADIUS_MM if "local_intensity" in settings.families else 0.0
    return process(image, roi, settings, margin_mm=margin, whole=filtered)


def _responses(processed: Processed, settings: Settings) -> Iterator[tuple[FilterSettings, str, NDArray[Any]]]:
    """Filter, label and values of every response map in the region's box."""
    for one in settings.filters:
        maps = response_maps(processed.image, processed.box, one)
        for label, values in zip(filter_labels(one), maps, strict=True):
            yield one, label, values


def _values(processed: Processed, settings: Settings, name: str) -> Iterator[NDArray[np.float64]]:
    """The values of one family after the other, as `_columns` lists them."""
    box, intensity_mask, spacing = processed.box, processed.intensity, processed.spacing_mm
    if "morphology" in settings.families:
        yield morphology.compute(processed.image.values[box], processed.morphological, intensity_mask, spacing)
    if "local_intensity" in settings.families:
        around = np.zeros(processed.image.values.shape, dtype=bool)
        around[box] = intensity_mask
        peaks = _core.local_intensity(processed.image.values, around, spacing)
        yield np.where(np.isfinite(peaks), peaks, np.nan)
    regions = _Regions(_core.Region(intensity_mask, spacing), _core.Region(processed.morphological, spacing))
    for one, _, values in _responses(processed, settings):
        sample = _core.Sample(regions.intensity, values)
        where = f" of region {name!r} in the response map of filter {one.name!r}"
        check_intensities(sample.not_finite, regions.intensity.size, sample.minimum, sample.maximum, where)
        yield from _of_map(sample, regions, settings, _is_unfiltered(one))


@dataclass(frozen=True, slots=True)
class _Regions:
    """The region as re-segmentation left it, and as it was drawn, in one box."""

    intensity: _core.Region
    morphological: _core.Region


def _of_map(
    sample: _core.Sample, regions: _Regions, settings: Settings, unfiltered: bool
) -> Iterator[NDArray[np.float64]]:
    """The families that read one image or response map inside the intensity mask."""
    # the re-segmentation range speaks of the unfiltered image
    low, high = settings.bounds if unfiltered else (None, None)
    if "intensity_statistics" in settings.families:
        yield _core.intensity_statistics(sample)
    textures = [
        (family, code) for family in TEXTURES if family in settings.families for code in _joined(family, settings)
    ]
    if textures or "intensity_histogram" in settings.families:
        grey = discretise(sample.values, _discretisation(settings, unfiltered), low)
    if "intensity_histogram" in settings.families:
        yield _core.intensity_histogram(grey.levels, grey.bins)
    if "intensity_volume_histogram" in settings.families:
        steps = volume_histogram_levels(sample.values, _ivh_discretisation(settings, unfiltered), low, high)
        yield _core.intensity_volume_histogram(steps.levels, steps.bins, steps.first, steps.step)
    if textures:
        found = _core.texture(
            regions.intensity,
            grey.levels,
            textures,
            distances=settings.distances,
            weighting=settings.distance_weighting,
            alpha=float(settings.ngldm_alpha),
            rules="ibsi",
            grey_levels=grey.bins,
            correlation=False,  # not IBSI's
            edge=regions.morphological,
            workspace=workspace(),
        )
        for (family, _), values in zip(textures, found, strict=True):
            yield values[_positions(family)]


@lru_cache(maxsize=16)
def _positions(family: str) -> NDArray[np.intp]:
    """Where the core's values of a texture family hold each of IBSI's features."""
    module = TEXTURES[family]
    names, equal = _core.feature_names(family), getattr(module, "EQUAL", {})
    return np.array([names.index(equal.get(spec.name, spec.name)) for spec in module.FEATURES], dtype=np.intp)


# ------------------------------------------------------------------------------------------ columns


@lru_cache(maxsize=64)
def _columns(settings: Settings) -> tuple[tuple[ColumnMeta, FeatureSpec], ...]:
    """Facts and definition of every column: families of the unfiltered image alone, then those of each response map."""
    found: list[tuple[ColumnMeta, FeatureSpec]] = []
    for family in _UNFILTERED:
        if family in settings.families:
            found += [(_meta(family, spec, settings), spec) for spec in FAMILIES[family].FEATURES]
    for one in settings.filters:
        for label in filter_labels(one):
            for family in FAMILIES:
                if family in settings.families and family not in _UNFILTERED:
                    for joined in _joined(family, settings) or ("",):
                        found += [
                            (_meta(family, spec, settings, one, label, joined), spec)
                            for spec in FAMILIES[family].FEATURES
                        ]
    return tuple(found)


def _meta(
    family: str,
    spec: FeatureSpec,
    settings: Settings,
    one: FilterSettings = _UNFILTERED_IMAGE,
    label: str = "original",
    joined: str = "",
) -> ColumnMeta:
    """The facts of one column."""
    unfiltered = _is_unfiltered(one)
    volume_histogram = family == "intensity_volume_histogram"
    how = _ivh_discretisation(settings, unfiltered) if volume_histogram else _discretisation(settings, unfiltered)
    unit = spec.unit
    if volume_histogram and how.method == "fbn" and unit == "intensity":
        unit = ""  # the number of a bin
    name = f"{spec.tag}_{SUFFIXES[joined]}" if joined else spec.tag
    return ColumnMeta(
        column=name if unfiltered else f"{label}_{name}",
        filter=label,
        family=family,
        feature=spec.name,
        ibsi_code=spec.ibsi,
        parameter=spec.parameter,
        aggregation=joined,
        discretisation=how.label if spec.discretised else "",
        unit=unit,
        ibsi_compliant="true" if one.name in _IBSI_FILTERS else "false",
    )


def _joined(family: str, settings: Settings) -> tuple[str, ...]:
    """The aggregations of a texture family, in the order of its columns; none for other families."""
    if family not in TEXTURES:
        return ()
    known: tuple[str, ...] = TEXTURES[family].AGGREGATIONS
    return tuple(code for code in known if code in settings.aggregated)


def _is_unfiltered(one: FilterSettings) -> bool:
    return one.name == "none"


def _discretisation(settings: Settings, unfiltered: bool) -> Discretisation:
    return settings.discretisation if unfiltered else settings.response_discretisation


def _ivh_discretisation(settings: Settings, unfiltered: bool) -> Discretisation:
    return settings.ivh_discretisation if unfiltered else settings.response_ivh_discretisation


def _say_what_is_undefined(values: NDArray[np.float64], processed: Processed, settings: Settings, name: str) -> None:
    missing = np.isnan(values)
    if not missing.any():
        return
    reasons: dict[str, list[str]] = {}
    for (meta, spec), absent in zip(_columns(settings), missing, strict=True):
        if absent:
            known = (
                spec.limit if spec.limit.startswith("undefined") else getattr(FAMILIES[meta.family], "UNDEFINED", "")
            )
            reasons.setdefault(known.removeprefix("undefined ") or "for a reason unknown", []).append(meta.column)
    listed = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())
    voxels = int(np.count_nonzero(processed.intensity))
    warnings.warn(
        UndefinedFeatureWarning(f"region {name!r} ({voxels} voxels): not defined and missing: {listed}"), stacklevel=3
    )
