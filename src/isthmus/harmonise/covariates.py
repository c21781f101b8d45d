"""Covariates as numbers: a number is itself, a category a column for each of its levels but the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import TableError, first_few
from isthmus.table.steps import Array, is_text

__all__ = ["design", "learn", "width"]

Coding = Mapping[str, list[str]]
"""Covariate -> its levels in order; empty for a number."""


def learn(frame: pd.DataFrame) -> dict[str, list[str]]:
    """How each covariate of the training rows is coded."""
    _complete(frame)
    return {
        str(name): sorted(frame[name].astype(str).unique()) if is_text(frame[name].dtype) else []
        for name in frame.columns
    }


def width(coding: Coding) -> int:
    """How many columns the covariates make."""
    return sum(len(levels) - 1 if levels else 1 for levels in coding.values())


def design(coding: Coding, frame: pd.DataFrame) -> Array:
    """The covariates of these rows, shape (n, width)."""
    _complete(frame)
    columns: list[Any] = []
    for name, levels in coding.items():
        if not levels:
            columns.append(frame[name].to_numpy(dtype=np.float64))
            continue
        values = frame[name].astype(str)
        strange = sorted(set(values) - set(levels))
        if strange:
            raise TableError(
                f"step 'combat': covariate {name!r} is {first_few(strange)} in some rows, which no training row has "
                f"(known: {', '.join(levels)}); what it does to a feature is not known"
            )
        columns += [(values == level).to_numpy(dtype=np.float64) for level in levels[1:]]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def _complete(frame: pd.DataFrame) -> None:
    missing = [f"{name} ({int(frame[name].isna().sum())} rows)" for name in frame.columns if frame[name].isna().any()]
    if missing:
        raise TableError(
            f"step 'combat': covariates are missing: {first_few(missing)}. What is kept of a patient must be known: fill it in, "
            "exclude the patient, or leave the covariate out."
        )
