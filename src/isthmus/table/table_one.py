"""Table 1: what the patients look like, by outcome and by cohort; its footnote says which rules and tests made it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.comparison import Comparison
from isthmus.stats.groups import (
    anova,
    chi_square,
    fisher_exact,
    kruskal,
    mann_whitney,
    standardised_difference,
    welch_t,
)
from isthmus.stats.seeds import child_seed
from isthmus.table.reading import classify, numeric

__all__ = ["table_one", "table_one_footnote"]

Floats = NDArray[np.float64]

_SKEWED = 1.0
_MEDIAN = "median [q1, q3]"
_MEAN = "mean (sd)"
_SHARE = "n (%)"
_TESTS = ("test", "statistic", "p", "smd")


@dataclass(frozen=True)
class _Variable:
    """One variable of the table: numbers, or labels with their levels."""

    name: str
    summary: str
    cells: pd.Series[Any]
    levels: tuple[str, ...] = ()


def table_one(
    frame: pd.DataFrame,
    *,
    groups: pd.Series[Any] | None = None,
    cohort: pd.Series[Any] | None = None,
    columns: Sequence[str] | None = None,
    numeric_columns: Sequence[str] = (),
    categorical_columns: Sequence[str] = (),
    median: Sequence[str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Table 1, one row per variable or level.

    Numbers are shown as mean (sd) and compared by Welch's t-test (more groups: analysis of variance); skewed ones (absolute
    sample skewness over all patients above 1, or those named in `median`) as median [q1, q3], by the Mann-Whitney test
    (Kruskal-Wallis). Categories, and numbers with two values at most, are shown as n (%) of the patients in whom they are
    known, by the chi-square test, or by Fisher's where a count below 5 is expected in more than a fifth of the cells (2 x 2:
    in any) or below 1 in any. The standardised mean difference is absolute; of more than two groups, the largest of any pair.

    Parameters
    ----------
    frame : DataFrame
        One row a patient: text as `read_frame` gives it, or typed columns.
    groups : Series, optional
        The outcome's label of each patient, on the same index; missing ones are counted in `overall` only.
    cohort : Series, optional
        Train, internal, external, on the same index; adds columns and its own tests (`test_cohort`, `p_cohort`, ...).
    columns : sequence of str, optional
        The variables; by default every column that is numeric or categorical.
    numeric_columns, categorical_columns : sequence of str
        Kinds, where the cells would be read otherwise.
    median : sequence of str, optional
        The columns shown as median and compared by rank; by default the skewed ones.
    seed : int
        Of Fisher's test beyond 2 x 2, which draws tables.

    Returns
    -------
    DataFrame
        `variable, level, summary, missing, overall`, one text column per group (and per cohort, named
        `cohort: <name>`), then `test, statistic, p, smd`. The first row counts patients.

    Raises
    ------
    TableError
        A column is unknown, or text stands in a numeric one.
    """
    chosen = _chosen(frame, columns, numeric_columns)
    variables = [_variable(frame, name, numeric_columns, categorical_columns, median) for name in chosen]
    splits = [("", labels) for labels in (groups,) if labels is not None]
    splits += [("cohort: ", labels) for labels in (cohort,) if labels is not None]
    subsets: dict[str, NDArray[np.bool_]] = {"overall": np.ones(len(frame), dtype=bool)}
    parted = []
    for prefix, labels in splits:
        aligned = labels.reindex(frame.index)
        names = _ordered(aligned)
        masks = [np.asarray((aligned == name).fillna(False), dtype=bool) for name in names]
        for name, mask in zip(names, masks, strict=True):
            subsets[_free(f"{prefix}{name}", subsets)] = mask
        parted.append(("_cohort" if prefix else "", masks))

    lines = [_count_line(subsets)]
    for variable in variables:
        rows = _lines(variable, subsets)
        for suffix, masks in parted:
            rows[0] |= _tests(variable, masks, suffix, child_seed(seed, "table_one", variable.name, suffix))
        lines.extend(rows)
    tests = [f"{name}{suffix}" for suffix, _ in parted for name in _TESTS]
    table = pd.DataFrame(lines, columns=["variable", "level", "summary", "missing", *subsets, *tests])
    texts = ["variable", "level", "summary", *subsets, *(name for name in tests if name.startswith("test"))]
    table = table.fillna(dict.fromkeys(texts, ""))
    table["missing"] = table["missing"].astype("Int64")
    return table


