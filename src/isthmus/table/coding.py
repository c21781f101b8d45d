"""Clinical values coded for regression: numbers per unit or standard deviation, categories as indicators against the declared reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from isthmus.table.dictionary import ColumnSettings, shown_name

__all__ = ["Term", "code", "terms_of"]


@dataclass(frozen=True)
class Term:
    """One variable of a regression.

    Parameters
    ----------
    name, shown : str
        The column, and how the table calls it.
    levels : tuple of str
        Of a category, the reference first; empty for a number.
    codes : tuple of (float or str)
        What the levels are in the values.
    per : float
        Of a number: the step its odds ratio is for.
    step : str
        The same in words: "per 10 years".
    """

    name: str
    shown: str
    levels: tuple[str, ...] = ()
    codes: tuple[Any, ...] = ()
    per: float = 1.0
    step: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its coded columns."""
        return tuple(f"{self.name}={level}" for level in self.levels[1:]) if self.levels else (self.name,)


def terms_of(
    values: pd.DataFrame,
    dictionary: Mapping[str, ColumnSettings],
    *,
    per: Literal["unit", "sd"] = "unit",
    per_sd: Collection[str] = (),
) -> list[Term]:
    """The variables of a table of typed values; `per_sd` names those whose odds ratio is for one sd whatever the plan says."""
    found = []
    for name in map(str, values.columns):
        column = dictionary.get(name, ColumnSettings())
        levels, codes = _levels(values[name], column)
        if levels:
            found.append(Term(name, shown_name(name, column), levels, codes))
            continue
        present = values[name].dropna()
        sd = float(present.std()) if len(present) > 1 else 0.0
        if name in per_sd or (per == "sd" and column.per is None):
            found.append(Term(name, column.label or name, per=sd or 1.0, step=f"per sd ({sd:.3g}{_unit(column)})"))
        else:
            step = column.per or 1.0
            found.append(Term(name, column.label or name, per=step, step=f"per {step:g}{_unit(column)}"))
    return found


def code(values: pd.DataFrame, terms: list[Term]) -> pd.DataFrame:
    """The coded columns; a missing value is missing in all columns of its variable."""
    made = {}
    for term in terms:
        column = values[term.name]
        if not term.levels:
            made[term.name] = column.astype("float64") / term.per
            continue
        gone = column.isna()
        for name, value in zip(term.columns, term.codes[1:], strict=True):
            made[name] = (column == value).astype("float64").mask(gone)
    return pd.DataFrame(made, index=values.index)


def _levels(column: pd.Series[Any], settings: ColumnSettings) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Levels that occur, the reference first, and their codes."""
    kind = settings.kind
    if kind in ("ordinal", "yes/no"):
        words = settings.levels or ["no", "yes"]
        here = [place for place in range(len(words)) if (column == place).any()]
        return tuple(words[place] for place in here), tuple(float(place) for place in here)
    if pd.api.types.is_numeric_dtype(column.dtype):
        distinct = np.unique(column.dropna().to_numpy(dtype=np.float64))
        two = kind is None and distinct.size == 2 and set(distinct) == {0.0, 1.0}
        return (("0", "1"), (0.0, 1.0)) if two else ((), ())
    present = set(column.dropna().astype(str))
    declared = [level for level in settings.levels if level in present]
    levels = declared + sorted(present - set(declared))
    reference = settings.reference_level
    levels.sort(key=lambda level: level != reference)  # a stable sort: the others stay in order
    return tuple(levels), tuple(levels)


def _unit(column: ColumnSettings) -> str:
    return f" {column.unit}" if column.unit else ""
