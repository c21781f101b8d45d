"""The outcome of a study, kept apart from the predictors so that X cannot contain y."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.table.target import time_to_event

__all__ = ["Outcome", "Task"]

Task = Literal["binary", "multiclass", "ordinal", "survival"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What happened to each patient.

    Parameters
    ----------
    name : str
        The column or expression it came from.
    task : {"binary", "multiclass", "ordinal", "survival"}
    values : Series, index = patient
        Binary: 0 or 1 (1 = the positive class); multiclass and ordinal: position in `classes`; survival: 1 = event.
    classes : tuple
        The labels as the table writes them, negative first.
    time : Series or None
        Survival only: time to event or censoring.
    """

    name: str
    task: Task
    values: pd.Series[Any]
    classes: tuple[str, ...] = ("0", "1")
    time: pd.Series[Any] | None = None

    @property
    def patients(self) -> pd.Index[Any]:
        return self.values.index

    @property
    def n_events(self) -> int:
        return int(np.sum(self.values.to_numpy() == 1))

    def target(self, patients: pd.Index[Any] | None = None) -> NDArray[Any]:
        """What models learn, in the order of `patients`: codes, or events and times (`table.target`)."""
        if self.time is None:
            return self.array(patients)
        time = self.time if patients is None else self.time.loc[patients]
        return time_to_event(self.array(patients), time.to_numpy(dtype=np.float64))

    def restricted(self, patients: pd.Index[Any]) -> Outcome:
        """The outcome of these patients, in their order."""
        time = None if self.time is None else self.time.loc[patients]
        return replace(self, values=self.values.loc[patients], time=time)

    def array(self, patients: pd.Index[Any] | None = None) -> NDArray[np.int64]:
        """The values as integers, in the order of `patients`."""
        values = self.values if patients is None else self.values.loc[patients]
        return values.to_numpy(dtype=np.int64)
