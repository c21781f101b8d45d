"""Choosing settings inside the training rows: by a grid, or a LASSO penalty along its path."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isthmus.stats.roc import auc
from isthmus.table.steps import without_context
from isthmus.validate.training import Array, Training, out_of_fold_risks, per_patient

__all__ = ["Tuned", "has_path", "tune", "tune_path"]


@dataclass
class Tuned:
    """What a search chose.

    Parameters
    ----------
    pipeline : Pipeline
        With the chosen settings, not fitted.
    settings : dict
    trials : list of dict
        Every combination tried: {"settings": ..., "measure": ..., "score": ...}.
    risks : array, shape (n,)
        Out-of-fold risks of the training rows under the chosen settings.
    """

    pipeline: Any
    settings: dict[str, Any]
    trials: list[dict[str, Any]]
    risks: Array = field(repr=False)


def tune(pipeline: Any, grid: Mapping[str, list[Any]], training: Training) -> Tuned:
    """Try every combination on the same inner folds; the largest mean AUC wins, of equals the first."""
    best: Tuned | None = None
    best_score = -np.inf
    trials: list[dict[str, Any]] = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        candidate = pipeline.with_settings(chosen)
        inner = _out_of_fold(candidate, training)
        score = _mean_auc(training, inner.risks)
        trials += [*inner.trials, {"settings": chosen, "measure": "mean AUC of the inner folds", "score": score}]
        if score > best_score:
            best, best_score = Tuned(inner.pipeline, {**chosen, **inner.settings}, [], inner.risks), score
    assert best is not None
    best.trials = trials
    return best


def _out_of_fold(candidate: Any, training: Training) -> Tuned:
    if has_path(candidate):
        return tune_path(candidate, training)
    return Tuned(candidate, {}, [], out_of_fold_risks(candidate, training))


def has_path(pipeline: Any) -> bool:
    """Does the estimator choose a penalty along a path, and has the plan left it open?"""
    estimator = pipeline.estimator
    return hasattr(estimator, "path_grid") and estimator.penalty is None


def tune_path(pipeline: Any, training: Training) -> Tuned:
    """Choose the penalty of a path by inner cross-validation around all steps."""
    estimator = pipeline.estimator
    whole = pipeline.fresh().fit_steps(training.rows, training.memory)
    grid = estimator.path_grid(_values(whole.X), whole.events)
    risks = np.empty((len(training.folds), len(grid)))
    for fit, outside, held in training.inner():
        inner = pipeline.fresh()
        after = inner.fit_steps(fit, training.memory)
        seen = _values(inner.transform_rows(outside, training.memory))
        risks[held] = estimator.path_risks(_values(after.X), after.events, seen, grid)
    index, choice = estimator.path_choice(grid, risks, training.rows.events, training.folds)
    trials = [
        {
            "settings": {"penalty": float(penalty)},
            "measure": f"loss of the inner folds ({estimator.measure})",
            "score": float(score),
        }
        for penalty, score in zip(grid, choice.mean, strict=True)
    ]
    settings = {"penalty": float(grid[index])}
    return Tuned(pipeline.with_settings(settings), settings, trials, np.asarray(risks[:, index], dtype=np.float64))


def _values(frame: Any) -> Array:
    return np.ascontiguousarray(without_context(frame).to_numpy(dtype=np.float64))


def _mean_auc(training: Training, risks: Array) -> float:
    scores = []
    for _, outside, held in training.inner():
        mean = per_patient(outside.patients, risks[held])
        truth = per_patient(outside.patients, outside.events)
        scores.append(auc(truth.to_numpy().astype(np.int64), mean.to_numpy()))
    return float(np.mean(scores))
