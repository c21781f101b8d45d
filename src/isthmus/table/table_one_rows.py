"""The rows of Table 1: how a variable is shown, which test compares it, and how far groups lie apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from isthmus.errors import TableError, did_you_mean
from isthmus.stats.comparison import Comparison
from isthmus.stats.groups import (
    anova,
    chi_square,
    cochran_armitage,
    fisher_exact,
    kruskal,
    mann_whitney,
    standardised_difference,
    student_t,
    welch_t,
)
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.reading import classify, numeric

__all__ = ["MEAN", "MEDIAN", "SHARE", "Variable", "compare", "lines", "ordered", "variables"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MEDIAN = "median [q1, q3]"
MEAN = "mean (sd)"
SHARE = "n (%)"
_SKEWED = 1.0
_OF_NUMBERS = ("welch", "student", "anova", "mann-whitney", "kruskal")
_BY_RANK = ("mann-whitney", "kruskal")
_OF_COUNTS = ("chi-square", "fisher", "trend")


@dataclass(frozen=True)
class Variable:
    """One variable of the table: numbers, or labels with their levels.

    Parameters
    ----------
    name, summary, unit : str
    cells : Series
    levels : tuple of str
        Of a category, in the order of the rows.
    shown : tuple of str
        Those that get a row (of yes and no, yes).
    test : str
        The test fixed in advance, or empty.
    trend : bool
        Are the levels ordered?
    """

    name: str
    summary: str
    cells: pd.Series[Any]
    levels: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    unit: str = ""
    test: str = ""
    trend: bool = False


def variables(
    frame: pd.DataFrame,
    columns: Sequence[str] | None,
    numeric_columns: Sequence[str],
    categorical_columns: Sequence[str],
    median: Sequence[str] | None,
    dictionary: Mapping[str, ColumnSettings],
    tests: Mapping[str, str],
) -> list[Variable]:
    """The variables of the table."""
    for name, test in tests.items():
        if test not in _OF_NUMBERS + _OF_COUNTS:
            raise TableError(
                f"Table 1: unknown test {test!r} for {name!r}.{did_you_mean(test, _OF_NUMBERS + _OF_COUNTS)}"
            )
    chosen = _chosen(frame, columns, numeric_columns, dictionary)
    return [
        _variable(frame, name, numeric_columns, categorical_columns, median, dictionary.get(name), tests.get(name, ""))
        for name in chosen
    ]


def _chosen(
    frame: pd.DataFrame,
    columns: Sequence[str] | None,
    numeric_columns: Sequence[str],
    dictionary: Mapping[str, ColumnSettings],
) -> list[str]:
    if columns is None:
        return [
            str(name)
            for name in frame.columns
            if name in numeric_columns
            or _declared(dictionary.get(str(name)))
            or _kind(frame[name]) in ("numeric", "categorical")
        ]
    unknown = [name for name in columns if name not in frame.columns]
    if unknown:
        raise TableError(
            f"Table 1: unknown column {unknown[0]!r}; the table has {', '.join(map(str, frame.columns[:20]))}"
        )
    return list(columns)


def _declared(column: ColumnSettings | None) -> bool:
    return column is not None and column.kind is not None


def _kind(series: pd.Series[Any]) -> str:
    return "numeric" if pd.api.types.is_numeric_dtype(series.dtype) else classify(series)


def _variable(
    frame: pd.DataFrame,
    name: str,
    numeric_columns: Sequence[str],
    categorical_columns: Sequence[str],
    median: Sequence[str] | None,
    column: ColumnSettings | None,
    test: str,
) -> Variable:
    series = frame[name]
    unit = column.unit if column is not None else ""
    kind = column.kind if column is not None else None
    number = name in numeric_columns or kind == "number"
    if number or (kind is None and name not in categorical_columns and _kind(series) == "numeric"):
        typed = pd.api.types.is_numeric_dtype(series.dtype)
        numbers = series.astype("float64") if typed else numeric(series, name)
        if numbers.nunique() > 2 or number:
            ranked = test in _BY_RANK or (not test and (_is_skewed(numbers) if median is None else name in median))
            _check_test(name, test, _OF_NUMBERS)
            return Variable(name, MEDIAN if ranked else MEAN, numbers, unit=unit, test=test)
        series = numbers.map(lambda value: f"{value:g}", na_action="ignore")
    labels = series.astype("object").map(str, na_action="ignore")
    levels = tuple(map(str, ordered(series)))
    if column is not None and column.levels:
        levels = tuple(column.levels) + tuple(level for level in levels if level not in column.levels)
    yes = kind == "yes/no"
    if yes and not (column and column.levels) and set(levels) <= {"yes", "no"}:
        levels = ("no", "yes")
    trend = kind == "ordinal"
    _check_test(name, test, _OF_COUNTS)
    return Variable(name, SHARE, labels, levels, levels[1:] if yes and len(levels) == 2 else levels, unit, test, trend)


def _check_test(name: str, test: str, fitting: Sequence[str]) -> None:
    if test and test not in fitting:
        kind = "a number" if fitting is _OF_NUMBERS else "a category"
        raise TableError(
            f"Table 1: test {test!r} of {name!r} does not fit {kind}; expected one of {', '.join(fitting)}"
        )


def _is_skewed(numbers: pd.Series[float]) -> bool:
    """Adjusted Fisher-Pearson skewness beyond 1 in either direction."""
    present = numbers.dropna()
    if len(present) < 3 or present.nunique() < 2:
        return False
    return abs(float(stats.skew(present.to_numpy(), bias=False))) > _SKEWED


def ordered(labels: pd.Series[Any]) -> list[Any]:
    """The labels: in the order of a categorical; else train before internal before external, numbers by size, texts by letter."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        present = set(labels.dropna())
        return [label for label in labels.dtype.categories if label in present]
    known = {"train": 0, "internal": 1, "external": 2}

    def place(label: Any) -> tuple[int, float, str]:
        text = str(label)
        if text in known:
            return (0, float(known[text]), text)
        try:
            return (1, float(text), text)
        except ValueError:
            return (2, 0.0, text)

    return sorted(labels.dropna().unique(), key=place)


