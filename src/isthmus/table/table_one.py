"""Table 1: what the patients look like, by outcome, cohort or centre; its footnote says which rules and tests made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.stats.groups import adjust_p
from isthmus.stats.seeds import child_seed
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.table_one_rows import MEAN, MEDIAN, SHARE, Variable, compare, lines, ordered, variables

__all__ = ["Correction", "table_one", "table_one_footnote", "table_one_within"]

Correction = Literal["none", "holm", "bonferroni", "benjamini-hochberg", "benjamini-yekutieli"]
Masks = dict[str, NDArray[np.bool_]]

_TESTS = ("test", "statistic", "p", "smd")


@dataclass(frozen=True)
class _Panel:
    """One partition of the patients: its columns, and which of them are compared."""

    suffix: str
    groups: Masks
    together: bool = True
    pairs: tuple[tuple[str, str], ...] = ()
    correction: Correction = "none"
    names: dict[str, str] = field(default_factory=dict)
    """Group -> its column."""

    @property
    def columns(self) -> list[str]:
        found = [f"{name}{self.suffix}" for name in _TESTS] if self.together else []
        for pair in self.pairs:
            found += [f"{name}: {_versus(pair)}" for name in self.measures]
        return found

    @property
    def measures(self) -> list[str]:
        """What is said of each pair."""
        adjusted = [] if self.correction == "none" else [f"p_{self.correction}"]
        return ["test", "statistic", "p", *adjusted, "smd"]


def table_one(
    frame: pd.DataFrame,
    *,
    groups: pd.Series[Any] | Mapping[str, pd.Series[Any]] | None = None,
    cohort: pd.Series[Any] | None = None,
    columns: Sequence[str] | None = None,
    numeric_columns: Sequence[str] = (),
    categorical_columns: Sequence[str] = (),
    median: Sequence[str] | None = None,
    dictionary: Mapping[str, ColumnSettings] | None = None,
    tests: Mapping[str, str] | None = None,
    pairs: Sequence[tuple[str, str]] | Literal["all"] = (),
    correction: Correction = "holm",
    missing_rows: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """Table 1, one row per variable or level.

    Numbers are shown as mean (sd) and compared by Welch's t-test (more groups: analysis of variance); skewed ones (absolute
    sample skewness over all patients above 1, or those named in `median`) as median [q1, q3], by the Mann-Whitney test
    (Kruskal-Wallis). Categories, and numbers with two values at most, are shown as n (%) of the patients in whom they are
    known, by the chi-square test, or by Fisher's where a count below 5 is expected in more than a fifth of the cells (2 x 2:
    in any) or below 1 in any. Ordinal columns of the dictionary are compared by the Cochran-Armitage test for trend (more groups:
    Kruskal-Wallis on the order of the levels); of its yes/no columns the share of yes is shown. The standardised mean difference is
    absolute; of more than two groups, the largest of any pair.

    Parameters
    ----------
    frame : DataFrame
        One row a patient: text as `read_frame` gives it, or typed columns (of ordinal and yes/no columns their words, as `labelled`
        gives them).
    groups : Series or mapping, optional
        The outcome's label of each patient, on the same index; missing ones are counted in `overall` only. Or name -> true for the
        patients of each group; where groups overlap (a type and its subtypes) there is no test of all of them, only of `pairs`.
    cohort : Series, optional
        Train, internal, external, on the same index; adds columns and its own tests (`test_cohort`, `p_cohort`, ...).
    columns : sequence of str, optional
        The variables; by default every column that is numeric or categorical.
    numeric_columns, categorical_columns : sequence of str
        Kinds, where the cells would be read otherwise.
    median : sequence of str, optional
        The columns shown as median and compared by rank; by default the skewed ones.
    dictionary : mapping, optional
        Column -> its settings: type, order and unit go before what the cells tell; `unit` is a column of the table.
    tests : mapping, optional
        Column -> the test fixed in advance: "welch", "student", "anova", "mann-whitney", "kruskal", "chi-square", "fisher", "trend".
    pairs : sequence of (str, str), or "all"
        Groups to compare two by two: adds `test: A vs B`, `statistic: ...`, `p: ...`, `p_<correction>: ...`, `smd: ...`.
    correction : str
        Of the pairwise p-values of one variable for their number; "none" for none.
    missing_rows : bool
        A row with the number of missing values in each group, below every variable that has any.
    seed : int
        Of Fisher's test of large tables, which draws tables.

    Returns
    -------
    DataFrame
        `variable, level, summary, unit, missing, overall`, one text column per group (and per cohort, named
        `cohort: <name>`), then `test, statistic, p, smd`. The first row counts patients.

    Raises
    ------
    TableError
        A column, a group of a pair or a test is unknown, two groups of a pair share patients, or text stands in a numeric column.
    """
    chosen = variables(frame, columns, numeric_columns, categorical_columns, median, dictionary or {}, tests or {})
    taken: Masks = {"overall": np.ones(len(frame), dtype=bool)}
    panels = []
    if groups is not None:
        panels.append(_panel(frame, groups, taken, pairs=pairs, correction=correction))
    elif pairs:
        raise TableError("Table 1: pairs to compare, but no groups; pass groups")
    if cohort is not None:
        panels.append(_panel(frame, cohort, taken, suffix="_cohort", prefix="cohort: "))
    return _table(chosen, taken, panels, missing_rows, seed)


def table_one_within(
    frame: pd.DataFrame,
    groups: pd.Series[Any],
    strata: pd.Series[Any],
    *,
    columns: Sequence[str] | None = None,
    dictionary: Mapping[str, ColumnSettings] | None = None,
    tests: Mapping[str, str] | None = None,
    missing_rows: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Table 1 by outcome within each stratum (centre, split): columns `<stratum>: <group>`, tests `p: <stratum>` ...

    Parameters are those of `table_one`; `strata` is a label of each patient, on the frame's index.
    """
    chosen = variables(frame, columns, (), (), None, dictionary or {}, tests or {})
    taken: Masks = {"overall": np.ones(len(frame), dtype=bool)}
    where = strata.reindex(frame.index)
    panels = []
    for stratum in ordered(where):
        inside = np.asarray((where == stratum).fillna(False), dtype=bool)
        panels.append(_panel(frame, groups, taken, suffix=f": {stratum}", prefix=f"{stratum}: ", inside=inside))
    return _table(chosen, taken, panels, missing_rows, seed)


