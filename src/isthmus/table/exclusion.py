"""Exclusions as data: who left the study, at which step, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

__all__ = ["EXCLUSION_COLUMNS", "exclusion_frame", "exclusions"]

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
