"""Tables that belong to one kind of outcome: confusion matrices; risk groups, calibration at the horizon, hazard ratios."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.stats import multiclass
from isthmus.stats.survival.calibration import calibration_groups_at
from isthmus.stats.survival.cox import cox_regression, proportional_hazards_test
from isthmus.stats.survival.kaplan_meier import kaplan_meier, step_value
from isthmus.study.evaluate import Candidate
from isthmus.table import Outcome
from isthmus.validate.nested import FittedModel
from isthmus.validate.sample import SPLITS
from isthmus.validate.settings import ValidateSettings

__all__ = ["confusion", "hazard_ratios", "horizon_calibration", "outcome_tables", "risk_groups"]

log = logging.getLogger("isthmus")


def outcome_tables(
    predictions: pd.DataFrame,
    outcome: Outcome,
    settings: ValidateSettings,
    candidates: Sequence[Candidate],
    finals: dict[str, FittedModel],
) -> dict[str, pd.DataFrame]:
    """The tables of this outcome, by their name in `RUN/tables`."""
    if outcome.task == "binary":
        return {}
    if outcome.task != "survival":
        return {"confusion": confusion(predictions, outcome.classes)}
    found = {
        "risk_groups": risk_groups(predictions, settings),
        "calibration_at_horizon": horizon_calibration(predictions, settings),
    }
    for candidate in candidates:
        ratios = hazard_ratios(candidate, finals[candidate.spec.name], outcome, settings.confidence)
        if ratios is not None:
            found[f"hazard_ratios_{candidate.spec.name}"] = ratios
    return found


def _parts(predictions: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Rows of each model and split; of repeated cross-validation the first repeat, where every patient occurs once."""
    for model in dict.fromkeys(predictions["model"]):
        for split in SPLITS:
            part = predictions[(predictions["model"] == model) & (predictions["split"] == split)]
            part = part[part["probability"].notna()]
            if split == "cv":
                part = part[part["repeat"] == 1]
            if len(part):
                yield str(model), split, part


def confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """model, split, true, called, n, row_percent; on cv the mean over the repeats."""
    position = {name: code for code, name in enumerate(classes)}
    tables = []
    for model in dict.fromkeys(predictions["model"]):
        for split in SPLITS:
            part = predictions[(predictions["model"] == model) & (predictions["split"] == split)]
            if not len(part):
                continue
            matrix = multiclass.confusion_matrix(part["outcome"], part["class"].map(position), len(classes))
            matrix = matrix / max(part["repeat"].nunique(), 1)
            table = multiclass.confusion_table(matrix, classes)
            table.insert(0, "split", split)
            table.insert(0, "model", model)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def risk_groups(predictions: pd.DataFrame, settings: ValidateSettings) -> pd.DataFrame:
    """What became of each risk group: model, split, group, n, n_events, median (lower, upper), and by the horizon the
    Kaplan-Meier probability of being free of the event (with limits). On cv of the first repeat."""
    rows = []
    horizon = float(settings.horizon or np.nan)
    for model, split, part in _parts(predictions):
        for group in [name for name in ("low", "middle", "high") if (part["group"] == name).any()]:
            own = part[part["group"] == group]
            curve = kaplan_meier(own["time"], own["outcome"], confidence=settings.confidence)
            lower, upper = curve.median_interval()
            at = [step_value(curve.time, v, horizon, start=1.0) for v in (curve.survival, curve.lower, curve.upper)]
            rows.append(
                {
                    "model": model, "split": split, "group": group, "n": len(own), "n_events": int(own["outcome"].sum()),
                    "median": curve.median, "median_lower": lower, "median_upper": upper, "horizon": horizon,
                    "event_free": float(at[0]), "event_free_lower": float(at[1]), "event_free_upper": float(at[2]),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def horizon_calibration(predictions: pd.DataFrame, settings: ValidateSettings) -> pd.DataFrame:
    """Predicted and Kaplan-Meier probability of the event by the horizon in fifths of predicted probability (thirds of
    fewer than 100 patients); on cv of the first repeat."""
    tables = []
    horizon = float(settings.horizon or np.nan)
    for model, split, part in _parts(predictions):
        table = calibration_groups_at(
            part["time"], part["outcome"], part["probability"], horizon,
            groups=5 if len(part) >= 100 else 3, confidence=settings.confidence,
        )  # fmt: skip
        table.insert(0, "split", split)
        table.insert(0, "model", model)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def hazard_ratios(candidate: Candidate, final: FittedModel, outcome: Outcome, confidence: float) -> pd.DataFrame | None:
    """Hazard ratios of a Cox model without penalty, on the predictors' own scale and all development rows, with the test of
    proportional hazards (`ph_p`); None for other models.

    Where a patient has several rows they are not independent, and the intervals would be too narrow: none are given.
    """
    if candidate.spec.estimator != "cox":
        return None
    name = candidate.spec.name
    if candidate.patients.duplicated().any():
        log.warning("model %r: no hazard ratios: several rows of one patient are not independent", name)
        return None
    X = final.pipeline.in_own_units(candidate.X, training=True)
    used = [column for column in X.columns if column in final.selected]
    if len(used) < len(final.selected):  # behind principal components a predictor has no hazard ratio of its own
        return None
    target = outcome.target(pd.Index(candidate.patients))
    try:
        fit = cox_regression(X[used], target["time"], target["event"])
        table = fit.table(confidence)
        checked = proportional_hazards_test(fit, X[used], target["time"], target["event"]).set_index("term")
    except TableError as exc:
        log.warning("model %r: no hazard ratios: %s", name, exc)
        return None
    return table.assign(ph_p=table["term"].map(checked["p"]), n=fit.n, n_events=fit.n_events)
