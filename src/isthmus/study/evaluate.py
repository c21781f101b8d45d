"""Every fold of every model, and of the null study: the pieces of work, in parallel, kept as they finish."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus import deep, habitat, harmonise, models, select
from isthmus.errors import IsthmusError
from isthmus.explain.settings import ExplainSettings
from isthmus.models.building import make_steps
from isthmus.models.settings import ModelSettings
from isthmus.stats.seeds import child_seed
from isthmus.study.categories import with_categories
from isthmus.study.compute import Died, Progress, parallel
from isthmus.study.context import context_names
from isthmus.study.data import StudyData
from isthmus.study.explanation import explain_rows
from isthmus.study.families import with_families
from isthmus.study.fusion import is_member, risk_names
from isthmus.study.plan import Plan, with_default_steps
from isthmus.study.reliability import with_repeats
from isthmus.study.store import RunFolder, digest
from isthmus.table import Outcome
from isthmus.table.memory import Memory, content_key
from isthmus.table.steps import context_strata, without_context
from isthmus.validate.fusion import Fused, Member, seed_of
from isthmus.validate.nested import Design, FoldResult, evaluate_fold
from isthmus.validate.null_study import null_outcome
from isthmus.validate.settings import FoldSettings, ValidateSettings
from isthmus.validate.splits import Split, outer_splits

__all__ = [
    "BUILD",
    "STEPS",
    "Candidate",
    "Job",
    "Tables",
    "candidate_of",
    "cross_validate",
    "evaluate_jobs",
    "mean_auc",
    "null_study",
    "quick_jobs",
    "rows_of",
    "strata_of",
    "study_splits",
]

log = logging.getLogger("isthmus")

STEPS = {**habitat.STEPS, **deep.STEPS, **models.STEPS, **harmonise.STEPS, **select.STEPS}
"""Every step a plan may name."""

BUILD = partial(models.build, steps=STEPS)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One model of the plan on its development rows.

    `shown` is what they look like in the test part of a fold, where that differs; `made` are the columns that its first steps may make of
    supervoxels. `fused`: the models whose risks it takes, and which columns of `X` are its own; `shared`: another takes its risk.
    """

    spec: ModelSettings
    X: pd.DataFrame
    patients: pd.Series[Any]
    shown: pd.DataFrame | None = None
    made: tuple[str, ...] = ()
    fused: Fused | None = None
    shared: bool = False

    @property
    def own(self) -> pd.DataFrame:
        """The columns the model takes itself."""
        return self.X if self.fused is None else self.X[list(self.fused.own)]

    @property
    def predictors(self) -> list[str]:
        """The columns the model may choose from: its own, and those that its first steps or other models may make."""
        return [*map(str, without_context(self.own).columns), *self.made]

    def design(self, outcome: Outcome) -> Design:
        return Design(self.X, self.patients, outcome, shown=self.shown, fused=self.fused, shared=self.shared)

    def plain(self) -> Candidate:
        """The model where no threshold is asked for."""
        fused = None if self.fused is None else self.fused.plain()
        return replace(self, spec=self.spec.model_copy(update={"threshold": None}), fused=fused)

    @property
    def fingerprint(self) -> str:
        """Content of the design matrix and of the model's settings."""
        total = hashlib.sha256(self.spec.model_dump_json().encode())
        total.update(b"" if self.fused is None else self.fused.content.encode())
        total.update(repr(list(map(str, self.patients))).encode())
        for frame in (self.X, *([] if self.shown is None else [self.shown])):
            total.update(content_key(frame))
        return total.hexdigest()


Tables = dict[tuple[tuple[str, ...], ...], tuple[pd.DataFrame, "pd.Series[Any]"]]


def candidate_of(plan: Plan, data: StudyData, spec: ModelSettings, tables: Tables | None = None) -> Candidate:
    """A model (its steps resolved) on the development rows of its blocks; models of the same blocks share one table of `tables`."""
    spec = with_families(spec, data.families(plan.blocks_of(spec)))
    blocks, context = plan.blocks_of(spec), context_names(spec, STEPS)
    spec = with_categories(spec, data.blocks, blocks)
    tables = {} if tables is None else tables
    late = plan.left_out(spec)
    same = (tuple(blocks), (*context, *sorted(late)))
    if same not in tables and blocks:
        tables[same] = data.matrix(blocks, "train", context=context, without=late)
    said, made, shared = with_repeats(spec, data.repeats), _made(spec, data, blocks), is_member(plan, spec.name)
    if not spec.risks:
        return Candidate(said, *tables[same], made=made, shared=shared)
    own = tuple(map(str, tables[same][0].columns)) if blocks else ()
    members = [candidate_of(plan, data, with_default_steps(plan, plan.model(name)), tables) for name in spec.risks]
    fused = Fused(own, tuple(_member(member, data.outcome) for member in members))
    names = tuple(name for member in fused.members for name in member.names)
    X, patients = rows_of(plan, data, spec, "train", tables)
    X = X[list(dict.fromkeys([*own, *(name for member in members for name in member.X.columns)]))]
    return Candidate(said, X, patients, made=(*made, *names), fused=fused, shared=shared)


