"""What steps may know of a patient besides the predictors: the context columns of the design matrix.

A step names what it reads (`@centre`, `@kernel`, `@age`); only then the study puts it in. `@centre` is the centre of the
case table, any other name a column of the case table (or of a feature table: a feature, or a column it ignores), or a
fact of the scan as `acquisition.csv` has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from isthmus.deep import CROPS
from isthmus.errors import PlanError, TableError, did_you_mean, first_few
from isthmus.habitat.step import SUPERVOXELS
from isthmus.models.building import make_steps
from isthmus.models.settings import ModelSettings
from isthmus.table.reading import classify, numeric
from isthmus.table.steps import CONTEXT, Step

__all__ = ["CENTRE", "context_names", "facts_of", "gather_context", "without_objects"]

CENTRE = f"{CONTEXT}centre"
_MOST_NAMED = 20


def context_names(model: ModelSettings, steps: Mapping[str, type[Step]]) -> tuple[str, ...]:
    """The context columns the steps of a model read, in order of first mention."""
    return tuple(dict.fromkeys(name for step in make_steps(model, seed=0, steps=steps) for name in step.context))


def without_objects(names: Sequence[str]) -> list[str]:
    """The context that tables say of a patient; his supervoxels and crops come with their blocks."""
    return [name for name in names if name.partition(":")[0] not in (SUPERVOXELS, CROPS)]


def gather_context(names: Sequence[str], facts: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """The context of each patient: one row a patient, one column a name.

    Parameters
    ----------
    names : sequence of str
        With their mark: "@centre".
    facts : sequence of (what, DataFrame)
        Where to look, in order; each has one row a patient (index) and columns without the mark. The patients are those of
        the first.

    Raises
    ------
    PlanError
        Nothing of that name is known.
    """
    patients = facts[0][1].index
    found: dict[str, pd.Series[Any]] = {}
    for name in names:
        plain = name.removeprefix(CONTEXT)
        frame = next((frame for _, frame in facts if plain in frame.columns), None)
        if frame is None:
            known = list(dict.fromkeys(str(column) for _, frame in facts for column in frame.columns))
            raise PlanError(
                f"a step reads {plain!r}, which nothing says of a patient."
                + (did_you_mean(plain, known) if len(known) <= _MOST_NAMED else f" Known: {first_few(known)}.")
            )
        found[name] = _typed(frame[plain].reindex(patients), plain)
    return pd.DataFrame(found, index=patients)


def facts_of(frame: pd.DataFrame, patients: pd.Series[Any]) -> pd.DataFrame:
    """One row a patient of a table with several; a patient whose rows disagree has no value there (nothing is guessed)."""
    grouped = frame.groupby(patients.to_numpy(), sort=True)
    one = grouped.first()
    unclear = grouped.nunique() > 1
    one = one.mask(unclear.reindex(columns=one.columns, fill_value=False))
    one.index = pd.Index([str(patient) for patient in one.index], name="patient")
    return one


def _typed(values: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Numbers as numbers, everything else as text; the centre is always text."""
    if name == "centre" or pd.api.types.is_bool_dtype(values):
        return values.astype("str")
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("float64")
    try:
        return numeric(values, name) if classify(values) == "numeric" else values.astype("str")
    except TableError as exc:
        raise TableError(f"context {name!r}: {first_few([str(exc)])}") from exc
