"""The study on large volume lymph node metastasis: what every study shows, and its own tables and maps."""

from __future__ import annotations

from typing import Any

from isthmus.report.recipes.lvlnm import choices, maps
from isthmus.report.recipes.lvlnm.page import parts
from isthmus.report.recipes.neighbour import beside

__all__ = ["FIGURES", "NAME", "TITLE", "parts"]

NAME = "lvlnm"
TITLE = "Beside the published study"

FIGURES: dict[str, Any] = {figure.NAME: figure for figure in (beside, choices, maps)}
"""Name -> figure, in the order of the page."""
