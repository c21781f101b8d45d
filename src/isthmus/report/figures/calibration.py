"""Whether a predicted risk of 30 % means that 30 of 100 such patients have the outcome."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import (
    confidence,
    estimate,
    final_model,
    patient_predictions,
    sent_bands,
    split_name,
    unseen_splits,
)
from isthmus.report.figures._canvas import (
    EVENT,
    GREY,
    NON_EVENT,
    SENT,
    SMALL,
    Grid,
    colours,
    concatenated,
    legend_below,
    panel,
)
from isthmus.report.wording import interval_text, shorten
from isthmus.stats.bands import band_calibration
from isthmus.stats.calibration import calibration_curve, calibration_groups
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "calibration"
TITLE = "Calibration"
TASKS = ("binary",)

_STRIP = 0.55
"""Inches: the histogram under the curves."""


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves` (loess), `groups` and `histogram` of the final model, `legend` with the calibration slope."""
    curves, groups, histograms, legend = [], [], [], []
    final = final_model(result)
    for split in unseen_splits(result):
        for model in result.models():
            rows = patient_predictions(result, model, split)
            sent = sent_bands(result, model, split)
            if len(sent):  # another site sent its patients in bands: points, and no loess between them
                points = band_calibration(sent, confidence=confidence(result)).assign(model=model, split=split)
                curves.append(points.drop(columns="n").assign(lower=np.nan, upper=np.nan))
                groups.append(points)
                slope = interval_text(estimate(result, model, split, "calibration_slope"))
                legend.append((model, split, slope, model == final, True))
            if len(sent) or not len(rows):
                continue
            y, p = rows["outcome"].to_numpy(), rows["probability"].to_numpy()
            slope = interval_text(estimate(result, model, split, "calibration_slope"))
            legend.append((model, split, slope, model == final, False))
            level = confidence(result)
            curves.append(calibration_curve(y, p, confidence=level).assign(model=model, split=split))
            if model == final:
                groups.append(calibration_groups(y, p, confidence=level).assign(model=model, split=split))
                histograms.append(_histogram(y, p).assign(model=model, split=split))
    return {
        "curves": concatenated(curves, ["predicted", "observed", "lower", "upper", "model", "split"]),
        "groups": concatenated(groups, ["predicted", "observed", "lower", "upper", "n", "model", "split"]),
        "histogram": concatenated(histograms, ["left", "right", "events", "others", "model", "split"]),
        "legend": pd.DataFrame(legend, columns=["model", "split", "slope", "final", "sent"]),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    legend = data["legend"]
    return Grid(legend["split"].nunique(), 2.7, 1 + legend["model"].nunique(), below=0.42 + _STRIP + 0.08)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Curves above, the predictions they rest on below, one column per split."""
    grid = _grid(data)
    style = colours(dict.fromkeys(data["legend"]["model"]))
    for i, split in enumerate(dict.fromkeys(data["legend"]["split"])):
        left, bottom, width, height = grid.box(i)
        axes = panel(ax, grid.size, (left, bottom, width, height))
        strip = panel(ax, grid.size, (left, bottom - 0.08 - _STRIP, width, _STRIP))
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.7, ls=(0, (4, 3)), label="perfect: slope 1.00")
        for row in data["legend"][data["legend"]["split"] == split].itertuples():
            colour, dash = style[row.model]
            curve = _part(data["curves"], row.model, split)
            label = f"{shorten(str(row.model), 20)} slope {row.slope}"
            if row.sent:
                dash = SENT
            axes.plot(
                curve["predicted"], curve["observed"], color=colour, ls=dash, lw=1.6 if row.final else 1.0, label=label
            )
            if row.final:
                axes.fill_between(curve["predicted"], curve["lower"], curve["upper"], color=colour, alpha=0.13, lw=0)
                _draw_groups(axes, _part(data["groups"], row.model, split), colour)
        axes.set(
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
            title=split_name(split),
            ylabel="Observed share with the outcome" if grid.first(i) else "",
        )
        axes.set_xticklabels([])
        axes.grid()
        _draw_histogram(strip, data["histogram"][data["histogram"]["split"] == split], labelled=grid.first(i))
        legend_below(axes, 0.42 + _STRIP + 0.08)


def _histogram(y: np.ndarray[Any, Any], p: np.ndarray[Any, Any]) -> pd.DataFrame:
    edges = np.linspace(0, 1, 21)
    events, others = (np.histogram(np.clip(p[y == value], 0, 1), edges)[0] for value in (1, 0))
    return pd.DataFrame({"left": edges[:-1], "right": edges[1:], "events": events, "others": others})


def _part(table: pd.DataFrame, model: str, split: str) -> pd.DataFrame:
    return table[(table["model"] == model) & (table["split"] == split)]


def _draw_groups(axes: Any, groups: pd.DataFrame, colour: str) -> None:
    below, above = groups["observed"] - groups["lower"], groups["upper"] - groups["observed"]
    # rounding can leave a limit a hair inside the estimate at 0 and 1
    errors = [below.clip(lower=0), above.clip(lower=0)]
    axes.errorbar(
        groups["predicted"],
        groups["observed"],
        yerr=errors,
        fmt="o",
        ms=3.2,
        color=colour,
        mfc="white",
        lw=0.7,
        zorder=3,
    )


def _draw_histogram(axes: Any, table: pd.DataFrame, *, labelled: bool) -> None:
    left, width = table["left"], table["right"] - table["left"]
    axes.bar(left, table["events"], width, align="edge", color=EVENT, lw=0)
    axes.bar(left, -table["others"], width, align="edge", color=NON_EVENT, lw=0)
    axes.axhline(0, color=GREY, lw=0.8)
    top = max([1, *table["events"], *table["others"]])
    axes.set(xlim=(-0.01, 1.01), ylim=(-1.15 * top, 1.15 * top), xlabel="Predicted risk", yticks=[])
    if labelled:
        # darker than the bars they name: thin letters need more contrast than areas
        for y, where, text, colour in ((0.97, "top", "with", "#a84300"), (0.03, "bottom", "without", "#1d6390")):
            axes.text(-0.03, y, text, ha="right", va=where, transform=axes.transAxes, fontsize=SMALL, color=colour)
    axes.spines["left"].set_visible(False)
