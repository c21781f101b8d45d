"""Everything that is learned, from the training rows alone: settings, threshold, and the fitted pipeline.

`develop` is handed the training rows and nothing else, so no step, no tuning and no threshold can see a test row: the
leak is not caught, it is impossible. Inside the training rows, one inner cross-validation (grouped by patient,
stratified) serves tuning, the LASSO penalty and the out-of-fold predictions on which a recalibration is learned and the threshold
chosen. All steps are fitted anew in each inner fold.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from isthmus.errors import IsthmusWarning
from isthmus.stats.recalibration import recalibrate
from isthmus.stats.seeds import child_seed
from isthmus.stats.threshold import choose_threshold
from isthmus.table.memory import Memory, Rows, content_key, extend_key
from isthmus.table.outcome import Task
from isthmus.table.steps import context_strata, deal_folds
from isthmus.validate.cuts import choose_cuts
from isthmus.validate.design import Build
from isthmus.validate.settings import FoldSettings
from isthmus.validate.training import (
    Array,
    Training,
    one_per_patient,
    out_of_bag_is_honest,
    out_of_bag_risks,
    out_of_fold_risks,
)
from isthmus.validate.tuning import has_path, tune, tune_path

if TYPE_CHECKING:
    from isthmus.models.settings import ModelSettings
    from isthmus.validate.fusion import Fused

__all__ = ["Learned", "collected", "develop", "dropped", "learning", "selected"]


@dataclass
class Learned:
    """What the training rows gave."""

    pipeline: Any
    threshold: float = float("nan")
    rules: dict[str, float] = field(default_factory=dict)
    cuts: tuple[float, ...] = ()
    tuned: dict[str, Any] = field(default_factory=dict)
    trials: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    risks: Array | None = None
    """Out-of-fold risks of the training rows, where somebody wanted them."""

    @property
    def held_bytes(self) -> int:
        """About what it takes in memory."""
        return 1_000_000 + sum(step.held_bytes for _, step in self.pipeline.makers)


def develop(
    spec: ModelSettings,
    rows: Rows,
    *,
    build: Build,
    settings: FoldSettings,
    seed: int,
    memory: Memory,
    task: Task = "binary",
    fused: Fused | None = None,
    shared: bool = False,
    seeds: Callable[[str], int] | None = None,
) -> Learned:
    """Tune, choose the threshold and fit: on these rows, which are the training rows and no others.

    The models that `fused` names are developed first, on the same rows and with the seeds that `seeds` gives their names; what the model
    learns from are their out-of-fold risks. `seeds` also seeds the networks: by block and split, not by model, so that models of a fold
    with the same block share them. What a `shared` model gives is kept in the memory: the rows decide it, whoever asks.
    """

    def learn() -> Learned:
        return _develop(spec, rows, build, settings, seed, memory, task, fused, shared, seeds)

    if not shared:
        return learn()
    said = pickle.dumps((spec.model_dump_json(), settings.model_dump_json(), seed, task, fused and fused.content))
    key = extend_key(b"develop", content_key(rows.X), rows.outcome_key, said)
    found: Learned = memory.recall(key, learn, lambda made: made.held_bytes)
    return found


def _develop(
    spec: ModelSettings,
    rows: Rows,
    build: Build,
    settings: FoldSettings,
    seed: int,
    memory: Memory,
    task: Task,
    fused: Fused | None,
    with_risks: bool,
    seeds: Callable[[str], int] | None,
) -> Learned:
    members: list[Learned] = []
    if fused is not None:
        assert seeds is not None
        for member in fused.members:
            part = Rows(
                rows.X[list(member.columns)], rows.events, rows.patients, content_key(rows.X[list(member.columns)])
            )
            members.append(
                develop(
                    member.spec, part, build=build, settings=settings, seed=seeds(member.spec.name), memory=memory, task=task,
                    fused=member.fused, shared=True, seeds=seeds,
                )
            )  # fmt: skip
        inside = fused.inside(task, [one.risks for one in members], rows.X.index)
        X = pd.concat([rows.X[list(fused.own)], inside], axis=1)
        rows = Rows(X, rows.events, rows.patients, content_key(X))
    plain = build(spec, rows.X, seed=seed)
    plain.seed_makers(seeds)
    if task == "survival":
        plain.estimator.set_params(horizon=settings.horizon)
    learned = Learned(plain)
    rule = _rule(spec, plain.estimator, settings)
    fixed = task in ("multiclass", "ordinal") or (task == "binary" and isinstance(rule, int | float))
    wanted = not fixed or spec.calibration is not None or with_risks  # are there risks of unseen rows to learn from?
    with collected(learned.warnings):
        folds = deal_folds(
            rows.patients, rows.events, folds=settings.inner_folds, seed=child_seed(settings.seed, "inner folds"),
            strata=context_strata(rows.X),
        )  # fmt: skip
        training = Training(rows, folds, memory, task)
        risks: Array | None = None
        if spec.tuning or has_path(plain):
            tuned = tune(plain, spec, training, seed=seed) if spec.tuning else tune_path(plain, training)
            plain, risks = tuned.pipeline, tuned.risks
            learned.tuned, learned.trials = tuned.settings, tuned.trials
        elif wanted and not (task == "binary" and out_of_bag_is_honest(plain, rows.patients)):
            risks = out_of_fold_risks(plain, training)
        fitted = plain.fresh().fit_rows(rows, memory)
        if risks is None and wanted:
            risks = out_of_bag_risks(fitted, plain, training)
        if spec.calibration is not None:
            assert risks is not None
            fitted.recalibration = recalibrate(spec.calibration, rows.events, risks, _share_of_patient(rows.patients))
            risks = fitted.recalibration.apply(risks)
        learned.pipeline, learned.risks = fitted, risks
        if fused is not None:
            fitted.members = fused.fitted(task, [one.pipeline for one in members], inside)
        learned.tuned = {**learned.tuned, **fitted.estimator.tuned()}
        learned.trials = [*learned.trials, *map(dict, fitted.estimator.trials())]
        _warn_of(fitted)
        if task == "binary" and fixed:
            learned.threshold = choose_threshold(rows.events, rows.events.astype(np.float64), rule)
        elif not fixed:
            assert risks is not None
            outcome, mean = one_per_patient(rows, risks)
            if task == "survival":
                learned.cuts = choose_cuts(settings.risk_groups, mean, outcome["event"], outcome["time"])
            else:
                learned.threshold = float(choose_threshold(outcome, mean, rule))
                learned.rules = {
                    name: float(choose_threshold(outcome, mean, name)) for name in ("prevalence", "youden")
                }
    return learned


def _rule(spec: ModelSettings, estimator: Any, settings: FoldSettings) -> Any:
    """The model's own rule, else the one that belongs to its kind, else that of [validate]."""
    named = spec.threshold if spec.threshold is not None else estimator.threshold_rule
    return settings.threshold if named is None else named


