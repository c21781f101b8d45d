"""What one fold gave, and the model that was fitted on all development rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from isthmus.table.outcome import Task
from isthmus.validate.scoring import prediction_table, score_prediction

__all__ = ["FittedModel", "FoldResult"]


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave.

    Parameters
    ----------
    repeat, fold : int
    patients, outcome, probability : tuples
        The test patients, in the order of the split; the probability is the mean over a patient's rows.
    task : {"binary", "multiclass", "ordinal", "survival"}
    scores : dict
        What else they got (`validate.scoring.prediction_table`): the probability of each class, the risk and its group.
    time : tuple
        Survival: time to event or censoring.
    cuts : tuple
        Survival: where the risk groups are cut; chosen like the threshold.
    threshold : float
        Chosen on inner out-of-fold predictions of the training patients.
    selected : dict
        Feature -> coefficient or importance, of those that play a part.
    weight_kind : {"coefficient", "importance"}
        Coefficients are on the scale on which the estimator saw the column (after the step 'scale': per sd).
    tuned : dict
        Setting -> the value that was chosen.
    trials : tuple of dict
        Every combination tried, with its inner score: {"settings": ..., "score": ..., "measure": ...}.
    dropped : dict
        Column -> step and reason.
    warnings : tuple of str
    explanation : dict
        What `explain` said of the held-out rows; empty where nothing was explained.
    rules : dict
        "prevalence", "youden" -> the threshold that rule gives on the same training predictions, whichever rule was used; empty where
        the threshold is a fixed number.
    unadjusted : tuple of float
        The probability before it was carried back to the training prevalence and recalibrated; empty where neither was.
    learning : tuple of dict
        Of networks that were trained in the fold, every epoch.
    """

    repeat: int
    fold: int
    patients: tuple[str, ...]
    outcome: tuple[int, ...]
    probability: tuple[float, ...]
    threshold: float
    selected: Mapping[str, float]
    weight_kind: str
    tuned: Mapping[str, Any] = field(default_factory=dict)
    trials: tuple[Mapping[str, Any], ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    explanation: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, float] = field(default_factory=dict)
    unadjusted: tuple[float, ...] = ()
    task: Task = "binary"
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    time: tuple[float, ...] = ()
    cuts: tuple[float, ...] = ()
    learning: tuple[Mapping[str, Any], ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """What the test patients got, one row each."""
        return pd.DataFrame({"probability": self.probability, **self.scores}, index=list(self.patients))

    @property
    def auc(self) -> float:
        """AUC of the test patients of this fold; for other outcomes what takes its place (`validate.scoring`)."""
        return score_prediction(self.task, self.table, self.outcome, self.time)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives back an equal result, floats to the last bit."""
        return {
            "repeat": self.repeat,
            "fold": self.fold,
            "patients": list(self.patients),
            "outcome": list(self.outcome),
            "probability": list(self.probability),
            "threshold": self.threshold,
            "selected": dict(self.selected),
            "weight_kind": self.weight_kind,
            "tuned": dict(self.tuned),
            "trials": [dict(trial) for trial in self.trials],
            "dropped": dict(self.dropped),
            "warnings": list(self.warnings),
            "explanation": dict(self.explanation),
            "rules": dict(self.rules),
            "task": self.task,
            "scores": {name: list(values) for name, values in self.scores.items()},
            "time": list(self.time),
            "cuts": list(self.cuts),
            "unadjusted": list(self.unadjusted),
            "learning": [dict(epoch) for epoch in self.learning],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FoldResult:
        """The result again, from what `to_json` gave (and a JSON file kept)."""
        lists = ("patients", "outcome", "probability", "trials", "warnings", "unadjusted", "time", "cuts", "learning")
        scores = {name: tuple(values) for name, values in value["scores"].items()}
        return cls(**{**value, **{key: tuple(value[key]) for key in lists}, "scores": scores})


@dataclass(frozen=True, eq=False)
class FittedModel:
    """The whole procedure, fitted on all development rows; what cross-validation estimated is the procedure that made
    it."""

    pipeline: Any
    threshold: float
    selected: Mapping[str, float]
    weight_kind: str
    tuned: Mapping[str, Any]
    trials: tuple[Mapping[str, Any], ...]
    dropped: Mapping[str, str]
    warnings: tuple[str, ...]
    n_patients: int
    n_events: int
    rules: Mapping[str, float] = field(default_factory=dict)
    task: Task = "binary"
    cuts: tuple[float, ...] = ()

    def predict(self, X: pd.DataFrame, patients: Any) -> pd.DataFrame:
        """What each patient (index) gets, the mean over his rows: `probability`, and what `prediction_table` adds."""
        who = np.asarray(patients).astype(str).astype(object)
        with threadpool_limits(1):
            return prediction_table(self.task, who, self.pipeline.predict_proba(X), self.cuts)
