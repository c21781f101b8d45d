"""How much of the apparent performance is optimism: the whole procedure repeated on bootstrap samples.

Harrell, Lee and Mark, Stat Med 1996;15:361 (optimism); Efron and Tibshirani, J Am Stat Assoc 1997;92:548 (.632+).
Everything that looked at the outcome must lie inside `fit`, or the correction corrects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_outcome

__all__ = ["Corrected", "bootstrap_optimism", "draw_rows", "summarise_optimism"]

Rows = NDArray[np.intp]
Fit = Callable[[Rows], Callable[[Rows], Array]]
Measure = Callable[[NDArray[np.bool_], Array], float]


@dataclass(frozen=True, slots=True)
class Corrected:
    """One measure: on its own rows, the mean optimism, what remains; and the .632+ estimate where it is defined."""

    apparent: float
    optimism: float
    corrected: float
    out_of_sample: float  # mean over the patients a draw left out
    plus: float  # .632+; NaN where the measure has no value for "no information"
    draws: int  # with a defined result
    failed: int


def draw_rows(n: int, draw: int, seed: int) -> Rows:
    """The patients of one bootstrap sample, drawn with replacement; the same for the same arguments."""
    return np.random.default_rng([seed, draw]).integers(0, n, n)


def bootstrap_optimism(
    y: ArrayLike,
    fit: Fit,
    measures: Mapping[str, tuple[Measure, float | None]],
    *,
    draws: int,
    seed: int,
) -> dict[str, Corrected]:
    """Apparent performance, optimism and corrected performance of a procedure.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    fit : callable (rows) -> callable (rows) -> probabilities
        Runs the whole procedure on these rows (which repeat) and predicts others.
    measures : mapping of name to (measure, value without information or None)
        For example AUC with 0.5. Larger is better where that value is given.
    draws, seed

    Returns
    -------
    dict of Corrected
    """
    event = check_outcome(y)
    everybody = np.arange(event.size)

    def measured(predict: Callable[[Rows], Array], rows: Rows) -> dict[str, float]:
        p = predict(rows) if rows.size else np.empty(0)
        return {name: _value(measure, event[rows], p) for name, (measure, _) in measures.items()}

    apparent = measured(fit(everybody), everybody)
    found = []
    for draw in range(draws):
        rows = draw_rows(event.size, draw, seed)
        predict = fit(rows)
        left_out = np.setdiff1d(everybody, rows)
        found.append((measured(predict, rows), measured(predict, everybody), measured(predict, left_out)))
    chance = {name: value for name, (_, value) in measures.items()}
    return {
        name: summarise_optimism(
            apparent[name], [tuple(part[name] for part in one) for one in found], no_information=chance[name]
        )
        for name in measures
    }


def _value(measure: Measure, event: NDArray[np.bool_], p: Array) -> float:
    """NaN where a sample has one class."""
    return measure(event, p) if 0 < event.sum() < event.size else float("nan")


def summarise_optimism(
    apparent: float, draws: list[tuple[float, ...]], *, no_information: float | None = None
) -> Corrected:
    """Optimism from the results of the draws: (on its own sample, on everybody, on those left out) of each."""
    table = np.asarray(draws, dtype=np.float64).reshape(-1, 3)
    if not len(table):
        raise TableError("no bootstrap draws: optimism needs at least one")
    usable = np.isfinite(table[:, :2]).all(axis=1)
    optimism = float((table[usable, 0] - table[usable, 1]).mean()) if usable.any() else float("nan")
    outside = table[np.isfinite(table[:, 2]), 2]
    out = float(outside.mean()) if outside.size else float("nan")
    plus = _plus(apparent, out, no_information) if no_information is not None else float("nan")
    return Corrected(apparent, optimism, apparent - optimism, out, plus, int(usable.sum()), int((~usable).sum()))


def _plus(apparent: float, out: float, chance: float) -> float:
    """.632+: between apparent and out-of-sample, nearer to the latter the more the procedure overfits."""
    out = max(out, chance)
    overfit = 0.0
    if apparent > out:
        overfit = (apparent - out) / (apparent - chance)
    weight = 0.632 / (1 - 0.368 * overfit)
    return (1 - weight) * apparent + weight * out
