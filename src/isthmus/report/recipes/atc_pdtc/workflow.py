"""The way from the scans to the two models, with the numbers of this run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import estimate, patients
from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, wrap
from isthmus.report.recipes.atc_pdtc._names import GROUPS, named
from isthmus.report.wording import interval_text
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "atc-pdtc_workflow"
TITLE = "Workflow of the study"

_GAP, _LEFT = 0.2, 0.08
_CHARACTERS = 20
_TINTS = ("#eef2f6", "#e8f1fa", "#e6f4ef", "#fdf1e4", "#f7eaf2")


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`boxes` (title, text), from left to right."""
    representatives = result.tables.get("atc-pdtc_representatives", pd.DataFrame())
    if not len(representatives):
        return {"boxes": pd.DataFrame()}
    who = representatives.drop_duplicates("patient")["histology"].value_counts()
    included = int((patients(result)["status"] == "included").sum())
    groups = ", ".join(f"{who.get(name, 0)} {name}" for name in GROUPS)
    facts = next((table for name, table in result.blocks.items() if name != "clinical"), pd.DataFrame())
    families = facts["family"].nunique() if "family" in facts else 0
    chosen = result.tables.get("tuning", pd.DataFrame())
    forest = "random forest quantile classifier"
    if len(chosen):
        final = chosen[chosen["fold"].isna()].drop_duplicates(["model", "setting"])
        words = [
            f"{named(str(model))}: "
            + ", ".join(f"{s} {v}" for s, v in zip(part["setting"], part["value"], strict=True))
            for model, part in final.groupby("model", sort=False)
        ]
        forest += "; out-of-bag tuning chose " + "; ".join(words)
    validate = result.plan.get("validate", {})
    repeats = validate.get("repeats")
    times = "once" if repeats == 1 else f"{repeats} times"
    done = f"stratified {validate.get('folds')}-fold cross-validation, {times}; {forest}"
    areas = "; ".join(f"{named(m)}: AUC {interval_text(estimate(result, m, 'cv', 'auc'))}" for m in result.models())
    methods = set(representatives["method"])
    axis = "UMAP and first principal component" if "umap" in methods else "first principal component"
    rows = [
        ("Patients", f"{included} patients with contrast-enhanced CT: {groups}"),
        ("Volume of interest", f"the whole tumour; {len(facts)} features in {families} categories"),
        ("Description", f"one representative value a category ({axis}), compared between the groups; descriptive"),
        ("Prediction", done),
        ("Result", f"{areas}; importance by category; each kind of differentiated carcinoma apart"),
    ]
    return {"boxes": pd.DataFrame(rows, columns=["title", "text"])}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    longest = max(wrap(text, _CHARACTERS, 20).count("\n") for text in data["boxes"]["text"])
    return TWO, 0.8 + 0.128 * longest


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Boxes from left to right with arrows between them."""
    from matplotlib.patches import FancyBboxPatch

    width, height = size(data)
    wide = (width - 2 * _LEFT + _GAP) / len(data["boxes"]) - _GAP
    ax.set_axis_off()
    ax.set(xlim=(0, width), ylim=(0, height))
    for i, (title, text) in enumerate(data["boxes"].itertuples(index=False, name=None)):
        left = _LEFT + i * (wide + _GAP)
        style = "round,pad=0,rounding_size=0.07"
        ax.add_patch(FancyBboxPatch((left, 0.1), wide, height - 0.2, boxstyle=style, fc=_TINTS[i], ec=GREY, lw=0.7))
        ax.text(left + 0.07, height - 0.2, title, fontsize=7.5, weight="bold", va="top", color=INK)
        ax.text(
            left + 0.07,
            height - 0.42,
            wrap(text, _CHARACTERS, 20),
            fontsize=SMALL,
            va="top",
            color=INK,
            linespacing=1.35,
        )
        if i:
            ax.annotate(
                "", xy=(left - 0.02, height / 2), xytext=(left - _GAP + 0.02, height / 2),
                arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 0.9},
            )  # fmt: skip
