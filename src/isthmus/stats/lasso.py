"""The penalised logistic path (LASSO, elastic net, ridge) and the choice of its penalty, by glmnet's definitions.

Objective: mean negative log-likelihood + lambda * (alpha * sum|beta| + (1 - alpha) / 2 * sum beta^2), on columns
standardised with ddof 0, the intercept free; coefficients are given back on the scale the columns came in. alpha = 1 is
the LASSO (Tibshirani 1996), alpha = 0 ridge, between them the elastic net (Zou and Hastie 2005).

Source: Friedman, Hastie, Tibshirani, J Stat Softw 2010;33(1). The solver here is an active-set Newton method: it
holds the signs of the few coefficients that are not zero, solves for them exactly, and lets one coefficient in at a
time. With n in the hundreds the active set is small, so a whole path costs tens of milliseconds, and the solution is
exact to the tolerance, which coordinate descent is not. Ridge, where every coefficient is active, is solved in the
space the rows span, which has at most n dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.constant import constant_columns

__all__ = [
    "LambdaChoice",
    "LassoPath",
    "choose_lambda",
    "cross_validate_lambda",
    "fit_path",
    "fold_deviance",
    "lambda_max",
    "lambda_sequence",
]

Array = NDArray[np.float64]

_TOLERANCE = 1e-9  # of the gradient; coefficients then agree with glmnet (thresh 1e-12) to about 1e-7
_MAX_STEPS = 10_000
_DEVIANCE_EXPLAINED = 0.999  # glmnet's devmax: beyond it the fit is all but perfect and further penalties are copies
_DEVIANCE_GAIN = 1e-5  # glmnet's fdev
_RIDGE_ALPHA = 1e-3  # glmnet's: sets the largest penalty of a ridge path, on which no penalty empties the model
_MIN_PROBABILITY = 1e-5  # cv.glmnet clips fitted probabilities so that one sure mistake is not an infinite deviance


@dataclass(frozen=True, eq=False)
class LassoPath:
    """Coefficients of the model for each penalty.

    Parameters
    ----------
    lambdas : array, shape (L,)
        Penalties, largest first.
    intercepts : array, shape (L,)
    coefficients : array, shape (L, p)
        On the scale of the columns that were given.
    """

    lambdas: Array
    intercepts: Array
    coefficients: Array

    def probabilities(self, columns: ArrayLike) -> Array:
        """Predicted risk of each row (n) under each penalty (L): shape (n, L)."""
        values = np.asarray(columns, dtype=np.float64)
        risk: Array = _expit(values @ self.coefficients.T + self.intercepts)
        return risk


@dataclass(frozen=True, eq=False)
class LambdaChoice:
    """The cross-validated deviance of each penalty, and the two penalties glmnet names.

    `index_min` has the smallest mean deviance (ties: the larger penalty); `index_1se` is the largest penalty whose
    mean lies within one standard error of it.
    """

    lambdas: Array
    mean: Array
    standard_error: Array
    index_min: int
    index_1se: int
    measure: str = "deviance"

    @property
    def lambda_min(self) -> float:
        return float(self.lambdas[self.index_min])

    @property
    def lambda_1se(self) -> float:
        return float(self.lambdas[self.index_1se])


def lambda_max(columns: ArrayLike, outcome: ArrayLike, *, alpha: float = 1.0) -> float:
    """The smallest penalty at which every coefficient is zero (for ridge, where there is none, that of alpha = 0.001).

    Parameters
    ----------
    columns : array, shape (n, p)
    outcome : array of 0 and 1, shape (n,)
    alpha : float
        Share of the L1 penalty.
    """
    values, events = _checked(columns, outcome)
    standard, _, _ = _standardised(values)
    largest = float(np.max(np.abs(standard.T @ (events - events.mean())), initial=0.0) / len(events))
    return largest / max(alpha, _RIDGE_ALPHA)


def lambda_sequence(
    columns: ArrayLike, outcome: ArrayLike, *, count: int = 100, ratio: float | None = None, alpha: float = 1.0
) -> Array:
    """Penalties from `lambda_max` downwards, evenly spaced on the log scale: shape (count,).

    `ratio` is the smallest over the largest; by default glmnet's 1e-4 where there are more rows than columns, else
    1e-2.
    """
    values, events = _checked(columns, outcome)
    largest = lambda_max(values, events, alpha=alpha)
    if largest <= 0:
        raise TableError(
            "LASSO: no column is related to the outcome at all (all are constant, or there are none). "
            "Check the features that reach this step."
        )
    if ratio is None:
        ratio = 1e-4 if values.shape[0] > values.shape[1] else 1e-2
    return np.asarray(largest * np.power(ratio, np.linspace(0.0, 1.0, count)), dtype=np.float64)


def fit_path(columns: ArrayLike, outcome: ArrayLike, lambdas: ArrayLike, *, alpha: float = 1.0) -> LassoPath:
    """The penalised logistic model at each penalty.

    Parameters
    ----------
    columns : array, shape (n, p)
        Complete and finite. Constant columns get the coefficient 0.
    outcome : array of 0 and 1, shape (n,)
    lambdas : array, shape (L,)
        Largest first. Once the deviance is all but explained (glmnet's rule), the last solution stands for the
        smaller penalties.
    alpha : float
        Share of the L1 penalty: 1 is the LASSO, 0 ridge.

    Raises
    ------
    TableError
        Values are missing, the outcome has one class, or alpha is not between 0 and 1.
    """
    values, events = _checked(columns, outcome)
    grid = np.asarray(lambdas, dtype=np.float64)
    if np.any(np.diff(grid) > 0) or np.any(grid < 0):
        raise TableError("LASSO: penalties must not be negative and must run from the largest to the smallest")
    if not 0 <= alpha <= 1:
        raise TableError(f"elastic net: alpha = {alpha}; expected a number from 0 (ridge) to 1 (LASSO)")
    standard, centre, spread = _standardised(values)
    solver = _Ridge(standard, events) if alpha == 0 else _Solver(standard, events, alpha)
    betas = np.zeros((len(grid), values.shape[1]))
    intercepts = np.full(len(grid), solver.intercept)
    explained = 0.0
    for index, penalty in enumerate(grid):
        solver.solve(float(penalty))
        betas[index] = solver.beta
        intercepts[index] = solver.intercept
        now = 1.0 - solver.deviance() / solver.null_deviance
        enough = now > _DEVIANCE_EXPLAINED or (index >= 5 and now - explained < _DEVIANCE_GAIN * now)
        explained = now
        if enough:
            betas[index:] = solver.beta
            intercepts[index:] = solver.intercept
            break
    coefficients = betas / spread
    return LassoPath(grid, intercepts - coefficients @ centre, coefficients)


def fold_deviance(outcome: ArrayLike, probabilities: ArrayLike) -> Array:
    """Mean binomial deviance per penalty (L) of the rows of one fold; `probabilities` has shape (n, L)."""
    events = np.asarray(outcome, dtype=np.float64)[:, None]
    risk = np.clip(np.asarray(probabilities, dtype=np.float64), _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    deviance: Array = -2.0 * np.mean(events * np.log(risk) + (1 - events) * np.log1p(-risk), axis=0)
    return deviance


def choose_lambda(lambdas: ArrayLike, deviances: ArrayLike, sizes: ArrayLike) -> LambdaChoice:
    """The penalties with the smallest deviance and, by the one-standard-error rule, the sparser one.

    Parameters
    ----------
    lambdas : array, shape (L,)
        Largest first.
    deviances : array, shape (K, L)
        Mean deviance of each fold.
    sizes : array, shape (K,)
        Rows of each fold: its weight.
    """
    grid = np.asarray(lambdas, dtype=np.float64)
    values = np.asarray(deviances, dtype=np.float64)
    weights = np.asarray(sizes, dtype=np.float64)
    mean = np.average(values, axis=0, weights=weights)
    error = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights) / (len(weights) - 1))
    best = int(np.argmin(mean))
    within = np.flatnonzero(mean <= mean[best] + error[best])
    return LambdaChoice(grid, mean, error, best, int(within[0]))


def cross_validate_lambda(
    columns: ArrayLike, outcome: ArrayLike, folds: ArrayLike, lambdas: ArrayLike | None = None, *, alpha: float = 1.0
) -> LambdaChoice:
    """Cross-validated choice of the penalty with given folds.

    Parameters
    ----------
    columns : array, shape (n, p)
    outcome : array of 0 and 1, shape (n,)
    folds : array, shape (n,)
        Any label per row; rows of one label are held out together. Rows of one patient must share a label.
    lambdas : array, optional
        Penalties, largest first; by default those of `lambda_sequence` on all rows.
    alpha : float
        Share of the L1 penalty.
    """
    values, events = _checked(columns, outcome)
    labels = np.asarray(folds)
    grid = lambda_sequence(values, events, alpha=alpha) if lambdas is None else np.asarray(lambdas, dtype=np.float64)
    deviances, sizes = [], []
    for label in np.unique(labels):
        held = labels == label
        path = fit_path(values[~held], events[~held], grid, alpha=alpha)
        deviances.append(fold_deviance(events[held], path.probabilities(values[held])))
        sizes.append(int(held.sum()))
    return choose_lambda(grid, np.array(deviances), np.array(sizes))


class _Descent:
    """What both solvers hold: the current model, started empty."""

    def __init__(self, standard: Array, events: Array) -> None:
        self.events = events
        self.n, p = standard.shape
        prevalence = events.mean()
        self.beta = np.zeros(p)
        self.intercept = float(np.log(prevalence / (1 - prevalence)))
        self.eta = np.full(self.n, self.intercept)
        self.null_deviance = self.deviance()

    def deviance(self) -> float:
        return float(2.0 * np.mean(np.logaddexp(0.0, self.eta) - self.events * self.eta))


class _Ridge(_Descent):
    """Minimise the likelihood with a ridge penalty, by damped Newton steps in the space that the rows span."""

    def __init__(self, standard: Array, events: Array) -> None:
        super().__init__(standard, events)
        left, sizes, self.directions = np.linalg.svd(standard, full_matrices=False)
        self.design = np.column_stack([np.ones(self.n), left * sizes])
        self.weights = np.r_[self.intercept, np.zeros(len(sizes))]

    def solve(self, penalty: float) -> None:
        ridge = np.full(len(self.weights), penalty)
        ridge[0] = 0.0
        now = self._objective(self.weights, ridge)
        for _ in range(_MAX_STEPS):
            risk = _expit(self.design @ self.weights)
            gradient = self.design.T @ (risk - self.events) / self.n + ridge * self.weights
            if np.max(np.abs(gradient)) <= _TOLERANCE:
                break
            hessian = (self.design.T * (risk * (1 - risk))) @ self.design / self.n + np.diag(ridge + 1e-14)
            step = np.linalg.solve(hessian, gradient)
            size, slope = 1.0, float(gradient @ step)
            while (
                size > 1e-12 and self._objective(self.weights - size * step, ridge) > now - 1e-4 * size * slope + 1e-15
            ):
                size /= 2
            self.weights = self.weights - size * step
            now = self._objective(self.weights, ridge)
            if size <= 1e-12:
                break
        self.intercept = float(self.weights[0])
        self.beta = self.directions.T @ self.weights[1:]
        self.eta = self.design @ self.weights

    def _objective(self, weights: Array, ridge: Array) -> float:
        eta = self.design @ weights
        return float(np.mean(np.logaddexp(0.0, eta) - self.events * eta) + 0.5 * np.sum(ridge * weights**2))


class _Solver(_Descent):
    """Minimise the penalised likelihood, starting from the solution of the last (larger) penalty."""

    def __init__(self, standard: Array, events: Array, alpha: float) -> None:
        super().__init__(standard, events)
        self.columns = np.asfortranarray(standard)
        self.alpha = alpha
        self.active: list[int] = []
        self.signs = np.zeros(len(self.beta))

    def solve(self, strength: float) -> None:
        penalty = strength * self.alpha
        self.ridge = strength * (1.0 - self.alpha)
        for _ in range(_MAX_STEPS):
            self._newton(penalty)
            gradient = self.columns.T @ (_expit(self.eta) - self.events) / self.n
            excess = np.abs(gradient) - penalty
            excess[self.active] = -np.inf
            worst = int(np.argmax(excess)) if len(excess) else 0
            if not len(excess) or excess[worst] <= _TOLERANCE * 10:
                return
            if self.ridge == 0 and len(self.active) >= self.n - 1:
                return  # as many coefficients as rows: the likelihood has no more to say
            self.active.append(worst)
            self.signs[worst] = -np.sign(gradient[worst])
        raise TableError("LASSO: the solver did not converge; are there columns that are copies of one another?")

    def _newton(self, penalty: float) -> None:
        """Exact solution for the coefficients that are active, dropping those that reach zero."""
        design = self._design()
        for _ in range(_MAX_STEPS):
            if design.shape[1] != len(self.active) + 1:
                design = self._design()  # a coefficient left
            risk = _expit(self.eta)
            gradient = design.T @ (risk - self.events) / self.n
            gradient[1:] += penalty * self.signs[self.active] + self.ridge * self.beta[self.active]
            if np.max(np.abs(gradient)) <= _TOLERANCE:
                return
            weight = risk * (1 - risk)
            hessian = (design.T * weight) @ design / self.n
            hessian.flat[:: len(hessian) + 1] += 1e-12 + 1e-10 * np.trace(hessian) / len(hessian)
            hessian.flat[len(hessian) + 1 :: len(hessian) + 1] += self.ridge
            step = -np.linalg.solve(hessian, gradient)
            if not self._move(step, gradient, penalty, design):
                return

    def _design(self) -> Array:
        """The active columns behind a column of ones."""
        return np.column_stack([np.ones(self.n), self.columns[:, self.active]])

    def _move(self, step: Array, gradient: Array, penalty: float, design: Array) -> bool:
        """One damped step that stops where the first coefficient reaches zero (which leaves the active set); was
        there progress?"""
        old = self.beta[self.active]
        signs = self.signs[self.active]
        towards = (signs * step[1:]) < 0
        room = np.full(len(old), np.inf)
        room[towards] = -old[towards] / step[1:][towards]
        size = min(1.0, float(room.min(initial=np.inf)))
        slope = float(gradient @ step)
        direction = design @ step
        value = self._objective(self.eta, old, penalty)
        accepted = size
        while accepted > 1e-12:
            if self._objective(self.eta + accepted * direction, old + accepted * step[1:], penalty) <= (
                value + 1e-4 * accepted * slope + 1e-15
            ):
                break
            accepted /= 2
        hit = np.flatnonzero(room <= accepted) if accepted == size else np.array([], dtype=np.int64)
        if accepted <= 1e-12 and not len(hit):
            return False
        self.intercept += float(accepted * step[0])
        new = old + accepted * step[1:]
        new[hit] = 0.0
        self.beta[self.active] = new
        if len(hit):
            gone = {self.active[index] for index in hit}
            self.active = [index for index in self.active if index not in gone]
        self.eta = self.intercept + self.columns[:, self.active] @ self.beta[self.active]
        return True

    def _objective(self, eta: Array, beta: Array, penalty: float) -> float:
        # np.add.reduce is what np.mean and np.sum call, without their overhead: this runs a thousand times a path
        loss = np.add.reduce(np.logaddexp(0.0, eta) - self.events * eta) / self.n
        return float(loss + penalty * np.add.reduce(np.abs(beta)) + 0.5 * self.ridge * np.add.reduce(beta * beta))


def _expit(eta: Array) -> Array:
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * eta))
    return result


def _standardised(values: Array) -> tuple[Array, Array, Array]:
    """Columns with mean 0 and sd 1 (ddof 0), their means and sds; constant columns become 0 and keep sd 1."""
    centre = values.mean(axis=0)
    spread = values.std(axis=0)
    constant = constant_columns(values)
    safe = np.where(constant, 1.0, spread)
    standard = (values - centre) / safe
    standard[:, constant] = 0.0
    return standard, centre, safe


def _checked(columns: ArrayLike, outcome: ArrayLike) -> tuple[Array, Array]:
    values = np.asarray(columns, dtype=np.float64)
    events = np.asarray(outcome, dtype=np.float64)
    if values.ndim != 2 or events.shape != values.shape[:1]:
        raise TableError(f"LASSO: columns of shape {values.shape} and {events.shape} outcomes do not match")
    if not np.isfinite(values).all():
        raise TableError("LASSO: values are missing or infinite; impute them before this step")
    if not np.isin(events, (0.0, 1.0)).all() or events.min(initial=1) == events.max(initial=0):
        raise TableError("LASSO: the outcome must be 0 or 1 and both must occur in the rows given")
    return values, events
