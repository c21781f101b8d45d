"""What a stored result says, asked in the report's words: the final model, its estimates, who was predicted where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.stats.interval import Interval
from isthmus.study.result import Result
from isthmus.table import Task
from isthmus.validate.scoring import MEASURES, METRICS

__all__ = [
    "SPLITS",
    "as_text",
    "candidates",
    "cohort_settings",
    "confidence",
    "decisions",
    "estimate",
    "final_model",
    "final_threshold",
    "horizon",
    "horizon_text",
    "measure",
    "measure_name",
    "model_settings",
    "null_study",
    "outcome_name",
    "patient_predictions",
    "patients",
    "split_name",
    "splits",
    "task",
    "threshold_origin",
    "threshold_rule",
    "time_name",
    "unseen_splits",
]

SPLITS = {
    "cv": "Cross-validation",
    "internal": "Internal test set",
    "external": "External centre",
    "train": "Training (apparent)",
    "random-splits": "Repeated random splits (mean)",
}
"""The splits in the order in which the report shows them, with the words for them."""

_ELSEWHERE = "external ("  # another site's numbers are the split `external (<its name>)`


def final_model(result: Result) -> str:
    """The model that became `model.isthmus`: `[report] final`, else the first declared."""
    models = result.models()
    if not models:
        raise TableError(
            f"{result.folder}: metrics.csv has no rows, so there is no model to report. Run the plan again."
        )
    named = result.plan.get("report", {}).get("final")
    if named and named not in models:
        raise TableError(
            f"{result.folder}: [report] final = {named!r}, but metrics.csv has only {', '.join(models)}. "
            "Correct `final` in the plan and run again."
        )
    return str(named) if named else models[0]


def sent_bands(result: Result, model: str, split: str) -> pd.DataFrame:
    """Counts in bands of risk that another site sent of a model (lower, upper, n, events, predicted); empty where fewer than two
    came, for one band has no curve."""
    table = result.tables.get("external_bands", pd.DataFrame(columns=["model", "split"]))
    found = table[(table["model"] == model) & (table["split"] == split)]
    return found if len(found) > 1 else found.iloc[:0]


def splits(result: Result) -> list[str]:
    """The splits that have predictions or metrics, in the report's order."""
    seen = set(result.predictions.get("split", [])) | set(result.metrics.get("split", []))
    others = sorted(split for split in seen if split not in SPLITS)
    return [split for split in ("cv", "internal", "external", *others, "train") if split in seen]


def split_name(split: str) -> str:
    """The words for a split: `External centre`, `External: hospital B`."""
    if split.startswith(_ELSEWHERE):
        return f"External: {split.removeprefix(_ELSEWHERE).removesuffix(')')}"
    return SPLITS.get(split, split)


def unseen_splits(result: Result) -> list[str]:
    """The splits of patients the model had not seen; another site may have sent estimates without predictions."""
    return [split for split in splits(result) if split != "train"]


def estimate(result: Result, model: str, split: str, metric: str) -> Interval | None:
    """One row of metrics.csv, or None where the run has no such estimate."""
    table = result.metrics
    rows = table[(table["model"] == model) & (table["split"] == split) & (table["metric"] == metric)]
    if not len(rows) or pd.isna(rows["estimate"].iloc[0]):
        return None
    row = rows.iloc[0]
    method = "" if pd.isna(row["method"]) else str(row["method"])
    return Interval(float(row["estimate"]), float(row["lower"]), float(row["upper"]), method)


def confidence(result: Result) -> float:
    """The level of the intervals, as the plan fixed it."""
    return float(result.plan.get("validate", {}).get("confidence", 0.95))


def cohort_settings(result: Result) -> dict[str, Any]:
    """The section that says who is in the study: [cohort], or [table] in a study without images."""
    return dict(result.plan.get("cohort") or result.plan.get("table") or {})


def task(result: Result) -> Task:
    """The kind of outcome."""
    found: Task = cohort_settings(result).get("task", "binary")
    return found


def measure(result: Result) -> str:
    """The metric by which models of this outcome are judged first: `auc`, `macro_auc`, `ordinal_c` or `c_index`."""
    return METRICS[task(result)]


def measure_name(result: Result) -> str:
    """In words: `AUC`, `C-index`."""
    return MEASURES[task(result)]


def horizon(result: Result) -> float:
    """Survival: the time for which the models give a probability."""
    rows = result.metrics[result.metrics["metric"] == "horizon"]
    return float(rows["estimate"].iloc[0]) if len(rows) else float("nan")


def time_name(result: Result) -> str:
    """Survival: the plan's column of times in words; people name it by its unit (`months`)."""
    return str(cohort_settings(result).get("time") or "time").replace("_", " ")


def horizon_text(result: Result) -> str:
    """Survival: the horizon with the name of its column, `24 (months)`; of a column named `time` the number alone."""
    name = time_name(result)
    return f"{horizon(result):g}" + ("" if name == "time" else f" ({name})")


