"""What can a study of this size find? Signals of known strength are planted in the study's own predictors, and the plan looks for them.

A random few of the predictors carry the signal, with random signs and equal weight; the outcome is drawn so that their sum tells it with
the given AUC. Everything else stays: the patients, the correlations, the number of events, the models and their steps. A signal counts as
found where the model's mean fold AUC exceeds the 95 % point of the null study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.stats.classification import proportion_interval
from isthmus.stats.planted import draw_outcome, planted_risk
from isthmus.stats.seeds import child_seed
from isthmus.study.evaluate import Candidate, evaluate_jobs, mean_auc, quick_jobs
from isthmus.study.store import RunFolder
from isthmus.table import Outcome
from isthmus.validate.settings import PowerSettings, ValidateSettings

__all__ = ["COLUMNS", "planted", "power_study"]

COLUMNS = [
    "model", "planted_auc", "carriers", "draws", "auc", "auc_lower", "auc_upper", "null_95", "found", "found_lower", "found_upper",
]  # fmt: skip


def planted(
    X: pd.DataFrame, patients: pd.Series[str], outcome: Outcome, *, auc: float, carriers: int, seed: int
) -> Outcome:
    """An outcome that a random few of the predictors tell with this AUC.

    Parameters
    ----------
    X : DataFrame
        Predictors; only numbers can carry the signal, missing cells count as the median.
    patients : Series
        The patient of each row; a patient's score is the mean of his rows.
    outcome : Outcome
        Gives the patients and the number of events.
    auc : float
    carriers : int
        How many predictors carry it (all usable ones, where there are fewer).
    seed : int

    Raises
    ------
    TableError
        There is no numeric predictor that varies.
    """
    rng = np.random.default_rng(seed)
    numbers = X.select_dtypes("number").groupby(patients.to_numpy()).mean().loc[[str(p) for p in outcome.patients]]
    values = numbers.fillna(numbers.median()).to_numpy(dtype=np.float64)
    spread = values.std(axis=0)
    usable = np.flatnonzero(np.isfinite(spread) & (spread > 0))
    if not len(usable):
        raise TableError("power: no numeric predictor varies, so no signal can be planted")
    chosen = rng.choice(usable, size=min(carriers, len(usable)), replace=False)
    standard = (values[:, chosen] - values[:, chosen].mean(axis=0)) / spread[chosen]
    score = standard @ rng.choice([-1.0, 1.0], size=len(chosen))
    events = outcome.n_events
    drawn = draw_outcome(planted_risk(score, auc=auc, events=events), events=events, rng=rng)
    return replace(outcome, values=pd.Series(drawn, index=outcome.values.index, name=outcome.values.name))


def power_study(
    candidates: Sequence[Candidate], outcome: Outcome, settings: ValidateSettings, power: PowerSettings, *, null: pd.DataFrame,
    store: RunFolder, workers: int, scheduler: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """How often each model finds planted signals of each strength.

    Parameters
    ----------
    candidates : sequence of Candidate
        The models on the development rows.
    outcome : Outcome
    settings : ValidateSettings
        One repeat is run for each draw, and no threshold is chosen.
    power : PowerSettings
    null : DataFrame
        `model, permutation, auc` of the null study with one repeat.

    Returns
    -------
    DataFrame
        One row a model and strength: `auc` the mean over draws of the mean fold AUC (`auc_lower`, `auc_upper`: its 5 % and 95 %
        points), `null_95` the AUC that 5 % of the permuted outcomes exceed, `found` the share of draws above it with Wilson limits.
    """
    jobs, strengths = [], []
    for auc in power.auc:
        for draw in range(power.draws):
            seed = child_seed(settings.seed, "planted", auc, power.carriers, draw)
            # the same carriers for every model: predictors of the first one
            told = planted(
                candidates[0].X, candidates[0].patients, outcome, auc=auc, carriers=power.carriers, seed=seed
            )
            jobs += quick_jobs(candidates, told, settings, seed=child_seed(seed, "folds"))
            strengths += [auc] * len(candidates)
    found = evaluate_jobs("power", jobs, store=store, workers=workers, scheduler=scheduler)
    reached: dict[tuple[str, float], list[float]] = {}
    for job, auc, results in zip(jobs, strengths, found, strict=True):
        reached.setdefault((job.candidate.spec.name, auc), []).append(mean_auc(results))
    return pd.DataFrame(
        [_row(model, auc, values, power, null) for (model, auc), values in reached.items()], columns=COLUMNS
    )


def _row(model: str, auc: float, values: list[float], power: PowerSettings, null: pd.DataFrame) -> dict[str, object]:
    limit = float(np.quantile(null.loc[null["model"] == model, "auc"], 0.95))
    found = int(np.sum(np.asarray(values) > limit))
    share = proportion_interval(found, len(values))
    low, high = np.quantile(values, [0.05, 0.95])
    return {
        "model": model, "planted_auc": auc, "carriers": power.carriers, "draws": len(values), "auc": float(np.mean(values)),
        "auc_lower": float(low), "auc_upper": float(high), "null_95": limit, "found": share.estimate, "found_lower": share.lower,
        "found_upper": share.upper,
    }  # fmt: skip
