"""Soft voting: the mean of what several models say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.models.ensemble import DEFAULT_MEMBERS, Ensemble, Member
from isthmus.models.estimator import Array

__all__ = ["Voting"]


class Voting(Ensemble):
    """Risk as the weighted mean of the members' risks.

    Parameters
    ----------
    members : list
        Estimators, each a name or a table `{ name = ..., setting = ... }`.
    weights : list of numbers, optional
        One a member; equal without it.
    random_state : int
    """

    name = "voting"

    def __init__(
        self,
        members: Sequence[Member] = DEFAULT_MEMBERS,
        weights: Sequence[float] | None = None,
        random_state: int = 0,
    ) -> None:
        self.members = members
        self.weights = weights
        self.random_state = random_state

    def check_settings(self) -> None:
        super().check_settings()
        if self.weights is None:
            return
        sound = (
            isinstance(self.weights, Sequence)
            and len(self.weights) == len(self.members)
            and all(isinstance(w, int | float) and not isinstance(w, bool) and w >= 0 for w in self.weights)
            and 0 < sum(self.weights) < np.inf
        )
        if not sound:
            raise PlanError(
                f"estimator 'voting': weights = {self.weights!r}; expected {len(self.members)} numbers of 0 or more, one a "
                "member, not all 0"
            )

    def _shares(self) -> Array:
        weights = np.ones(len(self.members)) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        return weights / weights.sum()

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        self.fitted_ = self._fit_members(values, events, groups)

    def _risk(self, values: Array) -> Array:
        risk = np.zeros(len(values))
        for share, column in zip(self._shares(), self._member_risks(self.fitted_, values).T, strict=True):
            risk += share * column
        return np.clip(risk, 0.0, 1.0)

    def contributions(self) -> Array:
        return self._weighted_importance(self._shares())
