"""What a plan may set for PyRadiomics' features, and how a filter gets settings of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_serializer,
)

from isthmus.errors import did_you_mean
from isthmus.features.profiles.pyradiomics.vocabulary import FAMILY_NAMES, feature_names
from isthmus.filters import FILTER_LIST_SCHEMA, FILTERS, FilterSettings, filter_labels, parse_filter
from isthmus.settings import Section

__all__ = ["AXES", "CountingSettings", "FilteredImage", "Settings"]

AXES = ("k", "j", "i")

FamilyName = Literal["shape", "shape2D", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"]
Interpolation = Literal[
    "nearest",
    "linear",
    "cubic_spline",
    "gaussian",
    "label_gaussian",
    "hamming_sinc",
    "cosine_sinc",
    "welch_sinc",
    "lanczos_sinc",
    "blackman_sinc",
]
_DEFAULT_FAMILIES: tuple[FamilyName, ...] = ("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")


class CountingSettings(Section):
    """How the grey levels of one response map are made and counted. In brackets: PyRadiomics' name.

    bin_width (binWidth): width of a grey level bin in the image's own quantity; edges lie at its multiples. bin_count (binCount):
    this many bins between the region's smallest and largest intensity instead. voxel_array_shift (voxelArrayShift): added to the
    intensities in Energy, TotalEnergy and RootMeanSquared. distances: of GLCM, GLDM and NGTDM neighbours, in voxels (largest step
    along an axis). symmetric_glcm (symmetricalGLCM): count each pair both ways. weighting (weightingNorm): merge the directions of
    GLCM and GLRLM, weighted by the length of their step in mm under this norm, or with equal weights ("no_weighting"); unset, features
    are averaged over directions. slice_axis (force2D, force2Ddimension): count inside the slices across this axis only.
    gldm_alpha (gldm_a): levels this far apart still depend on each other.
    """

    bin_width: float = Field(default=25.0, gt=0, allow_inf_nan=False)
    bin_count: int | None = Field(default=None, ge=1)
    voxel_array_shift: float = Field(default=0, allow_inf_nan=False)
    distances: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(1,), min_length=1)
    symmetric_glcm: bool = True
    weighting: Literal["no_weighting", "euclidean", "manhattan", "infinity"] | None = None
    slice_axis: Literal["k", "j", "i"] | None = None
    gldm_alpha: int = Field(default=0, ge=0)


class FilteredImage(Section):
    """One filter, and what is counted differently on its response maps: `{ name = "recursive_log", sigma_mm = [1, 2], bin_width = 10 }`."""

    filter: SerializeAsAny[FilterSettings]
    counting: CountingSettings | None = None

    @classmethod
    def parse(cls, given: Any) -> FilteredImage:
        """From a filter's name, a table with its settings, or filter settings.

        Raises
        ------
        ValueError
            No such filter, or a setting that neither the filter nor the counting knows.
        """
        if isinstance(given, FilteredImage):
            return given
        if not isinstance(given, Mapping):
            return cls(filter=parse_filter(given))
        name = str(given.get("name", ""))
        own = FILTERS[name].Settings.model_fields if name in FILTERS else given
        counting = {
            key: value for key, value in given.items() if key in CountingSettings.model_fields and key not in own
        }
        rest = {key: value for key, value in given.items() if key not in counting}
        unknown = [key for key in rest if key not in own]
        if unknown:
            known = [*own, *CountingSettings.model_fields]
            raise ValueError(f"filter {name!r} has no setting {unknown[0]!r}.{did_you_mean(unknown[0], known)}")
        try:
            return cls(filter=parse_filter(rest), counting=CountingSettings(**counting) if counting else None)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"filter {name!r}: {where} = {first['input']!r}: {first['msg']}") from error

    @property
    def overrides(self) -> dict[str, Any]:
        """The counting settings said for this filter."""
        return {} if self.counting is None else self.counting.model_dump(exclude_unset=True)

    @model_serializer
    def _flat(self) -> dict[str, Any]:
        counting = {} if self.counting is None else self.counting.model_dump(mode="json", exclude_unset=True)
        return {**self.filter.model_dump(mode="json", exclude_none=True), **counting}


def _parse_filters(given: Any) -> tuple[FilteredImage, ...]:
    if isinstance(given, (str, Mapping, FilterSettings)) or not isinstance(given, Iterable):
        raise ValueError('a list of filters, such as ["none", { name = "square" }]')
    filters = tuple(FilteredImage.parse(one) for one in given)
    if not filters:
        raise ValueError('at least one filter; the unfiltered image is "none"')
    return filters


Filters = Annotated[tuple[FilteredImage, ...], BeforeValidator(_parse_filters), WithJsonSchema(FILTER_LIST_SCHEMA)]


class Settings(CountingSettings):
    """What a `[[features]]` block may set for this profile. In brackets: PyRadiomics' name, where it is another.

    filters (imageType): response maps, in the order of the columns; a filter's table may carry counting settings of its own.
    families, features (featureClass): which to compute, in the order of the columns (shape always first); `features` such as
    "glcm_Contrast" wins.
    spacing_mm (resampledPixelSpacing): resample to this spacing (k, j, i) first; 0 keeps the original along that axis.
    interpolation (interpolator): of the image (masks are always nearest). pad_distance: new voxels kept around the region; filters
    see no more. pre_crop: the same crop without resampling.
    normalise, normalise_scale, remove_outliers: the whole image minus its mean over its standard deviation, outliers beyond so many
    standard deviations moved there, times the scale; before resampling.
    resegment_range, resegment_mode: only voxels within the range (one number: from there up) stay in the region; "absolute"
    intensities, "relative" to the region's largest, or "sigma": mean plus so many standard deviations. resegment_shape: shape, too.
    minimum_voxels (minimumROISize, which is one less), minimum_dimensions (minimumROIDimensions): smaller regions are refused.
    label, label_channel: the mask's value and component, where a parameter file names them. resample_mask: a mask on another grid is
    brought to the image's (nearest neighbour), and said. geometry_tolerance: how far origin, spacing and direction of mask and image
    may differ, as a fraction of the first spacing.
    """

    filters: Filters = Field(default=("none",), validate_default=True)
    families: tuple[FamilyName, ...] = _DEFAULT_FAMILIES
    features: tuple[str, ...] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    interpolation: Interpolation = "cubic_spline"
    pad_distance: int = Field(default=5, ge=0)
    pre_crop: bool = False
    normalise: bool = False
    normalise_scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    remove_outliers: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    resegment_range: tuple[float, ...] | None = Field(default=None, min_length=1, max_length=2)
    resegment_mode: Literal["absolute", "relative", "sigma"] = "absolute"
    resegment_shape: bool = False
    minimum_voxels: int = Field(default=2, ge=2)
    minimum_dimensions: int = Field(default=1, ge=1, le=3)
    label: int | None = None
    label_channel: int | None = Field(default=None, ge=0)
    resample_mask: bool = False
    geometry_tolerance: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("filters", check_fields=False)  # a profile of a fixed count has no such key
    @classmethod
    def _each_map_once(cls, filters: tuple[FilteredImage, ...]) -> tuple[FilteredImage, ...]:
        labels = [label for one in filters for label in filter_labels(one.filter)]
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            raise ValueError(f"each response map once; {', '.join(twice)} would be computed twice")
        return filters

    @field_validator("spacing_mm")
    @classmethod
    def _positive(cls, spacing: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if spacing is not None and not all(np.isfinite(s) and s >= 0 for s in spacing):
            raise ValueError(
                f"spacing_mm = {spacing}: three numbers (k, j, i), each above 0, or 0 to keep the original"
            )
        return spacing

    @field_validator("resegment_range")
    @classmethod
    def _ascending(cls, limits: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if limits is not None and not all(np.isfinite(limits)):
            raise ValueError(f"resegment_range = {limits}: one or two numbers; one means from there up")
        return None if limits is None else tuple(sorted(limits))

    @field_validator("families", check_fields=False)
    @classmethod
    def _some(cls, families: tuple[FamilyName, ...]) -> tuple[FamilyName, ...]:
        if not families or len(set(families)) != len(families):
            raise ValueError(f"families = {families}: name each family once, at least one")
        return families

    @field_validator("features", check_fields=False)
    @classmethod
    def _known(cls, features: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if features is None:
            return None
        known = {f"{family}_{name}" for family in FAMILY_NAMES for name in feature_names(family, deprecated=True)}
        unknown = [feature for feature in features if feature not in known]
        if unknown or not features:
            raise ValueError(
                f"features: unknown {', '.join(unknown) or 'empty list'}; a name looks like glcm_Contrast."
                + (did_you_mean(unknown[0], known).split(" Known:")[0] if unknown else "")
            )
        if len(set(features)) != len(features):
            raise ValueError("features: name each feature once")
        return features

    @cached_property
    def images(self) -> tuple[tuple[FilterSettings, CountingSettings], ...]:
        """Every filter with the counting settings that hold for it; filters inside slices follow `slice_axis`."""
        common = {name: getattr(self, name) for name in CountingSettings.model_fields}
        found = []
        for image in self.filters:
            counting = CountingSettings(**{**common, **image.overrides})
            settings = image.filter
            if counting.slice_axis is not None and getattr(settings, "flat_axis", "") is None:
                settings = settings.model_copy(update={"flat_axis": counting.slice_axis})
            found += [(one, counting) for one in _independent(settings)]
        return tuple(found)


def _independent(settings: FilterSettings) -> list[FilterSettings]:
    """A filter of several widths as one filter each: a width too large for a small image must not cost the others."""
    widths = getattr(settings, "sigma_mm", None)
    if not isinstance(widths, tuple):
        return [settings]
    return [settings.model_copy(update={"sigma_mm": (width,)}) for width in widths]
