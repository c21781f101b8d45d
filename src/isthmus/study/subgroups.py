"""The levels of the subgroups a plan names: columns of the tables, or conditions on them, patient by patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from isthmus.errors import PlanError
from isthmus.table.expression import parse_expression

__all__ = ["subgroup_levels"]

_MOST_LEVELS = 12


def subgroup_levels(names: Sequence[str], facts: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """One column per subgroup of `[validate] subgroups`, index = patient.

    Parameters
    ----------
    names : sequence of str
        A column ("sex", "centre", "manufacturer"), whose values are the levels, or a condition ("age > 55"), whose levels are
        yes and no.
    facts : sequence of (what, DataFrame)
        Where columns are looked for, in order; one row a patient.

    Raises
    ------
    PlanError
        A column is unknown, or has so many values that a condition is meant.
    """
    if not names:
        return pd.DataFrame(index=facts[0][1].index)
    patients = facts[0][1].index
    columns: dict[str, pd.Series[Any]] = {}
    for _, frame in facts:
        for column in frame.columns:
            columns.setdefault(str(column), _text(frame[column].reindex(patients)))
    table = pd.DataFrame(columns, index=patients)
    found = {}
    for name in names:
        try:
            expression = parse_expression(name)
            if not expression.is_column:
                held = expression.condition(table)
                found[name] = held.map({True: "yes", False: "no"}).astype("str").where(held.notna())
                continue
            values = expression.evaluate(table)
        except PlanError as exc:
            raise PlanError(f"[validate] subgroups: {exc}") from exc
        values = table[next(iter(expression.columns))] if values.dtype != "str" else values
        if values.nunique() > _MOST_LEVELS:
            raise PlanError(
                f"[validate] subgroups: column {name!r} has {values.nunique()} different values, more than the {_MOST_LEVELS} a "
                f'subgroup may have. Name a condition, such as "{name} > {sorted(values.dropna())[values.nunique() // 2]}"'
            )
        found[name] = values
    return pd.DataFrame(found, index=patients)


def _text(values: pd.Series[Any]) -> pd.Series[Any]:
    """Values as a table of text holds them; whole numbers without a point."""
    if pd.api.types.is_bool_dtype(values):
        values = values.map({True: "yes", False: "no"})
    elif pd.api.types.is_numeric_dtype(values):
        values = values.map(lambda v: f"{v:.15g}", na_action="ignore")
    return values.astype("str").where(values.notna() & (values.astype("str") != ""))
