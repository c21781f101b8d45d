"""Where a probability becomes a decision: the rules by which a threshold is chosen, always on training predictions.

A patient is called positive when p >= t, and t is an observed value (the R package cutpointr does the same; pROC
reports the midpoint below it, which calls the same patients).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import PlanError, TableError
from isthmus.stats.binary import Array, check_scores

__all__ = ["RULES", "choose_threshold"]


def _steps(event: NDArray[np.bool_], values: Array) -> tuple[Array, NDArray[np.int_], NDArray[np.int_]]:
    """Distinct values, falling, with the true and false positives when the threshold is that value."""
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.r_[values[order][1:] != values[order][:-1], True])
    return (
        values[order][last],
        np.cumsum(event[order], dtype=np.int_)[last],
        np.cumsum(~event[order], dtype=np.int_)[last],
    )


def _youden(event: NDArray[np.bool_], values: Array) -> float:
    """Largest sensitivity + specificity - 1; of equals, the one with the higher sensitivity."""
    at, tp, fp = _steps(event, values)
    n1 = int(event.sum())
    gain = tp * (event.size - n1) - fp * n1  # J x n1 x n0 in whole numbers: ties are exact
    best = np.flatnonzero(gain == gain.max())[-1]
    return float(at[best])


def _sensitivity(event: NDArray[np.bool_], values: Array, target: float) -> float:
    """Highest threshold whose sensitivity reaches the target."""
    at, tp, _ = _steps(event, values)
    return float(at[np.flatnonzero(tp >= target * int(event.sum()) - 1e-9)[0]])


def _specificity(event: NDArray[np.bool_], values: Array, target: float) -> float:
    """Lowest threshold whose specificity reaches the target; just above the largest where none observed does."""
    at, _, fp = _steps(event, values)
    n0 = int((~event).sum())
    enough = np.flatnonzero(n0 - fp >= target * n0 - 1e-9)
    return float(at[enough[-1]]) if enough.size else float(np.nextafter(at[0], np.inf))


def _cost_ratio(event: NDArray[np.bool_], values: Array, ratio: float) -> float:
    """Threshold at which a missed event that costs `ratio` times a false alarm is just worth it: 1 / (1 + ratio)."""
    return 1 / (1 + ratio)


_TARGETS: dict[str, Callable[[NDArray[np.bool_], Array, float], float]] = {
    "sensitivity": _sensitivity,
    "specificity": _specificity,
    "cost_ratio": _cost_ratio,
}

RULES = (
    '"youden", "prevalence", a fixed probability, { sensitivity = 0.9 }, { specificity = 0.9 } or { cost_ratio = 5 }'
)


def choose_threshold(y: ArrayLike, probability: ArrayLike, rule: str | float | Mapping[str, float]) -> float:
    """Threshold of a rule on these (training) predictions; the decision is then probability >= threshold.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    probability : array of shape (n,)
    rule : str, float or mapping
        "youden": largest sensitivity + specificity - 1 (ties: the higher sensitivity). "prevalence": share of events. A
        number: that threshold. {"sensitivity": a}: highest threshold that still reaches a. {"specificity": a}: lowest
        threshold that reaches a. {"cost_ratio": r}: 1 / (1 + r), r = cost of a missed event / cost of a false alarm.

    Raises
    ------
    PlanError
        The rule is unknown or its number out of range.
    TableError
        The rule needs both classes and there is only one.
    """
    event, values = check_scores(y, probability)
    if isinstance(rule, (int, float)) and not isinstance(rule, bool):
        if not 0 < rule < 1:
            raise PlanError(f"[validate] threshold = {rule}: a fixed threshold is a probability between 0 and 1")
        return float(rule)
    if rule == "prevalence":
        _need_both(event, "prevalence")
        return float(event.mean())
    if rule == "youden":
        _need_both(event, "youden")
        return _youden(event, values)
    if isinstance(rule, Mapping) and len(rule) == 1:
        ((name, number),) = rule.items()
        if name in _TARGETS:
            _check_target(name, number)
            _need_both(event, name)
            return _TARGETS[name](event, values, float(number))
    raise PlanError(f"[validate] threshold = {rule!r} is not a rule. Known: {RULES}")


def _check_target(name: str, number: float) -> None:
    """Refuse a target outside its range."""
    if name == "cost_ratio":
        if not number > 0:
            raise PlanError(f"[validate] threshold cost_ratio = {number}: expected a number above 0")
    elif not 0 < number <= 1:
        raise PlanError(f"[validate] threshold {name} = {number}: expected a share above 0 and at most 1")


def _need_both(event: NDArray[np.bool_], rule: str) -> None:
    """Refuse to choose where there is nothing to choose between."""
    n1 = int(event.sum())
    if n1 in {0, event.size}:
        raise TableError(
            f"threshold rule '{rule}' needs patients with and without the event; there are {n1} and {event.size - n1}. "
            "Use a fixed threshold, or fewer folds"
        )
