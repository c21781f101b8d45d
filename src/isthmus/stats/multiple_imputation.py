"""Multiple imputation by chained equations with predictive mean matching, for tables of odds ratios (never for prediction).

van Buuren, Flexible Imputation of Missing Data, 2nd ed. 2018, algorithms 3.3 and 4.3. Every gap is filled with a value that another
patient really has: one of the `donors` whose predicted means are nearest. Categories are matched on the score that the other
columns predict best (first canonical variate). The outcome belongs among the columns: leaving it out would draw odds ratios to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.stats.seeds import child_seed

__all__ = ["impute_multiply", "number_of_imputations"]

Floats = NDArray[np.float64]

_RIDGE = 1e-5


def number_of_imputations(frame: pd.DataFrame) -> int:
    """As many as the percentage of rows with a gap, at least 5 (White, Royston and Wood, Stat Med 2011;30:377)."""
    return max(5, int(np.ceil(100 * float(frame.isna().any(axis=1).mean()))))


def impute_multiply(
    frame: pd.DataFrame, *, imputations: int, seed: int, iterations: int = 10, donors: int = 5
) -> list[pd.DataFrame]:
    """Completed copies of a table.

    Parameters
    ----------
    frame : DataFrame, n rows
        Numbers, and texts as categories; outcome and auxiliary columns too.
    imputations : int
    seed : int
        Children of it seed the copies, so the first m of more copies are the same.
    iterations : int
        Rounds of each chain.
    donors : int

    Raises
    ------
    TableError
        A column holds no value at all.
    """
    empty = [str(name) for name in frame.columns if frame[name].isna().all()]
    if empty:
        raise TableError(f"multiple imputation: no value at all in {', '.join(empty[:5])}; leave the column out")
    return [
        _complete(frame, np.random.default_rng(child_seed(seed, "imputation", copy)), iterations, donors)
        for copy in range(imputations)
    ]


def _complete(frame: pd.DataFrame, rng: np.random.Generator, iterations: int, donors: int) -> pd.DataFrame:
    done: dict[Any, NDArray[Any]] = {}
    gaps = {name: frame[name].isna().to_numpy() for name in frame.columns}
    for name in frame.columns:
        column = frame[name]
        values = (
            column.to_numpy(dtype=np.float64, na_value=np.nan) if _is_number(column) else column.to_numpy(dtype=object)
        )
        values = values.copy()
        values[gaps[name]] = rng.choice(values[~gaps[name]], gaps[name].sum())
        done[name] = values
    order = sorted((n for n in frame.columns if gaps[n].any()), key=lambda name: int(gaps[name].sum()))
    coded = {name: _coded(values) for name, values in done.items()}
    for _ in range(iterations if len(frame.columns) > 1 else 0):
        for name in order:
            others = [part for other, part in coded.items() if other != name]
            design = np.column_stack([np.ones(len(frame)), *others])
            done[name] = _matched(done[name], gaps[name], design, rng, donors)
            coded[name] = _coded(done[name])
    made = {
        name: pd.Series(values, index=frame.index, dtype="float64" if _is_number(frame[name]) else "object")
        for name, values in done.items()
    }
    return pd.DataFrame(made, index=frame.index)


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _coded(values: NDArray[Any]) -> Floats:
    """A standardised number, or the indicators of all categories but the first; shape (n, columns)."""
    if values.dtype == object:
        levels = sorted(set(values))[1:]
        return (
            np.column_stack([(values == level).astype(np.float64) for level in levels])
            if levels
            else np.empty((len(values), 0))
        )
    spread = values.std()
    return ((values - values.mean()) / spread)[:, None] if spread > 0 else np.empty((len(values), 0))


def _matched(
    values: NDArray[Any], gap: NDArray[np.bool_], design: Floats, rng: np.random.Generator, donors: int
) -> NDArray[Any]:
    """The column with its gaps filled by donors (type 1 matching: estimated means of donors, drawn means of gaps)."""
    here = ~gap
    scores = _scores(values[here], design[here]) if values.dtype == object else values[here]
    fitted, drawn = _regression(design[here], scores, rng)
    known, wanted = design[here] @ fitted, design[gap] @ drawn
    k = min(donors, known.size)
    near = np.argpartition(np.abs(known[None, :] - wanted[:, None]), k - 1, axis=1)[:, :k]
    near.sort(axis=1)  # a partition's order is nobody's promise
    chosen = near[np.arange(len(near)), rng.integers(0, k, len(near))]
    filled = values.copy()
    filled[gap] = values[here][chosen]
    return filled


def _scores(labels: NDArray[Any], design: Floats) -> Floats:
    """Numbers for categories: two as 0 and 1, more by the first canonical variate of their indicators with the other columns."""
    levels = sorted(set(labels))
    if len(levels) <= 2:
        return (labels == levels[-1]).astype(np.float64)
    indicators = np.column_stack([(labels == level).astype(np.float64) for level in levels[1:]])
    y = indicators - indicators.mean(axis=0)
    x = design[:, 1:] - design[:, 1:].mean(axis=0)
    base_y, triangle = np.linalg.qr(y)
    left, sizes, _ = np.linalg.svd(x, full_matrices=False)
    rank = int((sizes > 1e-10 * max(sizes.max(initial=0.0), 1e-300)).sum())
    if rank == 0:
        return indicators @ np.arange(1.0, len(levels))
    first = np.linalg.svd(base_y.T @ left[:, :rank])[0][:, 0]
    weights = np.linalg.lstsq(triangle, first, rcond=None)[0]
    weights = weights * (np.sign(weights[np.argmax(np.abs(weights))]) or 1.0)
    return np.asarray(indicators @ weights)


def _regression(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Least squares, and one draw from its posterior (Bayesian linear regression with a vague prior)."""
    cross = x.T @ x
    cross = cross + _RIDGE * np.diag(np.diag(cross))
    inverse = np.linalg.inv(cross)
    fitted = inverse @ (x.T @ y)
    residual = y - x @ fitted
    free = max(len(y) - x.shape[1], 1)
    sigma = np.sqrt(float(residual @ residual) / rng.chisquare(free))
    values, vectors = np.linalg.eigh((inverse + inverse.T) / 2)
    noise = vectors @ (np.sqrt(np.clip(values, 0, None)) * rng.standard_normal(x.shape[1]))
    return fitted, fitted + sigma * noise
