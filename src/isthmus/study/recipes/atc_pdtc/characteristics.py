"""Who the patients are, by histology, with the tests of each group against ATC/PDTC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.groups import fisher_exact, standardised_difference, standardised_difference_share, student_t
from isthmus.stats.seeds import child_seed
from isthmus.study.recipes.atc_pdtc.groups import AGAINST, CASE, members
from isthmus.study.recipes.atc_pdtc.published import as_printed

__all__ = ["characteristics"]


def characteristics(clinical: pd.DataFrame, histology: pd.Series[Any], *, seed: int) -> pd.DataFrame:
    """One row a variable or level: every group's summary; p, standardised difference and printed p of ATC/PDTC against each other one.

    Parameters
    ----------
    clinical : DataFrame
        One row a patient; numbers are shown as mean ± sd (range) and compared by Student's t-test, text as n (%) by Fisher's
        exact test: as the study did.
    histology : Series
        On the same index.
    seed : int
        Of Fisher's test beyond 2 x 2.

    Returns
    -------
    DataFrame
        variable, level, test, one column a group, then `p <group>`, `smd <group>`, `printed p <group>`. The first row counts.
    """
    groups = members(histology)
    rows: list[dict[str, Any]] = [
        {
            "variable": "patients",
            "level": "",
            "test": "",
            **{name: str(int(rows.sum())) for name, rows in groups.items()},
        }
    ]
    for name in clinical.columns:
        values = clinical[name]
        compare = _numbers if pd.api.types.is_numeric_dtype(values) and values.nunique() > 2 else _categories
        rows += compare(str(name), values, groups, child_seed(seed, "characteristics", name))
    table = pd.DataFrame(rows)
    return table.fillna(
        {column: "" for column in table if table[column].dtype == object or str(table[column].dtype) == "str"}
    )


def _numbers(name: str, values: pd.Series[Any], groups: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    row: dict[str, Any] = {"variable": name, "level": "", "test": "Student's t"}
    for group, inside in groups.items():
        known = values[inside].dropna()
        row[group] = (
            f"{known.mean():.1f} ± {known.std():.1f} ({known.min():g} to {known.max():g})" if len(known) else ""
        )
    case = values[groups[CASE]].to_numpy(dtype=float)
    for group in AGAINST:
        other = values[groups[group]].to_numpy(dtype=float)
        row[f"p {group}"] = student_t(case, other).p
        row[f"smd {group}"] = abs(standardised_difference(case, other))
        row[f"printed p {group}"] = as_printed(name, group)
    return [row]


def _categories(name: str, values: pd.Series[Any], groups: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    text = values.astype("str").where(values.notna())
    levels = sorted(text.dropna().unique())
    shown = levels[1:] if len(levels) == 2 else levels  # of two, the second says everything
    rows = []
    for position, level in enumerate(shown):
        row: dict[str, Any] = {"variable": name if position == 0 else "", "level": level, "test": ""}
        for group, inside in groups.items():
            known = text[inside].dropna()
            count = int((known == level).sum())
            row[group] = f"{count} ({100 * count / len(known):.1f})" if len(known) else ""
        rows.append(row)
    if not rows:
        return [{"variable": name, "level": levels[0] if levels else "", "test": "one value only"}]
    rows[0]["test"] = "Fisher's exact"
    for group in AGAINST:
        two = {side: text[groups[side]].dropna() for side in (CASE, group)}
        counts = pd.DataFrame({side: known.value_counts().reindex(levels, fill_value=0) for side, known in two.items()})
        rng = np.random.default_rng(seed)
        present = counts[counts.sum(axis=1) > 0]
        rows[0][f"p {group}"] = fisher_exact(present.to_numpy(), rng=rng).p if len(present) > 1 else 1.0
        if len(levels) == 2:
            shares = [float((two[side] == levels[1]).mean()) for side in (CASE, group)]
            rows[0][f"smd {group}"] = abs(standardised_difference_share(*shares))
        rows[0][f"printed p {group}"] = as_printed(name, group)
    return rows
