"""Which variables the models rest on, and how often they were chosen again when the patients changed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.figures._canvas import EVENT, NON_EVENT, SMALL, TWO, colours, panel
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "selected"
TITLE = "Selected features"

TOP_FINAL, TOP_OTHERS = 15, 8
_ROW = 0.165


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`selected`: model, feature, frequency, effect, kind, place; the most frequent features, the final model first."""
    table = result.selected
    rows = []
    final = final_model(result)
    for model in [final, *(m for m in result.models() if m != final)]:
        part = table[table["model"] == model] if len(table) else table
        if not len(part):
            continue
        part = part.assign(
            effect=part["coefficient"].fillna(part["importance"]),
            kind=["importance" if pd.isna(c) else "coefficient" for c in part["coefficient"]],
        )
        part = part.assign(_size=part["effect"].abs().fillna(0))
        ranked = part.sort_values(["frequency", "_size", "feature"], ascending=[False, False, True], kind="stable")
        rows.append(ranked.head(TOP_FINAL if model == final else TOP_OTHERS))
    columns = ["model", "feature", "frequency", "effect", "kind"]
    frame = pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)
    # colours follow the plan's order, which this table's order hides
    return {"selected": frame.assign(place=frame["model"].map({m: i for i, m in enumerate(result.models())}))}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    counts = data["selected"].groupby("model", sort=False).size()
    return TWO, float(sum(0.46 + _ROW * n for n in counts)) + 0.22


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A block of rows per model: how often chosen on the left, with what effect on the right."""
    table, whole = data["selected"], size(data)
    palette = list(colours(map(str, range(int(table["place"].max()) + 1))).values()) if len(table) else []
    top = whole[1]
    models = list(dict.fromkeys(table["model"]))
    for model in models:
        part = table[table["model"] == model].iloc[::-1]
        tall = _ROW * len(part)
        top -= 0.28 + tall
        colour = palette[int(part["place"].iloc[0])][0]
        names = [shorten(str(name), 44) for name in part["feature"]]
        bars = panel(ax, whole, (2.75, top, 1.8, tall))
        bars.barh(range(len(part)), part["frequency"], height=0.66, color=colour, lw=0)
        bars.set_yticks(range(len(part)), names)
        bars.set(xlim=(0, 1), ylim=(-0.6, len(part) - 0.4), xticks=[0, 0.5, 1])
        bars.annotate(
            shorten(str(model), 40),
            (-2.65 / 1.8, 1),
            (0, 3),
            xycoords="axes fraction",
            textcoords="offset points",
            weight="bold",
            fontsize=7.5,
        )
        effects = panel(ax, whole, (4.8, top, 1.75, tall))
        tints = [EVENT if (value or 0) > 0 else NON_EVENT for value in part["effect"].fillna(0)]
        kind = "importance" if (part["kind"] == "importance").all() else "coefficient"
        effects.barh(
            range(len(part)),
            part["effect"].fillna(0),
            height=0.66,
            color=colour if kind == "importance" else tints,
            lw=0,
        )
        effects.axvline(0, color="#8a949e", lw=0.7)
        effects.set(ylim=(-0.6, len(part) - 0.4), yticks=[])
        effects.spines["left"].set_visible(False)
        effects.locator_params(axis="x", nbins=4)
        for axes in (bars, effects):
            axes.tick_params(length=0)
            axes.grid(axis="x")
        top -= 0.18
        for axes, words in ((bars, "share of folds"), (effects, kind)):
            axes.annotate(words, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", fontsize=SMALL)
