"""Keep the columns that a LASSO logistic model gives a coefficient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.stats.constant import constant_columns
from isthmus.stats.lasso import LambdaChoice, cross_validate_lambda, fit_path, lambda_sequence
from isthmus.table.steps import Array, Selector, deal_folds

__all__ = ["LassoSelector"]


class LassoSelector(Selector):
    """Columns with a coefficient other than zero in the LASSO at a cross-validated penalty.

    The penalty is chosen inside the rows given, by cross-validation grouped by patient and stratified by outcome. If
    the chosen model is empty, the first column to enter the path stays, so that a fold without signal still has a
    model.

    Parameters
    ----------
    rule : {"min", "1se"}
        Smallest deviance, or the largest penalty within one standard error of it.
    folds : int
    n_lambdas : int
    random_state : int
        Deals patients to the inner folds.

    Attributes
    ----------
    lambda_ : float
    """

    name = "lasso"
    kind = "supervised"
    needs_groups: ClassVar[bool] = True
    learned = ("lambda_",)

    def __init__(
        self,
        rule: Literal["min", "1se"] = "min",
        folds: int = 5,
        n_lambdas: int = 50,
        random_state: int = 0,
    ) -> None:
        self.rule = rule
        self.folds = folds
        self.n_lambdas = n_lambdas
        self.random_state = random_state

    def check_settings(self) -> None:
        if self.rule not in ("min", "1se"):
            raise PlanError(f"step 'lasso': rule = {self.rule!r}; expected 'min' or '1se'")
        for key, least in (("folds", 2), ("n_lambdas", 2)):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise PlanError(f"step 'lasso': {key} = {value!r}; expected a whole number of {least} or more")

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        patients = np.arange(len(outcome)) if groups is None else np.asarray(groups)
        folds = deal_folds(patients, outcome, folds=self.folds, seed=self.random_state)
        grid = lambda_sequence(values, outcome, count=self.n_lambdas)
        choice: LambdaChoice = cross_validate_lambda(values, outcome, folds, grid)
        self.lambda_ = choice.lambda_min if self.rule == "min" else choice.lambda_1se
        path = fit_path(values, outcome, grid[grid >= self.lambda_])
        keep = np.flatnonzero(path.coefficients[-1])
        if len(keep) == 0:
            keep = _first_to_enter(values, outcome)
        kept = set(keep.tolist())
        return {
            name: f"coefficient 0 at lambda = {self.lambda_:.4g}"
            for index, name in enumerate(names)
            if index not in kept
        }


def _first_to_enter(values: Array, outcome: NDArray[np.int64]) -> NDArray[np.intp]:
    spread = values.std(axis=0)
    spread[constant_columns(values)] = np.inf
    slope = np.abs((values - values.mean(axis=0)).T @ (outcome - outcome.mean())) / spread
    return np.array([int(np.argmax(slope))])
