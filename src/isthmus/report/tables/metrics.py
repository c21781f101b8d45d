"""Every model on every split, each estimate with its interval and the method that made it."""

from __future__ import annotations

import math

import pandas as pd

from isthmus.report.facts import confidence, estimate, split_name, splits, task, threshold_origin
from isthmus.report.tables._view import View
from isthmus.report.wording import METRICS, interval_text, is_fact, metric_name, number, p_value
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view", "views"]

NAME = "metrics"
TITLE = "Performance of every model"

MOST = 4
"""Models side by side in one table."""

_UNSEEN_NOTE = {
    "cv": "patients predicted by models that had not seen them",
    "internal": "patients set aside before any choice",
    "external": "patients of other centres, model and threshold unchanged",
    "train": "each model on its own training patients: optimistic, for comparison only",
}


def views(result: Result) -> list[View]:
    """The table in parts of a few models each, so that it fits on paper."""
    models = result.models()
    parts = [models[i : i + MOST] for i in range(0, len(models), MOST)]
    return [part for part in (view(result, names) for names in parts) if part is not None]


def view(result: Result, models: list[str] | None = None) -> View | None:
    """One row per split and metric, one column per model (default: all), and the methods of the intervals."""
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    models = models or result.models()
    for split in splits(result):
        part = result.metrics[(result.metrics["split"] == split) & result.metrics["model"].isin(models)]
        ordered = _in_order(part["metric"], result)
        if ordered:
            groups[len(rows)] = (
                f"{split_name(split)} – "
                f"{_UNSEEN_NOTE.get(split, 'numbers another site sent; its patients stayed there')}"
            )
        for metric in ordered:
            found = [estimate(result, model, split, metric) for model in models]
            methods = dict.fromkeys(str(row) for row in part.loc[part["metric"] == metric, "method"].dropna())
            rows.append([metric_name(metric), *(_cell(metric, one) for one in found), "; ".join(methods)])
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["Metric", *models, "Interval by"])
    level = f"{100 * confidence(result):.0f} %"
    caption = (
        f"Estimate ({level} confidence interval). {_CARRIED[task(result)].format(origin=threshold_origin(result))}"
    )
    return View(frame, caption, groups, tuple(models))


_CARRIED = {
    "binary": "The threshold was {origin} and carried over.",
    "multiclass": "A patient is called the class that is most probable for him.",
    "ordinal": "A patient is called the class that is most probable for him.",
    "survival": "Risk groups were cut on training predictions, and the cuts carried over.",
}


def _in_order(found: pd.Series[str], result: Result) -> list[str]:
    """Binary: the order of `METRICS`, others after by name; of other outcomes the order of metrics.csv, counts first."""
    names = list(dict.fromkeys(found))
    if task(result) == "binary":
        return [name for name in METRICS if name in names] + sorted(set(names) - set(METRICS))
    counts = [name for name in names if name.partition(":")[0] in ("n", "n_events")]
    return counts + [name for name in names if name not in counts]


def _cell(metric: str, found: Interval | None) -> str:
    if found is None or not is_fact(metric) or math.isfinite(found.lower):
        return interval_text(found)
    if metric.endswith("_p"):
        return p_value(found.estimate)
    return number(found.estimate, 0 if metric.startswith(("n:", "n_")) or metric == "n" else 2)
