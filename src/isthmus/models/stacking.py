"""Stacking: a logistic model of what several models say (Wolpert 1992), with weights of 0 or more (Breiman 1996)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.models.ensemble import DEFAULT_MEMBERS, Ensemble, Member
from isthmus.models.estimator import Array, check_number, linear_risk
from isthmus.models.json_text import read_json

__all__ = ["Stacking", "non_negative_ridge"]


def non_negative_ridge(values: Array, events: NDArray[np.int64], strength: float) -> tuple[Array, float]:
    """Weights of 0 or more, and the intercept, that minimise half of the sum of their squares plus `strength` times the logistic loss.

    The intercept is free and not penalised. The function is convex, so what stands at the bounds is the one minimum.

    Parameters
    ----------
    values : array, shape (n, m)
    events : array of 0 and 1, shape (n,)
    strength : float
        scikit-learn's C.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(where: Array) -> tuple[float, Array]:
        weights, logit = where[:-1], values @ where[:-1] + where[-1]
        total = 0.5 * weights @ weights + strength * (np.logaddexp(0.0, logit) - events * logit).sum()
        off = strength * (expit(logit) - events)
        return float(total), np.append(weights + values.T @ off, off.sum())

    share = float(events.mean())
    start = np.append(np.zeros(values.shape[1]), np.log(share / (1.0 - share)))
    bounds = [(0.0, None)] * values.shape[1] + [(None, None)]
    how = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxcor": 30}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=how)
    return found.x[:-1].copy(), float(found.x[-1])


class Stacking(Ensemble):
    """Risk from a ridge logistic model whose columns are the members' risks and whose weights are 0 or more.

    A member may count for nothing, but never against what it says: out-of-fold risks of a member that knows nothing lean against the
    outcome (where a fold holds more events, the others have fewer), and a free weight would learn that. Where every weight is 0,
    everybody gets the prevalence.

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
        outside, _ = self._out_of_fold(values, events, groups)
        self.coef_: Array
        self.coef_, self.intercept_ = non_negative_ridge(outside, events, self.C)
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
