"""Whether acting on the model does more good than treating everybody or nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.report.facts import confidence, final_model, sent_bands, split_name, unseen_splits
from isthmus.report.figures._canvas import GREY, INK, SENT, Grid, colours, concatenated, legend_below, panel
from isthmus.report.wording import shorten
from isthmus.stats.bands import band_net_benefit
from isthmus.stats.decision_curve import net_benefit, net_benefit_band
from isthmus.stats.seeds import child_seed
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size", "threshold_range"]

NAME = "decision_curve"
TITLE = "Decision curve"
TASKS = ("binary",)


def threshold_range(result: Result) -> tuple[float, float]:
    """The threshold probabilities the plan named before the results were known."""
    settings = result.plan.get("validate", {}).get("decision_curve", {})
    return float(settings.get("lowest", 0.05)), float(settings.get("highest", 0.60))


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves`: split, model, threshold, net_benefit, interventions_avoided (per 100 patients, against treating all).

    Treating all and treating none are models of their own.
    Repeats of cross-validation are taken together, which is the same as averaging the net benefit over them.
    """
    lowest, highest = threshold_range(result)
    thresholds = np.round(np.arange(lowest, highest + 1e-9, 0.01), 10)
    curves = []
    for split in unseen_splits(result):
        reference: pd.DataFrame | None = None
        for model in result.models():
            table = result.predictions
            rows = table[(table["model"] == model) & (table["split"] == split)].dropna(
                subset=["outcome", "probability"]
            )
            sent = sent_bands(result, model, split)
            if len(sent):  # another site's patients: net benefit at the edges of the bands it sent
                benefit = band_net_benefit(sent)
                benefit = benefit[benefit["threshold"].between(lowest, highest)]
                if len(benefit) > 1:
                    reference = benefit if reference is None else reference
                    curves.append(_long(benefit, "model", model, split, final=model == final_model(result)))
            if len(sent) or not len(rows):
                continue
            y, p = rows["outcome"].to_numpy(dtype=int), rows["probability"].to_numpy(dtype=float)
            final = model == final_model(result)
            benefit = _with_band(result, rows, thresholds, split) if final else net_benefit(y, p, thresholds)
            if reference is None:
                reference = benefit
            curves.append(_long(benefit, "model", model, split, final=final))
        if reference is not None:
            curves.append(_long(reference, "treat_all", "treat all", split, final=False))
            curves.append(_long(reference, "treat_none", "treat none", split, final=False))
    columns = ["split", "model", "kind", "final", "threshold", "net_benefit", "lower", "upper", "interventions_avoided"]
    return {"curves": concatenated(curves, columns)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["curves"]["split"].nunique(), 2.3, data["curves"]["model"].nunique())


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per split, over the prespecified range of thresholds."""
    grid, curves = _grid(data), data["curves"]
    style = colours(dict.fromkeys(curves.loc[curves["kind"] == "model", "model"]))
    for i, split in enumerate(dict.fromkeys(curves["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        part = curves[curves["split"] == split]
        for (kind, model), curve in part.groupby(["kind", "model"], sort=False):
            if kind == "model":
                colour, dash = style[model]
                dash = SENT if split.startswith("external (") else dash
                width = 1.6 if curve["final"].iloc[0] else 1.0
            else:
                colour, dash, width = (GREY, "-", 1.1) if kind == "treat_all" else (INK, "-", 0.9)
            if curve["lower"].notna().any():
                axes.fill_between(curve["threshold"], curve["lower"], curve["upper"], color=colour, alpha=0.13, lw=0)
            axes.plot(
                curve["threshold"], curve["net_benefit"], color=colour, ls=dash, lw=width, label=shorten(str(model), 34)
            )
        best = part.loc[part["kind"] != "treat_none", "net_benefit"].max()
        top = max(0.02, float(best))
        axes.set(
            xlim=(part["threshold"].min(), part["threshold"].max()),
            ylim=(-0.25 * top, 1.1 * top),
            xlabel="Threshold probability (risk at which one would act)",
            ylabel="Net benefit" if grid.first(i) else "",
            title=split_name(split),
        )
        axes.grid()
        legend_below(axes)


def _with_band(result: Result, rows: pd.DataFrame, thresholds: NDArray[np.float64], split: str) -> pd.DataFrame:
    """Net benefit with a pointwise band; patients are drawn with all their rows."""
    return net_benefit_band(
        rows["outcome"].to_numpy(dtype=int),
        rows["probability"].to_numpy(dtype=float),
        thresholds,
        patients=rows["patient"].to_numpy(dtype=object),
        seed=child_seed(int(result.plan.get("validate", {}).get("seed", 1)), "report", "decision curve", split),
        confidence=confidence(result),
    )


def _long(benefit: pd.DataFrame, column: str, model: str, split: str, *, final: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": split,
            "model": model,
            "kind": column,
            "final": final,
            "threshold": benefit["threshold"],
            "net_benefit": benefit[column],
            "lower": benefit["lower"] if "lower" in benefit and column == "model" else np.nan,
            "upper": benefit["upper"] if "upper" in benefit and column == "model" else np.nan,
            "interventions_avoided": benefit["interventions_avoided"] if column == "model" else np.nan,
        }
    )
