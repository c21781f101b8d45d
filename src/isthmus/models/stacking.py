"""Stacking: a logistic model of what several models say (Wolpert 1992)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.models.ensemble import DEFAULT_MEMBERS, Ensemble, Member
from isthmus.models.estimator import Array, check_number, linear_risk
from isthmus.models.json_text import read_json

__all__ = ["Stacking"]


class Stacking(Ensemble):
    """Risk from a ridge logistic model whose columns are the members' risks.

    That model learns from out-of-fold risks of the training rows, in folds that keep the rows of a patient together: on
    risks of rows a member was trained on it would trust whichever member overfits most. The members are then fitted
    on all training rows. The steps before the estimator are fitted once, on all training rows; after a supervised
    selection the out-of-fold risks are a little too good, and so is the weight of members that profit from it.

    Parameters
    ----------
    members : list
        Estimators, each a name or a table `{ name = ..., setting = ... }`.
    C : float
        Inverse strength of the ridge penalty of the model on top.
    folds : int
    random_state : int

    Attributes
    ----------
    coef_ : array, one a member
    intercept_ : float
    """

    name = "stacking"

    def __init__(
        self,
        members: Sequence[Member] = DEFAULT_MEMBERS,
        C: float = 1.0,  # noqa: N803, RUF100 - scikit-learn's name
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.members = members
        self.C = C
        self.folds = folds
        self.random_state = random_state

    def check_settings(self) -> None:
        super().check_settings()
        check_number(self.name, "C", self.C, least=1e-10)
        check_number(self.name, "folds", self.folds, least=2, whole=True)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        from sklearn.linear_model import LogisticRegression

        outside, _ = self._out_of_fold(values, events, groups)
        top = LogisticRegression(C=self.C, solver="lbfgs", tol=1e-8, max_iter=5000).fit(outside, events)
        self.coef_: Array = top.coef_[0].copy()
        self.intercept_ = float(top.intercept_[0])
        self.fitted_ = self._fit_members(values, events, groups)

    def _risk(self, values: Array) -> Array:
        return linear_risk(self._member_risks(self.fitted_, values), self.coef_, self.intercept_)

    def contributions(self) -> Array:
        return self._weighted_importance(np.abs(self.coef_))

    def to_files(self) -> dict[str, bytes]:
        state = {"coefficients": self.coef_.tolist(), "intercept": self.intercept_}
        return {"stacking.json": json.dumps(state).encode(), **super().to_files()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = super().from_files(settings, files)
        state = read_json(files["stacking.json"], "stacking.json")
        model.coef_ = np.asarray(state["coefficients"], dtype=np.float64)
        model.intercept_ = float(state["intercept"])
        return model
