"""The groups of the study, from the histology of each patient."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.study.plan import Plan
from isthmus.table.paths import resolve_path
from isthmus.table.reading import read_frame

__all__ = ["AGAINST", "CASE", "COLUMN", "DTC", "HISTOLOGIES", "members", "read_histology"]

COLUMN = "histology"
CASE, DTC = "ATC/PDTC", "DTC"
HISTOLOGIES = (CASE, "PTC", "FTC")
AGAINST = (DTC, "PTC", "FTC")
"""What ATC/PDTC is compared with; DTC is PTC and FTC together."""

_OF = MappingProxyType({CASE: (CASE,), DTC: ("PTC", "FTC"), "PTC": ("PTC",), "FTC": ("FTC",)})


def members(histology: pd.Series[Any]) -> dict[str, NDArray[Any]]:
    """Group -> which patients belong to it."""
    return {name: histology.isin(of).to_numpy() for name, of in _OF.items()}


def read_histology(plan: Plan) -> pd.Series[Any]:
    """The histology of every patient of the case table.

    Raises
    ------
    TableError
        The plan has no case table, the table no such column, or the column another value.
    """
    if plan.cohort is None:
        raise TableError("[report] recipe = 'atc-pdtc' belongs to a case table: use [cohort]")
    path = Path(resolve_path(plan.cohort.table, plan.base))
    frame = read_frame(path, encoding=plan.cohort.encoding).frame
    for column in (plan.cohort.patient, COLUMN):
        if column not in frame.columns:
            raise TableError(
                f"{path}: no column '{column}'. The recipe 'atc-pdtc' compares {', '.join(HISTOLOGIES)}, as the column "
                f"'{COLUMN}' says; add it, or leave [report] recipe out."
            )
    found = frame.drop_duplicates(plan.cohort.patient).set_index(plan.cohort.patient)[COLUMN]
    other = sorted(set(found.dropna()) - set(HISTOLOGIES) - {""})
    if other:
        raise TableError(f"{path}: {COLUMN} = {other[0]!r}; the recipe 'atc-pdtc' knows {', '.join(HISTOLOGIES)}")
    return found
