"""Every model anew on repeated random splits: how far a result hangs on which patients happened to be held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from isthmus.models.settings import ModelSettings
from isthmus.stats.corrected import corrected_interval
from isthmus.stats.seeds import child_seed
from isthmus.study import tables
from isthmus.study.data import StudyData
from isthmus.study.evaluate import Job, Tables, candidate_of, evaluate_jobs, strata_of
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder
from isthmus.table import Outcome
from isthmus.validate import judge
from isthmus.validate.nested import FoldResult
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import random_splits

__all__ = ["COLUMNS", "random_splits_study", "split_metrics"]

COLUMNS = ["model", "split", "metric", "estimate", "sd", "lower", "upper", "method"]
MEAN = "mean"
_DRAWS = 200  # of the bootstrap intervals inside one split; the interval of the mean is not a bootstrap


def random_splits_study(
    plan: Plan, specs: Sequence[ModelSettings], data: StudyData, settings: ValidateSettings, *, store: RunFolder,
    workers: int, scheduler: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Split, learn and judge again `settings.splits` times; the columns of `split_metrics`.

    Split anew are the development patients and those of the internal test set, who come from the same centre; external patients take no
    part. Every choice of a model, its threshold too, is made again on the training part of each split, and nothing that is found here
    goes into a model that the study hands out.

    Parameters
    ----------
    plan : Plan
    specs : sequence of ModelSettings
        Their steps resolved (`with_default_steps`).
    data : StudyData
    settings : ValidateSettings
        `splits`, `test_share`, `seed`.
    store, workers, scheduler
        As for `evaluate_jobs`.
    """
    pooled = replace(data, split=data.split.replace("internal", "train"))
    outcome = pooled.outcome_of("train")
    shared: Tables = {}
    candidates = [candidate_of(plan, pooled, spec, shared) for spec in specs]
    splits = random_splits(
        outcome,
        splits=settings.splits,
        test_share=settings.test_share,
        seed=settings.seed,
        strata=strata_of(candidates),
    )
    jobs = [Job(candidate, outcome, splits, settings) for candidate in candidates]
    found = evaluate_jobs("random splits", jobs, store=store, workers=workers, scheduler=scheduler)
    results = {candidate.spec.name: one for candidate, one in zip(candidates, found, strict=True)}
    return split_metrics(results, outcome, settings)


def split_metrics(results: dict[str, list[FoldResult]], outcome: Outcome, settings: ValidateSettings) -> pd.DataFrame:
    """Every metric of every split, and over the splits.

    Returns
    -------
    DataFrame
        `COLUMNS`. `split` counts from 1, its limits are those of metrics.csv for a single test set. Rows with split "mean" hold the mean
        over the splits, its standard deviation between them (ddof 1) and the interval of Nadeau and Bengio, which allows for the training
        patients that splits share; splits in which a metric is not defined are left out and counted.
    """
    quick = settings.model_copy(update={"bootstrap": min(settings.bootstrap, _DRAWS)})
    parts = []
    for number in range(settings.splits):
        predictions = pd.concat(
            [
                tables.predicted(
                    one[number].table, outcome, n_groups=len(one[number].cuts) + 1,
                    model=model, split="internal", repeat=pd.NA, fold=pd.NA,
                )
                for model, one in results.items()
            ],
            ignore_index=True,
        )  # fmt: skip
        thresholds = pd.DataFrame(
            [
                {"model": model, "repeat": pd.NA, "fold": pd.NA, "threshold": one[number].threshold}
                for model, one in results.items()
            ]
        )
        seed = child_seed(settings.seed, "random splits", number)
        judged = judge.metrics(predictions, thresholds, outcome, settings=quick, seed=seed)
        parts.append(judged.assign(split=str(number + 1), sd=np.nan))
    every = pd.concat(parts, ignore_index=True)
    n, test = len(outcome.values), float(every.loc[every["metric"] == "n", "estimate"].mean())
    rows = []
    for (model, metric), part in every.groupby(["model", "metric"], sort=False):
        values = part["estimate"].to_numpy(dtype=np.float64)
        there = values[np.isfinite(values)]
        mean = corrected_interval(values, test_train_ratio=test / (n - test), confidence=settings.confidence)
        method = mean.method.replace("folds", "splits").replace("fold", "split")
        sd = float(there.std(ddof=1)) if len(there) > 1 else float("nan")
        rows.append((model, MEAN, metric, mean.estimate, sd, mean.lower, mean.upper, method))
    both = pd.concat([every[COLUMNS], pd.DataFrame(rows, columns=COLUMNS)], ignore_index=True)
    order = {model: place for place, model in enumerate(results)}
    return both.sort_values("model", key=lambda names: names.map(order), kind="stable", ignore_index=True)
