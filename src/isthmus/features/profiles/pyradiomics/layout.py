"""Which columns settings ask for, in PyRadiomics' order, and where their values stand among those the core returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isthmus.features._spec import FeatureSpec
from isthmus.features.families import FAMILIES
from isthmus.features.profiles.pyradiomics.settings import CountingSettings, Settings
from isthmus.features.profiles.pyradiomics.vocabulary import DEPRECATED, MODULES, SHAPES, deprecated_specs, specs
from isthmus.filters import FilterSettings, filter_labels
from isthmus.table import ColumnMeta

__all__ = ["Layout", "MapPart", "aggregation", "binned_label", "layout_of"]

CORE_ORDER = tuple(FAMILIES)


@dataclass(frozen=True)
class MapPart:
    """One filter: what to count on each of its response maps, and where the values of each map begin."""

    settings: FilterSettings
    counting: CountingSettings
    labels: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """Columns, and how they come from the values of whole families.

    shapes: the shape families, each with the place of its values. families: counted on every map, in the core's order; `count`
    values together. size: of the vector of all family values. take: for each column, its place there. derived: columns computed from
    other values: place among the columns, function, places of its arguments.
    """

    columns: tuple[ColumnMeta, ...]
    shapes: dict[str, int]
    families: tuple[str, ...]
    count: int
    maps: tuple[MapPart, ...]
    size: int
    take: NDArray[np.intp]
    derived: tuple[tuple[int, Callable[..., float], tuple[int, ...]], ...]

    @property
    def bits(self) -> int:
        """The counted families, for the core."""
        return sum(1 << CORE_ORDER.index(family) for family in self.families)


@lru_cache(maxsize=64)
def layout_of(settings: Settings) -> Layout:
    """The layout of a profile's settings."""
    wanted = _wanted(settings)
    shapes, size = {}, 0
    for family in SHAPES:
        if family in wanted:
            shapes[family] = size
            size += len(specs(family))
    families = tuple(family for family in CORE_ORDER if family in wanted and family not in SHAPES)
    within, count = {}, 0
    for family in families:
        within[family] = count
        count += len(specs(family))
    maps = []
    for filter_settings, counting in settings.images:
        labels = filter_labels(filter_settings)
        starts = tuple(size + number * count for number in range(len(labels)))
        maps.append(MapPart(filter_settings, counting, labels, starts))
        size += len(labels) * count

    columns: list[ColumnMeta] = []
    take: list[int] = []
    derived: list[tuple[int, Callable[..., float], tuple[int, ...]]] = []

    def add(family: str, start: int, label: str, counting: CountingSettings | None) -> None:
        place = {spec.name: start + number for number, spec in enumerate(specs(family))}
        for spec in wanted[family]:
            columns.append(_meta(family, spec, label, counting, settings))
            made = DEPRECATED.get(f"{family}_{spec.name}")
            if made is not None:
                derived.append((len(take), made[2], tuple(place[name] for name in made[1])))
            take.append(place.get(spec.name, start))

    for family, start in shapes.items():
        add(family, start, "original", None)
    for part in maps:
        for label, start in zip(part.labels, part.starts, strict=True):
            for family in wanted:
                if family not in SHAPES:
                    add(family, start + within[family], label, part.counting)
    return Layout(
        tuple(columns), shapes, families, count, tuple(maps), size, np.array(take, dtype=np.intp), tuple(derived)
    )


def _wanted(settings: Settings) -> dict[str, tuple[FeatureSpec, ...]]:
    """Families in the order asked for, each with its features in the order asked for."""
    if settings.features is None:
        return {family: specs(family) for family in settings.families}
    chosen: dict[str, list[FeatureSpec]] = {}
    for feature in settings.features:
        family, name = feature.split("_", 1)
        known = {spec.name: spec for spec in (*specs(family), *deprecated_specs(family))}
        chosen.setdefault(family, []).append(known[name])
    return {family: tuple(features) for family, features in chosen.items()}


def _meta(
    family: str, spec: FeatureSpec, label: str, counting: CountingSettings | None, settings: Settings
) -> ColumnMeta:
    """The facts of one column.

    Not IBSI: features whose formula differs (`spec.differs`); everything on a response map, because PyRadiomics' filters are not IBSI's;
    with a bin width everything computed from grey levels, because the edges are anchored at 0 and not at the re-segmentation bound or
    the minimum; everything after resampling, because the new grid is aligned at the corner of the first voxel, integers are truncated
    and the mask is nearest neighbour; textures counted by rules of PyRadiomics alone.
    """
    binned = ""
    if spec.discretised and counting is not None:
        binned = binned_label(counting)
    compliant = (
        bool(spec.ibsi)
        and not spec.differs
        and settings.spacing_mm is None
        and not settings.resample_mask
        and label == "original"
        and not binned.startswith("FBS")
        and (counting is None or _counted_as_ibsi(family, spec, counting))
    )
    return ColumnMeta(
        column=f"{label}_{family}_{spec.name}",
        filter=label,
        family=family,
        feature=spec.name,
        ibsi_code=spec.ibsi,
        parameter=spec.parameter,
        aggregation=aggregation(family, counting),
        discretisation=binned,
        unit=spec.unit,
        ibsi_compliant="true" if compliant else "false",
    )


def binned_label(counting: CountingSettings) -> str:
    """How grey levels are made, as the facts of a column say it."""
    return f"FBN {counting.bin_count}" if counting.bin_count else f"FBS {counting.bin_width:g}"


def _counted_as_ibsi(family: str, spec: FeatureSpec, counting: CountingSettings) -> bool:
    if family == "firstorder":
        return counting.voxel_array_shift == 0 or spec.name not in ("Energy", "TotalEnergy", "RootMeanSquared")
    return (
        counting.distances == (1,)
        and counting.symmetric_glcm
        and counting.weighting in (None, "no_weighting")
        and counting.gldm_alpha == 0
    )


def aggregation(family: str, counting: CountingSettings | None) -> str:
    """IBSI's code of how slices and directions are brought together; empty for families without any."""
    if counting is None or not MODULES[family].AGGREGATION:
        return ""
    if family in ("glcm", "glrlm"):
        if counting.weighting is not None:
            return "IAZD" if counting.slice_axis is None else "ZW7Z"
        return "ITBB" if counting.slice_axis is None else "JJUI"
    return "KOBO" if counting.slice_axis is None else "62GR"
