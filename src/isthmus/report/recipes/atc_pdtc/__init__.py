"""The study on anaplastic or poorly differentiated thyroid carcinoma, of this run and as printed."""

from __future__ import annotations

from typing import Any

from isthmus.report.recipes.atc_pdtc import important, roc, workflow
from isthmus.report.recipes.atc_pdtc.boxes import BOXES
from isthmus.report.recipes.atc_pdtc.page import parts

__all__ = ["FIGURES", "NAME", "TITLE", "parts"]

NAME = "atc-pdtc"
TITLE = "The published study, and this run"

_FIGURES: tuple[Any, ...] = (workflow, *BOXES, roc, important)

FIGURES: dict[str, Any] = {figure.NAME: figure for figure in _FIGURES}
"""Name -> figure, in the order of the page."""
