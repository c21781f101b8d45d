"""[filters]: which response maps features are computed on, for all blocks; a block may override it with `filters = [...]`."""

from __future__ import annotations

from isthmus.filters.registry import FilterList
from isthmus.settings import Section

__all__ = ["FiltersSettings"]


class FiltersSettings(Section):
    """use: filters by name, or tables with a name and settings: `["none", { name = "square" }]`. Unset: the profile's own."""

    use: FilterList | None = None
