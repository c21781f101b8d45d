"""What the report adds for a published study that the plan names: its figures, and the parts of the page, in order.

A study whose facts say everything has `neighbour`: printed numbers beside the run's, what is done otherwise, what the text leaves open. To
add one with figures of its own, write its package (FIGURES, `parts`) and name it here; the tables they read are made by
`isthmus.study.recipes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.report.recipes import atc_pdtc, crit, lvlnm, neighbour
from isthmus.study.result import Result

__all__ = ["STUDIES", "study_of"]

STUDIES: Mapping[str, ModuleType] = MappingProxyType({study.NAME: study for study in (atc_pdtc, crit, lvlnm)})
"""Those with parts of their own."""


def study_of(result: Result) -> ModuleType | None:
    """The study whose recipe the run's plan names, or None."""
    recipe = result.plan.get("report", {}).get("recipe")
    return STUDIES.get(recipe["name"], neighbour) if recipe else None
