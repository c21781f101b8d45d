"""Response maps: one module per filter (IBSI 2 names); to add one, write it and name it in `registry.py`."""

from isthmus.filters._spec import Box, FilterSettings, widened
from isthmus.filters.registry import (
    FILTER_LIST_SCHEMA,
    FILTERS,
    FilterList,
    filter_labels,
    parse_filter,
    response_maps,
)

__all__ = [
    "FILTERS",
    "FILTER_LIST_SCHEMA",
    "Box",
    "FilterList",
    "FilterSettings",
    "filter_labels",
    "parse_filter",
    "response_maps",
    "widened",
]
