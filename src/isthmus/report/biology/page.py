"""A short page beside the tables of a command: sentences, figures, the first rows of tables; nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from isthmus.report import inline
from isthmus.report.figures._save import Drawing, save_drawing

__all__ = ["Excerpt", "draw_figures", "excerpt", "write_page"]


@dataclass(frozen=True)
class Excerpt:
    """The first rows of a table, every cell text."""

    title: str
    frame: pd.DataFrame
    caption: str


def excerpt(title: str, table: pd.DataFrame, file: str, *, rows: int = 20, words: str = "") -> Excerpt:
    """The first rows of a table as text; the caption says where the whole lies."""
    shown = table.head(rows)
    cells = shown.apply(lambda column: column.map(_cell))
    of = f"{len(shown)} of {len(table)} rows; all in {file}." if len(table) > rows else f"In {file}."
    return Excerpt(title, cells, f"{words} {of}".strip())


def draw_figures(
    figures: Mapping[str, ModuleType], tables: Mapping[str, pd.DataFrame], folder: Path
) -> list[tuple[Drawing, str]]:
    """Draw every figure that has something to show; with its caption."""
    drawn = []
    for name, figure in figures.items():
        data = figure.data(tables)
        if all(not len(frame) for frame in data.values()):
            continue
        one = save_drawing(name, figure.TITLE, data, figure.size(data), partial(figure.draw, data), folder)
        drawn.append((one, figure.caption(data)))
    return drawn


def write_page(
    path: Path, title: str, sentences: Sequence[str], figures: Iterable[tuple[Drawing, str]], views: Sequence[Excerpt]
) -> Path:
    """Write the page; the same contents give the same bytes."""
    from markupsafe import Markup

    here = resources.files("isthmus.report")
    text = inline.rendered(
        here.joinpath("biology", "page.html.j2").read_text(encoding="utf-8"),
        here.joinpath("report.css").read_text(encoding="utf-8"),
        "",
        title=title,
        sentences=list(sentences),
        # the only text that is not escaped: drawings whose text matplotlib escaped
        figures=[(one, Markup(inline.drawing(one.svg)), caption) for one, caption in figures],
        views=list(views),
    )
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _cell(value: object) -> str:
    if isinstance(value, (float, np.floating)):
        return "–" if not np.isfinite(value) else f"{value:.3g}".replace("-", "−")
    return "–" if value is None else str(value)
