"""How networks learned: training and validation loss over the epochs, in every fold and in the final fit."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.figures._canvas import EVENT, GREY, INK, Grid, legend_below, panel
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "learning_curves"
TITLE = "How the networks learned"

_PANELS = 4
_CURVE = ["repeat", "fold", "epoch", "training_loss", "validation_loss", "validation_auc", "kept"]


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`learning_curves`: the rows of `tables/learning_curves.csv` of up to four networks, the final model's first; models that share a
    network share its curves (models: who has it)."""
    table = result.tables.get("learning_curves", pd.DataFrame())
    if not len(table):
        return {"learning_curves": pd.DataFrame()}
    if "stage" not in table:  # an older run has the final fit alone
        table = table.assign(stage="training", repeat=float("nan"), fold=float("nan"))
    table = table[table["stage"] == "training"].fillna({"block": "", "step": ""})
    final = final_model(result)
    networks: dict[str, tuple[list[str], pd.DataFrame]] = {}
    for (_, model, *_), part in sorted(
        (
            ((place, *key), part)
            for place, (key, part) in enumerate(table.groupby(["model", "block", "step"], sort=False))
        ),
        key=lambda one: (one[0][1] != final, one[0][0]),
    ):
        networks.setdefault(part[["block", *_CURVE]].to_csv(index=False), ([], part))[0].append(str(model))
    parts = [
        part.assign(models=", ".join(models), network=number) for number, (models, part) in enumerate(networks.values())
    ]
    made = pd.concat(parts[:_PANELS], ignore_index=True)
    return {"learning_curves": made[["network", "models", "block", "step", *_CURVE]]}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    table = data["learning_curves"]
    return Grid(table["network"].nunique() if len(table) else 1, 1.7, 4, left=0.55)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a network: thin lines a fold, thick ones the final fit, a dot where it was taken."""
    table, grid = data["learning_curves"], _grid(data)
    for place, (_, own) in enumerate(table.groupby("network", sort=False)):
        axes = panel(ax, grid.size, grid.box(place))
        folds = own[own["fold"].notna()]
        for number, (_, fold) in enumerate(folds.groupby(["repeat", "fold"], sort=True)):
            labels = ("a fold: training", "a fold: validation") if number == 0 else (None, None)
            axes.plot(
                fold["epoch"],
                fold["training_loss"],
                color=GREY,
                ls=(0, (2, 1.5)),
                lw=0.5,
                alpha=0.8,
                label=labels[0],
                zorder=1,
            )
            axes.plot(
                fold["epoch"], fold["validation_loss"], color="#0072B2", lw=0.5, alpha=0.7, label=labels[1], zorder=2
            )
        kept = folds[folds["kept"].astype(bool)]
        axes.plot(kept["epoch"], kept["validation_loss"], ls="", marker="o", ms=2, color="#0072B2", zorder=3)
        last = own[own["fold"].isna()]
        axes.plot(
            last["epoch"], last["training_loss"], color=INK, ls=(0, (4, 1.5)), lw=1.1, label="final: training", zorder=4
        )
        axes.plot(last["epoch"], last["validation_loss"], color=EVENT, lw=1.3, label="final: validation", zorder=5)
        taken = last[last["kept"].astype(bool)]
        axes.plot(
            taken["epoch"],
            taken["validation_loss"],
            ls="",
            marker="o",
            ms=4,
            mfc="white",
            color=EVENT,
            label="epoch kept",
            zorder=6,
        )
        name = str(own["block"].iloc[0]) or str(own["step"].iloc[0])
        axes.set(
            xlabel="Epoch",
            title=shorten(f"{name}: {own['models'].iloc[0]}", 52),
            xlim=(0.5, max(own["epoch"].max(), 2) + 0.5),
        )
        if grid.first(place):
            axes.set_ylabel("Loss")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid()
        legend_below(axes, ncols=2)
