"""Every model on every split, each estimate with its interval and the method that made it."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import SPLITS, confidence, estimate, splits
from isthmus.report.tables._view import View
from isthmus.report.wording import METRICS, interval_text, metric_name
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "metrics"
TITLE = "Performance of every model"

_UNSEEN_NOTE = {
    "cv": "patients predicted by models that had not seen them",
    "internal": "patients set aside before any choice",
    "external": "patients of other centres, model and threshold unchanged",
    "train": "the final model on its own training patients: optimistic, for comparison only",
}


def view(result: Result) -> View | None:
    """One row per split and metric, one column per model, and the methods of the intervals."""
    rows, groups = [], {}
    models = result.models()
    for split in splits(result):
        part = result.metrics[result.metrics["split"] == split]
        names = set(part["metric"])
        ordered = [name for name in METRICS if name in names] + sorted(names - set(METRICS))
        if ordered:
            groups[len(rows)] = f"{SPLITS[split]} – {_UNSEEN_NOTE[split]}"
        for metric in ordered:
            found = [estimate(result, model, split, metric) for model in models]
            methods = dict.fromkeys(one.method for one in found if one is not None and one.method)
            rows.append([metric_name(metric), *(interval_text(one) for one in found), "; ".join(methods)])
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["Metric", *models, "Interval by"])
    level = f"{100 * confidence(result):.0f} %"
    caption = f"Estimate ({level} confidence interval). The threshold was fixed on training predictions and carried over."
    return View(frame, caption, groups, tuple(models))
