"""How much the model loses without each feature: the AUC (or C-index) lost when its values are shuffled, with interval."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import final_model, measure_name
from isthmus.report.figures._canvas import GREY, INK, TWO, panel
from isthmus.report.tables.explanation import explained_model
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "importance"
TITLE = "Importance"

TOP = 15
_ROW = 0.165
_COLUMNS = ["kind", "model", "name", "importance", "lower", "upper", "measure"]
_WORDS = {
    "feature": "lost on held-out patients when the feature is shuffled",
    "group": "out-of-bag loss when all columns of the group are shuffled",
}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`importance`: kind (`feature`, `group`), model, name, importance, lower, upper, measure; the largest first.

    Features: permutation importance on held-out patients, corrected resampled t interval over folds. Groups: variable
    importance of a forest, which has no interval.
    """
    parts = []
    explained = explained_model(result)
    table = result.tables.get(f"explanation_{explained}", pd.DataFrame())
    if len(table):
        named = table.rename(columns={"feature": "name"}).assign(
            kind="feature", model=explained, measure=measure_name(result)
        )
        parts.append(named[_COLUMNS].dropna(subset=["importance"]))
    groups = result.tables.get("importance_of_groups", pd.DataFrame())
    if len(groups):
        models = [str(name) for name in groups["model"]]
        shown = final_model(result) if final_model(result) in models else models[0]
        named = groups[groups["model"].astype(str) == shown].rename(columns={"group": "name"}).assign(kind="group")
        parts.append(named.reindex(columns=_COLUMNS))
    parts = [
        part.astype({"name": str}).sort_values(["importance", "name"], ascending=[False, True], kind="stable").head(TOP)
        for part in parts
    ]
    filled = [part for part in parts if len(part)]
    return {"importance": pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=_COLUMNS)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    counts = data["importance"].groupby("kind", sort=False).size()
    return TWO, float(sum(0.7 + _ROW * n for n in counts)) or 1.0


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A point and its interval a row."""
    table, whole = data["importance"], size(data)
    top = whole[1]
    for kind, part in table.groupby("kind", sort=False):
        tall = _ROW * len(part)
        axes = panel(ax, whole, (2.75, top - 0.25 - tall, 3.75, tall))
        top -= 0.7 + tall
        at = range(len(part) - 1, -1, -1)
        axes.hlines(at, part["lower"].to_numpy(dtype=float), part["upper"].to_numpy(dtype=float), color=INK, lw=1.0)
        axes.plot(part["importance"], at, "o", ms=3.4, color=INK, ls="none")
        axes.axvline(0, color=GREY, lw=0.7)
        words = f"{part['measure'].iloc[0]} {_WORDS['feature']}" if kind == "feature" else _WORDS["group"]
        axes.set(ylim=(-0.6, len(part) - 0.4), xlabel=words, title=shorten(str(part["model"].iloc[0]), 40))
        axes.set_yticks(at, [shorten(str(name), 44) for name in part["name"]])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
