"""How well each model ranks patients: receiver operating characteristic on patients it had not seen."""

from __future__ import annotations

from typing import Any

import pandas as pd
from numpy.typing import NDArray

from isthmus.report.facts import confidence, estimate, final_model, sent_bands, split_name, unseen_splits
from isthmus.report.figures._canvas import GREY, SENT, Grid, colours, concatenated, legend_below, panel
from isthmus.report.wording import interval_text, shorten
from isthmus.stats.bands import band_roc
from isthmus.stats.roc import averaged_roc, roc_band, roc_curve
from isthmus.stats.seeds import child_seed
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "roc"
TITLE = "Receiver operating characteristic"
TASKS = ("binary",)

Fold = tuple[NDArray[Any], NDArray[Any]]

BAND_DRAWS = 500


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves` (model, split, fpr, tpr), `band` (final model), `points` (fixed threshold), `legend`."""
    curves, bands, points, legend = [], [], [], []
    for split in unseen_splits(result):
        for model in result.models():
            folds, who = _folds(result, model, split)
            sent = sent_bands(result, model, split)
            if len(sent):  # another site's patients stayed there: the curve is known at the edges of its bands
                curves.append(band_roc(sent)[["fpr", "tpr"]].assign(model=model, split=split))
            elif not folds:
                continue
            else:
                curve = averaged_roc(folds) if split == "cv" else roc_curve(*folds[0])
                curves.append(pd.DataFrame({"fpr": curve.fpr, "tpr": curve.tpr, "model": model, "split": split}))
            if folds and model == final_model(result):
                bands.append(_band(result, folds, who, split).assign(model=model, split=split))
            area = estimate(result, model, split, "auc")
            method = area.method if area else ""
            legend.append((model, split, interval_text(area), method, model == final_model(result), len(sent) > 0))
            sensitivity = estimate(result, model, split, "sensitivity")
            specificity = estimate(result, model, split, "specificity")
            if sensitivity and specificity:
                points.append((model, split, 1 - specificity.estimate, sensitivity.estimate))
    return {
        "curves": concatenated(curves, ["fpr", "tpr", "model", "split"]),
        "band": concatenated(bands, ["fpr", "lower", "upper", "model", "split"]),
        "points": pd.DataFrame(points, columns=["model", "split", "fpr", "tpr"]),
        "legend": pd.DataFrame(legend, columns=["model", "split", "auc", "method", "final", "sent"]),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["legend"]["split"].nunique(), 2.7, 1 + data["legend"]["model"].nunique())


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per split; the band is the pointwise interval of the final model, patients resampled."""
    grid = _grid(data)
    style = colours(dict.fromkeys(data["legend"]["model"]))
    for i, split in enumerate(dict.fromkeys(data["legend"]["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.7, ls=(0, (4, 3)), label="chance 0.50")
        names = data["legend"][data["legend"]["split"] == split]
        for row in names.itertuples():
            colour, dash = style[row.model]
            curve = _part(data["curves"], row.model, split)
            label = f"{shorten(str(row.model), 22)} {row.auc}"
            if row.sent:
                dash = SENT
            axes.plot(curve["fpr"], curve["tpr"], color=colour, ls=dash, lw=1.6 if row.final else 1.0, label=label)
            band = _part(data["band"], row.model, split)
            if len(band) and row.final:
                axes.fill_between(band["fpr"], band["lower"], band["upper"], color=colour, alpha=0.13, lw=0)
            point = _part(data["points"], row.model, split)
            axes.plot(point["fpr"], point["tpr"], "o", ms=4, mfc="white", mec=colour, mew=1.1, zorder=4)
        axes.set(
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
            xlabel="1 − specificity",
            ylabel="Sensitivity" if grid.first(i) else "",
            title=split_name(split),
        )
        axes.set_aspect("equal")
        axes.grid()
        legend_below(axes)


def _part(table: pd.DataFrame, model: str, split: str) -> pd.DataFrame:
    return table[(table["model"] == model) & (table["split"] == split)]


def _folds(result: Result, model: str, split: str) -> tuple[list[Fold], list[NDArray[Any]]]:
    """Outcome and probability of each fold of each repeat (one fold outside cross-validation), and whose they are.

    A fold with one class has no curve and is left out, as in the mean of the fold AUCs.
    """
    table = result.predictions
    rows = table[(table["model"] == model) & (table["split"] == split)].dropna(subset=["outcome", "probability"])
    parts = [part for _, part in rows.groupby(["repeat", "fold"], sort=True)] if split == "cv" else [rows]
    parts = [part for part in parts if part["outcome"].nunique() == 2]
    folds = [(part["outcome"].to_numpy(dtype=int), part["probability"].to_numpy(dtype=float)) for part in parts]
    return folds, [part["patient"].to_numpy(dtype=object) for part in parts]


def _band(result: Result, folds: list[Fold], who: list[NDArray[Any]], split: str) -> pd.DataFrame:
    seed = child_seed(int(result.plan.get("validate", {}).get("seed", 1)), "report", "roc band", split)
    band = roc_band(folds, patients=who, draws=BAND_DRAWS, seed=seed, confidence=confidence(result))
    return band[["fpr", "lower", "upper"]]