def outcome_name(result: Result) -> str:
    """The outcome in the plan's words ([report] outcome), else as it is written there, the name of a column without its underscores."""
    said = result.plan.get("report", {}).get("outcome")
    if said:
        return str(said)
    name = str(cohort_settings(result).get("outcome", "outcome"))
    return name.replace("_", " ") if name.isidentifier() else name


def model_settings(result: Result, model: str) -> dict[str, Any]:
    """What the plan says about one model."""
    return next((dict(m) for m in result.plan.get("models", []) if m.get("name") == model), {})


def candidates(result: Result, model: str) -> int:
    """How many columns a model could choose from, over all its blocks (0 where the run does not say)."""
    said = result.tables.get("stability", pd.DataFrame(columns=["model", "columns"]))
    own = said.loc[said["model"] == model, "columns"] if "columns" in said else pd.Series(dtype=float)
    if len(own):
        return int(own.iloc[0])
    wanted = model_settings(result, model).get("blocks") or list(result.blocks)
    return sum(len(result.blocks[block]) for block in wanted if block in result.blocks)


def final_threshold(result: Result, model: str) -> float | None:
    """The threshold carried to the external patients: the final model's, fixed on training predictions."""
    table = result.thresholds
    if not len(table) or "threshold" not in table.columns:
        return None
    rows = table[(table["model"] == model) & table["fold"].isna()]
    return float(rows["threshold"].iloc[0]) if len(rows) and pd.notna(rows["threshold"].iloc[0]) else None


def decisions(result: Result, model: str, split: str) -> pd.DataFrame:
    """Predictions of a model on a split with the `threshold` each was judged by: its fold's, or the one carried to new patients.

    One row a patient and repeat; none where the run has no threshold.
    """
    table, cuts = result.predictions, result.thresholds
    rows = table[(table["model"] == model) & (table["split"] == split)].dropna(subset=["outcome", "probability"])
    if split == "cv" and {"repeat", "fold", "threshold"} <= set(cuts.columns):
        own = cuts.loc[(cuts["model"] == model) & cuts["fold"].notna(), ["repeat", "fold", "threshold"]]
        keys = ["repeat", "fold"]
        rows = rows.astype(dict.fromkeys(keys, float)).merge(own.astype(float), on=keys, how="left")
    else:
        rows = rows.assign(threshold=final_threshold(result, model))
    return rows.dropna(subset=["threshold"]).astype({"outcome": int, "threshold": float}).reset_index(drop=True)


def threshold_rule(result: Result) -> str:
    """How the plan chooses the threshold, in words."""
    rule = result.plan.get("validate", {}).get("threshold", "youden")
    if isinstance(rule, dict):
        return ", ".join(
            f"a cost ratio of {value}" if key == "cost_ratio" else f"{key} at least {value}"
            for key, value in rule.items()
        )
    return {"youden": "Youden's index", "prevalence": "the prevalence in training"}.get(str(rule), f"risk {rule}")


def threshold_origin(result: Result) -> str:
    """Where the threshold comes from: the plan, if that names a risk or a ratio of costs, else predictions of training patients."""
    own = model_settings(result, final_model(result)).get("threshold")
    rule = result.plan.get("validate", {}).get("threshold", "youden") if own is None else own
    in_plan = isinstance(rule, (int, float)) or (isinstance(rule, dict) and "cost_ratio" in rule)
    return "fixed in the plan" if in_plan else "fixed on training predictions"


def patient_predictions(result: Result, model: str, split: str) -> pd.DataFrame:
    """One row a patient: outcome and probability, the mean over the repeats of cross-validation.

    The patient is the unit: five repeats are not five patients, so curves with intervals are drawn from these rows.
    """
    table = result.predictions
    rows = table[(table["model"] == model) & (table["split"] == split)].dropna(subset=["outcome", "probability"])
    numbers = [
        c for c in rows.columns if c in ("outcome", "probability", "time", "risk") or c.startswith("probability:")
    ]
    grouped = rows.groupby("patient", sort=True)[numbers].mean().reset_index()
    return grouped.astype({"outcome": int})


def as_text(column: pd.Series[Any]) -> list[str]:
    """A column as text, empty where it is missing (a column nobody wrote in is read as one of missing numbers)."""
    return ["" if pd.isna(value) else str(value) for value in column.tolist()]


def null_study(result: Result) -> pd.DataFrame:
    """The null study's table, models that could be judged only; empty where it was not run."""
    table = result.tables.get("null_study", pd.DataFrame())
    return table.dropna(subset=["null_mean", "null_lower", "null_upper"]) if len(table) else table


def patients(result: Result) -> pd.DataFrame:
    """One row a patient of cases.csv; several images of one patient count once, included when any of them is.

    Columns: patient, centre, split, status, step, reason, outcome.
    """
    cases = result.cases.copy()
    for name in ("centre", "split", "step", "reason"):
        if name not in cases:
            cases[name] = ""
        cases[name] = as_text(cases[name])
    if "outcome" not in cases:
        cases["outcome"] = np.nan
    cases["_out"] = (cases["status"] != "included").astype(int)
    first = cases.sort_values("_out", kind="stable").drop_duplicates("patient")
    return first.sort_index().drop(columns="_out").reset_index(drop=True)
