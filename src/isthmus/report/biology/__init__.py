"""Pictures and pages of protein tables, graded stains and associations: drawn from tables alone.

One module per figure: `data(tables)`, the numbers behind it out of the tables of `isthmus.biology` (name -> DataFrame); `draw(data, ax)`;
`size(data)`, in inches. To add one, write its module and name it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.report.biology import (
    components,
    effects,
    gene_sets,
    heat_map,
    mean_difference,
    network,
    pairs,
    stains,
    volcano,
)

__all__ = ["ASSOCIATION_FIGURES", "PROTEIN_FIGURES"]

PROTEIN_FIGURES: Mapping[str, ModuleType] = MappingProxyType(
    {m.NAME: m for m in (volcano, mean_difference, heat_map, components, network, gene_sets)}
)
"""Name -> module, in the order of the page."""

ASSOCIATION_FIGURES: Mapping[str, ModuleType] = MappingProxyType({m.NAME: m for m in (stains, effects, pairs)})
"""Of graded stains and associations."""
