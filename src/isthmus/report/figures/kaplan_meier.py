"""What became of the risk groups: Kaplan-Meier curves with numbers at risk; the cuts come from training patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import confidence, estimate, final_model, horizon, split_name, time_name, unseen_splits
from isthmus.report.figures._canvas import GREY, LINE, SMALL, Grid, concatenated, panel
from isthmus.report.wording import capitalised, interval_text, p_value
from isthmus.stats.survival.kaplan_meier import kaplan_meier
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "first_repeat", "size"]

NAME = "kaplan_meier"
TITLE = "Kaplan-Meier by risk group"
TASKS = ("survival",)

_COLOURS = {"low": "#0072B2", "middle": "#E69F00", "high": "#D55E00"}


def first_repeat(result: Result, model: str, split: str) -> pd.DataFrame:
    """Predictions of one model on one split, every patient once: of repeated cross-validation the first repeat."""
    table = result.predictions
    rows = table[(table["model"] == model) & (table["split"] == split)].dropna(subset=["probability"])
    return rows[rows["repeat"] == rows["repeat"].min()] if split == "cv" else rows


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves` (split, group, time, survival, lower, upper), `at_risk` (split, group, time, n), `facts`."""
    curves, risks, facts = [], [], []
    final = final_model(result)
    for split in unseen_splits(result):
        rows = first_repeat(result, final, split)
        if not len(rows):
            continue
        ticks = _ticks(float(rows["time"].max()))
        for group in [name for name in _COLOURS if (rows["group"] == name).any()]:
            own = rows[rows["group"] == group]
            curve = kaplan_meier(own["time"], own["outcome"], confidence=confidence(result))
            steps = {"time": curve.time, "survival": curve.survival, "lower": curve.lower, "upper": curve.upper}
            start = pd.DataFrame({"time": [0.0], "survival": [1.0], "lower": [1.0], "upper": [1.0]})
            censored = pd.DataFrame(steps).assign(censored=curve.censored)
            curves.append(pd.concat([start.assign(censored=0.0), censored]).assign(group=group, split=split))
            counts = [(own["time"] >= tick).sum() for tick in ticks]
            risks.append(pd.DataFrame({"time": ticks, "n": counts}).assign(group=group, split=split))
        ratio = interval_text(estimate(result, final, split, "hazard_ratio_groups"))
        test = estimate(result, final, split, "log_rank_p")
        facts.append(
            (split, ratio, p_value(test.estimate if test else float("nan")), horizon(result), time_name(result))
        )
    return {
        "curves": concatenated(curves, ["time", "survival", "lower", "upper", "censored", "group", "split"]),
        "at_risk": concatenated(risks, ["time", "n", "group", "split"]),
        "facts": pd.DataFrame(facts, columns=["split", "hazard_ratio", "p", "horizon", "unit"]),
    }


def _ticks(last: float) -> list[float]:
    """Five or six round times from 0."""
    step = last / 5
    scale = 10 ** np.floor(np.log10(step))
    step = float(min(s for s in (1 * scale, 2 * scale, 2.5 * scale, 5 * scale, 10 * scale) if s >= step * 0.999))
    return [float(tick) for tick in np.arange(0, last + 1e-9, step)]


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    groups = data["curves"]["group"].nunique()
    return Grid(data["curves"]["split"].nunique(), 2.3, 0, left=0.62, below=0.42 + LINE * (groups + 2) + 0.22)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Steps with bands, ticks for censored patients, numbers at risk below, one column per split."""
    grid = _grid(data)
    groups = [name for name in _COLOURS if (data["curves"]["group"] == name).any()]
    for i, split in enumerate(dict.fromkeys(data["curves"]["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        facts = data["facts"][data["facts"]["split"] == split].iloc[0]
        last = float(data["curves"].loc[data["curves"]["split"] == split, "time"].max())
        for group in groups:
            table = data["curves"]
            curve = table[(table["split"] == split) & (table["group"] == group)]
            if not len(curve):
                continue
            colour = _COLOURS[group]
            axes.step(curve["time"], curve["survival"], where="post", color=colour, label=f"{group} risk")
            axes.fill_between(
                curve["time"], curve["lower"], curve["upper"], step="post", color=colour, alpha=0.13, lw=0
            )
            gone = curve[curve["censored"] > 0]
            axes.plot(gone["time"], gone["survival"], "|", color=colour, ms=3.5, mew=0.8)
        axes.axvline(facts["horizon"], color=GREY, lw=0.7, ls=(0, (4, 3)))
        axes.set(
            xlim=(0, last * 1.02), ylim=(0, 1.02), title=split_name(split), xlabel=f"{capitalised(facts['unit'])} (dashed: horizon)",
            ylabel="Free of the event" if grid.first(i) else "",
        )  # fmt: skip
        axes.grid()
        axes.legend(loc="upper right")
        words = f"high against low: hazard ratio {facts['hazard_ratio']}\nlog-rank p {facts['p']}"
        low = -(0.42 + LINE * (len(groups) + 1) + 0.06) / grid.height
        axes.text(-0.2, low, words, transform=axes.transAxes, fontsize=SMALL, va="top")
        _draw_at_risk(axes, data["at_risk"], split, groups, grid)


def _draw_at_risk(axes: Any, table: pd.DataFrame, split: str, groups: list[str], grid: Grid) -> None:
    part = table[table["split"] == split]
    axes.set_xticks(sorted(set(part["time"])))
    below = axes.get_xaxis_transform()
    for line, group in enumerate(groups):
        height = -(0.42 + LINE * (line + 1)) / grid.height
        axes.text(-0.08, height, group, transform=axes.transAxes, ha="right", va="top", color=_COLOURS[group])
        for time, n in part.loc[part["group"] == group, ["time", "n"]].itertuples(index=False):
            axes.text(time, height, f"{n:.0f}", transform=below, ha="center", va="top", color=_COLOURS[group])
    axes.text(-0.08, -0.42 / grid.height, "at risk", transform=axes.transAxes, ha="right", va="top")
