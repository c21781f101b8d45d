"""[filters]: which response maps features are computed on, for all blocks; a block may override it with `filters = [...]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from isthmus.errors import did_you_mean
from isthmus.filters.registry import FILTER_LIST_SCHEMA, FILTERS
from isthmus.settings import Section

__all__ = ["FiltersSettings"]


def _names_known(given: Any) -> Any:
    """The filters exist; their settings are for the profile of each block, which may know more than the filter does."""
    if given is None:
        return None
    if not isinstance(given, (list, tuple)) or not given:
        raise ValueError('a list of filters, such as ["none", { name = "square" }]')
    for one in given:
        name = one.get("name") if isinstance(one, Mapping) else one
        if name not in FILTERS:
            raise ValueError(f"filter {name!r} is not known.{did_you_mean(str(name), FILTERS)}")
    return tuple(given)


class FiltersSettings(Section):
    """use: filters by name, or tables with a name and settings: `["none", { name = "square" }]`. Unset: the profile's own."""

    use: Annotated[
        tuple[str | dict[str, Any], ...] | None, BeforeValidator(_names_known), WithJsonSchema(FILTER_LIST_SCHEMA)
    ] = None
