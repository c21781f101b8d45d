"""Keep the columns with the largest rows in a jointly sparse (l2,1) least-squares model of all classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_choice, check_number, keep_top, standardised
from isthmus.stats.l21 import L21Loss, fit_l21, largest_penalty
from isthmus.table.steps import Array, Selector

__all__ = ["L21Selector"]


class L21Selector(Selector):
    """The k columns with the largest ||w|| in the l2,1-norm model. Columns are standardised inside.

    Parameters
    ----------
    k : int
        Ties: the earlier column.
    penalty : float in (0, 1)
        As a share of the smallest penalty at which every coefficient is zero.
    loss : {"l21", "squared"}
        Sum of the patients' errors (Nie's robust loss), or of their squares.
    """

    name = "l21"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})

    def __init__(self, k: int = 10, penalty: float = 0.1, loss: L21Loss = "l21") -> None:
        self.k = k
        self.penalty = penalty
        self.loss = loss

    def check_settings(self) -> None:
        check_number(self.name, "k", self.k, least=1, whole=True)
        check_number(self.name, "penalty", self.penalty, least=1e-6, most=1)
        check_choice(self.name, "loss", self.loss, get_args(L21Loss))

    def complexity(self) -> tuple[float, ...]:
        return (float(self.k),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        X = standardised(values)
        member = (outcome[:, None] == np.unique(outcome)).astype(np.float64)
        Y = member - member.mean(axis=0)
        fit = fit_l21(X, Y, self.penalty * largest_penalty(X, Y, loss=self.loss), loss=self.loss)
        return keep_top(names, fit.norms, self.k, "||w||")
