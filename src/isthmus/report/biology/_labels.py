"""Names beside points, moved apart so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from isthmus.report.figures._canvas import GREY, SMALL
from isthmus.report.wording import shorten

__all__ = ["label_points"]

_LINE = 0.115  # inches a label is high


def label_points(axes: Any, points: Sequence[tuple[float, float, str]], width: float, height: float) -> None:
    """Write names at points: to the right of the middle, right of the point; else left of it; lines lead to those that were moved.

    Parameters
    ----------
    axes : Axes
        Its limits must be set.
    points : sequence of (x, y, name)
    width, height : float
        Of the axes, in inches.
    """
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()

    def inches(x: float, y: float) -> tuple[float, float]:
        return (x - left) / (right - left) * width, (y - bottom) / (top - bottom) * height

    for side in (-1, 1):
        mine = [(*inches(x, y), name) for x, y, name in points if ((x - left) / (right - left) >= 0.5) == (side > 0)]
        mine.sort(key=lambda point: -point[1])
        last = height + _LINE
        for x, y, name in mine:
            place = min(y, last - _LINE)
            last = place
            axes.annotate(
                shorten(name, 18), (x / width, y / height), (x / width + side * 0.06 / width, place / height),
                xycoords="axes fraction", textcoords="axes fraction", fontsize=SMALL, va="center", ha="left" if side > 0 else "right",
                arrowprops={"arrowstyle": "-", "lw": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 1} if abs(place - y) > 0.03 else None,
                annotation_clip=False,
            )  # fmt: skip
