"""Missing values: filled with the median (numbers) or the most frequent value (text) of the training rows."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.table.steps import Property, Step, is_text, text_columns

__all__ = ["Impute"]


class Impute(Step):
    """Table without gaps: numbers get the training median, text the most frequent training value (ties: first in the
    alphabet).

    A column without a single value in the training rows is dropped, with the reason.

    Attributes
    ----------
    fill_ : dict
        Column -> the value that fills its gaps.
    """

    name = "impute"
    kind = "unsupervised"
    provides: ClassVar[frozenset[Property]] = frozenset({"complete"})
    learned = ("fill_",)

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

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame[self._names_out()]
        if not kept.isna().to_numpy().any():
            return kept
        parts = {}
        for column in kept.columns:
            series = kept[column]
            if series.isna().any():
                series = series.astype("float64" if not is_text(series.dtype) else object).fillna(
                    self.fill_[str(column)]
                )
            parts[column] = series
        return pd.DataFrame(parts, index=frame.index)


def _most_frequent(series: pd.Series[Any]) -> str | None:
    counts = series.dropna().astype(str).value_counts()
    if counts.empty:
        return None
    return min(str(label) for label in counts.index[counts == counts.max()])
