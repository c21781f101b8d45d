"""Missing values, filled by what the training rows teach; the outcome never takes part."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError
from isthmus.models.chained import Chained, fill_chained, fit_chained
from isthmus.table.steps import Property, Step, is_text, text_columns

__all__ = ["Impute"]

METHODS = ("median", "iterative")


class Impute(Step):
    """Table without gaps: numbers get the training median, or what other columns predict; text the most frequent training value (ties:
    first in the alphabet).

    A column without a single value in the training rows is dropped, with the reason. Filling from the nearest patients is not offered:
    the model file would have to hold patients.

    Parameters
    ----------
    method : {"median", "iterative"}
        "iterative": chained ridge regressions of each number on the `predictors` other numbers most correlated with it, `rounds` times,
        kept within the training range (`models/chained.py`).
    indicators : bool
        A column `<name>_missing` (0 or 1) for each column with gaps in the training rows.
    rounds, predictors : int
        Of "iterative".

    Attributes
    ----------
    fill_ : dict
        Column -> the value that fills its gaps (and from which the chain starts).
    chain_ : dict
        What the chain learned, as plain numbers; empty for "median".
    indicated_ : list
        Columns that get an indicator.
    """

    name = "impute"
    kind = "unsupervised"
    provides: ClassVar[frozenset[Property]] = frozenset({"complete"})
    learned = ("fill_", "chain_", "indicated_")

    def __init__(
        self, method: str = "median", indicators: bool = False, rounds: int = 10, predictors: int = 10
    ) -> None:
        self.method = method
        self.indicators = indicators
        self.rounds = rounds
        self.predictors = predictors

    def check_settings(self) -> None:
        if self.method not in METHODS:
            raise PlanError(f"step 'impute': method = {self.method!r}; expected one of {', '.join(METHODS)}")
        if not isinstance(self.indicators, bool):
            raise PlanError(f"step 'impute': indicators = {self.indicators!r}; expected true or false")
        for key in ("rounds", "predictors"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise PlanError(f"step 'impute': {key} = {value!r}; expected a whole number of 1 or more")

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        self.fill_: dict[str, float | str] = {}
        text = set(text_columns(frame))
        numeric = [column for column in frame.columns if column not in text]
        values = frame[numeric].to_numpy(dtype=np.float64, na_value=np.nan)
        empty = np.isnan(values).all(axis=0)
        medians = np.full(values.shape[1], np.nan)
        medians[~empty] = np.nanmedian(values[:, ~empty], axis=0)
        found = dict(zip(numeric, medians, strict=True))
        for column in frame.columns:
            if column in found:
                fill: float | str | None = None if np.isnan(found[column]) else float(found[column])
            else:
                fill = _most_frequent(frame[column])
            if fill is None:
                self.dropped_[str(column)] = "no value in any training row"
            else:
                self.fill_[str(column)] = fill
        self.chain_: dict[str, Any] = {}
        if self.method == "iterative":
            chain = fit_chained(values[:, ~empty], medians[~empty], rounds=self.rounds, most=self.predictors)
            self.chain_ = chain.to_state()
        gaps: NDArray[np.bool_] = np.asarray(frame.isna().to_numpy().any(axis=0))
        kept = [str(c) for c, gap in zip(frame.columns, gaps, strict=True) if gap and str(c) in self.fill_]
        self.indicated_: list[str] = kept if self.indicators else []
        taken = [name for name in self._indicator_names() if name in frame.columns]
        if taken:
            raise TableError(
                f"step 'impute': the indicator '{taken[0]}' would have the name of another column. Rename that one."
            )

    def _indicator_names(self) -> list[str]:
        return [f"{column}_missing" for column in self.indicated_]

    def _names_out(self) -> list[str]:
        return [*super()._names_out(), *self._indicator_names()]

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame[super()._names_out()]
        filled = self._filled(kept) if kept.isna().to_numpy().any() else kept
        if not self.indicated_:
            return filled
        shown = kept[self.indicated_].isna().astype("float64").set_axis(self._indicator_names(), axis=1)
        return pd.concat([filled, shown], axis=1)

    def _filled(self, kept: pd.DataFrame) -> pd.DataFrame:
        parts: dict[Any, Any] = {}
        if self.chain_:
            numeric = [column for column in kept.columns if not is_text(kept[column].dtype)]
            values = fill_chained(
                Chained.from_state(self.chain_), kept[numeric].to_numpy(dtype=np.float64, na_value=np.nan)
            )
            parts = {column: pd.Series(values[:, i], index=kept.index) for i, column in enumerate(numeric)}
        made = kept.copy()
        for place in np.flatnonzero(kept.isna().to_numpy().any(axis=0)):
            column = kept.columns[int(place)]
            series = kept[column]
            known = series.astype(object) if is_text(series.dtype) else series.astype("float64")
            made[column] = parts[column] if column in parts else known.fillna(self.fill_[str(column)])
        return made


def _most_frequent(series: pd.Series[Any]) -> str | None:
    counts = Counter(map(str, series.dropna().tolist()))
    return min(counts, key=lambda label: (-counts[label], label), default=None)
