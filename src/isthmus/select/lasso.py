"""Keep the columns that a LASSO or elastic net logistic model gives a coefficient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_choice, check_number, keep_only, standardised
from isthmus.stats.lasso import LambdaChoice, LassoPath, cross_validate_lambda, fit_path, lambda_sequence
from isthmus.table.steps import Array, Selector, deal_folds

__all__ = ["ElasticNetSelector", "LassoSelector"]


class LassoSelector(Selector):
    """Columns with a coefficient other than zero in the LASSO at a cross-validated penalty.

    Of three classes or more: columns that the LASSO of any class against the rest keeps, each at a penalty of its own.

    The penalty is chosen inside the rows given, by cross-validation grouped by patient and stratified by outcome. If
    the chosen model is empty, the first column to enter the path stays, so that a fold without signal still has a
    model.

    Parameters
    ----------
    rule : {"min", "1se"}
        Smallest deviance, or the largest penalty within one standard error of it.
    k : int, optional
        Instead of a cross-validated penalty: the first k columns to enter the path (of those that enter at the same penalty
        the ones with the larger coefficients per sd). Much faster, which `stability` needs.
    folds : int
    n_lambdas : int
    random_state : int
        Deals patients to the inner folds.

    Attributes
    ----------
    lambda_ : float, or list of one a class
    """

    name = "lasso"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})
    needs_groups: ClassVar[bool] = True
    learned = ("lambda_",)

    def __init__(
        self,
        rule: Literal["min", "1se"] = "min",
        k: int | None = None,
        folds: int = 5,
        n_lambdas: int = 50,
        random_state: int = 0,
    ) -> None:
        self.rule = rule
        self.k = k
        self.folds = folds
        self.n_lambdas = n_lambdas
        self.random_state = random_state

    lambda_: float | list[float]

    @property
    def _alpha(self) -> float:
        """The share of the L1 penalty."""
        return 1.0

    def check_settings(self) -> None:
        check_choice(self.name, "rule", self.rule, ("min", "1se"))
        if self.k is not None:
            check_number(self.name, "k", self.k, least=1, whole=True)
        check_number(self.name, "folds", self.folds, least=2, whole=True)
        check_number(self.name, "n_lambdas", self.n_lambdas, least=2, whole=True)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.k or 0),)

    def path(self, values: Array, outcome: NDArray[np.int64], groups: Any) -> tuple[LassoPath, LambdaChoice]:
        """The whole path, and the cross-validation that chooses on it, for a picture of how the step chose on these rows."""
        grid = lambda_sequence(values, outcome, count=self.n_lambdas, alpha=self._alpha)
        return fit_path(values, outcome, grid, alpha=self._alpha), self._choice(values, outcome, groups, grid)

    def _choice(self, values: Array, outcome: NDArray[np.int64], groups: Any, grid: Array) -> LambdaChoice:
        patients = np.arange(len(outcome)) if groups is None else np.asarray(groups)
        folds = deal_folds(patients, outcome, folds=self.folds, seed=self.random_state)
        return cross_validate_lambda(values, outcome, folds, grid, alpha=self._alpha)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        if outcome.max() <= 1:
            self.lambda_, keep = self._kept(values, outcome, groups)
            at = f"coefficient 0 at lambda = {self.lambda_:.4g}"
        else:
            each = [self._kept(values, (outcome == one).astype(np.int64), groups) for one in np.unique(outcome)]
            self.lambda_, keep = [at for at, _ in each], np.unique(np.concatenate([kept for _, kept in each]))
            at = "coefficient 0 of every class against the rest"
        return keep_only(names, keep, at if self.k is None else f"not among the first {self.k} of the path")

    def _kept(self, values: Array, events: NDArray[np.int64], groups: Any) -> tuple[float, NDArray[np.intp]]:
        """The penalty of one class against the rest, and the columns that have a coefficient there."""
        grid = lambda_sequence(values, events, count=self.n_lambdas, alpha=self._alpha)
        if self.k is not None:
            return _first_to_enter(values, events, grid, self.k, self._alpha)
        choice = self._choice(values, events, groups, grid)
        penalty = choice.lambda_min if self.rule == "min" else choice.lambda_1se
        path = fit_path(values, events, grid[grid >= penalty], alpha=self._alpha)
        keep = np.flatnonzero(path.coefficients[-1])
        return penalty, keep if len(keep) else _first_to_enter(values, events, grid, 1, self._alpha)[1]


class ElasticNetSelector(LassoSelector):
    """Columns with a coefficient other than zero in the elastic net, which keeps groups of correlated columns together.

    Parameters
    ----------
    alpha : float in (0, 1]
        Share of the L1 penalty; 1 is the LASSO.
    rule, k, folds, n_lambdas, random_state
        As in `lasso`.
    """

    name = "elastic_net"

    def __init__(
        self,
        alpha: float = 0.5,
        rule: Literal["min", "1se"] = "min",
        k: int | None = None,
        folds: int = 5,
        n_lambdas: int = 50,
        random_state: int = 0,
    ) -> None:
        super().__init__(rule, k, folds, n_lambdas, random_state)
        self.alpha = alpha

    @property
    def _alpha(self) -> float:
        return float(self.alpha)

    def check_settings(self) -> None:
        super().check_settings()
        check_number(self.name, "alpha", self.alpha, least=1e-3, most=1)


def _first_to_enter(
    values: Array, outcome: NDArray[np.int64], grid: Array, k: int, alpha: float
) -> tuple[float, NDArray[np.intp]]:
    """The penalty at which the first k columns are in the model, and these columns."""
    if k == 1:
        slope = np.abs(standardised(values).T @ (outcome - outcome.mean()))
        return float(grid[0]), np.array([int(np.argmax(slope))])
    end = 8
    while True:  # the first penalties are cheap, the last ones are not, and rarely needed
        path = fit_path(values, outcome, grid[:end], alpha=alpha)
        counts = (path.coefficients != 0).sum(axis=1)
        if counts.max() >= k or end >= len(grid):
            break
        end *= 2
    at = int(np.argmax(counts >= min(k, int(counts.max()))))
    weight = np.abs(path.coefficients[at]) * values.std(axis=0)
    keep = np.argsort(-weight, kind="stable")[: min(k, int(counts[at]))]
    return float(grid[at]), np.sort(keep)
