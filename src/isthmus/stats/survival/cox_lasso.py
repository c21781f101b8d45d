"""The L1-penalised Cox path (LASSO), by glmnet's definitions.

Objective: -log partial likelihood / n + lambda * sum|beta|, on columns standardised with ddof 0; ties by Breslow;
coefficients are given back on the scale the columns came in. Source: Simon, Friedman, Hastie, Tibshirani, J Stat Softw
2011;39(5). The penalty is chosen by the cross-validated partial likelihood of Verweij and van Houwelingen, Stat Med
1993;12:2305. The solver is an active-set Newton method, as for the logistic path (`stats.lasso`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.constant import constant_columns
from isthmus.stats.survival.follow_up import check_follow_up

__all__ = ["CoxPath", "cox_lambda_sequence", "fit_cox_path", "held_out_deviance", "partial_loglik"]

_TOLERANCE = 1e-9
_MAX_STEPS = 10_000
_TOGETHER = 8
_ENOUGH = 0.98  # share of the log likelihood of the saturated model beyond which further penalties are copies


@dataclass(frozen=True, eq=False)
class CoxPath:
    """Coefficients (L, p) for each penalty (L), largest first; `centre` (p,) makes an average patient's predictor 0."""

    lambdas: Array
    coefficients: Array
    centre: Array

    def linear_predictors(self, columns: ArrayLike) -> Array:
        """Log hazard ratio of each row (n) against the average patient under each penalty: shape (n, L)."""
        return np.asarray((np.asarray(columns, dtype=np.float64) - self.centre) @ self.coefficients.T)


class _Partial:
    """Breslow's log partial likelihood of a linear predictor and its derivatives."""

    def __init__(self, when: Array, happened: NDArray[np.bool_]) -> None:
        self.order = np.argsort(-when, kind="stable")
        self.event = happened[self.order]
        late = when[self.order]
        moments, self.counts = np.unique(late[self.event], return_counts=True)
        self.last = np.searchsorted(-late, -moments, side="right") - 1
        # how many of the moments each row is at risk at: those not after its time
        self.exposed = np.searchsorted(moments, late, side="right")

    def loglik(self, eta: Array) -> float:
        """Of the predictor in the order `order`."""
        top = float(eta.max(initial=0.0))
        s0 = np.cumsum(np.exp(eta - top))[self.last]
        return float(eta[self.event].sum() - self.counts @ (np.log(s0) + top))

    def weights(self, eta: Array) -> tuple[Array, Array, Array]:
        """exp(eta), hazard increments at each moment, and each row's expected events."""
        top = float(eta.max(initial=0.0))
        relative = np.exp(eta - top)
        jumps = self.counts / np.cumsum(relative)[self.last]
        hazard = np.concatenate([[0.0], np.cumsum(jumps)])[self.exposed]
        return relative, jumps, relative * hazard


def partial_loglik(linear_predictor: ArrayLike, time: ArrayLike, event: ArrayLike) -> float:
    """Log partial likelihood (ties by Breslow) of given linear predictors (n,)."""
    when, happened = check_follow_up(time, event)
    partial = _Partial(when, happened)
    return partial.loglik(np.asarray(linear_predictor, dtype=np.float64)[partial.order])


def held_out_deviance(
    everybody: ArrayLike, fitted: ArrayLike, time: ArrayLike, event: ArrayLike, held: NDArray[np.bool_]
) -> Array:
    """What the held-out patients add to the deviance, per penalty (L), over their number of events.

    Minus twice the difference between the log partial likelihood of everybody and that of the patients the model was fitted on
    (Verweij and van Houwelingen).

    Parameters
    ----------
    everybody : array, shape (n, L)
        Linear predictors of all patients from the model fitted without the held-out ones.
    fitted : array, shape (n - m, L)
        Those of the patients it was fitted on.
    time, event : arrays, shape (n,)
    held : array of bool, shape (n,)
    """
    when, happened = check_follow_up(time, event)
    count = max(int(happened[held].sum()), 1)
    all_rows, others = np.asarray(everybody), np.asarray(fitted)
    whole = [partial_loglik(column, when, happened) for column in all_rows.T]
    part = [partial_loglik(column, when[~held], happened[~held]) for column in others.T]
    return np.asarray(-2.0 * (np.array(whole) - np.array(part)) / count)


