"""A figure on disk: svg, pdf, png at 300 dpi, and the numbers behind it as csv; the same data give the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import fonts_without_layout, pens
from isthmus.study.result import Result

__all__ = ["Drawing", "inline_svg", "save_drawing", "save_figure"]


DPI = 300
"""Of the png, as journals ask."""

SCREEN = 1.83
"""Pixels a point on the page: 7-point text is read as 13 pixels, a figure of two columns is as wide as the page's text."""

PRINTED: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}
"""Formats beside the svg of the page, without a date or version in them: the same data are the same bytes."""


@dataclass(frozen=True)
class Drawing:
    """A drawn figure: its name, title, SVG for the page, and the files it lies in."""

    name: str
    title: str
    svg: str
    files: tuple[Path, ...]


def save_figure(figure: Any, result: Result, folder: Path) -> Drawing | None:
    """Draw one figure of the result into `folder`, or return None where the run has nothing for it to show."""
    data: dict[str, pd.DataFrame] = figure.data(result)
    if all(not len(frame) for frame in data.values()):
        return None
    return save_drawing(
        figure.NAME, figure.TITLE, data, figure.size(data), lambda axes: figure.draw(data, axes), folder
    )


def save_drawing(
    name: str,
    title: str,
    data: Mapping[str, pd.DataFrame],
    size: tuple[float, float],
    draw: Callable[[Any], None],
    folder: Path,
) -> Drawing:
    """What `draw(axes)` draws on paper of `size` inches, and the numbers behind it, in `folder`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for key, frame in data.items():
        path = folder / (f"{name}.csv" if len(data) == 1 else f"{name}_{key}.csv")
        frame.to_csv(path, index=False, lineterminator="\n")
        files.append(path)
    with pens(), fonts_without_layout():
        page = Figure(figsize=size)
        FigureCanvasAgg(page)
        draw(page.add_axes((0.0, 0.0, 1.0, 1.0)))
        vector = io.StringIO()
        page.savefig(vector, format="svg", dpi=DPI, metadata={"Date": None, "Creator": None})
        for kind, metadata in PRINTED.items():
            files.append(folder / f"{name}.{kind}")
            page.savefig(files[-1], dpi=DPI, metadata=metadata)
    files.append(folder / f"{name}.svg")
    files[-1].write_text(vector.getvalue(), encoding="utf-8", newline="\n")
    return Drawing(name, title, inline_svg(vector.getvalue(), name, title), tuple(files))


def inline_svg(text: str, name: str, title: str) -> str:
    """An SVG that can stand inside a page beside others: no prologue or metadata, its ids made its own."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # its rule for strokes would reach the whole page; report.css has the same rule for figures only
    text = re.sub(r"<style type=\"text/css\">.*?</style>", "", text, flags=re.DOTALL)
    # a picture's id is of its content, which may occur twice; nothing refers to it
    text = re.sub(r'(<image\s[^>]*?)\sid="image[^"]*"', r"\1", text)
    text = re.sub(r'(<[^>]*?\s)id="([^"]+)"', rf'\1id="{name}-\2"', text)
    text = re.sub(r'xlink:href="#([^"]+)"', rf'xlink:href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    # a narrow figure is not blown up to the width of the page
    width = re.search(r'<svg[^>]*? width="([0-9.]+)pt"', text)
    size = f' style="max-width: {SCREEN * float(width.group(1)):.0f}px"' if width else ""
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}"{size} ', 1)
