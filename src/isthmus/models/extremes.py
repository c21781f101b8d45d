"""Extreme values: capped at quantiles of the training rows, or compressed by a logarithm. An extreme marker is often the disease itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import IsthmusWarning, PlanError, TableError, first_few
from isthmus.table.steps import Step, text_columns

__all__ = ["Log", "Winsorise"]


def _chosen(step: Step, frame: pd.DataFrame, columns: list[str] | None) -> list[str]:
    """The numeric columns a step works on; one it names must be there and a number."""
    text = set(text_columns(frame))
    if columns is None:
        return [str(column) for column in frame.columns if column not in text]
    wrong = [name for name in columns if name not in frame.columns or name in text]
    if wrong:
        raise TableError(
            f"step '{step.name}': {first_few(wrong)} among columns = [...] is no numeric column of this model"
        )
    return list(columns)


def _check_columns(step: Step, columns: Any) -> None:
    if columns is not None and not (isinstance(columns, list) and all(isinstance(name, str) for name in columns)):
        raise PlanError(f"step '{step.name}': columns = {columns!r}; expected a list of names")


class Winsorise(Step):
    """Numbers beyond the caps become the caps; the caps are quantiles of the training rows (type 7), wide by default.

    A column that would become constant (more than three quarters zeros, capped by the quartile rule) is left as it is, and a warning
    says so.

    Parameters
    ----------
    lower, upper : float
        Quantiles.
    iqr : float, optional
        As published: caps at so many interquartile ranges beyond the quartiles (1.5 is usual) instead.
    columns : list of str, optional
        By default every number with more than two values.

    Attributes
    ----------
    caps_ : dict
        Column -> [lower, upper].
    """

    name = "winsorise"
    kind = "unsupervised"
    learned = ("caps_",)

    def __init__(
        self, lower: float = 0.005, upper: float = 0.995, iqr: float | None = None, columns: list[str] | None = None
    ) -> None:
        self.lower = lower
        self.upper = upper
        self.iqr = iqr
        self.columns = columns

    def check_settings(self) -> None:
        _check_columns(self, self.columns)
        numbers = [value for value in (self.lower, self.upper, self.iqr) if value is not None]
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in numbers):
            raise PlanError("step 'winsorise': lower, upper and iqr are numbers")
        if not 0 <= self.lower < self.upper <= 1:
            raise PlanError(
                f"step 'winsorise': lower = {self.lower}, upper = {self.upper}; expected 0 <= lower < upper <= 1"
            )
        if self.iqr is not None and self.iqr <= 0:
            raise PlanError(f"step 'winsorise': iqr = {self.iqr}; expected more than 0")

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        self.caps_: dict[str, list[float]] = {}
        spared = []
        for column in _chosen(self, frame, self.columns):
            values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
            present = values[~np.isnan(values)]
            if np.unique(present).size <= 2:
                continue
            low, high = self._caps(present)
            if low == high:
                spared.append(column)
                continue
            self.caps_[column] = [low, high]
        if spared:
            warnings.warn(
                f"step 'winsorise': {first_few(spared)} would become constant (most training values are the same) and is left as it is",
                IsthmusWarning,
                stacklevel=3,
            )

    def _caps(self, present: NDArray[np.float64]) -> tuple[float, float]:
        if self.iqr is None:
            low, high = np.quantile(present, [self.lower, self.upper])
        else:
            first, third = np.quantile(present, [0.25, 0.75])
            reach = self.iqr * (third - first)
            low, high = max(first - reach, present.min()), min(third + reach, present.max())
        return float(low), float(high)

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        capped = {
            column: frame[column].astype("float64").clip(*self.caps_[str(column)])
            if str(column) in self.caps_
            else frame[column]
            for column in frame.columns
        }
        return pd.DataFrame(capped, index=frame.index)


class Log(Step):
    """log(1 + x) of numbers, for skewed markers such as thyroglobulin; of a negative number x, -log(1 - x).

    Parameters
    ----------
    columns : list of str, optional
        By default every number.
    """

    name = "log"
    kind = "row-wise"

    def __init__(self, columns: list[str] | None = None) -> None:
        self.columns = columns

    def check_settings(self) -> None:
        _check_columns(self, self.columns)

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        _chosen(self, frame, self.columns)

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        chosen = set(_chosen(self, frame, self.columns))
        made = {}
        for column in frame.columns:
            series = frame[column]
            if str(column) in chosen:
                values = series.to_numpy(dtype=np.float64, na_value=np.nan)
                series = pd.Series(np.sign(values) * np.log1p(np.abs(values)), index=frame.index)
            made[column] = series
        return pd.DataFrame(made, index=frame.index)