def lines(variable: Variable, subsets: Mapping[str, Mask], *, missing_rows: bool = False) -> list[dict[str, Any]]:
    """The rows of one variable; the first carries missing count and tests."""
    gone = np.asarray(variable.cells.isna(), dtype=bool)
    facts = {"variable": variable.name, "summary": variable.summary, "unit": variable.unit}
    found: list[dict[str, Any]]
    if not variable.levels:
        show = _median if variable.summary == MEDIAN else _mean
        line = dict.fromkeys(subsets, "")  # nothing known about anybody
        if variable.summary != SHARE:
            cells = np.asarray(variable.cells, dtype=np.float64)
            line = {name: show(cells[mask]) for name, mask in subsets.items()}
        found = [{**facts, "level": "", **line}]
    else:
        found = []
        for level in variable.shown:
            here = np.asarray(variable.cells == level, dtype=bool)
            line = {name: _share(int((here & mask).sum()), int((~gone & mask).sum())) for name, mask in subsets.items()}
            found.append({**facts, "level": level, **line})
    found[0]["missing"] = int(gone.sum())
    if missing_rows and gone.any():
        counts = {name: str(int((gone & mask).sum())) for name, mask in subsets.items()}
        found.append({**facts, "level": "missing", "summary": "n", **counts})
    return found


def _mean(values: Floats) -> str:
    present = values[~np.isnan(values)]
    if not present.size:
        return "-"
    spread = _short(float(present.std(ddof=1))) if present.size > 1 else "-"
    return f"{_short(float(present.mean()))} ({spread})"


def _median(values: Floats) -> str:
    present = values[~np.isnan(values)]
    if not present.size:
        return "-"
    low, middle, high = (_short(float(q)) for q in np.quantile(present, [0.25, 0.5, 0.75]))
    return f"{middle} [{low}, {high}]"


def _share(count: int, known: int) -> str:
    return f"{count} ({100 * count / known:.1f})" if known else f"{count} (-)"


def _short(value: float) -> str:
    """Three significant digits at least, whole digits kept: 0.0123, 1.23, 12.3, 123.4."""
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    if digits > 5:
        return f"{value:.2e}"
    return f"{value:.{max(1, digits)}f}"


def compare(variable: Variable, masks: Sequence[Mask], seed: int) -> tuple[str, float, float, float] | None:
    """Test, statistic, p and largest standardised difference between groups; None with fewer than two groups or nothing known."""
    if len(masks) < 2 or not variable.cells.notna().any():
        return None
    if variable.levels:
        counts = np.array(
            [[int(((variable.cells == level) & mask).sum()) for mask in masks] for level in variable.levels]
        )
        result, smd = _compare_counts(counts, seed, variable), _largest(counts.T, _share_difference)
    else:
        cells = np.asarray(variable.cells, dtype=np.float64)
        parts = [cells[mask & ~np.isnan(cells)] for mask in masks]
        result, smd = _compare_numbers(parts, variable), _largest(parts, standardised_difference)
    return result.method, result.statistic, result.p, smd


def _compare_numbers(parts: Sequence[Floats], variable: Variable) -> Comparison:
    """By rank or by mean; of two groups the two-group test, also where the test of several is the one named."""
    if variable.summary == MEDIAN:
        return kruskal(*parts) if len(parts) > 2 or variable.test == "kruskal" else mann_whitney(*parts)
    if len(parts) > 2 or variable.test == "anova":
        return anova(*parts)
    return student_t(*parts) if variable.test == "student" else welch_t(*parts)


def _compare_counts(counts: NDArray[np.int64], seed: int, variable: Variable) -> Comparison:
    """Trend over ordered levels; else chi-square where the counts expected are large enough (Cochran's rule), else Fisher's test."""
    if variable.test == "trend" or (variable.trend and not variable.test):
        if counts.shape[1] == 2:
            return cochran_armitage(counts)
        return kruskal(*(np.repeat(np.arange(len(column), dtype=np.float64), column) for column in counts.T))
    kept = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(kept.shape) < 2 or variable.test == "chi-square":
        return chi_square(counts)
    expected = np.outer(kept.sum(axis=1), kept.sum(axis=0)) / kept.sum()
    small = float((expected < 5).mean())
    if variable.test == "fisher" or expected.min() < 1 or small > (0.0 if kept.shape == (2, 2) else 0.2):
        return fisher_exact(counts, rng=np.random.default_rng(seed))
    return chi_square(counts)


def _largest(parts: Any, difference: Any) -> float:
    """The largest absolute difference of any two groups."""
    values = [abs(difference(a, b)) for a, b in itertools.combinations(parts, 2)]
    present = [value for value in values if not math.isnan(value)]
    return max(present) if present else math.nan


def _share_difference(first: Any, second: Any) -> float:
    """Standardised difference of two sets of shares (Yang and Dalton 2012, SAS Global Forum 335); two levels: the usual one."""
    if first.sum() == 0 or second.sum() == 0:
        return math.nan
    a, b = first[1:] / first.sum(), second[1:] / second.sum()
    covariance = (np.diag(a) - np.outer(a, a) + np.diag(b) - np.outer(b, b)) / 2
    apart = a - b
    if not apart.any():
        return 0.0
    squared = float(apart @ np.linalg.pinv(covariance) @ apart)
    return math.sqrt(squared) if squared > 0 else math.nan
