"""What the selectors share: checking their settings, and keeping the k best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from isthmus.errors import PlanError
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array

__all__ = ["check_choice", "check_number", "keep_only", "keep_top", "standardised"]


def check_number(
    step: str, key: str, value: Any, *, least: float = -np.inf, most: float = np.inf, whole: bool = False
) -> None:
    """Raise `PlanError` unless the setting is a number in [least, most]."""
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        what = "a whole number" if whole else "a number"
        span = f"of {least:g} or more" if np.isinf(most) else f"from {least:g} to {most:g}"
        raise PlanError(f"step '{step}': {key} = {value!r}; expected {what} {span}")


def check_choice(step: str, key: str, value: Any, known: Sequence[str]) -> None:
    """Raise `PlanError` unless the setting is one of the words."""
    if value not in known:
        quoted = [f"'{word}'" for word in known]
        raise PlanError(f"step '{step}': {key} = {value!r}; expected {', '.join(quoted[:-1])} or {quoted[-1]}")


def keep_top(names: Sequence[str], strength: Array, k: int, label: str) -> dict[str, str]:
    """Why each column goes that is not among the k with the largest strength (ties: the earlier column stays)."""
    keep = set(np.argsort(-strength, kind="stable")[:k].tolist())
    return {
        name: f"{label} = {strength[index]:.3g}, not among the {k} largest"
        for index, name in enumerate(names)
        if index not in keep
    }


def keep_only(names: Sequence[str], keep: Iterable[int], reason: str) -> dict[str, str]:
    """The same reason for every column whose position is not in `keep`."""
    kept = {int(index) for index in keep}
    return {name: reason for index, name in enumerate(names) if index not in kept}


def standardised(values: Array) -> Array:
    """Columns with mean 0 and sd 1 (ddof 0); a constant column becomes 0."""
    constant = constant_columns(values)
    result: Array = np.where(
        constant, 0.0, (values - values.mean(axis=0)) / np.where(constant, 1.0, values.std(axis=0))
    )
    return result
