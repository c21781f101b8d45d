"""The CRIT study on distant metastasis of differentiated thyroid cancer, of this run and as printed."""

from __future__ import annotations

from typing import Any

from isthmus.report.recipes.crit import added, groups, models, rates, score
from isthmus.report.recipes.crit.page import parts

__all__ = ["FIGURES", "NAME", "TITLE", "parts"]

NAME = "crit"
TITLE = "The published study, and this run"

_FIGURES: tuple[Any, ...] = (rates, models, added, score, groups)

FIGURES: dict[str, Any] = {figure.NAME: figure for figure in _FIGURES}
"""Name -> figure, in the order of the page."""
