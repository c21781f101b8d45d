"""A figure drawn once, and every text and line that ended up on the paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from isthmus.report.figures._canvas import pens

DPI = 144
TOUCH = 0.6
"""Points by which the boxes of two texts may overlap: they hold the white around the letters."""


@dataclass
class Paper:
    """What lies on the paper: texts with their boxes in points from the lower left, sizes of letters, widths of lines."""

    width: float
    height: float
    texts: list[tuple[str, tuple[float, float, float, float]]] = field(default_factory=list)
    letters: dict[str, float] = field(default_factory=dict)
    lines: list[float] = field(default_factory=list)

    def outside(self) -> list[str]:
        """Texts that the edge cuts off."""
        right, top = 72 * self.width, 72 * self.height
        return [
            text for text, (x0, y0, x1, y1) in self.texts
            if min(x0, y0) < -TOUCH or x1 > right + TOUCH or y1 > top + TOUCH
        ]  # fmt: skip

    def overlapping(self) -> list[tuple[str, str]]:
        """Pairs of texts that lie on one another."""
        return [
            (a, b)
            for i, (a, one) in enumerate(self.texts)
            for b, two in self.texts[:i]
            if min(one[2], two[2]) - max(one[0], two[0]) > TOUCH and min(one[3], two[3]) - max(one[1], two[1]) > TOUCH
        ]


def draw(figure: ModuleType, data: dict[str, pd.DataFrame]) -> Paper:
    """Draw the figure and note what is drawn, at the moment it is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    width, height = figure.size(data)
    paper = Paper(width, height)
    write, pull = Text.draw, Line2D.draw

    def written(self: Any, renderer: Any, *rest: Any, **more: Any) -> Any:
        if self.get_visible() and self.get_text().strip():
            box = self.get_window_extent(renderer)
            scale = 72 / DPI
            paper.texts.append((self.get_text(), tuple(scale * float(v) for v in box.extents)))
            paper.letters[self.get_text()] = float(self.get_fontsize())
        return write(self, renderer, *rest, **more)

    def pulled(self: Any, renderer: Any, *rest: Any, **more: Any) -> Any:
        if self.get_visible() and self.get_linestyle() not in ("None", "none", "") and len(self.get_xydata()):
            paper.lines.append(float(self.get_linewidth()))
        return pull(self, renderer, *rest, **more)

    with pens(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", written)
        patch.setattr(Line2D, "draw", pulled)
        page = Figure(figsize=(width, height), dpi=DPI)
        FigureCanvasAgg(page)
        figure.draw(data, page.add_axes((0, 0, 1, 1)))
        page.canvas.draw()
    return paper
