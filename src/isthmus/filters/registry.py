"""The filters by name, and how a plan names one.

A filter is a module with

- `NAME`, and `Settings(FilterSettings)`: frozen, every default written once;
- `labels(settings) -> tuple[str, ...]`: one label per response map, as columns and exported files call it;
- `apply(image, box, settings) -> Iterator[array]`: one response map per label, in that order, each of the box's shape. The filter
  sees the image's own borders, and reads no more of the image around the box than its definition needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, SerializeAsAny, ValidationError, WithJsonSchema

from isthmus.errors import did_you_mean
from isthmus.filters import (
    exponential,
    gabor,
    gradient,
    laws,
    lbp2d,
    lbp3d,
    log,
    logarithm,
    mean,
    none,
    recursive_log,
    riesz_log,
    riesz_simoncelli,
    simoncelli,
    square,
    square_root,
    stationary_wavelet,
    wavelet,
)
from isthmus.filters._spec import Box, FilterSettings
from isthmus.image import Image

__all__ = ["FILTERS", "FILTER_LIST_SCHEMA", "FilterList", "filter_labels", "parse_filter", "response_maps"]

FILTERS: Mapping[str, ModuleType] = MappingProxyType(
    {
        module.NAME: module
        for module in (
            none,
            # IBSI 2
            mean,
            log,
            laws,
            gabor,
            wavelet,
            simoncelli,
            riesz_log,
            riesz_simoncelli,
            # PyRadiomics
            recursive_log,
            stationary_wavelet,
            square,
            square_root,
            logarithm,
            exponential,
            gradient,
            lbp2d,
            lbp3d,
        )
    }
)


def parse_filter(given: str | Mapping[str, Any] | FilterSettings) -> FilterSettings:
    """The settings of one filter from its name, or from a table with its name and settings.

    Raises
    ------
    ValueError
        No such filter, or a setting it does not know.
    """
    if isinstance(given, FilterSettings):
        return given
    table = {"name": given} if isinstance(given, str) else dict(given)
    name = str(table.get("name", ""))
    if name not in FILTERS:
        raise ValueError(f"filter {name!r} is not known.{did_you_mean(name, FILTERS)}")
    module = FILTERS[name]
    for key in table:
        if key not in module.Settings.model_fields:
            raise ValueError(
                f"filter {name!r} has no setting {key!r}.{did_you_mean(key, list(module.Settings.model_fields))}"
            )
    try:
        settings: FilterSettings = module.Settings(**table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "settings"
        raise ValueError(f"filter {name!r}: {where} = {first['input']!r}: {first['msg']}") from error
    return settings


def _parse_all(given: Any) -> Any:
    if isinstance(given, (str, Mapping, FilterSettings)) or not isinstance(given, Iterable):
        raise ValueError('filters is a list of names or tables, such as ["none", { name = "square" }]')
    filters = tuple(parse_filter(one) for one in given)
    labels = [label for one in filters for label in filter_labels(one)]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise ValueError(f"filters: {', '.join(twice)} would be computed twice; name each response map once")
    if not filters:
        raise ValueError('filters is empty; the unfiltered image is "none"')
    return filters


FILTER_LIST_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "anyOf": [
            {"type": "string", "enum": sorted(FILTERS)},
            {"type": "object", "properties": {"name": {"enum": sorted(FILTERS)}}, "required": ["name"]},
        ]
    },
}
FilterList = Annotated[
    tuple[SerializeAsAny[FilterSettings], ...], BeforeValidator(_parse_all), WithJsonSchema(FILTER_LIST_SCHEMA)
]


def filter_labels(settings: FilterSettings) -> tuple[str, ...]:
    """The labels of a filter's response maps, in the order of `response_maps`."""
    labels: tuple[str, ...] = FILTERS[settings.name].labels(settings)
    return labels


def response_maps(image: Image, box: Box, settings: FilterSettings) -> Iterator[NDArray[Any]]:
    """The response maps of one filter inside a box (three slices k, j, i), one at a time.

    A response that no number can hold is infinite or NaN, without a word from NumPy: whoever measures the map says so.
    """
    maps: Iterator[NDArray[Any]] = FILTERS[settings.name].apply(image, box, settings)
    while True:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            response = next(maps, None)
        if response is None:
            return
        yield response