def table_one_footnote(table: pd.DataFrame) -> str:
    """What stands below the table, made from what ran: how values are shown, which tests, how differences are measured."""
    by_summary = {kind: list(table.loc[table["summary"] == kind, "variable"]) for kind in (_MEAN, _MEDIAN, _SHARE)}
    parts = []
    if by_summary[_MEAN]:
        parts.append(f"{_MEAN}: {', '.join(by_summary[_MEAN])}")
    if by_summary[_MEDIAN]:
        parts.append(f"{_MEDIAN} (skewed, or chosen): {', '.join(by_summary[_MEDIAN])}")
    if by_summary[_SHARE]:
        parts.append(f"{_SHARE} of the patients in whom it is known: {', '.join(dict.fromkeys(by_summary[_SHARE]))}")
    for suffix, what in (("", "groups"), ("_cohort", "cohorts")):
        if f"test{suffix}" not in table.columns:
            continue
        ran = table.loc[table[f"test{suffix}"] != "", ["variable", f"test{suffix}"]]
        tests = [f"{test} ({', '.join(part['variable'])})" for test, part in ran.groupby(f"test{suffix}", sort=True)]
        if tests:
            parts.append(f"Tests between {what}, two-sided, not corrected for their number: {'; '.join(tests)}")
    if any(name.startswith("smd") for name in table.columns):
        parts.append("smd: absolute standardised mean difference (several groups: the largest of any pair)")
    missing = table.loc[table["missing"].fillna(0) > 0, ["variable", "missing"]]
    if len(missing):
        parts.append(
            "Missing: " + ", ".join(f"{row['variable']} {row['missing']}" for row in missing.to_dict("records"))
        )
    return ". ".join(parts) + "." if parts else ""


def _chosen(frame: pd.DataFrame, columns: Sequence[str] | None, numeric_columns: Sequence[str]) -> list[str]:
    """The variables of the table."""
    if columns is None:
        return [
            str(name)
            for name in frame.columns
            if name in numeric_columns or _kind(frame[name]) in ("numeric", "categorical")
        ]
    unknown = [name for name in columns if name not in frame.columns]
    if unknown:
        raise TableError(
            f"Table 1: unknown column {unknown[0]!r}; the table has {', '.join(map(str, frame.columns[:20]))}"
        )
    return list(columns)


def _kind(series: pd.Series[Any]) -> str:
    return "numeric" if pd.api.types.is_numeric_dtype(series.dtype) else classify(series)


def _variable(
    frame: pd.DataFrame,
    name: str,
    numeric_columns: Sequence[str],
    categorical_columns: Sequence[str],
    median: Sequence[str] | None,
) -> _Variable:
    series = frame[name]
    as_number = name in numeric_columns or (name not in categorical_columns and _kind(series) == "numeric")
    if as_number:
        typed = pd.api.types.is_numeric_dtype(series.dtype)
        numbers = series.astype("float64") if typed else numeric(series, name)
        if numbers.nunique() > 2 or name in numeric_columns:
            ranked = _is_skewed(numbers) if median is None else name in median
            return _Variable(name, _MEDIAN if ranked else _MEAN, numbers)
        series = numbers.map(lambda value: f"{value:g}", na_action="ignore")
    labels = series.astype("object").map(str, na_action="ignore")
    return _Variable(name, _SHARE, labels, tuple(map(str, _ordered(labels))))


