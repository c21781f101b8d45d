"""The data dictionary of clinical columns: type, unit, levels, plausible range and time of each, and cells made into values by it.

Impossible values and unknown levels are errors that name patient, column, value and what was expected, or missing by declaration; never
the reference, never the nearest possible value.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from isthmus.errors import PlanError, TableError
from isthmus.settings import Section
from isthmus.table.expression import truth
from isthmus.table.reading import number, numeric, row_name
from isthmus.table.units import conversion, unit_name

__all__ = ["TIMES", "ColumnSettings", "ColumnType", "Time", "labelled", "shown_name", "typed"]

ColumnType = Literal["number", "category", "ordinal", "yes/no", "date"]
Time = Literal["pre-operative", "post-operative"]
TIMES: tuple[Time, ...] = ("pre-operative", "post-operative")
"""When a value is known, earliest first."""

_YES = frozenset(
    (
        "y",
        "t",
        "x",
        "+",
        "wahr",
        "ja",
        "vrai",
        "oui",
        "vero",
        "verdadero",
        "si",
        "sí",
        "present",
        "positive",
        "是",
        "有",
        "阳性",
    )
)
_NO = frozenset(("n", "f", "-", "falsch", "nein", "faux", "non", "falso", "absent", "negative", "否", "无", "阴性"))
_NUMBER_AND_UNIT = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*)")
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")
_EPOCH = dt.date(1970, 1, 1)


class ColumnSettings(Section):
    """[clinical.columns.<name>]: what a clinical column holds.

    type: "number", "category", "ordinal" (levels in their order; a number 0, 1, 2 ... to models), "yes/no" (1 and 0 to models) or "date"
    (days; only for `derive`); without it the cells tell.
    unit: of a number. given: the unit of the cells where it is another; a cell may also carry its own ("3.1 cm"). molar_mass: in g/mol,
    lets mg/dL and mmol/L be converted.
    levels: of a category (any order), an ordinal column (lowest first), or a yes/no column (the word for no, the word for yes).
    reference: the level that odds ratios compare with; by default the first of `levels`.
    range: the smallest and largest possible value, in `unit`.
    invalid: what an impossible value or an unknown level is: "error", or "missing".
    when: the time at which it is known, "pre-operative" or "post-operative"; a model that names `when` is held to it.
    role: "predictor"; "describe", for Table 1 only; "part", for `derive` and `ratios` only.
    per: odds ratios are for this many units; by default for one standard deviation or unit, as [clinical.inference] says.
    label: how tables call it.
    """

    type: ColumnType | None = None
    unit: str = ""
    given: str = ""
    molar_mass: float | None = Field(default=None, gt=0)
    levels: list[str] = Field(default_factory=list)
    reference: str | None = None
    range: tuple[float, float] | None = None
    invalid: Literal["error", "missing"] = "error"
    when: Time | None = None
    role: Literal["predictor", "describe", "part"] = "predictor"
    per: float | None = Field(default=None, gt=0)
    label: str = ""

    @model_validator(mode="after")
    def _together(self) -> Self:
        self._check_levels()
        self._check_numbers()
        if self.type == "date" and "role" in self.model_fields_set and self.role == "predictor":
            raise ValueError(
                "a date cannot be a predictor: it tells who was recruited when (rule L10). Derive a time between two dates"
            )
        if self.type == "date":
            object.__setattr__(self, "role", "part")
        return self

    def _check_levels(self) -> None:
        if self.levels and self.type in ("number", "date"):
            raise ValueError(f'levels have no meaning with type = "{self.type}"; leave them out, or type = "category"')
        if self.type == "ordinal" and len(self.levels) < 2:
            raise ValueError('type = "ordinal" needs levels = [...], lowest first')
        if self.type == "yes/no" and self.levels and len(self.levels) != 2:
            raise ValueError('type = "yes/no" takes two levels, the word for no and the word for yes')
        if len({_folded(level) for level in self.levels}) < len(self.levels):
            raise ValueError(f"levels = {self.levels}: two of them are the same word")
        if self.reference is not None and self.reference not in self.levels:
            raise ValueError(f"reference = {self.reference!r} is not one of levels = {self.levels}")
        if self.reference is not None and self.type not in (None, "category"):
            raise ValueError(f'reference belongs to a category; with type = "{self.type}" the first level is it')

    def _check_numbers(self) -> None:
        if self.kind not in (None, "number"):
            for key in ("unit", "given", "range", "per", "molar_mass"):
                if getattr(self, key) not in (None, ""):
                    raise ValueError(f'{key} belongs to type = "number"')
        if self.given and not self.unit:
            raise ValueError("given says the unit of the cells; say with unit = ... what they become")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"range = {list(self.range)}: the first is not below the second")

    @property
    def kind(self) -> ColumnType | None:
        """Its type as declared, by `type` or by what else is said of it; None where the cells tell."""
        if self.type is not None:
            return self.type
        if self.levels:
            return "category"
        return "number" if self.unit or self.range is not None or self.per is not None else None

    @property
    def reference_level(self) -> str | None:
        """The declared reference of a category, or its first declared level."""
        if self.reference is not None:
            return self.reference
        return self.levels[0] if self.kind == "category" and self.levels else None


def shown_name(name: str, column: ColumnSettings | None) -> str:
    """How a table calls a column: its label or name, with its unit."""
    if column is None:
        return name
    called = column.label or name
    return f"{called} ({column.unit})" if column.unit else called


def typed(
    cells: pd.Series[Any], name: str, column: ColumnSettings, patients: pd.Series[Any]
) -> tuple[pd.Series[Any], list[str]]:
    """The values of a declared column, row by row, and what the user should know.

    Parameters
    ----------
    cells : Series of str
        Index = row of the file.
    name : str
    column : ColumnSettings
        Its type must be said, by `type` or by `levels`.
    patients : Series
        Of each row, for messages.

    Returns
    -------
    Series
        float64 for numbers, ordinal levels (0, 1, ...), yes/no (0, 1) and dates (days since 1970); text for categories; missing NaN.
    list of str

    Raises
    ------
    TableError
        A cell holds what cannot be (unless `invalid = "missing"`).
    """
    kind = column.kind
    if kind == "number":
        values, wrong, expected = _numbers(cells, name, column, patients)
    elif kind == "date":
        values, wrong = _mapped(cells, _day, "float64")
        expected = "a date as 2024-03-31"
    elif kind == "yes/no":
        values, wrong = _mapped(cells, _yes_no(column), "float64")
        expected = " or ".join(map(repr, column.levels)) or "yes or no (true, false, 1, 0 ...)"
    else:
        place = _place(column.levels)
        values, wrong = _mapped(cells, place, "float64") if column.levels else (cells.astype("str"), [])
        expected = "one of " + ", ".join(map(repr, column.levels))
        if kind == "category" and column.levels:
            values = values.map(dict(enumerate(column.levels))).astype("str")
    if not wrong:
        return values, []
    said = _said(cells, wrong, patients)
    if column.invalid == "error":
        raise TableError(
            f"[clinical] column {name!r}: {said}; expected {expected}. "
            'Correct the cells, or declare them missing: invalid = "missing"'
        )
    values = values.copy()
    values.iloc[wrong] = np.nan
    return values, [f"{name}: {len(wrong)} cells set to missing, as declared: {said}; expected {expected}"]


def labelled(values: pd.DataFrame, dictionary: Mapping[str, ColumnSettings]) -> pd.DataFrame:
    """Typed values with words instead of codes, for tables: the levels of ordinal columns, and yes and no."""
    shown = {}
    for name in values.columns:
        column = dictionary.get(str(name))
        words = _words(column) if column is not None else []
        shown[name] = values[name].map(dict(enumerate(words))).astype("object") if words else values[name]
    return pd.DataFrame(shown, index=values.index)


def _words(column: ColumnSettings) -> list[str]:
    if column.type == "ordinal":
        return column.levels
    return (column.levels or ["no", "yes"]) if column.type == "yes/no" else []


def _numbers(
    cells: pd.Series[Any], name: str, column: ColumnSettings, patients: pd.Series[Any]
) -> tuple[pd.Series[Any], list[int], str]:
    """Numbers in the declared unit, and the positions of those outside the range."""
    where = f"[clinical] column {name!r}"
    given = column.given or column.unit
    factors = np.full(len(cells), 1.0 if given == column.unit else _factor(given, column, where))
    plain: list[Any] = cells.tolist()
    for position, cell in enumerate(plain):
        found = _NUMBER_AND_UNIT.fullmatch(str(cell)) if isinstance(cell, str) and column.unit else None
        if found is None or number(str(cell)) is not None:
            continue
        same = found.group(2).strip() == column.unit  # a unit nobody else knows is still itself
        if same or unit_name(found.group(2)) is not None:
            at = f"{where}, {row_name(cells.index, position, patients)}, {cell!r}"
            factors[position] = 1.0 if same else _cell_factor(found.group(2), column, at)
            plain[position] = found.group(1)
    values = numeric(pd.Series(plain, index=cells.index, dtype="object"), name, patients=patients) * factors
    low, high = column.range or (-math.inf, math.inf)
    outside = ((values < low) | (values > high) | np.isinf(values)).to_numpy()
    unit = f" {column.unit}" if column.unit else ""
    expected = f"{low:g} to {high:g}{unit}" if column.range else "a finite number"
    return values, [int(i) for i in np.flatnonzero(outside)], expected


def _factor(given: str, column: ColumnSettings, where: str) -> float:
    return conversion(given, column.unit, molar_mass=column.molar_mass, where=where)


def _cell_factor(given: str, column: ColumnSettings, where: str) -> float:
    try:
        return _factor(given, column, where)
    except PlanError as error:  # the cell is wrong, not the plan
        raise TableError(str(error)) from error


def _mapped(
    cells: pd.Series[Any], meaning: Callable[[str], float | None], dtype: str
) -> tuple[pd.Series[Any], list[int]]:
    """What each cell means, and the positions of those that mean nothing."""
    gone = cells.isna().to_numpy()
    found = [None if missing else meaning(str(cell)) for cell, missing in zip(cells.tolist(), gone, strict=True)]
    wrong = [i for i, (value, missing) in enumerate(zip(found, gone, strict=True)) if value is None and not missing]
    return pd.Series([np.nan if value is None else value for value in found], index=cells.index, dtype=dtype), wrong


def _day(text: str) -> float | None:
    plain = text.strip().split("T")[0].split(" ")[0]
    for form in _DATES:
        try:
            return float((dt.datetime.strptime(plain, form).date() - _EPOCH).days)
        except ValueError:
            continue
    return None


def _yes_no(column: ColumnSettings) -> Callable[[str], float | None]:
    if column.levels:
        return _place(column.levels)

    def meaning(text: str) -> float | None:
        known = truth(text)
        if known is not None:
            return float(known)
        word = text.strip().casefold()
        return 1.0 if word in _YES else 0.0 if word in _NO else None

    return meaning


def _place(levels: list[str]) -> Callable[[str], float | None]:
    """Where a cell stands among the levels: the same word (any case), or the same number (1.0 is 1)."""
    places = {_folded(level): float(place) for place, level in enumerate(levels)}
    return lambda text: places.get(_folded(text))


def _folded(text: str) -> str:
    value = number(text.strip())
    return f"{value:g}" if value is not None and math.isfinite(value) else " ".join(text.split()).casefold()


def _said(cells: pd.Series[Any], wrong: list[int], patients: pd.Series[Any]) -> str:
    named = "; ".join(f"{row_name(cells.index, i, patients)}, {str(cells.iloc[i])!r}" for i in wrong[:5])
    return f"{named}{f'; and {len(wrong) - 5} more' if len(wrong) > 5 else ''}"
