"""What each value of a feature did to the predictions of held-out patients, coloured by the outcome."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import EVENT, GREY, MANY, NON_EVENT, Grid, panel
from isthmus.report.tables.explanation import explained_model
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "first_repeat", "size"]

NAME = "shap_dependence"
TITLE = "Shapley values over the values of a feature"
TASKS = ("binary", "survival")

TOP = 4
_COLUMNS = ["feature", "patient", "value", "shap", "outcome", "scale"]


def first_repeat(result: Result) -> pd.DataFrame:
    """Shapley values of the explained model with the `outcome`, every patient (of several rows the first) once a feature: the first
    repeat of cross-validation."""
    model = explained_model(result)
    table = result.tables.get(f"shap_{model}", pd.DataFrame())
    if not len(table):
        return pd.DataFrame(columns=["repeat", "fold", "patient", "feature", "value", "shap", "outcome"])
    first = table[table["repeat"] == table["repeat"].min()].drop_duplicates(["patient", "feature"])
    told = result.predictions
    own = told[(told["model"] == model) & (told["split"] == "cv")].drop_duplicates("patient")
    outcome = first["patient"].astype(str).map(dict(zip(own["patient"].astype(str), own["outcome"], strict=True)))
    return first.assign(outcome=outcome).dropna(subset=["outcome"]).astype({"outcome": int})


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`dependence`: feature, patient, value (as the model saw it), shap, outcome, scale; the largest features first."""
    table = first_repeat(result)
    order = result.tables.get(f"explanation_{explained_model(result)}", pd.DataFrame())
    if not len(table) or not len(order):
        return {"dependence": pd.DataFrame(columns=_COLUMNS)}
    lines = result.tables["explanation"]
    scale = lines.loc[lines["model"].astype(str) == explained_model(result), "scale"].iloc[0]
    top = [name for name in map(str, order["feature"]) if (table["feature"] == name).any()][:TOP]
    parts = [table[table["feature"] == name].sort_values(["value", "patient"], kind="stable") for name in top]
    return {"dependence": pd.concat(parts, ignore_index=True).assign(scale=str(scale))[_COLUMNS]}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["dependence"]["feature"].nunique(), 1.5, 0, above=0.22, below=0.4)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per feature on one scale: discs with the outcome, rings without."""
    table, grid = data["dependence"], _grid(data)
    reach = 1.1 * float(table["shap"].abs().max()) or 1.0
    for i, feature in enumerate(dict.fromkeys(table["feature"])):
        axes = panel(ax, grid.size, grid.box(i))
        own = table[table["feature"] == feature]
        axes.axhline(0, color=GREY, lw=0.7)
        for outcome, face, edge, words in ((0, "white", NON_EVENT, "without"), (1, EVENT, "none", "with the outcome")):
            part = own[own["outcome"] == outcome]
            axes.plot(
                part["value"], part["shap"], "o", ms=2.8, mfc=face, mec=edge, mew=0.8, ls="none", label=words,
                rasterized=len(table) > MANY,
            )  # fmt: skip
        axes.set(ylim=(-reach, reach), xlabel=shorten(str(feature), 44))
        if grid.first(i):
            axes.set_ylabel(f"Shapley value ({table['scale'].iloc[0]})")
        axes.grid()
        if i == 0:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.2)
