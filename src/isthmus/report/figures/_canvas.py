"""Paper, pens and colours shared by the figures.

Every figure is as wide as one column of a journal (`ONE`, 85 mm) or two (`TWO`, 170 mm) and is printed at that size: no
text below 6.5 points, no line below 0.5. What tells lines apart is never colour alone.

A figure's `draw(data, ax)` gets one axes that covers the whole figure and lays its panels out in inches, so that
nothing moves when a legend gets longer and two drawings of the same data are the same bytes.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = [
    "EVENT",
    "GREY",
    "INK",
    "LINE",
    "MANY",
    "NON_EVENT",
    "ONE",
    "RC",
    "SMALL",
    "TWO",
    "Grid",
    "colours",
    "concatenated",
    "fonts_without_layout",
    "legend_below",
    "panel",
    "pens",
    "wrap",
]

ONE, TWO = 85 / 25.4, 170 / 25.4
"""Inches: the width of one column, and of two."""

SMALL = 6.5
"""Points: the smallest text."""

LINE = 0.128
"""Inches: a line of a legend."""

MANY = 2000
"""Points of a cloud above which it is a picture inside the svg and pdf, not a shape each."""

INK = "#1f2933"
SENT = "--"
"""Dashes of a curve that another site sent, known at a few points only."""
GREY = "#8a949e"
EVENT = "#D55E00"
NON_EVENT = "#56B4E9"

# Okabe and Ito's palette for every kind of colour vision, without its yellow (too pale for a line on white)
_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1f2933")
_DASHES: tuple[Any, ...] = (
    "-", (0, (5, 1.2)), (0, (1.2, 1)), (0, (5, 1, 1.2, 1)), (0, (2.5, 1)), (0, (5, 1, 1.2, 1, 1.2, 1)), (0, (8, 2)),
)  # fmt: skip

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "text.parse_math": False,  # a model may be called "$best$": that is a name, not a formula
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "lines.linewidth": 1.2,
    "axes.titlepad": 4,
    "axes.labelpad": 3,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "legend.labelspacing": 0.3,
    "pdf.fonttype": 42,  # text stays text that an editor can change
    "svg.fonttype": "none",
    "svg.hashsalt": "isthmus",
    "savefig.facecolor": "white",
}


@contextmanager
def pens() -> Iterator[None]:
    """Draw with our settings, whatever the user's own are, and leave those as they were."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        for key, value in RC.items():
            mpl.rcParams[key] = value
        yield


# of a font, how letters are joined and placed: matplotlib has placed every letter before it writes the pdf, and readers use none of it
_LAYOUT = ["GDEF", "GPOS", "GSUB", "kern", "MATH"]


@contextmanager
def fonts_without_layout() -> Iterator[None]:
    """Cut fonts for a pdf without their layout tables: they are most of the work of cutting, and of no use in a pdf."""
    from fontTools.subset import Options

    # matplotlib makes the options itself; their defaults are the one place to say it
    before = Options._drop_tables_default
    Options._drop_tables_default = [*before, *_LAYOUT]
    try:
        yield
    finally:
        Options._drop_tables_default = before


def colours(models: Iterable[str]) -> dict[str, tuple[str, Any]]:
    """Colour and dashes of each model, by its place in the plan: the same in every figure, and told apart in grey too."""
    n = len(_PALETTE)
    return {model: (_PALETTE[i % n], _DASHES[(i + i // n) % len(_DASHES)]) for i, model in enumerate(models)}


def panel(ax: Any, size: tuple[float, float], box: tuple[float, float, float, float]) -> Any:
    """An axes at `box` = (left, bottom, width, height) in inches on a figure of `size` inches."""
    ax.set_axis_off()
    left, bottom, width, height = box
    return ax.inset_axes((left / size[0], bottom / size[1], width / size[0], height / size[1]))


@dataclass(frozen=True)
class Grid:
    """Panels of one size in inches, one in a column, more of them side by side in two; then row below row.

    Under a panel stands `below`: ticks, the axis label (0.4) and a legend of `lines` lines.
    """

    panels: int
    height: float
    lines: int = 0
    left: float = 0.5
    right: float = 0.1
    above: float = 0.25
    below: float = 0.42

    @property
    def columns(self) -> int:
        return 1 if self.panels <= 1 else 2

    @property
    def size(self) -> tuple[float, float]:
        """Of the whole figure."""
        rows = -(-max(1, self.panels) // self.columns)
        return self.columns * ONE, rows * self._row

    @property
    def width(self) -> float:
        """Of a panel."""
        return ONE - self.left - self.right

    @property
    def _row(self) -> float:
        return self.above + self.height + self.below + LINE * self.lines + (0.06 if self.lines else 0)

    def box(self, place: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of a panel, for `panel`."""
        across, down = place % self.columns, place // self.columns
        return (
            self.left + across * ONE,
            self.size[1] - down * self._row - self.above - self.height,
            self.width,
            self.height,
        )

    def first(self, place: int) -> bool:
        """Does the panel stand at the left, where the axis is labelled?"""
        return place % self.columns == 0


def legend_below(ax: Any, inches: float = 0.42, **settings: Any) -> None:
    """The legend under a panel, where no curve can run into it."""
    height = ax.get_position().height * ax.figure.get_size_inches()[1]
    left = 0.4 / (ax.get_position().width * ax.figure.get_size_inches()[0])
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(-left, -inches / height),
        borderaxespad=0,
        borderpad=0,
        handlelength=1.8,
        **settings,
    )


def wrap(text: str, width: int, lines: int = 3) -> str:
    """Text in at most `lines` lines of `width` characters; a word that is longer is broken with a hyphen."""
    step = max(2, width) - 1
    text = " ".join(
        word if len(word) <= width else " ".join(re.findall(f".{{{step},{step}}}(?=..)|.+$", word)).replace(" ", "- ")
        for word in text.split()
    )
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" …"))


def concatenated(frames: Iterable[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Frames under one another; with none, an empty frame that still has its columns."""
    filled = [frame for frame in frames if len(frame)]
    # numbers also where there are none: what is drawn must not be a column of objects
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns, dtype=float)