def cox_lambda_sequence(
    columns: ArrayLike, time: ArrayLike, event: ArrayLike, *, count: int = 100, ratio: float | None = None
) -> Array:
    """Penalties from the smallest at which every coefficient is zero downwards, evenly spaced on the log scale.

    `ratio` is the smallest over the largest; by default 1e-4 where there are more rows than columns, else 0.05 (Simon et
    al. 2011).
    """
    values, when, happened = _checked(columns, time, event)
    standard, _, _ = _standardised(values)
    partial = _Partial(when, happened)
    _, _, expected = partial.weights(np.zeros(len(when)))
    largest = float(np.max(np.abs(standard[partial.order].T @ (partial.event - expected)), initial=0.0) / len(when))
    if largest <= 0:
        raise TableError(
            "LASSO: no column is related to the outcome at all (all are constant, or there are none). "
            "Check the features that reach this step."
        )
    if ratio is None:
        ratio = 1e-4 if values.shape[0] > values.shape[1] else 0.05
    return np.asarray(largest * np.power(ratio, np.linspace(0.0, 1.0, count)), dtype=np.float64)


def fit_cox_path(columns: ArrayLike, time: ArrayLike, event: ArrayLike, lambdas: ArrayLike) -> CoxPath:
    """The LASSO Cox model at each penalty.

    Parameters
    ----------
    columns : array, shape (n, p)
        Complete and finite. Constant columns get the coefficient 0.
    time, event : arrays, shape (n,)
    lambdas : array, shape (L,)
        Largest first. Once the likelihood is all but explained, the last solution stands for the smaller penalties.

    Raises
    ------
    TableError
        Values are missing or nobody has the event.
    """
    values, when, happened = _checked(columns, time, event)
    grid = np.asarray(lambdas, dtype=np.float64)
    if np.any(np.diff(grid) > 0) or np.any(grid < 0):
        raise TableError("LASSO: penalties must not be negative and must run from the largest to the smallest")
    standard, centre, spread = _standardised(values)
    partial = _Partial(when, happened)
    solver = _Solver(standard[partial.order], partial)
    betas = np.zeros((len(grid), values.shape[1]))
    null = partial.loglik(np.zeros(len(when)))
    saturated = -float(partial.counts @ np.log(partial.counts))
    explained = 0.0
    for index, penalty in enumerate(grid):
        solver.solve(float(penalty))
        betas[index] = solver.beta
        now = (partial.loglik(solver.eta) - null) / max(saturated - null, 1e-300)
        enough = now > _ENOUGH or (index >= 5 and now - explained < 1e-5 * now)
        explained = now
        if enough:
            betas[index:] = solver.beta
            break
    return CoxPath(grid, betas / spread, centre)


