"""Every model on repeated random splits, split by split and on average."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import confidence
from isthmus.report.tables._view import View
from isthmus.report.wording import metric_name, number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "random_splits"
TITLE = "Repeated random splits"

_SHOWN = (
    "auc", "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa",
    "macro_auc", "macro_f1", "ordinal_c", "quadratic_kappa", "c_index", "brier",
)  # fmt: skip


def view(result: Result) -> View | None:
    """One row per model and split, and the mean; None where the plan asks for no random splits."""
    table = result.tables.get("random_splits", pd.DataFrame())
    if not len(table):
        return None
    table = table.assign(split=table["split"].astype(str))
    metrics = [metric for metric in _SHOWN if (table["metric"] == metric).any()]
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model, mine in table.groupby("model", sort=False):
        groups[len(rows)] = str(model)
        for split, part in mine.groupby("split", sort=False):
            of = part.set_index("metric")
            if split == "mean":
                rows.append(
                    ["Mean (SD)", *(f"{number(of.at[m, 'estimate'])} ({number(of.at[m, 'sd'])})" for m in metrics)]
                )
                low, high = (of.loc[metrics, name] for name in ("lower", "upper"))
                rows.append(
                    [f"{100 * confidence(result):.0f} % interval", *(_limits(low[m], high[m]) for m in metrics)]
                )
            else:
                rows.append([str(split), *(number(of.at[m, "estimate"]) for m in metrics)])
    names = ["Split", *map(metric_name, metrics)]
    settings = result.plan["validate"]
    sets = result.cases.loc[result.cases["status"] == "included", "split"]
    who = "Development and internal test patients" if (sets == "internal").any() else "Development patients"
    share = f"{100 * settings['test_share']:.0f} %"
    caption = (
        f"{who} split anew {settings['splits']} times, {share} as test part, stratified by outcome; every choice and threshold made "
        "again on each training part. The interval allows for the patients that training parts share (Nadeau and Bengio) and may "
        "reach beyond 0 and 1. How far a single split lies from the mean is what one hold-out set leaves open."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _limits(lower: float, upper: float) -> str:
    return "–" if pd.isna(lower) else f"{number(lower)} to {number(upper)}"
