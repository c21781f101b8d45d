"""The nomogram of a fitted pipeline, on its predictors' own scale: steps such as imputation, coding and scaling are undone.

A pipeline has one where its log odds are a sum over the predictors as the table holds them, straight in the numbers. That is found by
asking the pipeline, and checked on the rows it learned from; what fails has no nomogram, and the reason says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from isthmus.errors import TableError
from isthmus.stats.nomogram import Axis, Nomogram, level_axis, make_nomogram, number_axis, pretty
from isthmus.table.steps import is_text, without_context

__all__ = ["MOST", "nomogram_of", "points_of"]

Array = NDArray[np.float64]

MOST = 60
"""Predictors of a nomogram at most: a page of lines that nobody adds up is none."""

_CLOSE = 1e-9
_FEW = 6
"""A whole number with at most so many values has a tick for each."""


def nomogram_of(
    pipeline: Any, X: pd.DataFrame, *, possible: Mapping[str, tuple[float, float]] | None = None
) -> Nomogram:
    """Axes of the predictors that change the risk, in the order of the table.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted on X.
    X : DataFrame
        The training rows: an axis covers the middle 98 % of a number's values, to round numbers, and every level of a text.
    possible : mapping, optional
        Column -> its smallest and largest possible value; no axis reaches beyond.

    Raises
    ------
    TableError
        The log odds are no straight sum of the predictors, or of too many.
    """
    log_odds = _log_odds(pipeline, X)
    sources = _sources(pipeline, X)
    if not sources:
        raise TableError("nomogram: the model uses no predictor")
    if len(sources) > MOST:
        raise TableError(f"nomogram: the model uses {len(sources)} predictors; one can be read with {MOST} at most")
    base = _usual_row(X, sources)
    start = float(log_odds(base)[0])
    axes, intercept = [], start
    marked = {column: _ticks(X[column], (possible or {}).get(column)) for column in sources}
    asked = {column: [*ticks, None] if X[column].isna().any() else ticks for column, ticks in marked.items()}
    answers = dict(zip(sources, _split(log_odds(_varied(base, asked)) - start, asked), strict=True))
    for column, ticks in marked.items():
        found = answers[column]
        effects, missing = found[: len(ticks)], float(found[-1]) if len(found) > len(ticks) else None
        if is_text(X[column].dtype):
            axes.append(level_axis(column, dict(zip(ticks, effects.tolist(), strict=True)), missing))
            continue
        slope = float((effects[-1] - effects[0]) / (ticks[-1] - ticks[0])) if len(ticks) > 1 else 0.0
        middle = float(base[column].iloc[0])
        if np.abs(slope * (np.asarray(ticks) - middle) - effects).max() > _CLOSE * max(1.0, np.abs(effects).max()):
            raise TableError(f"nomogram: the log odds are not straight in '{column}' (a step bends it)")
        axes.append(number_axis(column, slope, ticks, None if missing is None else missing + slope * middle))
        intercept -= slope * middle
    made = make_nomogram(axes, intercept)
    there = X[sources].notna().all(axis=1).to_numpy()
    _check(made, X[there], log_odds)
    return made if there.all() else _with_gaps(made, X[~there], log_odds, intercept)


def points_of(nomogram: Nomogram, X: pd.DataFrame) -> pd.DataFrame:
    """Points of every row (n) on every axis."""
    return pd.DataFrame(
        {axis.name: [nomogram.points(axis, value) for value in X[axis.name].tolist()] for axis in nomogram.axes},
        index=X.index,
        dtype=np.float64,
    )


def _log_odds(pipeline: Any, X: pd.DataFrame) -> Any:
    """Rows of the table -> log odds of the pipeline's risk, without the rounding of a risk near 0 or 1."""
    slope, offset = _adjustment(pipeline)

    def summed(frame: pd.DataFrame) -> Array:
        seen = without_context(pipeline.transform(frame))
        parts = pipeline.estimator.additive_parts(np.ascontiguousarray(seen.to_numpy(dtype=np.float64)))
        if parts is None:
            raise TableError(f"nomogram: the log odds of '{pipeline.estimator.name}' are no sum over its columns")
        return np.asarray(parts.sum(axis=1), dtype=np.float64)

    risk = np.asarray(pipeline.estimator.predict_proba(pipeline.transform(X))[:, 1], dtype=np.float64)
    sure = int(np.abs(risk - 0.5).argmin())  # where a risk tells its log odds best
    constant = float(special.logit(risk[sure])) - summed(X.iloc[[sure]])[0]
    return lambda frame: offset + slope * (summed(frame) + constant)


