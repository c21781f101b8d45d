"""What the report adds for a published study that the plan names: its figures, and the parts of the page, in order.

To add a study, write its package (FIGURES, `parts`) and name it here; the tables they read are made by `isthmus.study.recipes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.report.recipes import atc_pdtc, crit
from isthmus.study.result import Result

__all__ = ["STUDIES", "study_of"]

STUDIES: Mapping[str, ModuleType] = MappingProxyType({study.NAME: study for study in (atc_pdtc, crit)})


def study_of(result: Result) -> ModuleType | None:
    """The study whose recipe the run's plan names, or None."""
    recipe = result.plan.get("report", {}).get("recipe")
    return STUDIES.get(recipe["name"]) if recipe else None
