"""Every fold of every model, and of the null study: the pieces of work, in parallel, kept as they finish."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus import models, select
from isthmus.errors import IsthmusError
from isthmus.models.settings import ModelSettings
from isthmus.stats.seeds import child_seed
from isthmus.study.compute import Died, Progress, parallel
from isthmus.study.store import RunFolder, digest
from isthmus.table import Outcome
from isthmus.validate.nested import Design, FoldResult, evaluate_fold
from isthmus.validate.null_study import null_outcome, summarise_null
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import Split, outer_splits

__all__ = ["BUILD", "STEPS", "Candidate", "cross_validate", "null_study"]

log = logging.getLogger("isthmus")

STEPS = {**models.STEPS, **select.STEPS}
"""Every step a plan may name."""

BUILD = partial(models.build, steps=STEPS)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One model of the plan on its development rows."""

    spec: ModelSettings
    X: pd.DataFrame
    patients: pd.Series[Any]

    def design(self, outcome: Outcome) -> Design:
        return Design(X=self.X, patients=self.patients, outcome=outcome)

    @property
    def fingerprint(self) -> str:
        """Content of the design matrix and of the model's settings."""
        total = hashlib.sha256(self.spec.model_dump_json().encode())
        total.update(repr(list(self.X.columns)).encode())
        total.update(pd.util.hash_pandas_object(self.X.assign(patient=self.patients), index=True).to_numpy().tobytes())
        return total.hexdigest()


@dataclass(frozen=True, eq=False)
class _Fold:
    candidate: Candidate
    outcome: Outcome
    split: Split
    settings: ValidateSettings
    seed: int
    key: str
    folder: Path


def cross_validate(
    candidates: Sequence[Candidate], outcome: Outcome, settings: ValidateSettings, *, store: RunFolder, workers: int,
    scheduler: str | None = None,
) -> dict[str, list[FoldResult]]:  # fmt: skip
    """Out-of-fold results of every model, on the same folds."""
    splits = outer_splits(outcome, folds=settings.folds, repeats=settings.repeats, seed=settings.seed)
    tasks = _folds(candidates, outcome, splits, settings, store)
    return _group(candidates, tasks, _evaluate("folds", tasks, workers, scheduler))


def null_study(
    candidates: Sequence[Candidate], outcome: Outcome, centres: pd.Series[Any], settings: ValidateSettings, *, permutations: int,
    observed: pd.DataFrame, store: RunFolder, workers: int, scheduler: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The same folds and models with the outcome permuted within centres: what "no signal" looks like here.

    One repeat each, and no threshold is chosen, since only the ranking is compared. `observed` holds model and auc; for other outcomes than
    binary ones what takes the place of the AUC (`validate.scoring`).
    """
    quick = settings.model_copy(update={"repeats": 1, "threshold": 0.5})
    plain = [Candidate(c.spec.model_copy(update={"threshold": None}), c.X, c.patients) for c in candidates]
    tasks, which = [], []
    for permutation in range(permutations):
        permuted = null_outcome(outcome, centres, permutation, seed=settings.seed)
        splits = outer_splits(
            permuted, folds=settings.folds, repeats=1, seed=child_seed(settings.seed, "null folds", permutation)
        )
        folds = _folds(plain, permuted, splits, quick, store)
        tasks += folds
        which += [permutation] * len(folds)
    rows = [
        {"model": task.candidate.spec.name, "permutation": permutation, "fold": result.fold, "auc": result.auc}
        for task, permutation, result in zip(
            tasks, which, _evaluate("null study", tasks, workers, scheduler), strict=True
        )
    ]
    table = pd.DataFrame(rows, columns=["model", "permutation", "fold", "auc"])
    null = table.groupby(["model", "permutation"], sort=False)["auc"].mean().reset_index()
    return summarise_null(observed, null)


def _folds(
    candidates: Sequence[Candidate],
    outcome: Outcome,
    splits: Sequence[Split],
    settings: ValidateSettings,
    store: RunFolder,
) -> list[_Fold]:
    from isthmus import __version__

    times = None if outcome.time is None else outcome.time.to_dict()
    labels = digest(outcome.task, outcome.values.to_dict(), times)
    tasks = []
    for candidate in candidates:
        content = candidate.fingerprint
        for split in splits:
            seed = child_seed(settings.seed, candidate.spec.name, split.repeat, split.fold)
            key = digest(
                __version__, content, labels, settings.model_dump_json(), seed, list(split.train), list(split.test)
            )
            tasks.append(_Fold(candidate, outcome, split, settings, seed, key, store.path))
    return tasks


def _evaluate(title: str, tasks: list[_Fold], workers: int, scheduler: str | None) -> list[FoldResult]:
    results: list[FoldResult | None] = [None] * len(tasks)
    with Progress(title, len(tasks)) as progress:

        def done(position: int, value: Any) -> None:
            if isinstance(value, Died):
                raise IsthmusError(f"model {tasks[position].candidate.spec.name!r}: {Died.reason}")
            results[position] = FoldResult.from_json(value)
            progress.step()

        parallel(_one_fold, tasks, workers=workers, done=done, scheduler=scheduler)
    return [result for result in results if result is not None]


def _one_fold(task: _Fold) -> Any:
    """One fold, from the store when it is finished there; in a worker."""
    store = RunFolder(task.folder)
    known = store.get("folds", task.key)
    if known is not None:
        return known
    result = evaluate_fold(
        task.candidate.spec,
        task.candidate.design(task.outcome),
        task.split,
        build=BUILD,
        settings=task.settings,
        seed=task.seed,
    ).to_json()
    store.put("folds", task.key, result)
    return result


def _group(
    candidates: Sequence[Candidate], tasks: list[_Fold], results: list[FoldResult]
) -> dict[str, list[FoldResult]]:
    grouped: dict[str, list[FoldResult]] = {candidate.spec.name: [] for candidate in candidates}
    for task, result in zip(tasks, results, strict=True):
        grouped[task.candidate.spec.name].append(result)
    return grouped
