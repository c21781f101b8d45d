"""The effect of one part of a batch at every value of the others: of the field strength within each manufacturer, before and after ComBat.

Told twice: of all development rows, on which ComBat was fitted, as studies of harmonisation tell it, and of each fold's test rows, which
took no part in the fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from isthmus.stats.site_effect import site_effect
from isthmus.study.blocks import with_context
from isthmus.study.context import gather_context
from isthmus.study.data import StudyData
from isthmus.study.evaluate import Candidate
from isthmus.study.harmonisation import Around, combat_of, distinct_models, folds_to_combat, up_to_combat
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder
from isthmus.table import Outcome
from isthmus.table.steps import CONTEXT
from isthmus.validate.settings import ValidateSettings

__all__ = ["COLUMNS", "FITTED", "HELD_OUT", "strata_effects", "write_strata_effects"]

COLUMNS = [
    "models", "rows", "of", "at", "levels", "test", "n", "features", "share_before", "share_after", "cohens_f_before", "cohens_f_after",
    "folds",
]  # fmt: skip
FITTED, HELD_OUT = "fitted", "held out"
"""Of which rows a number is: those ComBat was fitted on, or the test rows of the folds."""

_SMALL = 0.05
_LEAST = 3  # rows of a level


def strata_effects(
    candidates: Sequence[Candidate], data: StudyData, outcome: Outcome, settings: ValidateSettings, parts: Sequence[str]
) -> pd.DataFrame:
    """Every model that harmonises, every part, every combination of the values of the other parts.

    Parameters
    ----------
    candidates : sequence of Candidate
    data : StudyData
    outcome : Outcome
        Of the development patients.
    settings : ValidateSettings
    parts : sequence of str
        What the batch is made of, as `[harmonise] within` names it.

    Returns
    -------
    DataFrame
        `COLUMNS`. share: of the features, those with p < 0.05 by Student's t (two levels) or analysis of variance. cohens_f: the median
        over features. Means over folds, where rows are held out; a fold counts where at least two levels have three rows. A share of 0.05
        is what chance gives.

    Raises
    ------
    PlanError
        Nothing says a part of the patients.
    """
    own = [replace(c, X=c.own, fused=None) for c in candidates if combat_of(c) is not None]
    if not parts or not own:
        return pd.DataFrame(columns=COLUMNS)
    said = gather_context([f"{CONTEXT}{part}" for part in parts], data.facts).astype("str")
    found: list[dict[str, Any]] = []
    for names, model in distinct_models(own):
        labelled = model.X.drop(columns=said.columns, errors="ignore")
        candidate = replace(model, X=with_context(labelled, model.patients, said))
        with threadpool_limits(1):
            rows = candidate.design(outcome).rows(np.ones(len(candidate.X), dtype=bool))
            whole = up_to_combat(candidate, rows, rows)
            folds = list(folds_to_combat(candidate, outcome, settings, own))
        for kind, around in ((FITTED, [whole]), (HELD_OUT, folds)):
            told = pd.DataFrame([row for one in around for row in _of(one, parts)])
            if len(told):
                found += _over_folds(told, names, kind)
    return pd.DataFrame(found, columns=COLUMNS)


def write_strata_effects(
    plan: Plan,
    candidates: Sequence[Candidate],
    data: StudyData,
    outcome: Outcome,
    settings: ValidateSettings,
    store: RunFolder,
) -> pd.DataFrame:
    """`tables/harmonisation_within.csv`, where the plan names the parts of its batch."""
    parts = plan.harmonise.within if plan.harmonise is not None else []
    found = strata_effects(candidates, data, outcome, settings, parts)
    if len(found):
        store.write("tables/harmonisation_within.csv", found)
    return found


def _of(around: Around, parts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The effects in the test rows of one fit."""
    labels = pd.DataFrame({part: around.labels("test", part) for part in parts})
    for part in parts:
        others = [name for name in parts if name != part]
        for values in product(*(sorted(labels[name].unique()) for name in others)):
            there: NDArray[np.bool_] = np.all([labels[n] == v for n, v in zip(others, values, strict=True)], axis=0)
            there = np.broadcast_to(there, len(labels)) & _often(labels[part], there)
            levels = sorted(labels.loc[there, part].unique()) if there.any() else []
            if len(levels) < 2:
                continue
            effects = [
                site_effect(around.values["test", when][there], labels.loc[there, part].to_numpy())
                for when in ("before", "after")
            ]
            (share, size), (share_after, size_after) = (
                (
                    float(np.nanmean(np.where(np.isnan(one.p), np.nan, one.p < _SMALL))),
                    float(np.nanmedian(one.cohens_f)),
                )
                for one in effects
            )
            yield {
                "of": part, "at": ", ".join(f"{n} {v}" for n, v in zip(others, values, strict=True)), "levels": len(levels),
                "n": int(there.sum()), "features": int(np.isfinite(effects[0].p).sum()), "share_before": share, "share_after": share_after,
                "cohens_f_before": size, "cohens_f_after": size_after,
            }  # fmt: skip


def _often(levels: pd.Series[Any], there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows whose level has enough rows among those that are there."""
    counts = levels[np.broadcast_to(there, len(levels))].value_counts()
    return levels.isin(counts.index[counts >= _LEAST]).to_numpy()


def _over_folds(told: pd.DataFrame, names: str, kind: str) -> Iterator[dict[str, Any]]:
    means = ["n", "features", "share_before", "share_after", "cohens_f_before", "cohens_f_after"]
    for (part, at), rows in told.groupby(["of", "at"], sort=False):
        levels = int(rows["levels"].max())
        yield {
            "models": names, "rows": kind, "of": part, "at": at, "levels": levels,
            "test": "Student's t" if levels == 2 else "analysis of variance",
            **{name: float(rows[name].mean()) for name in means}, "folds": len(rows),
        }  # fmt: skip
