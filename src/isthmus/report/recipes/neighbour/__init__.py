"""A published study whose facts say everything: its numbers beside this run's, what is done otherwise, what its text leaves open."""

from __future__ import annotations

from typing import Any

from isthmus.report.recipes.neighbour import beside
from isthmus.report.recipes.neighbour.page import parts

__all__ = ["FIGURES", "TITLE", "parts"]

TITLE = "Beside the published study"

FIGURES: dict[str, Any] = {beside.NAME: beside}
"""Name -> figure, in the order of the page."""
