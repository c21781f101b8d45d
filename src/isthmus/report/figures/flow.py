"""Who entered the study, who left it and why, and where the others went."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from isthmus.report.facts import patients, task
from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, wrap
from isthmus.report.wording import plural
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "flow"
TITLE = "Flow of cases"

STEPS = {
    "include": "Not included by the plan",
    "exclude": "Excluded by the plan",
    "rule": "Left out by a rule of the plan",
    "table": "Not usable as the table gives them",
    "outcome": "No usable outcome",
    "files": "Image or mask missing",
    "segment": "No lesion mask could be drawn",
    "read": "Image or mask not readable",
    "roi": "Lesion mask not usable",
    "features": "Features could not be computed",
    "clinical": "No clinical data",
    "join": "Lost when tables were joined",
}
"""Steps at which a case can leave, in the order of the study, with the words for them; others keep their own name."""

_GROUPS = {"train": "Training", "internal": "Internal test set", "external": "External centre"}
_WIDTH, _LINE, _GAP = TWO, 0.145, 0.22
_LEFT, _RIGHT = 3.3, 3.65
"""Inches: the width of the boxes at the left, and where those at the right begin."""


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`flow`: stage (found | excluded | included | split), name, centre, patients, events; `reasons`: step, reason, patients."""
    everyone = patients(result)
    included = everyone[everyone["status"] == "included"]
    rows = _box(everyone, "found", "Patients in the case table")
    out = everyone[everyone["status"] != "included"]
    steps = sorted(dict.fromkeys(out["step"]), key=_order)
    for step in steps:
        rows += _box(out[out["step"] == step], "excluded", step)
    rows += _box(included, "included", "Analysed")
    for split in (*_GROUPS, *sorted(set(included["split"]) - set(_GROUPS))):
        rows += _box(included[included["split"] == split], "split", split)
    reasons = [
        (step, reason, count)
        for step in steps
        for reason, count in Counter(out.loc[out["step"] == step, "reason"]).most_common()
    ]
    if task(result) not in ("binary", "survival"):
        rows = [(*row[:4], -1) for row in rows]  # of several classes none is the event
    return {
        "flow": pd.DataFrame(rows, columns=["stage", "name", "centre", "patients", "events"]),
        "reasons": pd.DataFrame(reasons, columns=["step", "reason", "patients"]),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    boxes = _boxes(data)
    height = sum(_height(lines) + _GAP for stage, lines in boxes if stage != "split")
    tail = max((_height(lines) for stage, lines in boxes if stage == "split"), default=0.0)
    return _WIDTH, height + tail + 0.5


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Draw the diagram: the study runs down the left, exclusions leave to the right."""
    width, height = size(data)
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_axis_off()
    boxes = _boxes(data)
    y, centre = 0.1, 0.1 + _LEFT / 2
    last = 0.0
    for stage, lines in boxes:
        if stage == "split":
            continue
        tall = _height(lines)
        if stage == "excluded":
            _draw_box(ax, _RIGHT, y, width - _RIGHT - 0.1, lines, colour="#fbeee6", edge="#D55E00")
            _arrow(ax, (centre, y + tall / 2), (_RIGHT, y + tall / 2))
        else:
            if stage == "included":
                _arrow(ax, (centre, last), (centre, y))
            _draw_box(ax, 0.1, y, _LEFT, lines, colour="#e8f1f8", edge="#0072B2")
            last = y + tall
        y += tall + _GAP
    splits = [lines for stage, lines in boxes if stage == "split"]
    if not splits:
        return
    room = (width - 0.2 - 0.25 * (len(splits) - 1)) / len(splits) if len(splits) > 1 else _LEFT
    bar = last + (_GAP + 0.14) / 2
    middles = [0.1 + i * (room + 0.25) + room / 2 for i in range(len(splits))]
    ax.plot([centre, centre], [last, bar], color=GREY, lw=0.8)
    ax.plot([min(centre, *middles), max(centre, *middles)], [bar, bar], color=GREY, lw=0.8)
    for i, lines in enumerate(splits):
        _arrow(ax, (middles[i], bar), (middles[i], y + 0.14))
        _draw_box(ax, 0.1 + i * (room + 0.25), y + 0.14, room, lines, colour="#eef7f2", edge="#009E73")


def _order(step: str) -> int:
    known = list(STEPS)
    return known.index(step) if step in known else len(known)


def _box(group: pd.DataFrame, stage: str, name: str) -> list[tuple[str, str, str, int, int]]:
    """One row per centre of the patients in a box; a box without patients has no row, except the first and the last."""
    if not len(group):
        return [(stage, name, "", 0, 0)] if stage in ("found", "included") else []
    return [
        (stage, name, str(centre), len(part), int((pd.to_numeric(part["outcome"], errors="coerce") == 1).sum()))
        for centre, part in group.groupby("centre", sort=True)
    ]


def _boxes(data: dict[str, pd.DataFrame]) -> list[tuple[str, list[str]]]:
    """The lines of text of each box, in order."""
    flow, reasons = data["flow"], data["reasons"]
    boxes = []
    for stage, name in dict.fromkeys(zip(flow["stage"], flow["name"], strict=True)):
        part = flow[(flow["stage"] == stage) & (flow["name"] == name)]
        total, events = int(part["patients"].sum()), int(part["events"].sum())
        title = _GROUPS.get(name, name) if stage == "split" else STEPS.get(name, name or "No step given")
        lines = [f"{title}: {total}" if stage != "split" else f"{title}: {plural(total, 'patient')}"]
        if stage in ("included", "split"):
            lines += [f"{plural(events, 'event')}, {total - events} without"] if events >= 0 else []
        named = part[part["centre"] != ""]
        if len(named):
            lines += wrap(_by_centre(named), 60 if stage == "excluded" else 42, 2).split("\n")
        if stage == "excluded":
            lines += _reason_lines(reasons[reasons["step"] == name])
        boxes.append((str(stage), lines))
    return boxes


def _by_centre(part: pd.DataFrame) -> str:
    ranked = part.sort_values("patients", ascending=False, kind="stable")
    shown = " · ".join(f"{centre} {count}" for centre, count in zip(ranked["centre"], ranked["patients"], strict=True))
    if len(ranked) <= 6:
        return shown
    head = " · ".join(shown.split(" · ")[:5])
    return f"{head} · {len(ranked) - 5}\u00a0more\u00a0centres\u00a0{int(ranked['patients'][5:].sum())}"


def _reason_lines(reasons: pd.DataFrame) -> list[str]:
    """The three most frequent reasons of a step, and how many there are besides."""
    shown = zip(reasons["reason"][:3], reasons["patients"][:3], strict=True)
    lines = [f"– {wrap(reason, 46, 1)} ({count})" for reason, count in shown if reason]
    return lines + ([f"– and {len(reasons) - 3} more (see Exclusions)"] if len(reasons) > 3 else [])


def _height(lines: list[str]) -> float:
    return 0.16 + _LINE * len(lines)


def _draw_box(ax: Any, x: float, y: float, width: float, lines: list[str], *, colour: str, edge: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.06"
    box = FancyBboxPatch((x, y), width, _height(lines), boxstyle=style, facecolor=colour, edgecolor=edge, linewidth=0.7)
    ax.add_patch(box)
    for i, line in enumerate(lines):
        weight, tint = ("bold", INK) if i == 0 else ("normal", "#4b5661")
        ax.text(
            x + 0.1,
            y + 0.08 + _LINE * (i + 0.5),
            line,
            va="center",
            fontsize=7.5 if i == 0 else SMALL,
            weight=weight,
            color=tint,
        )


def _arrow(ax: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate(
        "", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    )
