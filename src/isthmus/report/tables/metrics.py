"""Every model on every split, each estimate with its interval and the method that made it."""

from __future__ import annotations

import math

import pandas as pd

from isthmus.report.facts import confidence, estimate, split_name, splits
from isthmus.report.tables._view import View
from isthmus.report.wording import FACTS, METRICS, interval_text, metric_name, number
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
        names = set(part["metric"])
        ordered = [name for name in METRICS if name in names] + sorted(names - set(METRICS))
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
        f"Estimate ({level} confidence interval). The threshold was fixed on training predictions and carried over."
    )
    return View(frame, caption, groups, tuple(models))


def _cell(metric: str, found: Interval | None) -> str:
    if found is None or metric not in FACTS or math.isfinite(found.lower):
        return interval_text(found)
    return number(found.estimate, 0 if metric in ("n", "n_events") else 2)
