"""Choosing settings inside the training rows: by a search over `tuning`, or a LASSO penalty along its path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.errors import TableError
from isthmus.stats.roc import weighted_average_precision
from isthmus.table.outcome import Task
from isthmus.table.steps import without_context
from isthmus.validate.proposals import proposals
from isthmus.validate.scoring import MEASURES, score
from isthmus.validate.training import Array, Training, one_per_patient, out_of_fold_risks

if TYPE_CHECKING:
    from isthmus.models.settings import ModelSettings

__all__ = ["Tuned", "has_path", "tune", "tune_path"]

_MEASURES = {"auc": "AUC", "pr_auc": "PR-AUC", "log_loss": "log-loss", "brier": "Brier score"}


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
    risks : array, shape (n,), or (n, K) for classes
        Out-of-fold risks of the training rows under the chosen settings.
    """

    pipeline: Any
    settings: dict[str, Any]
    trials: list[dict[str, Any]]
    risks: Array = field(repr=False)


def tune(pipeline: Any, spec: ModelSettings, training: Training, *, seed: int) -> Tuned:
    """Try the combinations of `tuning` on the same inner folds; the best mean score wins, of equals the first.

    A combination that these rows do not allow (a resampler that finds no neighbours) stands among the trials without a
    score, with the reason; where there is no other, it is the error.

    With `one_se`, of the combinations whose mean is within one standard error (of the best one's inner folds) the one
    that steps and estimator declare the simplest.
    """
    by = "auc" if spec.search is None else spec.search.score
    falling = by in ("log_loss", "brier")
    tried: list[tuple[Tuned, Array]] = []
    trials: list[dict[str, Any]] = []
    search = proposals(spec, seed=seed)
    settings = next(search)
    impossible: TableError | None = None
    while True:
        try:
            inner = _out_of_fold(pipeline.with_settings(settings), training)
        except TableError as exc:
            impossible = exc
            trials.append({"settings": settings, "measure": f"not possible: {exc}", "score": float("nan")})
            try:
                settings = search.send(float("nan"))
            except StopIteration:
                break
            continue
        by_fold = _fold_scores(training, inner.risks, by)
        tried.append((Tuned(inner.pipeline, {**settings, **inner.settings}, [], inner.risks), by_fold))
        mean = float(np.mean(by_fold))
        measure = f"mean {MEASURES[training.task] if by == 'auc' else _MEASURES[by]} of the inner folds"
        trials += [*inner.trials, {"settings": settings, "measure": measure, "score": mean}]
        try:
            settings = search.send(-mean if falling else mean)
        except StopIteration:
            break
    if not tried:
        assert impossible is not None
        raise impossible
    best = _best(tried, sign=-1.0 if falling else 1.0, one_se=spec.search is not None and spec.search.one_se)
    best.trials = trials
    return best


def _best(tried: list[tuple[Tuned, Array]], *, sign: float, one_se: bool) -> Tuned:
    means = np.array([sign * float(np.mean(scores)) for _, scores in tried])
    winner = int(np.argmax(means))
    if one_se:
        scores = tried[winner][1]
        least = means[winner] - scores.std(ddof=1) / np.sqrt(len(scores))
        near = np.flatnonzero(means >= least)
        winner = int(min(near, key=lambda index: (tried[index][0].pipeline.complexity(), -means[index], index)))
    return tried[winner][0]


def _out_of_fold(candidate: Any, training: Training) -> Tuned:
    if has_path(candidate):
        return tune_path(candidate, training)
    return Tuned(candidate, {}, [], out_of_fold_risks(candidate, training))


def _fold_scores(training: Training, risks: Array, by: str) -> Array:
    """The score of each inner fold, over patients."""
    scores = []
    for _, outside, held in training.inner():
        outcome, mean = one_per_patient(outside, risks[held])
        scores.append(_score(by, training.task, outcome, mean))
    return np.array(scores)


def _score(by: str, task: Task, truth: Any, risk: Array) -> float:
    if by == "auc":
        return score(task, truth, risk)
    if by == "pr_auc":
        return float(weighted_average_precision(truth == 1, risk, np.ones((1, len(risk))))[0])
    if by == "brier":
        return float(np.mean((risk - truth) ** 2))
    inside = np.clip(risk, 1e-12, 1 - 1e-12)
    return float(-np.mean(np.log(np.where(truth == 1, inside, 1 - inside))))


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
    losses: list[Array] = []
    for fit, outside, held in training.inner():
        inner = pipeline.fresh()
        after = inner.fit_steps(fit, training.memory)
        seen = _values(inner.transform_rows(outside, training.memory))
        if hasattr(estimator, "path_fold"):
            risks[held], loss = estimator.path_fold(_values(after.X), after.events, seen, outside.events, grid)
            losses.append(loss)
        else:
            risks[held] = inner.carried_back(estimator.path_risks(_values(after.X), after.events, seen, grid))
    told = np.array(losses) if losses else risks  # a loss of each fold, or the risks it is computed from
    index, choice = estimator.path_choice(grid, told, training.rows.events, training.folds)
    trials = [
        {
            "settings": {"penalty": float(penalty)},
            "measure": f"loss of the inner folds ({choice.measure})",
            "score": float(score),
            "standard_error": float(error),
        }
        for penalty, score, error in zip(grid, choice.mean, choice.standard_error, strict=True)
    ]
    settings = {"penalty": float(grid[index])}
    return Tuned(pipeline.with_settings(settings), settings, trials, np.asarray(risks[:, index], dtype=np.float64))


def _values(frame: Any) -> Array:
    return np.ascontiguousarray(without_context(frame).to_numpy(dtype=np.float64))
