"""Paper, pens and colours shared by the figures.

A figure's `draw(data, ax)` gets one axes that covers the whole figure and lays its panels out in inches, so that
nothing moves when a legend gets longer and two drawings of the same data are the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

__all__ = [
    "EVENT",
    "GREY",
    "INK",
    "NON_EVENT",
    "RC",
    "colours",
    "concatenated",
    "legend_below",
    "panel",
    "pens",
    "wrap",
]

INK = "#1f2933"
GREY = "#8a949e"
EVENT = "#D55E00"
NON_EVENT = "#56B4E9"

# Okabe and Ito's palette for every kind of colour vision, without its yellow (too pale for a line on white)
_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1f2933")
_DASHES = ("-", "--", ":", "-.")

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "text.parse_math": False,  # a model may be called "$best$": that is a name, not a formula
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
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


def colours(models: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and line style of each model, by its place in the plan: the same in every figure."""
    n = len(_PALETTE)
    return {model: (_PALETTE[i % n], _DASHES[(i // n) % len(_DASHES)]) for i, model in enumerate(models)}


def panel(ax: Any, size: tuple[float, float], box: tuple[float, float, float, float]) -> Any:
    """An axes at `box` = (left, bottom, width, height) in inches on a figure of `size` inches."""
    ax.set_axis_off()
    left, bottom, width, height = box
    return ax.inset_axes((left / size[0], bottom / size[1], width / size[0], height / size[1]))


def legend_below(ax: Any, inches: float = 0.52, **settings: Any) -> None:
    """The legend under a panel, where no curve can run into it."""
    height = ax.get_position().height * ax.figure.get_size_inches()[1]
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -inches / height), borderaxespad=0, handlelength=1.8, **settings)


def wrap(text: str, width: int, lines: int = 3) -> str:
    """Text in at most `lines` lines of `width` characters."""
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" …"))


def concatenated(frames: Iterable[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Frames under one another; with none, an empty frame that still has its columns."""
    filled = [frame for frame in frames if len(frame)]
    # numbers also where there are none: what is drawn must not be a column of objects
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns, dtype=float)
