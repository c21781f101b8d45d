"""The pages of `isthmus ihc` and `isthmus associate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from isthmus.report.biology import ASSOCIATION_FIGURES
from isthmus.report.biology.page import draw_figures, excerpt, write_page

__all__ = ["association_page"]

_TITLES = {
    "markers": "Markers",
    "groups": "Features between groups",
    "correlations": "Correlations",
    "blocks": "Blocks as wholes",
    "composite_auc": "Composite score",
    "composite_weights": "Weights of the composite score",
    "counts": "Patients by level",
    "readers": "Agreement of two readers",
}


def association_page(tables: Mapping[str, pd.DataFrame], sentences: Sequence[str], title: str, folder: Path) -> Path:
    """Draw the figures into `folder`/figures and write `folder`/biology.html."""
    views = []
    for name, words in _TITLES.items():
        if name in tables:
            frame = tables[name].sort_values("p", kind="stable") if "p" in tables[name] else tables[name]
            views.append(excerpt(words, frame, f"{name}.csv"))
    drawn = draw_figures(ASSOCIATION_FIGURES, tables, folder / "figures")
    return write_page(folder / "biology.html", title, sentences, drawn, views)
