"""Every model of the plan on unseen patients: counts at its frozen threshold, and what they come to."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.study.recipes.crit.published import MODELS, NOT_IN_README
from isthmus.validate.sample import prepare, sample_of

__all__ = ["METRICS", "SPLITS", "model_table"]

SPLITS = ("cv", "internal", "external")

METRICS = (
    "auc", "pr_auc", "sensitivity", "specificity", "ppv", "npv", "f3", "mcc", "g_mean", "likelihood_ratio_negative", "brier",
    "log_loss", "calibration_intercept", "calibration_slope", "ici",
)  # fmt: skip


def model_table(predictions: pd.DataFrame, thresholds: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """One row a model and split: n, n_events, threshold, tp, fp, fn, tn, detection_rate, then each of `METRICS` with its limits.

    Counts of cross-validation are means over the repeats. The detection rate is the share of all patients who are found: it follows the
    prevalence, and is here because the study's score wants it.
    """
    frame = prepare(predictions)
    wide = metrics.set_index(["model", "split", "metric"])
    rows: list[dict[str, Any]] = []
    for model in dict.fromkeys(predictions["model"]):
        for split in SPLITS:
            part = frame[(frame["model"] == model) & (frame["split"] == split)]
            if not len(part):
                continue
            sample = sample_of(part, thresholds, model, split)
            e, c = sample.event, sample.called
            cells = {
                name: float(sample.mean_per_patient(cell).sum())
                for name, cell in (("tp", e & c), ("fp", ~e & c), ("fn", e & ~c), ("tn", ~e & ~c))
            }
            row: dict[str, Any] = {
                "model": model,
                "in_study": "description and code" if model in MODELS else "",
                "split": split,
                "n": sample.n,
                "n_events": int(sample.patient_event.sum()),
                "threshold": _of(wide, model, split, "threshold", "estimate"),
                **cells,
                "detection_rate": cells["tp"] / sample.n if sample.n else float("nan"),
            }
            if model in NOT_IN_README:
                row["in_study"] = "code"
            for metric in METRICS:
                row[metric] = _of(wide, model, split, metric, "estimate")
                row[f"{metric}_lower"] = _of(wide, model, split, metric, "lower")
                row[f"{metric}_upper"] = _of(wide, model, split, metric, "upper")
            rows.append(row)
    return pd.DataFrame(rows)


def _of(wide: pd.DataFrame, model: str, split: str, metric: str, column: str) -> float:
    key = (model, split, metric)
    found: Any = wide.at[key, column] if key in wide.index else float("nan")
    return float(found)
