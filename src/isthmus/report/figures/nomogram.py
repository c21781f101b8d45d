"""The nomogram in its usual layout: points above, a line a predictor, total points and risk below."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, panel
from isthmus.report.tables import nomogram as tables
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "nomogram"
TITLE = "Nomogram of the final model"

MOST = 12
"""With more predictors nobody adds points by hand."""

_WIDTH, _LEFT, _LINE = TWO, 2.1, 4.35
_ROW, _LANE, _TEXT = 0.32, 0.118, 0.056
"""Inches: a row, a further line of labels, a letter of them."""


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`nomogram`: the table of the run; empty where the final model has none, or more than `MOST` predictors."""
    table = tables.nomogram(result)
    if table is None or table.loc[table["part"] == "predictor", "predictor"].nunique() > MOST:
        return {"nomogram": pd.DataFrame()}
    return {"nomogram": table}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _WIDTH, 0.35 + sum(_height(line) for line in _lines(data["nomogram"]))


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Straight up from a value are its points; straight down from the total is the risk."""
    whole = size(data)
    axes = panel(ax, whole, (_LEFT, 0.15, _LINE, whole[1] - 0.3))
    axes.set(xlim=(0, _LINE), ylim=(0, whole[1] - 0.3))
    axes.set_axis_off()
    top = whole[1] - 0.3
    for line in _lines(data["nomogram"]):
        y = top - line["lanes"][1] * _LANE - 0.12
        top -= _height(line)
        _draw_line(axes, line, y)
        axes.text(
            -0.15, y, line["label"], ha="right", va="center", fontsize=7, weight="bold" if line["bold"] else "normal"
        )


def _draw_line(axes: Any, line: dict[str, Any], y: float) -> None:
    x = line["x"]
    axes.plot([x.min(), x.max()], [y, y], color=INK, lw=0.7, solid_capstyle="butt", clip_on=False)
    for place, text, lane in zip(x, line["texts"], line["lane"], strict=True):
        down = lane <= 0
        depth = -lane if down else lane - 1
        reach = 0.05 + depth * _LANE
        end = y - reach if down else y + reach
        if text or len(x) < np.ptp(x) / 0.03:  # no blot of ticks on a short line
            axes.plot(
                [place, place], [y, end if text else y - 0.035], color=INK if text else GREY, lw=0.7, clip_on=False
            )
        if text:
            axes.text(
                place,
                end + (-0.015 if down else 0.015),
                text,
                ha="center",
                va="top" if down else "bottom",
                fontsize=SMALL,
            )


def _height(line: dict[str, Any]) -> float:
    below, above = line["lanes"]
    return _ROW + _LANE * (max(0, below - 1) + above)


def _lines(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Every line from top to bottom: label, places in inches, texts, and the lane of each text (0, -1, ... below; 1, 2 ... above)."""
    if not len(table):
        return []
    marks = np.arange(0, 101, 10)
    lines = [_line("Points", marks / 100, [str(mark) for mark in marks], numeric=True, bold=True)]
    predictors = table[table["part"] == "predictor"]
    for _, part in predictors.groupby("predictor", sort=False):
        numeric = bool(part["value"].notna().any())
        texts = [str(text) for text in part["text"]]
        lines.append(
            _line(str(part["label"].iloc[0]), part["points"].to_numpy(dtype=float) / 100, texts, numeric=numeric)
        )
    most = float(predictors.groupby("predictor")["points"].max().sum())
    for kind, label in (("total", "Total points"), ("risk", "Risk")):
        part = table[table["part"] == kind]
        if len(part):
            places = part["points"].to_numpy(dtype=float) / most
            lines.append(_line(label, places, [str(text) for text in part["text"]], numeric=kind == "total", bold=True))
    return lines


def _line(label: str, share: Any, texts: list[str], *, numeric: bool, bold: bool = False) -> dict[str, Any]:
    """One line; of a number as many labels as fit beside each other, of levels every one, in as many lanes as they need."""
    x = np.asarray(share, dtype=float) * _LINE
    texts = [shorten(text, 22) for text in texts]
    words = [place for place, text in enumerate(texts) if not _is_number(text)] if numeric else list(range(len(x)))
    lane = np.zeros(len(x), dtype=int)
    if numeric:
        ticks = [place for place in range(len(x)) if place not in words]
        kept = _thinned(x, texts, ticks)
        if ticks and not kept:  # too short for two labels side by side: one end below, the other above
            words += [ticks[0], ticks[-1]]
        texts = [text if place in kept or place in words else "" for place, text in enumerate(texts)]
        taken = {0: [(x[place], texts[place]) for place in kept]}
    else:
        taken = {}
    for place in sorted(words, key=lambda one: x[one]):
        order = [0, 1, -1, 2, -2, 3, -3, 4, -4]
        free = (one for one in order if all(_apart(x[place], texts[place], *other) for other in taken.get(one, [])))
        lane[place] = next(free, order[-1])
        taken.setdefault(int(lane[place]), []).append((x[place], texts[place]))
    lanes = (1 - min(0, int(lane.min(initial=0))), max(0, int(lane.max(initial=0))))
    return {"label": shorten(label, 32), "x": x, "texts": texts, "lane": lane, "lanes": lanes, "bold": bold}


def _thinned(x: Any, texts: list[str], ticks: list[int]) -> list[int]:
    """Every tick, else every second, fifth ... until no two labels touch; at least both ends where these fit."""
    if not ticks:
        return []
    for step in (1, 2, 4, 5, 10, 20):
        kept = ticks[::step]
        if len(kept) > 1 and all(_apart(x[a], texts[a], x[b], texts[b]) for a, b in pairwise(kept)):
            return kept
    ends = [ticks[0], ticks[-1]]
    return ends if _apart(x[ends[0]], texts[ends[0]], x[ends[1]], texts[ends[1]]) else []


def _apart(a: float, first: str, b: float, second: str) -> bool:
    return bool(abs(a - b) >= _TEXT * (len(first) + len(second)) / 2 + 0.05)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