def _member(candidate: Candidate, outcome: Outcome) -> Member:
    columns = tuple(map(str, candidate.X.columns))
    return Member(candidate.spec, columns, risk_names(candidate.spec.name, outcome), candidate.fused)


def rows_of(
    plan: Plan, data: StudyData, spec: ModelSettings, split: str, tables: Tables | None = None
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """The rows of some patients with every column that a model reads, those of models whose risks it takes included."""
    if not spec.risks:
        return data.matrix(plan.blocks_of(spec), split, context=_contexts(plan, spec), without=plan.left_out(spec))
    blocks, context = plan.reads(spec), _contexts(plan, spec)
    same = (blocks, (split, *context))
    tables = {} if tables is None else tables
    if same not in tables:
        tables[same] = data.matrix(blocks, split, context=context)
    return tables[same]


def _contexts(plan: Plan, spec: ModelSettings) -> tuple[str, ...]:
    """The context that a model (its steps resolved) and the models whose risks it takes read."""
    found = list(context_names(spec, STEPS))
    for name in spec.risks:
        found += _contexts(plan, with_default_steps(plan, plan.model(name)))
    return tuple(dict.fromkeys(found))


def _made(spec: ModelSettings, data: StudyData, blocks: Sequence[str]) -> tuple[str, ...]:
    """The columns that the model's steps may make: of a network those of its layer, or its score."""
    steps = make_steps(spec, seed=0, steps=STEPS)
    scores = {step.block for step in steps if isinstance(step, deep.NetworkStep) and step.makes == "score"}
    found: list[str] = []
    for name in blocks:
        columns = data.made([name])
        if data.blocks[name].reads == deep.CROPS:
            whole = (name if len(data.blocks) > 1 else "") in scores
            columns = [column for column in columns if column.endswith("_score") == whole]
        found += columns
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Fold:
    candidate: Candidate
    outcome: Outcome
    split: Split
    settings: FoldSettings
    seed: int
    key: str
    folder: Path
    explain: ExplainSettings | None = None


def cross_validate(
    candidates: Sequence[Candidate], outcome: Outcome, settings: ValidateSettings, *, store: RunFolder, workers: int,
    scheduler: str | None = None, explain: ExplainSettings | None = None,
) -> dict[str, list[FoldResult]]:  # fmt: skip
    """Out-of-fold results of every model, on the same folds; the models that `explain` names are explained in its repeats."""
    splits = study_splits(candidates, outcome, settings)
    jobs = [
        Job(c, outcome, splits, settings, explain if explain is not None and c.spec.name in explain.models else None)
        for c in candidates
    ]
    found = evaluate_jobs("folds", jobs, store=store, workers=workers, scheduler=scheduler)
    return {candidate.spec.name: results for candidate, results in zip(candidates, found, strict=True)}


@dataclass(frozen=True, eq=False)
class Job:
    """One model on one outcome, over some splits."""

    candidate: Candidate
    outcome: Outcome
    splits: Sequence[Split]
    settings: ValidateSettings
    explain: ExplainSettings | None = None


def evaluate_jobs(
    title: str, jobs: Sequence[Job], *, store: RunFolder, workers: int, scheduler: str | None = None
) -> list[list[FoldResult]]:
    """The folds of every job, all in parallel; what the store holds already is not done again."""
    tasks = [_folds(job, store) for job in jobs]
    results = iter(_evaluate(title, [task for folds in tasks for task in folds], workers, scheduler))
    return [[next(results) for _ in folds] for folds in tasks]


def study_splits(candidates: Sequence[Candidate], outcome: Outcome, settings: ValidateSettings) -> list[Split]:
    """The outer splits of a study: the same for every model."""
    return outer_splits(
        outcome, folds=settings.folds, repeats=settings.repeats, seed=settings.seed, strata=strata_of(candidates)
    )


def null_study(
    candidates: Sequence[Candidate], outcome: Outcome, centres: pd.Series[Any], settings: ValidateSettings, *, permutations: int,
    store: RunFolder, workers: int, scheduler: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The same folds and models with the outcome permuted within centres: what "no signal" looks like here.

    Returns `model, permutation, auc` (the mean of the fold AUCs of one repeat; for other outcomes than binary ones of what
    takes the place of the AUC, `validate.scoring`).
    """
    jobs, which = [], []
    for permutation in range(permutations):
        permuted = null_outcome(outcome, centres, permutation, seed=settings.seed)
        seed = child_seed(settings.seed, "null folds", permutation)
        jobs += quick_jobs(candidates, permuted, settings, seed=seed)
        which += [permutation] * len(candidates)
    found = evaluate_jobs("null study", jobs, store=store, workers=workers, scheduler=scheduler)
    rows = [
        {"model": job.candidate.spec.name, "permutation": permutation, "auc": mean_auc(results)}
        for job, permutation, results in zip(jobs, which, found, strict=True)
    ]
    return pd.DataFrame(rows, columns=["model", "permutation", "auc"])


def strata_of(candidates: Sequence[Candidate]) -> pd.Series[Any] | None:
    """The context by which folds are dealt: that of the first model whose steps read any; every model has the same folds."""
    for candidate in candidates:
        strata = context_strata(candidate.X)
        if strata is not None:
            return pd.Series(strata, index=candidate.patients.to_numpy()).groupby(level=0).first()
    return None


def quick_jobs(
    candidates: Sequence[Candidate], outcome: Outcome, settings: ValidateSettings, *, seed: int
) -> list[Job]:
    """The models on another outcome: one repeat on folds of its own, and no threshold, since only the AUC is looked at."""
    quick = settings.model_copy(update={"repeats": 1, "threshold": 0.5})
    splits = outer_splits(outcome, folds=settings.folds, repeats=1, seed=seed, strata=strata_of(candidates))
    plain = [c.plain() for c in candidates]
    return [Job(candidate, outcome, splits, quick) for candidate in plain]


def mean_auc(results: Sequence[FoldResult]) -> float:
    """Mean of the fold AUCs, without folds that lack a class."""
    return float(pd.Series([result.auc for result in results]).mean())


def _folds(job: Job, store: RunFolder) -> list[_Fold]:
    from isthmus import __version__

    candidate, outcome, settings = job.candidate, job.outcome, job.settings.of_a_fold()
    times = None if outcome.time is None else outcome.time.to_dict()
    labels = digest(outcome.task, outcome.values.to_dict(), times)
    content = candidate.fingerprint
    tasks = []
    for split in job.splits:
        seed = seed_of(job.settings.seed, candidate.spec.name, split)
        explain = job.explain if job.explain is not None and split.repeat <= job.explain.repeats else None
        more = [] if explain is None else [explain.model_dump_json()]
        key = digest(
            __version__, content, labels, settings.model_dump_json(), seed, list(split.train), list(split.test), *more
        )
        tasks.append(_Fold(candidate, outcome, split, settings, seed, key, store.path, explain))
    return tasks


def _evaluate(title: str, tasks: list[_Fold], workers: int, scheduler: str | None) -> list[FoldResult]:
    results: list[FoldResult | None] = [None] * len(tasks)
    batches = _batches(tasks, workers)
    with Progress(title, len(tasks)) as progress:

        def done(number: int, values: Any) -> None:
            if isinstance(values, Died):
                names = ", ".join(dict.fromkeys(repr(tasks[at].candidate.spec.name) for at in batches[number]))
                raise IsthmusError(f"model {names}: {Died.reason}")
            for position, value in zip(batches[number], values, strict=True):
                results[position] = FoldResult.from_json(value)
                progress.step()

        work = [[tasks[position] for position in batch] for batch in batches]
        parallel(_one_batch, work, workers=workers, done=done, scheduler=scheduler)
    return [result for result in results if result is not None]


def _batches(tasks: Sequence[_Fold], workers: int) -> list[list[int]]:
    """All models of one fold together, so that what they share is done once; one by one where that would leave workers idle.

    It never changes a number which tasks come together.
    """
    together: dict[Any, list[int]] = {}
    for position, task in enumerate(tasks):
        together.setdefault((id(task.outcome), task.split.repeat, task.split.fold, task.split.train), []).append(
            position
        )
    batches = list(together.values())
    if len(batches) >= 2 * workers:
        return batches
    parted: list[list[int]] = []
    for batch in batches:  # a model is fitted once for itself and for those that take its risk
        fused = [position for position in batch if tasks[position].candidate.fused or tasks[position].candidate.shared]
        parted += [*([fused] if fused else []), *([position] for position in batch if position not in fused)]
    return parted


def _one_batch(tasks: list[_Fold]) -> list[Any]:
    """Folds that share a memory, from the store where they are finished there; in a worker."""
    memory = Memory()
    designs: dict[tuple[int, int, int, bool], Design] = {}
    found = []
    for task in tasks:
        store = RunFolder(task.folder)
        value = store.get("folds", task.key)
        if value is None:
            candidate = task.candidate
            shared = (id(candidate.X), id(candidate.shown), id(candidate.fused), candidate.shared)
            if shared not in designs:
                designs[shared] = task.candidate.design(task.outcome)
            kind = task.outcome.task
            explain = None if task.explain is None else partial(explain_rows, settings=task.explain, task=kind)
            value = evaluate_fold(
                task.candidate.spec, designs[shared], task.split, build=BUILD, settings=task.settings, seed=task.seed,
                memory=memory, explain=explain,
            ).to_json()  # fmt: skip
            store.put("folds", task.key, value)
        found.append(value)
    return found
