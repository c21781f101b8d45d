"""One fold of nested cross-validation, and the final model.

`develop` learns from the training rows alone; `evaluate_fold` then shows the fitted pipeline the test rows once;
`fit_final` runs the same `develop` on all development rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from isthmus.stats.seeds import child_seed
from isthmus.table.memory import Memory, Rows
from isthmus.table.target import strata
from isthmus.validate.design import Build, Design
from isthmus.validate.develop import collected, develop, dropped, learning, selected
from isthmus.validate.fusion import seed_of
from isthmus.validate.results import FittedModel, FoldResult
from isthmus.validate.scoring import prediction_table
from isthmus.validate.settings import FoldSettings
from isthmus.validate.splits import Split
from isthmus.validate.training import per_patient

if TYPE_CHECKING:
    from isthmus.models.settings import ModelSettings

Explain = Callable[[Any, Rows, Rows, int], Mapping[str, Any]]

__all__ = ["Build", "Design", "FittedModel", "FoldResult", "evaluate_fold", "fit_final"]


def evaluate_fold(
    spec: ModelSettings,
    design: Design,
    split: Split,
    *,
    build: Build,
    settings: FoldSettings,
    seed: int,
    memory: Memory | None = None,
    explain: Explain | None = None,
) -> FoldResult:
    """Learn from the training patients of a split and predict its test patients.

    Parameters
    ----------
    spec : ModelSettings
    design : Design
        May hold more patients than the split names; the others play no part.
    split : Split
    build : Build
        `models.build` with its steps filled in.
    settings : FoldSettings
        `inner_folds`, and `threshold` unless the model has its own.
    seed : int
        Of this model in this fold.
    memory : Memory, optional
        Of what other models of the fold did to the same rows; it changes no number.
    explain : Explain, optional
        Told the fitted pipeline, the training and the held-out rows, and a seed; what it says is kept with the result.

    Raises
    ------
    TableError
        A patient of the split has no row, or a class has fewer than two training patients.
    """
    memory = Memory() if memory is None else memory
    task = design.outcome.task
    names = pd.Index([str(patient) for patient in design.outcome.patients])
    train, test = design.rows(design.mask(split.train)), design.unseen(design.mask(split.test))
    with threadpool_limits(1):
        learned = develop(
            spec, train, build=build, settings=settings, seed=seed, memory=memory, task=task,
            fused=design.fused, shared=design.shared, seeds=partial(seed_of, settings.seed, split=split),
        )  # fmt: skip
        with collected(learned.warnings):
            every = learned.pipeline.predict_rows(test, memory)
            said = {} if explain is None else explain(learned.pipeline, train, test, child_seed(seed, "explain"))
            plain = learned.pipeline.unadjusted_rows(test, memory)[:, 1] if learned.pipeline.adjusted else None
    table = prediction_table(task, test.patients, every, learned.cuts).loc[list(split.test)]
    outcome = design.outcome.target()[names.get_indexer(pd.Index(list(split.test)))]
    return FoldResult(
        repeat=split.repeat,
        fold=split.fold,
        patients=split.test,
        outcome=tuple(int(value) for value in strata(outcome)),
        probability=tuple(table["probability"].tolist()),
        threshold=learned.threshold,
        selected=selected(learned.pipeline),
        weight_kind=learned.pipeline.estimator.contribution,
        tuned=learned.tuned,
        trials=tuple(learned.trials),
        dropped=dropped(learned.pipeline),
        warnings=tuple(dict.fromkeys(learned.warnings)),
        explanation=said,
        rules=learned.rules,
        task=task,
        scores={str(name): tuple(values.tolist()) for name, values in table.items() if name != "probability"},
        time=tuple(outcome["time"].tolist()) if task == "survival" else (),
        cuts=learned.cuts,
        learning=tuple(learning(learned.pipeline)),
        unadjusted=() if plain is None else tuple(map(float, per_patient(test.patients, plain).loc[list(split.test)])),
    )


def fit_final(
    spec: ModelSettings,
    design: Design,
    *,
    build: Build,
    settings: FoldSettings,
    seed: int,
    memory: Memory | None = None,
) -> FittedModel:
    """The same procedure on all rows of the design (the development rows): the model that is applied elsewhere."""
    rows = design.rows(np.ones(len(design.X), dtype=bool))
    memory = Memory() if memory is None else memory
    task = design.outcome.task
    with threadpool_limits(1):
        learned = develop(
            spec, rows, build=build, settings=settings, seed=seed, memory=memory, task=task,
            fused=design.fused, shared=design.shared, seeds=partial(seed_of, settings.seed),
        )  # fmt: skip
    members = learned.pipeline.members
    if members is not None:  # by the index of the rows as they were given
        inside = members.inside.set_axis(design.X.index, axis=0)
        learned.pipeline.members = replace(members, inside=inside)
    events = per_patient(rows.patients, strata(rows.events) == 1)
    return FittedModel(
        pipeline=learned.pipeline,
        threshold=learned.threshold,
        selected=selected(learned.pipeline),
        weight_kind=learned.pipeline.estimator.contribution,
        tuned=learned.tuned,
        trials=tuple(learned.trials),
        dropped=dropped(learned.pipeline),
        warnings=tuple(dict.fromkeys(learned.warnings)),
        rules=learned.rules,
        n_patients=len(events),
        n_events=int(events.sum()),
        task=task,
        cuts=learned.cuts,
    )