def _panel(
    frame: pd.DataFrame,
    groups: pd.Series[Any] | Mapping[str, pd.Series[Any]],
    taken: Masks,
    *,
    suffix: str = "",
    prefix: str = "",
    pairs: Sequence[tuple[str, str]] | Literal["all"] = (),
    correction: Correction = "none",
    inside: NDArray[np.bool_] | None = None,
) -> _Panel:
    """The groups as masks, their columns added to those taken."""
    masks: Masks = {}
    if isinstance(groups, Mapping):
        for name, members in groups.items():
            masks[str(name)] = np.asarray(members.reindex(frame.index).fillna(False), dtype=bool)
    else:
        labels = groups.reindex(frame.index)
        for label in ordered(labels):
            masks[str(label)] = np.asarray((labels == label).fillna(False), dtype=bool)
    if inside is not None:
        masks = {name: mask & inside for name, mask in masks.items()}
    together = len(masks) > 1 and not (np.sum(list(masks.values()), axis=0) > 1).any()
    said = [(a, b) for i, a in enumerate(masks) for b in list(masks)[i + 1 :]] if pairs == "all" else list(pairs)
    for pair in said:
        for name in pair:
            if name not in masks:
                raise TableError(f"Table 1: pair {_versus(pair)}: no group {name!r}; the groups are {', '.join(masks)}")
        if (masks[pair[0]] & masks[pair[1]]).any():
            raise TableError(
                f"Table 1: pair {_versus(pair)}: the two share patients; expected two groups without common members"
            )
    names = {}
    for name, mask in masks.items():
        names[name] = _free(f"{prefix}{name}", taken)
        taken[names[name]] = mask
    return _Panel(suffix, masks, together or not isinstance(groups, Mapping), tuple(said), correction, names)


def _table(
    chosen: Sequence[Variable], taken: Masks, panels: Sequence[_Panel], missing_rows: bool, seed: int
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {"variable": "n", "level": "", "summary": "n", **{name: str(int(mask.sum())) for name, mask in taken.items()}}
    ]
    for variable in chosen:
        found = lines(variable, taken, missing_rows=missing_rows)
        for panel in panels:
            found[0] |= _compared(variable, panel, child_seed(seed, "table_one", variable.name, panel.suffix))
        rows.extend(found)
    tests = [name for panel in panels for name in panel.columns]
    table = pd.DataFrame(rows, columns=["variable", "level", "summary", "unit", "missing", *taken, *tests])
    texts = ["variable", "level", "summary", "unit", *taken, *(name for name in tests if name.startswith("test"))]
    table = table.fillna(dict.fromkeys(texts, ""))
    numbers = [name for name in tests if not name.startswith("test")]
    table[numbers] = table[numbers].astype("float64")
    table["missing"] = table["missing"].astype("Int64")
    return table


