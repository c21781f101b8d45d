"""Exclusions as data: who left the study, at which step, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from isthmus.table.outcome import Outcome

__all__ = ["EXCLUSION_COLUMNS", "account", "exclusion_frame", "exclusions"]

EXCLUSION_COLUMNS = ("row", "patient", "step", "reason")


def exclusion_frame(parts: Iterable[pd.DataFrame] = ()) -> pd.DataFrame:
    """Several exclusion tables as one, in their order; without any, an empty one."""
    kept = [part for part in parts if len(part)]
    if not kept:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in EXCLUSION_COLUMNS})
    return pd.concat(kept, ignore_index=True)[list(EXCLUSION_COLUMNS)]


def exclusions(rows: pd.Series[Any], patients: pd.Series[Any], step: str, reason: str | pd.Series[Any]) -> pd.DataFrame:
    """Exclude these rows at one step, for one reason or one reason each."""
    return pd.DataFrame(
        {
            "row": rows.to_numpy(),
            "patient": patients.to_numpy(),
            "step": step,
            "reason": reason if isinstance(reason, str) else reason.to_numpy(),
        },
        columns=list(EXCLUSION_COLUMNS),
    )


def account(everyone: pd.DataFrame, left_out: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Every row of the case table: row, patient, centre, split, status (included or excluded), step, reason, outcome."""
    cases = everyone[["row", "patient", "centre", "split"]].merge(
        left_out[["row", "step", "reason"]], on="row", how="left"
    )
    cases.insert(4, "status", cases["step"].isna().map({True: "included", False: "excluded"}))
    cases["outcome"] = cases["patient"].map(outcome.values).astype("Int64")
    return cases.fillna({"step": "", "reason": "", "centre": ""})
