"""How the LASSO chose: coefficients along the penalty, and what the inner cross-validation said of each penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.figures._canvas import EVENT, GREY, INK, Grid, colours, legend_below, panel
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "lasso_path"
TITLE = "LASSO path"

TOP = 7
_MEASURES = {"deviance": "Deviance", "auc": "AUC", "partial-likelihood deviance": "Partial-likelihood deviance"}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`path` (model, penalty, feature, coefficient, per sd of the feature; shown: named in the drawing) and `cv` (model, penalty,
    measure, score, standard_error, nonzero, mark, used) of the final model, or else the first that has a path."""
    final = final_model(result)
    models = [final, *(m for m in result.models() if m != final)]
    model = next((m for m in models if len(result.tables.get(f"lasso_cv_{m}", pd.DataFrame()))), None)
    path = result.tables.get(f"lasso_path_{model}", pd.DataFrame())
    if model is None or not len(path):
        return {"path": pd.DataFrame(), "cv": pd.DataFrame()}
    cv = result.tables[f"lasso_cv_{model}"].fillna({"mark": ""})
    used = float(cv.loc[cv["used"], "penalty"].iloc[0])
    at = path[np.isclose(path["penalty"], used, rtol=1e-9)].assign(size=lambda t: t["coefficient"].abs())
    ranked = at[at["size"] > 0].sort_values(["size", "feature"], ascending=[False, True], kind="stable")
    shown = set(ranked["feature"].head(TOP))
    return {"path": path.assign(model=model, shown=path["feature"].isin(shown)), "cv": cv.assign(model=model)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(2, 2.0, max(3, TOP + 1), left=0.55, above=0.36)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Left: a line a feature, the heaviest named. Right: mean and standard error of the inner folds; above, coefficients left.

    On the scale of log λ the drawing goes as far below the best penalty as the path begins above it.
    """
    cv, grid = data["cv"], _grid(data)
    # beyond the best penalty the coefficients of many collinear columns explode and would hide those that were chosen
    least = float(cv.loc[cv["used"] | (cv["mark"] != ""), "penalty"].min())
    largest, smallest = float(cv["penalty"].max()), float(cv["penalty"].min())
    cv = cv[
        cv["penalty"] >= 0.999 * min(least**2 / largest, (largest * smallest) ** 0.5)
    ]  # an empty model too has a path
    path = data["path"][data["path"]["penalty"] >= 0.999 * float(cv["penalty"].min())]
    path = path[path.groupby("feature")["coefficient"].transform(lambda c: c.abs().max()) > 0]
    model = shorten(str(cv["model"].iloc[0]), 30)
    left, right = (panel(ax, grid.size, grid.box(i)) for i in (0, 1))
    at = np.log(cv["penalty"].to_numpy(dtype=float))
    used = float(at[cv["used"].to_numpy(dtype=bool)][0])
    end = path[np.isclose(path["penalty"], np.exp(used), rtol=1e-9)].set_index("feature")["coefficient"].abs()
    named = [str(name) for name in end[path[path["shown"]]["feature"].unique()].sort_values(ascending=False).index]
    style = colours(named)
    others = path.loc[~path["shown"], "feature"].unique()
    for i, name in enumerate(others):
        own = path[path["feature"] == name]
        label = f"{len(others)} others" if i == 0 else None
        left.plot(np.log(own["penalty"]), own["coefficient"], color="#c3cad1", lw=0.6, label=label, zorder=1)
    for name in named:
        own = path[path["feature"] == name]
        colour, dash = style[name]
        left.plot(np.log(own["penalty"]), own["coefficient"], color=colour, ls=dash, label=shorten(name, 44))
    left.axhline(0, color=GREY, lw=0.7)
    left.set(xlabel="log λ", ylabel="Coefficient per sd", title=f"{model}: path")
    handles, labels = left.get_legend_handles_labels()
    if handles:
        legend_below(
            left,
            handles=handles[1:] + handles[:1] if len(others) else handles,
            labels=labels[1:] + labels[:1] if len(others) else labels,
        )
    score, error = cv["score"].to_numpy(dtype=float), cv["standard_error"].to_numpy(dtype=float)
    right.errorbar(
        at, score, yerr=error, fmt="o", ms=2, color=INK, ecolor=GREY, elinewidth=0.6, label="mean and standard error"
    )
    measure = str(cv["measure"].iloc[0])
    right.set(xlabel="log λ", ylabel=_MEASURES.get(measure, measure), title=f"{model}: inner cross-validation")
    marks = cv["mark"].astype(str)
    for word, dash, label in (
        ("min", (0, (4, 2)), "λ min: best mean"),
        ("1se", (0, (1.2, 1.2)), "λ 1se: largest within 1 SE"),
    ):
        for place in at[marks.str.contains(word, regex=False).to_numpy()][:1]:
            for axes in (left, right):
                axes.axvline(
                    place,
                    color=EVENT if place == used else INK,
                    ls=dash,
                    lw=0.9,
                    label=label if axes is right else None,
                )
    upper = right.secondary_xaxis("top")
    steps = np.unique(np.linspace(0, len(at) - 1, 6).round().astype(int))
    upper.set_xticks(at[steps], [str(n) for n in cv["nonzero"].to_numpy()[steps]])
    upper.tick_params(length=0, pad=1)
    right.set_title(f"{model}: inner cross-validation", pad=13)
    for axes in (left, right):
        axes.grid()
    legend_below(right)