def _is_skewed(numbers: pd.Series[float]) -> bool:
    """Adjusted Fisher-Pearson skewness beyond 1 in either direction."""
    present = numbers.dropna()
    if len(present) < 3 or present.nunique() < 2:
        return False
    return abs(float(stats.skew(present.to_numpy(), bias=False))) > _SKEWED


def _ordered(labels: pd.Series[Any]) -> list[Any]:
    """The labels, numbers by size, then texts by letter; train before internal before external."""
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


def _free(name: str, taken: dict[str, Any]) -> str:
    """A column name that is not taken: a group called 'overall' or 'missing' must not overwrite that column."""
    reserved = {"variable", "level", "summary", "missing", *_TESTS, *(f"{test}_cohort" for test in _TESTS), *taken}
    return f"group: {name}" if name in reserved else name


def _count_line(subsets: dict[str, NDArray[np.bool_]]) -> dict[str, Any]:
    return {
        "variable": "n",
        "level": "",
        "summary": "n",
        **{name: str(int(mask.sum())) for name, mask in subsets.items()},
    }


def _lines(variable: _Variable, subsets: dict[str, NDArray[np.bool_]]) -> list[dict[str, Any]]:
    """The rows of one variable; the first carries missing count and tests."""
    missing = int(variable.cells.isna().sum())
    if not variable.levels:
        show = _median if variable.summary == _MEDIAN else _mean
        cells = np.asarray(variable.cells, dtype=np.float64)
        line = {name: show(cells[mask]) for name, mask in subsets.items()}
        if variable.summary == _SHARE:
            line = dict.fromkeys(subsets, "")  # nothing known about anybody
        return [{"variable": variable.name, "level": "", "summary": variable.summary, "missing": missing, **line}]
    known = np.asarray(variable.cells.notna(), dtype=bool)
    lines: list[dict[str, Any]] = []
    for level in variable.levels:
        here = np.asarray(variable.cells == level, dtype=bool)
        line = {name: _share(int((here & mask).sum()), int((known & mask).sum())) for name, mask in subsets.items()}
        lines.append({"variable": variable.name, "level": level, "summary": variable.summary, **line})
    lines[0]["missing"] = missing
    return lines


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


def _tests(variable: _Variable, masks: list[NDArray[np.bool_]], suffix: str, seed: int) -> dict[str, Any]:
    """Test and standardised difference of one variable between groups; empty with fewer than two groups."""
    if len(masks) < 2 or not variable.cells.notna().any():
        return {}
    if variable.levels:
        counts = np.array(
            [[int(((variable.cells == level) & mask).sum()) for mask in masks] for level in variable.levels]
        )
        result, smd = _compare_counts(counts, seed), _largest(counts.T, _share_difference)
    else:
        cells = np.asarray(variable.cells, dtype=np.float64)
        parts = [cells[mask & ~np.isnan(cells)] for mask in masks]
        result, smd = _compare_numbers(parts, variable.summary), _largest(parts, standardised_difference)
    values = {"test": result.method, "statistic": result.statistic, "p": result.p, "smd": smd}
    return {f"{name}{suffix}": value for name, value in values.items()}


def _compare_numbers(parts: list[Floats], summary: str) -> Comparison:
    if summary == _MEDIAN:
        return mann_whitney(*parts) if len(parts) == 2 else kruskal(*parts)
    return welch_t(*parts) if len(parts) == 2 else anova(*parts)


def _compare_counts(counts: NDArray[np.int64], seed: int) -> Comparison:
    """Chi-square where the counts expected are large enough (Cochran's rule), else Fisher's test."""
    kept = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(kept.shape) < 2:
        return chi_square(counts)
    expected = np.outer(kept.sum(axis=1), kept.sum(axis=0)) / kept.sum()
    small = float((expected < 5).mean())
    if expected.min() < 1 or small > (0.0 if kept.shape == (2, 2) else 0.2):
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
