"""Logistic regression with an L1 penalty (LASSO), its penalty chosen by cross-validation grouped by patient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.models.estimator import Array, check_number
from isthmus.models.linear import LinearEstimator
from isthmus.stats.lasso import LambdaChoice, choose_lambda, fit_path, fold_deviance, lambda_sequence
from isthmus.stats.roc import aucs
from isthmus.table.steps import deal_folds

__all__ = ["LassoLogistic"]

CHANCE = 0.5
"""1 - AUC of a model that ranks nobody."""


class LassoLogistic(LinearEstimator):
    """Risk from a weighted sum of few columns; the others get the weight 0.

    Columns are standardised inside, the intercept is free, and coefficients are on the scale of the columns given.

    Parameters
    ----------
    rule : {"min", "1se"}
        Penalty with the smallest cross-validated deviance, or the largest one within a standard error of it.
    measure : {"auto", "deviance", "auc"}
        What the inner cross-validation compares. Deviance (glmnet's default) judges the probabilities; with few patients it
        often prefers the empty model although some columns rank the patients. The AUC judges the ranking only and is
        noisier in small folds. "auto" takes the deviance, and where that chooses the empty model, the AUC, if its mean over
        the inner folds lies more than a standard error above one half; else the model stays empty.
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
    coef_ : array, shape (p,)
    intercept_ : float
    penalty_ : float
    """

    name = "lasso"
    contribution = "coefficient"
    needs_groups: ClassVar[bool] = True
    numbers: ClassVar[tuple[str, ...]] = ("penalty",)
    study_decides: ClassVar[frozenset[str]] = frozenset({"folds"})
    alpha: float = 1.0
    """Share of the L1 penalty; the elastic net has it as a setting."""

    def __init__(
        self,
        rule: Literal["min", "1se"] = "min",
        measure: Literal["auto", "deviance", "auc"] = "auto",
        penalty: float | None = None,
        folds: int = 5,
        n_lambdas: int = 50,
        random_state: int = 0,
    ) -> None:
        self.rule = rule
        self.measure = measure
        self.penalty = penalty
        self.folds = folds
        self.n_lambdas = n_lambdas
        self.random_state = random_state

    def check_settings(self) -> None:
        if self.rule not in ("min", "1se"):
            raise PlanError(f"estimator '{self.name}': rule = {self.rule!r}; expected 'min' or '1se'")
        if self.measure not in ("auto", "deviance", "auc"):
            raise PlanError(
                f"estimator '{self.name}': measure = {self.measure!r}; expected 'auto', 'deviance' or 'auc'"
            )
        if self.penalty is not None:
            check_number(self.name, "penalty", self.penalty, least=0)
        check_number(self.name, "folds", self.folds, least=2, whole=True)
        check_number(self.name, "n_lambdas", self.n_lambdas, least=2, whole=True)

    def complexity(self) -> tuple[float, ...]:
        return (-np.inf if self.penalty is None else -float(self.penalty),)

    # -- the path, for whoever runs the cross-validation (validate.nested does, around all steps) ---------------------

    def path_grid(self, values: Array, events: NDArray[np.int64]) -> Array:
        """Penalties to try, largest first."""
        return lambda_sequence(values, events, count=self.n_lambdas, alpha=self.alpha)

    def path_risks(self, values: Array, events: NDArray[np.int64], held: Array, grid: Array) -> Array:
        """Risk of the held-out rows (m) under each penalty (L), from models fitted on the others: shape (m, L)."""
        return fit_path(values, events, grid, alpha=self.alpha).probabilities(held)

    def path_coefficients(self, values: Array, events: NDArray[Any], grid: Array) -> Array:
        """Coefficients under each penalty, shape (L, p): what a picture of the path shows."""
        coefficients: Array = fit_path(values, events, grid, alpha=self.alpha).coefficients
        return coefficients

    def path_choice(
        self, grid: Array, risks: Array, events: NDArray[np.int64], folds: NDArray[np.int64]
    ) -> tuple[int, LambdaChoice]:
        """Which penalty, from out-of-fold risks (n, L); the choice holds the mean loss: deviance, or 1 - AUC."""
        index, choice = self._choice(grid, risks, events, folds, "auc" if self.measure == "auc" else "deviance")
        if self.measure == "auto" and index == 0:  # the first penalty of the path is the one that leaves nothing
            ranked, ranking = self._choice(grid, risks, events, folds, "auc")
            if ranking.mean[ranked] + ranking.standard_error[ranked] < CHANCE:
                return ranked, ranking
        return index, choice

    def _choice(
        self, grid: Array, risks: Array, events: NDArray[np.int64], folds: NDArray[np.int64], measure: str
    ) -> tuple[int, LambdaChoice]:
        labels = np.unique(folds)
        loss = fold_deviance if measure == "deviance" else _auc_loss
        losses = np.array([loss(events[folds == label], risks[folds == label]) for label in labels])
        choice = replace(
            choose_lambda(grid, losses, [int((folds == label).sum()) for label in labels]), measure=measure
        )
        return (choice.index_min if self.rule == "min" else choice.index_1se), choice

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        if self.penalty is None:
            grid = self.path_grid(values, events)
            patients = np.arange(len(events)) if groups is None else np.asarray(groups)
            folds = deal_folds(patients, events, folds=self.folds, seed=self.random_state)
            risks = np.empty((len(events), len(grid)))
            for label in np.unique(folds):
                held = folds == label
                risks[held] = self.path_risks(values[~held], events[~held], values[held], grid)
            index, _ = self.path_choice(grid, risks, events, folds)
            grid = grid[: index + 1]
        else:
            largest = lambda_sequence(values, events, count=2, alpha=self.alpha)[0]
            count = 2 if self.penalty >= largest else 20
            grid = np.geomspace(max(largest, self.penalty), max(self.penalty, 1e-8 * largest), count)
            grid[-1] = self.penalty
        path = fit_path(values, events, grid, alpha=self.alpha)
        self.penalty_ = float(grid[-1])
        self.coef_ = path.coefficients[-1]
        self.intercept_ = float(path.intercepts[-1])


def _auc_loss(events: NDArray[np.int64], risks: Array) -> Array:
    """1 - AUC under each penalty."""
    return 1.0 - aucs(events, risks)