def _adjustment(pipeline: Any) -> tuple[float, float]:
    """What resampling and recalibration do to the log odds: a slope and an offset."""
    before = np.linspace(-2.0, 2.0, 5)
    risk = pipeline.carried_back(special.expit(before))
    if pipeline.recalibration is not None:
        risk = pipeline.recalibration.apply(risk)
    with np.errstate(divide="ignore"):
        after = special.logit(risk)
    slope = float(after[-1] - after[0]) / 4.0
    if not np.allclose(after, after[2] + slope * before, rtol=0.0, atol=_CLOSE):
        raise TableError("nomogram: the recalibration of the risks bends the log odds")
    return slope, float(after[2])


def _sources(pipeline: Any, X: pd.DataFrame) -> list[str]:
    """The columns of the table behind those the estimator uses."""
    seen = without_context(pipeline.transform(X.iloc[:1]))
    used = [str(seen.columns[place]) for place in np.flatnonzero(np.asarray(pipeline.estimator.contributions()))]
    known = [str(column) for column in without_context(X).columns]
    found = {_source(name, known) for name in used}
    return [column for column in known if column in found]


def _source(name: str, known: list[str]) -> str:
    """The table's column of one the estimator uses: itself, the category it is a level of, or the one whose gaps it marks."""
    if name in known:
        return name
    if name.endswith("_missing") and name.removesuffix("_missing") in known:
        return name.removesuffix("_missing")
    categories = [column for column in known if name.startswith(f"{column}=")]
    if not categories:
        raise TableError(f"nomogram: '{name}' is made of several predictors")
    return max(categories, key=len)


def _usual_row(X: pd.DataFrame, sources: list[str]) -> pd.DataFrame:
    """One row: median numbers and most frequent texts in the columns that count."""
    row = X.iloc[[0]].copy()
    for column in sources:
        known = X[column].dropna()
        usual = known.mode().iloc[0] if is_text(X[column].dtype) else float(known.astype(np.float64).median())
        row[column] = pd.Series([usual], index=row.index, dtype=X[column].dtype if is_text(X[column].dtype) else float)
    return row


def _varied(base: pd.DataFrame, asked: Mapping[str, list[Any]]) -> pd.DataFrame:
    """The row once for each value of each column, the other columns as they are; None is a missing one."""
    rows = base.iloc[np.zeros(sum(map(len, asked.values())), dtype=np.intp)].reset_index(drop=True)
    start = 0
    for column, values in asked.items():
        varied = rows[column].tolist()
        varied[start : start + len(values)] = values
        rows[column] = pd.Series(varied, index=rows.index, dtype=base[column].dtype)
        start += len(values)
    return rows


def _split(found: Array, asked: Mapping[str, list[Any]]) -> list[Array]:
    """The answers column by column."""
    return np.split(found, np.cumsum([len(values) for values in asked.values()])[:-1])


def _ticks(column: pd.Series[Any], possible: tuple[float, float] | None) -> list[Any]:
    """What is marked on the axis of a column."""
    known = column.dropna()
    if is_text(column.dtype):
        return sorted(known.unique().tolist(), key=str)
    numbers = known.to_numpy(dtype=np.float64)
    different = np.unique(numbers)
    if len(different) <= 2 or (len(different) <= _FEW and (different == np.round(different)).all()):
        return [float(value) for value in different]
    low, high = (float(value) for value in np.quantile(numbers, [0.01, 0.99]))
    if not low < high:  # nearly everybody has the same
        low, high = float(different[0]), float(different[-1])
    ticks = pretty(low, high)
    if possible is not None:
        inside = ticks[(ticks >= possible[0]) & (ticks <= possible[1])]
        ticks = np.unique([*inside, max(float(ticks[0]), possible[0]), min(float(ticks[-1]), possible[1])])
    return [float(value) for value in ticks]


def _check(nomogram: Nomogram, rows: pd.DataFrame, log_odds: Any) -> None:
    """The points of these rows give the log odds of the model."""
    if not len(rows):
        return
    said = nomogram.linear_predictor(points_of(nomogram, rows).sum(axis=1).to_numpy())
    true = log_odds(rows)
    if np.abs(said - true).max() > _CLOSE * max(1.0, float(np.abs(true).max())):
        raise TableError("nomogram: what one predictor adds depends on other columns of the patient")


def _with_gaps(nomogram: Nomogram, rows: pd.DataFrame, log_odds: Any, intercept: float) -> Nomogram:
    """The nomogram with points for missing values if these are the same for everybody, else without."""
    try:
        _check(nomogram, rows, log_odds)
    except TableError:
        axes = [Axis(axis.name, axis.ticks, axis.effects, axis.slope) for axis in nomogram.axes]
        return make_nomogram(axes, intercept)
    return nomogram
