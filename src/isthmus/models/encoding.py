"""Text categories become 0/1 columns; the categories are those of the training rows."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import IsthmusWarning, PlanError, TableError
from isthmus.table.steps import Property, Step, text_columns

__all__ = ["Encode"]


class Encode(Step):
    """Table of numbers: each text column becomes 0/1 columns named `column=category`.

    A column with two categories in training gives one (for the second in alphabetical order, or the one that is not the reference),
    with more, one per category. A category never seen in training gives 0 in all of them, and a warning says so. Numbers and booleans
    pass as numbers.

    Parameters
    ----------
    drop_first : bool
        Leave out the first category also where there are more than two (the reference of a regression without penalty).
    reference : dict, optional
        Column -> the category that stands first instead (from the plan's data dictionary, where it declares one).

    Attributes
    ----------
    categories_ : dict
        Text column -> its categories in training, the reference first, the others in alphabetical order.
    """

    name = "encode"
    kind = "unsupervised"
    provides: ClassVar[frozenset[Property]] = frozenset({"numeric"})
    learned = ("categories_",)

    def __init__(self, drop_first: bool = False, reference: dict[str, str] | None = None) -> None:
        self.drop_first = drop_first
        self.reference = reference

    def check_settings(self) -> None:
        if not isinstance(self.drop_first, bool):
            raise PlanError(f"step 'encode': drop_first = {self.drop_first!r}; expected true or false")
        if self.reference is not None and not isinstance(self.reference, dict):
            raise PlanError(f"step 'encode': reference = {self.reference!r}; expected {{ column = \"category\" }}")

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        first = self.reference or {}
        self.categories_ = {
            column: _in_order(set(frame[column].dropna().astype(str)), first.get(column))
            for column in text_columns(frame)
        }
        for column, categories in self.categories_.items():
            if len(categories) < 2:
                self.dropped_[column] = (
                    f"one category in the training rows: {categories[0]!r}"
                    if categories
                    else "no value in any training row"
                )
        names = self._names_out()
        twice = sorted({name for name in names if names.count(name) > 1}) if self.categories_ else []
        if twice:
            raise TableError(
                f"step 'encode': the category column '{twice[0]}' would have the name of another column. Rename one of them."
            )

    def _shown(self, column: str) -> list[str]:
        categories = self.categories_[column]
        return categories[1:] if self.drop_first or len(categories) == 2 else categories

    def _names_out(self) -> list[str]:
        names: list[str] = []
        for column in self.own_columns:
            if column not in self.categories_:
                names.append(str(column))
            elif column not in self.dropped_:
                names += [f"{column}={category}" for category in self._shown(column)]
        return names

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        if not self.categories_:
            return frame.astype(np.float64)
        plain = [column for column in frame.columns.tolist() if column not in self.categories_]
        numbers = dict(zip(plain, frame[plain].to_numpy(dtype=np.float64, na_value=np.nan).T, strict=True))
        names = self._names_out()
        made = np.empty((len(frame), len(names)), order="F")
        place = 0
        for column in frame.columns.tolist():
            if column in numbers:
                made[:, place] = numbers[column]
                place += 1
            elif column not in self.dropped_:
                text = frame[column].astype(object).map(str, na_action="ignore")
                self._report_unseen(column, text)
                for category in self._shown(column):
                    made[:, place] = text == category
                    place += 1
        return pd.DataFrame(made, index=frame.index, columns=names)

    def _report_unseen(self, column: str, text: pd.Series[Any]) -> None:
        unseen = sorted(set(text.dropna().unique()) - set(self.categories_[column]))
        if unseen:
            rows = int(text.isin(unseen).sum())
            warnings.warn(
                f"column '{column}': {', '.join(map(repr, unseen[:5]))} did not occur in the training rows; "
                f"{rows} row(s) get 0 in all its categories",
                IsthmusWarning,
                stacklevel=4,
            )


def _in_order(categories: set[str], reference: str | None) -> list[str]:
    """By letter, the reference first."""
    return sorted(categories, key=lambda category: (category != reference, category))