def _compared(variable: Variable, panel: _Panel, seed: int) -> dict[str, Any]:
    """Tests and standardised differences of one variable."""
    found: dict[str, Any] = {}
    if panel.together:
        result = compare(variable, list(panel.groups.values()), seed)
        if result is not None:
            found |= {f"{name}{panel.suffix}": value for name, value in zip(_TESTS, result, strict=True)}
    raw = []
    for pair in panel.pairs:
        result = compare(variable, [panel.groups[name] for name in pair], child_seed(seed, *pair))
        raw.append(np.nan if result is None else result[2])
        if result is not None:
            found |= {f"{name}: {_versus(pair)}": value for name, value in zip(_TESTS, result, strict=True)}
    if panel.pairs and panel.correction != "none":
        adjusted = adjust_p(raw, panel.correction)
        found |= {f"p_{panel.correction}: {_versus(pair)}": p for pair, p in zip(panel.pairs, adjusted, strict=True)}
    return found


def _versus(pair: tuple[str, str]) -> str:
    return f"{pair[0]} vs {pair[1]}"


def table_one_footnote(table: pd.DataFrame, *, whole: bool = True) -> str:
    """What stands below the table, made from what ran: how values are shown, which tests, how differences are measured.

    With `whole = False` without what the rows themselves say: how each is shown, and how many values are missing.
    """
    first = table.drop_duplicates(["variable", "summary"])
    by_summary = {kind: list(first.loc[first["summary"] == kind, "variable"]) for kind in (MEAN, MEDIAN, SHARE)}
    parts = []
    if whole and by_summary[MEAN]:
        parts.append(f"{MEAN}: {', '.join(by_summary[MEAN])}")
    if whole and by_summary[MEDIAN]:
        parts.append(f"{MEDIAN} (skewed, or chosen): {', '.join(by_summary[MEDIAN])}")
    if whole and by_summary[SHARE]:
        parts.append(f"{SHARE} of the patients in whom it is known: {', '.join(by_summary[SHARE])}")
    said: dict[str, list[str]] = {}
    for column in (name for name in table.columns if name == "test" or name.startswith(("test_cohort", "test: "))):
        ran = table.loc[table[column] != "", ["variable", column]]
        tests = "; ".join(f"{test} ({', '.join(part['variable'])})" for test, part in ran.groupby(column, sort=True))
        if tests:
            said.setdefault(tests, []).append(_between(column))
    for tests, what in said.items():
        parts.append(f"Tests {_listed(what)}, two-sided, not corrected for the number of variables: {tests}")
    ways = sorted(
        {name.split(":")[0].removeprefix("p_") for name in table.columns if name.startswith("p_") and ": " in name}
    )
    pairs = len({name for name in table.columns if name.startswith("p: ") and " vs " in name})
    if ways:
        parts.append(f"p_{ways[0]}: adjusted for the {pairs} pairs compared on the same variable ({_METHODS[ways[0]]})")
    elif pairs > 1:
        parts.append(f"The p-values of the {pairs} pairs are not adjusted for one another")
    if any(name.startswith("smd") for name in table.columns):
        parts.append("smd: absolute standardised mean difference (several groups: the largest of any pair)")
    missing = table.loc[(table["missing"].fillna(0) > 0) & (table["level"] != "missing"), ["variable", "missing"]]
    if whole and len(missing):
        parts.append(
            "Missing: " + ", ".join(f"{row['variable']} {int(row['missing'])}" for row in missing.to_dict("records"))
        )
    return ". ".join(parts) + "." if parts else ""


_METHODS = {
    "holm": "Holm 1979",
    "bonferroni": "Bonferroni",
    "benjamini-hochberg": "Benjamini and Hochberg 1995, false discovery rate",
    "benjamini-yekutieli": "Benjamini and Yekutieli 2001, false discovery rate",
}


def _between(column: str) -> str:
    if column in ("test", "test_cohort"):
        return "between groups" if column == "test" else "between cohorts"
    what = column.removeprefix("test: ")
    return f"of {what}" if " vs " in what else f"within {what}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A column name that is not taken: a group called 'overall' or 'missing' must not overwrite that column."""
    reserved = {
        "variable",
        "level",
        "summary",
        "unit",
        "missing",
        *_TESTS,
        *(f"{test}_cohort" for test in _TESTS),
        *taken,
    }
    return f"group: {name}" if name in reserved else name
