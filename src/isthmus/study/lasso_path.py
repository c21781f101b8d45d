"""How the LASSO of a final model chose: its path, and the cross-validation along it, as two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.select.lasso import LassoSelector
from isthmus.study.store import RunFolder
from isthmus.table import Outcome
from isthmus.table.memory import Rows
from isthmus.table.steps import Resampler, without_context
from isthmus.validate.nested import FittedModel

if TYPE_CHECKING:
    from isthmus.study.evaluate import Candidate

__all__ = ["lasso_path", "write_lasso_paths"]

Array = NDArray[np.float64]


class _Chosen(NamedTuple):
    """The cross-validation along a path: mean loss and standard error of each penalty, and the penalty that was used."""

    grid: Array
    loss: Array
    error: Array
    measure: str
    used: float


def write_lasso_paths(
    candidates: Sequence[Candidate], finals: Mapping[str, FittedModel], outcome: Outcome, store: RunFolder
) -> None:
    """`tables/lasso_path_<model>.csv` and `lasso_cv_<model>.csv` of every final model that chose a penalty along a path."""
    for candidate in candidates:
        name = candidate.spec.name
        found = lasso_path(candidate, finals[name], outcome)
        if found is not None:
            store.write(f"tables/lasso_path_{name}.csv", found[0])
            store.write(f"tables/lasso_cv_{name}.csv", found[1])


def lasso_path(candidate: Candidate, final: FittedModel, outcome: Outcome) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The path and its cross-validation, of the estimator or of the first step that is a LASSO; None where there is neither.

    Returns
    -------
    path : DataFrame
        penalty, feature, coefficient (per standard deviation of the column), of features that enter somewhere.
    cv : DataFrame
        penalty, measure, score, standard_error, nonzero, mark (`min`, `1se`, `min, 1se`), used. The score is the mean loss
        of the inner folds, or their AUC.
    """
    rows = candidate.design(outcome).rows(np.ones(len(candidate.X), dtype=bool))
    if candidate.fused is not None:
        X = final.pipeline.members.joined(candidate.design(outcome).X, training=True)
        rows = replace(rows, X=X.reset_index(drop=True))
    for _, step in final.pipeline.chain:
        if isinstance(step, LassoSelector) and step.k is None and outcome.task == "binary":
            frame = without_context(rows.X)
            values = np.ascontiguousarray(frame.to_numpy(dtype=np.float64))
            path, choice = step.path(values, rows.events, rows.patients)
            chosen = _Chosen(
                path.lambdas, choice.mean, choice.standard_error, choice.measure, float(np.asarray(step.lambda_))
            )
            return _tables(frame, path.coefficients, chosen)
        rows = _after(step, rows)
    estimator = final.pipeline.estimator
    tried = _tried(final)
    if not hasattr(estimator, "path_coefficients") or not tried:
        return None
    grid, loss, error = (
        np.array(column, dtype=np.float64)
        for column in zip(*((t["settings"]["penalty"], t["score"], t["standard_error"]) for t in tried), strict=True)
    )
    measure = str(tried[0]["measure"]).removeprefix("loss of the inner folds (").removesuffix(")")
    frame = without_context(rows.X)
    values = np.ascontiguousarray(frame.to_numpy(dtype=np.float64))
    chosen = _Chosen(grid, loss, error, measure, float(final.tuned["penalty"]))
    return _tables(frame, estimator.path_coefficients(values, rows.events, grid), chosen)


def _after(step: Any, rows: Rows) -> Rows:
    """The rows as the next step learned from them."""
    if isinstance(step, Resampler):
        return Rows(*step.resample(rows.X, rows.events, rows.patients))
    return Rows(step.transform(rows.X), rows.events, rows.patients)


def _tried(final: FittedModel) -> list[Mapping[str, Any]]:
    """The trials of the path that was used; a search over other settings has one path for each combination."""
    pending: list[Mapping[str, Any]] = []
    for trial in final.trials:
        if "standard_error" in trial:
            pending.append(trial)
        elif pending and all(final.tuned.get(key) == value for key, value in trial["settings"].items()):
            return pending
        else:
            pending = []
    return pending


def _tables(frame: pd.DataFrame, coefficients: Array, chosen: _Chosen) -> tuple[pd.DataFrame, pd.DataFrame]:
    enters = np.flatnonzero(np.abs(coefficients).max(axis=0, initial=0.0) > 0)
    names = [str(column) for column in frame.columns]
    spread = frame.to_numpy(dtype=np.float64).std(axis=0)
    path = pd.DataFrame(
        {
            "penalty": np.repeat(chosen.grid, len(enters)),
            "feature": np.tile([names[int(place)] for place in enters], len(chosen.grid)),
            "coefficient": (coefficients[:, enters] * spread[enters]).ravel(),
        }
    )
    best = int(np.argmin(chosen.loss))
    near = int(np.flatnonzero(chosen.loss <= chosen.loss[best] + chosen.error[best])[0])
    marks = [", ".join(word for word, at in (("min", best), ("1se", near)) if at == i) for i in range(len(chosen.grid))]
    is_auc = chosen.measure == "auc"
    cv = pd.DataFrame(
        {
            "penalty": chosen.grid,
            "measure": chosen.measure,
            "score": 1.0 - chosen.loss if is_auc else chosen.loss,
            "standard_error": chosen.error,
            "nonzero": (coefficients != 0).sum(axis=1),
            "mark": marks,
            "used": chosen.grid == chosen.used,
        }
    )
    return path, cv
