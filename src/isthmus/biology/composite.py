"""One score of many features of tissue, its weights learned without the patient it is given to.

A score weighted by how far patients with and without the event lie apart, and then judged in the same patients, finds the event in noise.
Here every patient's score has weights, centres and scales of the others, and the whole is repeated with shuffled outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from isthmus.errors import TableError, first_few
from isthmus.stats.binary import Array
from isthmus.stats.groups import mann_whitney
from isthmus.stats.roc import auc, delong_interval
from isthmus.stats.seeds import child_seed

__all__ = ["Composite", "composite_score", "composite_tables", "composite_weights"]

_FEWEST = 3  # of each outcome: one is left out, and a spread needs two


@dataclass(frozen=True, eq=False)
class Composite:
    """What a composite score says of an outcome.

    Parameters
    ----------
    scores : Series
        By patient, from the others' weights.
    weights : DataFrame
        feature, weight (of all patients, for somebody new), used_share (of the leave-one-out scores that use it).
    auc, lower, upper : float
        Of the scores, with DeLong's limits.
    expected : float
        The mean AUC with shuffled outcomes, for comparison.
    p : float
        Share of shuffles, with the observed order, whose AUC is as large.
    """

    scores: pd.Series[float]
    weights: pd.DataFrame
    auc: float
    lower: float
    upper: float
    expected: float
    p: float


def composite_score(
    values: pd.DataFrame,
    event: pd.Series[int],
    *,
    most: int = 10,
    least_p: float = 0.2,
    permutations: int = 499,
    seed: int = 42,
) -> Composite:
    """Score every patient by weights learned on the others, and test it by shuffling the outcomes.

    Parameters
    ----------
    values : DataFrame (patients, features)
        A missing value gets the others' median.
    event : Series of 0 and 1
        By patient; patients without one take no part.
    most, least_p : int, float
        See `composite_weights`: both are fixed beforehand.
    permutations, seed : int

    Raises
    ------
    TableError
        Fewer than three patients of an outcome; a feature that nobody, or one patient only, has.
    """
    known = event.dropna()
    who = [patient for patient in values.index if patient in known.index]
    y = known[who].to_numpy(dtype=np.int64)
    if min(int(y.sum()), int((1 - y).sum())) < _FEWEST or not np.isin(y, (0, 1)).all():
        raise TableError(
            f"composite score: {int(y.sum())} patients with the event and {int((1 - y).sum())} without; each outcome needs {_FEWEST} or "
            "more"
        )
    x = values.loc[who].to_numpy(dtype=np.float64)
    rare = np.isfinite(x).sum(axis=0) < 2
    if rare.any():
        raise TableError(
            f"composite score: fewer than two patients have {first_few(values.columns[rare])}; leave it out"
        )
    rng = np.random.default_rng(child_seed(seed, "composite"))
    outcomes: NDArray[np.int64] = np.vstack([y, *(rng.permutation(y) for _ in range(permutations))])
    scores = np.zeros(outcomes.shape)
    used = np.zeros(x.shape[1])
    for left_out in range(len(y)):
        others = np.arange(len(y)) != left_out
        there = _filled(x[others], x[others])
        weights = composite_weights(there, outcomes[:, others], most=most, least_p=least_p)
        scores[:, left_out] = weights @ _standard(_filled(x[[left_out]], x[others]), there)[0]
        used += weights[0] != 0
    areas = np.array([auc(labels, row) for labels, row in zip(outcomes, scores, strict=True)])
    own = delong_interval(y, scores[0])
    whole = composite_weights(_filled(x, x), outcomes[:1], most=most, least_p=least_p)[0]
    return Composite(
        pd.Series(scores[0], index=pd.Index(who, name="patient")),
        pd.DataFrame({"feature": values.columns, "weight": whole, "used_share": used / len(y)}),
        own.estimate, own.lower, own.upper, float(areas[1:].mean()), float((areas >= areas[0] - 1e-12).mean()),
    )  # fmt: skip


def composite_tables(
    values: pd.DataFrame, event: pd.Series[int], names: tuple[str, str], *, group: pd.Series[str] | None = None, low: str = "low",
    high: str = "high", seed: int = 42,
) -> tuple[dict[str, pd.DataFrame], list[str]]:  # fmt: skip
    """The composite score as tables and sentences.

    Parameters
    ----------
    values, event, seed
        As for `composite_score`.
    names : (str, str)
        Of the event and of its absence.
    group : Series, optional
        By patient, compared as well: of `low` and `high`.

    Returns
    -------
    dict, list of str
        `composite` (patient, event, score, group), `composite_weights`, `composite_auc` (against, n, n_event, auc, low, high, expected, p).
    """
    found = composite_score(values, event, seed=seed)
    y = event[found.scores.index].astype(int)
    scores = pd.DataFrame({"patient": y.index, "event": y.to_numpy(), "score": found.scores.to_numpy()})
    rows = [
        (
            f"{names[0]} or {names[1]}",
            len(y),
            int(y.sum()),
            found.auc,
            found.lower,
            found.upper,
            found.expected,
            found.p,
        )
    ]
    lines = [
        f"Composite score of {values.shape[1]} features, each patient's with weights of the others: AUC "
        f"{_area(found.auc, found.lower, found.upper)} for {names[0]} ({int(y.sum())} of {len(y)} patients); {found.expected:.2f} on "
        f"average with shuffled outcomes (p {found.p:.2g})."
    ]
    if group is not None:
        scores["group"] = group.reindex(y.index).to_numpy()
        there = scores[scores["group"].isin([low, high])]
        side = (there["group"] == high).to_numpy()
        if 0 < side.sum() < len(side):
            own = delong_interval(side, there["score"])
            p = mann_whitney(there.loc[side, "score"], there.loc[~side, "score"]).p
            rows.append((f"{high} or {low}", len(side), int(side.sum()), own.estimate, own.lower, own.upper, 0.5, p))
            area = _area(own.estimate, own.lower, own.upper)
            lines.append(f"The same scores of {high} against {low}: AUC {area}, p {p:.2g}.")
    columns = ["against", "n", "n_event", "auc", "low", "high", "expected", "p"]
    tables = {
        "composite": scores,
        "composite_weights": found.weights,
        "composite_auc": pd.DataFrame(rows, columns=columns),
    }
    return tables, lines


def composite_weights(x: Array, outcomes: NDArray[np.int64], *, most: int = 10, least_p: float = 0.2) -> Array:
    """Weights of standardised features for each of several outcomes of the same patients.

    A weight is the difference of the medians over the pooled standard deviation, 0 where the rank-sum test (normal approximation) has p
    of `least_p` or more and for all but the `most` largest; their absolute sum is 1 (all 0 where no feature is left).

    Parameters
    ----------
    x : array (patients, features)
        Complete.
    outcomes : array of 0 and 1 (outcomes, patients)
        Both occur in each.

    Returns
    -------
    array (outcomes, features)
    """
    y = outcomes.astype(np.float64)
    ones, n = y.sum(axis=1)[:, None], x.shape[0]
    zeros = n - ones
    centred = x - x.mean(axis=0)
    squares = (centred**2).sum(axis=0)
    high, low = (y @ centred) / ones, ((1 - y) @ centred) / zeros
    spread = np.sqrt(np.maximum(squares - ones * high**2 - zeros * low**2, 0.0) / (n - 2))
    gap = np.column_stack([_median_gaps(column, outcomes) for column in x.T])
    ranks = stats.rankdata(x, axis=0)
    excess = y @ ranks - ones * (n + 1) / 2
    error = np.sqrt(ones * zeros / n * ranks.var(axis=0) * n / (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stats.norm.sf(np.maximum(np.abs(excess) - 0.5, 0.0) / error)
        weights = np.where((p < least_p) & (spread > 0), gap / spread, 0.0)
    size = np.abs(weights)
    place = np.argsort(np.argsort(-size, axis=1, kind="stable"), axis=1)
    weights[place >= most] = 0.0
    total = np.abs(weights).sum(axis=1, keepdims=True)
    found: Array = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return found


def _area(area: float, lower: float, upper: float) -> str:
    limits = f"{lower:.2f} to {upper:.2f}" if np.isfinite(lower) else "no limits: DeLong's variance is 0"
    return f"{area:.2f} ({limits})"


def _median_gaps(column: Array, outcomes: NDArray[np.int64]) -> Array:
    """Median with the event minus median without, for each outcome: places counted in the sorted column."""
    order = np.argsort(column, kind="stable")
    ordered, sick = column[order], np.cumsum(outcomes[:, order], axis=1)
    well = np.arange(1, len(column) + 1) - sick
    medians = []
    for count in (sick, well):
        n = count[:, -1:]
        middle = [ordered[(count < rank).sum(axis=1)] for rank in ((n + 1) // 2, n // 2 + 1)]
        medians.append((middle[0] + middle[1]) / 2)
    gap: Array = medians[0] - medians[1]
    return gap


def _filled(x: Array, others: Array) -> Array:
    return np.where(np.isfinite(x), x, np.nanmedian(others, axis=0))


def _standard(x: Array, others: Array) -> Array:
    spread = others.std(axis=0, ddof=1)
    z: Array = np.divide(x - others.mean(axis=0), spread, out=np.zeros_like(x), where=spread > 0)
    return z
