"""Cox regression, without a penalty and with an L1 penalty (LASSO)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError
from isthmus.models.estimator import Array, check_number
from isthmus.models.json_text import read_json
from isthmus.models.survival import SurvivalEstimator
from isthmus.stats.lasso import LambdaChoice, choose_lambda
from isthmus.stats.survival.cox import Baseline, breslow_baseline, cox_regression
from isthmus.stats.survival.cox_lasso import cox_lambda_sequence, fit_cox_path, held_out_deviance
from isthmus.table.steps import Property, deal_folds
from isthmus.table.target import strata, time_to_event

__all__ = ["Cox", "LassoCox"]

_ENOUGH = 10  # events per column; fewer are warned of (Peduzzi et al., J Clin Epidemiol 1995;48:1503)


class _Linear(SurvivalEstimator):
    """Log hazard ratio against the average patient, and a baseline hazard: what both models are once fitted."""

    contribution = "coefficient"
    coef_: Array
    centre_: Array
    baseline_: Baseline

    def _score(self, values: Array) -> Array:
        # summed row by row: a matrix product would round by how many rows come together
        score: Array = ((values - self.centre_) * self.coef_).sum(axis=1)
        return score

    def additive_parts(self, values: Array) -> Array:
        return (values - self.centre_) * self.coef_

    def _event_probability(self, values: Array, times: Array) -> Array:
        return self.baseline_.event_probability(self._score(values), times)

    def contributions(self) -> Array:
        return self.coef_

    def to_files(self) -> dict[str, bytes]:
        state = {
            "coefficients": self.coef_.tolist(),
            "centre": self.centre_.tolist(),
            "time": self.baseline_.time.tolist(),
            "cumulative_hazard": self.baseline_.cumulative_hazard.tolist(),
        }
        return {f"{self.name}.json": json.dumps(state).encode()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        state = read_json(files[f"{cls.name}.json"], f"{cls.name}.json")
        model = cls(**settings)
        model.coef_, model.centre_, time, hazard = (
            np.asarray(state[key], dtype=np.float64) for key in ("coefficients", "centre", "time", "cumulative_hazard")
        )
        model.baseline_ = Baseline(time, hazard)
        model.n_features_in_ = len(model.coef_)
        return model


class Cox(_Linear):
    """Cox regression without a penalty, as in the regression tables of papers; ties by Efron.

    There must be more events than columns; with fewer than ten events a column it warns.

    Attributes
    ----------
    coef_, centre_ : arrays, shape (p,)
    baseline_ : Baseline
    """

    name = "cox"

    def __init__(self, horizon: float | None = None) -> None:
        self.horizon = horizon

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric", "complete"})

    def _fit_times(self, values: Array, event: NDArray[np.bool_], time: Array) -> None:
        self._n_events = int(event.sum())
        if values.shape[1] >= self._n_events:
            raise TableError(
                f"Cox regression without a penalty on {values.shape[1]} columns and {self._n_events} events has no "
                "meaningful answer. Use the estimator 'lasso_cox', or fewer columns"
            )
        fit = cox_regression(values, time, event)
        self.coef_, self.centre_, self.baseline_ = fit.coefficients, fit.centre, fit.baseline

    def concern(self) -> str:
        columns = len(self.coef_)
        if not columns or self._n_events >= _ENOUGH * columns:
            return ""
        return (
            f"Cox regression on {columns} columns with {self._n_events} events: fewer than {_ENOUGH} events a column, so "
            "coefficients and risks are too extreme. Use fewer columns, or the estimator 'lasso_cox'"
        )


class LassoCox(_Linear):
    """Cox regression with an L1 penalty: few columns play a part, the others get the weight 0; ties by Breslow.

    Columns are standardised inside, and coefficients are on the scale of the columns given.

    Parameters
    ----------
    rule : {"min", "1se"}
        Penalty with the smallest cross-validated partial-likelihood deviance (Verweij and van Houwelingen 1993), or the
        largest one within a standard error of it.
    penalty : float, optional
        A fixed penalty instead.
    folds : int
        Of the cross-validation that chooses the penalty, where the estimator chooses it itself; in a study the
        inner folds of [validate] do, around all steps.
    n_lambdas : int
        Penalties on the path.
    random_state : int

    Attributes
    ----------
    coef_, centre_ : arrays, shape (p,)
    baseline_ : Baseline
    penalty_ : float
    """

    name = "lasso_cox"
    needs_groups: ClassVar[bool] = True
    study_decides: ClassVar[frozenset[str]] = frozenset({"folds"})

    def __init__(
        self,
        rule: Literal["min", "1se"] = "min",
        penalty: float | None = None,
        folds: int = 5,
        n_lambdas: int = 50,
        random_state: int = 0,
        horizon: float | None = None,
    ) -> None:
        self.rule = rule
        self.penalty = penalty
        self.folds = folds
        self.n_lambdas = n_lambdas
        self.random_state = random_state
        self.horizon = horizon

    def check_settings(self) -> None:
        if self.rule not in ("min", "1se"):
            raise PlanError(f"estimator 'lasso_cox': rule = {self.rule!r}; expected 'min' or '1se'")
        if self.penalty is not None:
            check_number(self.name, "penalty", self.penalty, least=0)
        check_number(self.name, "folds", self.folds, least=2, whole=True)
        check_number(self.name, "n_lambdas", self.n_lambdas, least=2, whole=True)

    def fit(self, X: Any, y: Any, groups: Any = None, weights: Any = None) -> Self:
        self._groups = groups
        try:
            return super().fit(X, y)
        finally:
            del self._groups

    # -- the path, for whoever runs the cross-validation (validate.tuning does, around all steps) ---------------------

    def path_grid(self, values: Array, outcome: NDArray[Any]) -> Array:
        """Penalties to try, largest first."""
        return cox_lambda_sequence(values, outcome["time"], outcome["event"], count=self.n_lambdas)

    def path_fold(
        self, values: Array, outcome: NDArray[Any], held: Array, held_outcome: NDArray[Any], grid: Array
    ) -> tuple[Array, Array]:
        """Risk of the held-out rows (m) under each penalty (L), and what they add to the deviance (L,)."""
        path = fit_cox_path(values, outcome["time"], outcome["event"], grid)
        own, others = path.linear_predictors(held), path.linear_predictors(values)
        everybody = np.concatenate([outcome, held_outcome])
        outside = np.arange(len(everybody)) >= len(outcome)
        loss = held_out_deviance(np.vstack([others, own]), others, everybody["time"], everybody["event"], outside)
        return own, loss

    def path_coefficients(self, values: Array, outcome: NDArray[Any], grid: Array) -> Array:
        """Coefficients under each penalty, shape (L, p): what a picture of the path shows."""
        coefficients: Array = fit_cox_path(values, outcome["time"], outcome["event"], grid).coefficients
        return coefficients

    def path_choice(
        self, grid: Array, losses: Array, outcome: NDArray[Any], folds: NDArray[np.int64]
    ) -> tuple[int, LambdaChoice]:
        """Which penalty, from the deviance of each fold (K, L), weighted by its events."""
        sizes = [max(int(outcome["event"][folds == label].sum()), 1) for label in np.unique(folds)]
        choice = replace(choose_lambda(grid, losses, sizes), measure="partial-likelihood deviance")
        return (choice.index_min if self.rule == "min" else choice.index_1se), choice

    def _fit_times(self, values: Array, event: NDArray[np.bool_], time: Array) -> None:
        outcome = time_to_event(event, time)
        if self.penalty is None:
            grid = self.path_grid(values, outcome)
            patients = np.arange(len(time)) if self._groups is None else np.asarray(self._groups)
            folds = deal_folds(patients, strata(outcome), folds=self.folds, seed=self.random_state)
            losses = [
                self.path_fold(values[~held], outcome[~held], values[held], outcome[held], grid)[1]
                for held in (folds == label for label in np.unique(folds))
            ]
            index, _ = self.path_choice(grid, np.array(losses), outcome, folds)
            grid = grid[: index + 1]
        else:
            largest = cox_lambda_sequence(values, time, event, count=2)[0]
            count = 2 if self.penalty >= largest else 20
            grid = np.geomspace(max(largest, self.penalty), max(self.penalty, 1e-8 * largest), count)
            grid[-1] = self.penalty
        path = fit_cox_path(values, time, event, grid)
        self.penalty_ = float(grid[-1])
        self.coef_, self.centre_ = path.coefficients[-1], path.centre
        self.baseline_ = breslow_baseline(self._score(values), time, event)
