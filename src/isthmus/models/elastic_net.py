"""Logistic regression with an elastic net penalty, its strength chosen by cross-validation grouped by patient."""

from __future__ import annotations

from typing import Literal

from isthmus.models.estimator import check_number
from isthmus.models.lasso import LassoLogistic

__all__ = ["ElasticNet"]


class ElasticNet(LassoLogistic):
    """Risk from a weighted sum of columns that shrinks groups of correlated columns together (Zou and Hastie 2005).

    The path, the choice of the penalty and the settings are those of the LASSO.

    Parameters
    ----------
    alpha : float
        Share of the L1 penalty: 1 is the LASSO, 0 ridge (no column is left out). Several are tried by
        `tuning = { alpha = [0.2, 0.5, 0.8] }`.
    rule : {"min", "1se"}
    measure : {"auto", "deviance", "auc"}
    penalty : float, optional
    folds : int
    n_lambdas : int
    random_state : int
    """

    name = "elastic_net"

    def __init__(
        self,
        alpha: float = 0.5,
        rule: Literal["min", "1se"] = "min",
        measure: Literal["auto", "deviance", "auc"] = "auto",
        penalty: float | None = None,
        folds: int = 5,
        n_lambdas: int = 50,
        random_state: int = 0,
    ) -> None:
        super().__init__(rule, measure, penalty, folds, n_lambdas, random_state)
        self.alpha = alpha

    def check_settings(self) -> None:
        super().check_settings()
        check_number(self.name, "alpha", self.alpha, least=0.0, most=1.0)