def _share_of_patient(patients: Any) -> Array:
    """The weight of each row where every patient weighs 1."""
    _, where, counts = np.unique(patients.astype(str), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[where], dtype=np.float64)


def _warn_of(fitted: Any) -> None:
    concern = fitted.estimator.concern()
    if concern:
        warnings.warn(concern, IsthmusWarning, stacklevel=2)
    if not selected(fitted):
        warnings.warn(
            "no column plays a part in the model: every patient gets the same probability", IsthmusWarning, stacklevel=2
        )


def selected(pipeline: Any) -> dict[str, float]:
    """The features that play a part, heaviest first."""
    estimator = pipeline.estimator
    weights = np.asarray(estimator.contributions(), dtype=np.float64)
    found = {
        str(name): float(weight)
        for name, weight in zip(estimator.feature_names_in_, weights, strict=True)
        if weight != 0
    }
    return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))


def dropped(pipeline: Any) -> dict[str, str]:
    """Every column a step left out, and why."""
    return {column: f"{name}: {reason}" for name, step in pipeline.chain for column, reason in step.dropped_.items()}


def learning(pipeline: Any) -> list[dict[str, Any]]:
    """Every epoch of the steps that learn in epochs, and whose it is."""
    return [{"step": name, **epoch} for name, step in pipeline.chain for epoch in step.learning()]


@contextmanager
def collected(messages: list[str]) -> Iterator[None]:
    """Keep what is warned of, instead of printing it from a worker."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            messages += [str(warning.message) for warning in caught]