class _Solver:
    """Minimise the penalised partial likelihood, starting from the solution of the last (larger) penalty."""

    def __init__(self, standard: Array, partial: _Partial) -> None:
        self.columns = np.asfortranarray(standard)
        self.partial = partial
        self.n, p = standard.shape
        self.beta = np.zeros(p)
        self.active: list[int] = []
        self.signs = np.zeros(p)
        self.eta = np.zeros(self.n)

    def solve(self, penalty: float) -> None:
        for _ in range(_MAX_STEPS):
            self._newton(penalty)
            _, _, expected = self.partial.weights(self.eta)
            gradient = self.columns.T @ (expected - self.partial.event) / self.n
            excess = np.abs(gradient) - penalty
            excess[self.active] = -np.inf
            worst = int(np.argmax(excess)) if len(excess) else 0
            if not len(excess) or excess[worst] <= _TOLERANCE * 10:
                return
            if len(self.active) >= min(self.n, int(self.partial.event.sum())) - 1:
                return  # as many coefficients as events: the likelihood has no more to say
            # the worst few enter together; one that should not have turns back at zero and leaves
            room = min(self.n, int(self.partial.event.sum())) - 1 - len(self.active)
            entering = np.argsort(-excess, kind="stable")[: min(_TOGETHER, room)]
            for column in entering[excess[entering] > max(_TOLERANCE * 10, 0.5 * excess[worst])].tolist():
                self.active.append(column)
                self.signs[column] = -np.sign(gradient[column])
        raise TableError("LASSO: the solver did not converge; are there columns that are copies of one another?")

    def _newton(self, penalty: float) -> None:
        """Exact solution for the coefficients that are active, dropping those that reach zero."""
        for _ in range(_MAX_STEPS):
            if not self.active:
                return
            design = self.columns[:, self.active]
            relative, jumps, expected = self.partial.weights(self.eta)
            gradient = design.T @ (expected - self.partial.event) / self.n + penalty * self.signs[self.active]
            if np.max(np.abs(gradient)) <= _TOLERANCE:
                return
            weighted = design * relative[:, None]
            last = self.partial.last
            s0 = np.cumsum(relative)[last]
            mean = np.cumsum(weighted, axis=0)[last] / s0[:, None]
            hessian = ((design.T * expected) @ design - (mean.T * (jumps * s0)) @ mean) / self.n
            hessian.flat[:: len(hessian) + 1] += 1e-12 + 1e-10 * np.trace(hessian) / len(hessian)
            if not self._move(-np.linalg.solve(hessian, gradient), gradient, penalty, design):
                return

    def _move(self, step: Array, gradient: Array, penalty: float, design: Array) -> bool:
        """One damped step that stops where the first coefficient reaches zero (it leaves); was there progress?"""
        old, signs = self.beta[self.active], self.signs[self.active]
        towards = signs * step < 0
        room = np.full(len(old), np.inf)
        room[towards] = -old[towards] / step[towards]
        size = min(1.0, float(room.min(initial=np.inf)))
        slope, direction = float(gradient @ step), design @ step
        value = self._objective(self.eta, old, penalty)
        accepted = size
        while accepted > 1e-12:
            now = self._objective(self.eta + accepted * direction, old + accepted * step, penalty)
            if now <= value + 1e-4 * accepted * slope + 1e-15:
                break
            accepted /= 2
        hit = np.flatnonzero(room <= accepted) if accepted == size else np.array([], dtype=np.int64)
        if accepted <= 1e-12 and not len(hit):
            return False
        new = old + accepted * step
        new[hit] = 0.0
        self.beta[self.active] = new
        gone = {self.active[index] for index in hit}
        self.active = [index for index in self.active if index not in gone]
        self.eta = self.columns[:, self.active] @ self.beta[self.active]
        return True

    def _objective(self, eta: Array, beta: Array, penalty: float) -> float:
        return float(-self.partial.loglik(eta) / self.n + penalty * np.add.reduce(np.abs(beta)))


def _standardised(values: Array) -> tuple[Array, Array, Array]:
    """Columns with mean 0 and sd 1 (ddof 0), their means and sds; constant columns become 0 and keep sd 1."""
    centre = values.mean(axis=0)
    constant = constant_columns(values)
    safe = np.where(constant, 1.0, values.std(axis=0))
    standard = (values - centre) / safe
    standard[:, constant] = 0.0
    return standard, centre, safe


def _checked(columns: ArrayLike, time: ArrayLike, event: ArrayLike) -> tuple[Array, Array, NDArray[np.bool_]]:
    values = np.asarray(columns, dtype=np.float64)
    when, happened = check_follow_up(time, event)
    if values.ndim != 2 or len(values) != when.size:
        raise TableError(f"LASSO: columns of shape {values.shape} and {when.size} patients do not match")
    if not np.isfinite(values).all():
        raise TableError("LASSO: values are missing or infinite; impute them before this step")
    if not happened.any():
        raise TableError("LASSO: no patient has the event; nothing can be learnt")
    return values, when, happened
