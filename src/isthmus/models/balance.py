"""What to do about a rare class, by name: a setting like any other, so that inner cross-validation can choose it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError, did_you_mean
from isthmus.models.resampling import (
    Adasyn,
    BorderlineSmote,
    OverSample,
    Smote,
    SmoteEnn,
    SmoteTomek,
    SvmSmote,
    UnderSample,
)
from isthmus.table.steps import Property, Resampler

__all__ = ["Balance"]

_INVENTING = (Smote, BorderlineSmote, SvmSmote, Adasyn, SmoteEnn, SmoteTomek)
_METHODS: Mapping[str, type[Resampler]] = MappingProxyType(
    {step.name: step for step in (OverSample, UnderSample, *_INVENTING)}
)


class Balance(Resampler):
    """One of the resamplers, class weights, or nothing.

    Parameters
    ----------
    method : str
        "none", "weights" (every class counts the same while fitting; the rows stay), or the name of a resampler:
        "over_sample", "under_sample", "smote", "borderline_smote", "svm_smote", "adasyn", "smote_enn", "smote_tomek".
    k_neighbors : int
        Of the methods that invent rows.
    random_state : int
    """

    name = "balance"
    requires: ClassVar[frozenset[Property]] = frozenset({"numeric", "complete"})
    invents_rows: ClassVar[bool] = True

    def __init__(self, method: str = "none", k_neighbors: int = 5, random_state: int = 0) -> None:
        self.method = method
        self.k_neighbors = k_neighbors
        self.random_state = random_state

    @property
    def class_weight(self) -> Literal["balanced"] | None:
        return "balanced" if self.method == "weights" else None

    def check_settings(self) -> None:
        known = ["none", "weights", *_METHODS]
        if self.method not in known:
            raise PlanError(
                f"step 'balance': method = {self.method!r} is not known.{did_you_mean(str(self.method), known)}"
            )
        Smote(self.k_neighbors).check_settings()

    def _resample(
        self, frame: pd.DataFrame, events: NDArray[np.int64], patients: NDArray[Any]
    ) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[Any]]:
        if self.method in ("none", "weights"):
            return frame, events, patients
        made = _METHODS[self.method]
        own = {"k_neighbors": self.k_neighbors} if made in _INVENTING else {}
        return made(**own, random_state=self.random_state).resample(frame, events, patients)
