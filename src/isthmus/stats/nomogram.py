"""A linear logistic model as points that are added up by hand (Iasonos et al. 2008).

Each predictor has an axis; a value's points are 100 times its part of the linear predictor, above the least part on its axis, over the
longest axis. The sum of points gives the linear predictor, and that the risk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from isthmus.errors import TableError

__all__ = ["Axis", "Nomogram", "level_axis", "make_nomogram", "number_axis", "pretty"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Axis:
    """One predictor.

    Parameters
    ----------
    name : str
    ticks : tuple of float or str
        Values marked on it: for a number the first and the last are its ends, for levels these are all.
    effects : array, shape (ticks,)
        Part of the linear predictor at each.
    slope : float, optional
        Of a number: change of the linear predictor for one unit; its part is `slope` times the number.
    missing : float, optional
        Part of a missing value, where the model takes one.
    """

    name: str
    ticks: tuple[float | str, ...]
    effects: Array
    slope: float | None = None
    missing: float | None = None

    @property
    def span(self) -> tuple[float, float]:
        """The least and the largest part."""
        parts = self.effects if self.missing is None else np.append(self.effects, self.missing)
        return float(parts.min()), float(parts.max())

    def effect(self, value: object) -> float:
        """Part of the linear predictor of one value; a number may lie outside the ends.

        Raises
        ------
        TableError
            The level is unknown, or the value missing where no part stands for that.
        """
        if pd.isna(value):  # type: ignore[call-overload]
            if self.missing is None:
                raise TableError(f"nomogram: '{self.name}' is missing, and the model does not say what that means")
            return self.missing
        if self.slope is not None:
            return self.slope * float(value)  # type: ignore[arg-type]
        if value not in self.ticks:
            raise TableError(f"nomogram: '{self.name}' = {value!r}; expected one of {', '.join(map(str, self.ticks))}")
        return float(self.effects[self.ticks.index(value)])


@dataclass(frozen=True, eq=False)
class Nomogram:
    """All axes of a model.

    Parameters
    ----------
    axes : tuple of Axis
    least : float
        Linear predictor of no points.
    per_point : float
        Change of the linear predictor for one point.
    """

    axes: tuple[Axis, ...]
    least: float
    per_point: float

    def points(self, axis: Axis, value: object) -> float:
        """Points of one value on its axis; below 0 or above 100 only outside the axis."""
        return (axis.effect(value) - axis.span[0]) / self.per_point

    @property
    def most(self) -> float:
        """The largest total on the axes."""
        return sum((high - low) / self.per_point for low, high in (axis.span for axis in self.axes))

    def linear_predictor(self, total: ArrayLike) -> Array:
        """Log odds of total points."""
        return self.least + self.per_point * np.asarray(total, dtype=np.float64)

    def risk(self, total: ArrayLike) -> Array:
        """Risk of total points."""
        return np.asarray(special.expit(self.linear_predictor(total)), dtype=np.float64)

    def total(self, risk: ArrayLike) -> Array:
        """Total points that give a risk."""
        return np.asarray((special.logit(np.asarray(risk, dtype=np.float64)) - self.least) / self.per_point)


def number_axis(name: str, slope: float, ticks: Sequence[float], missing: float | None = None) -> Axis:
    """The axis of a number, from the first to the last tick; its part at 0 is 0."""
    marked = tuple(float(tick) for tick in ticks)
    return Axis(name, marked, slope * np.asarray(marked), slope, missing)


def level_axis(name: str, effects: Mapping[str, float], missing: float | None = None) -> Axis:
    """The axis of a category, from level -> part of the linear predictor."""
    return Axis(name, tuple(effects), np.array(list(effects.values()), dtype=np.float64), None, missing)


def make_nomogram(axes: Sequence[Axis], intercept: float) -> Nomogram:
    """The nomogram of `intercept` + the sum of the axes' parts.

    Raises
    ------
    TableError
        No axis changes the linear predictor.
    """
    widest = max((high - low for low, high in (axis.span for axis in axes)), default=0.0)
    if not widest > 0:
        raise TableError("nomogram: no predictor changes the risk")
    return Nomogram(tuple(axes), intercept + sum(axis.span[0] for axis in axes), widest / 100.0)


def pretty(low: float, high: float, steps: int = 10) -> Array:
    """Round numbers that cover [low, high] in about `steps` steps of 1, 2 or 5 times a power of ten (the rule of R's `pretty`)."""
    cell = (high - low) / steps
    if not cell > 0:
        return np.array([low])
    base = 10.0 ** np.floor(np.log10(cell))
    unit = base
    for factor, weight in ((2, 1.5), (5, 2.75), (10, 1.5)):
        if factor * base - cell < weight * (cell - unit):
            unit = factor * base
    first, last = np.floor(low / unit + 1e-7), np.ceil(high / unit - 1e-7)
    ticks: Array = np.arange(first, last + 0.5) * unit
    return np.round(ticks, int(max(0, -np.floor(np.log10(unit)))) + 1)
