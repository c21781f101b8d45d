"""Keep the columns that hold most information about the outcome, of whatever shape the relation is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_number, keep_top
from isthmus.stats.mutual_information import nearest_neighbour_information
from isthmus.table.steps import Array, Selector

__all__ = ["MutualInformationSelector"]


class MutualInformationSelector(Selector):
    """The k columns with the largest mutual information with the outcome, by nearest neighbours.

    Parameters
    ----------
    k : int
        How many columns stay. Ties: the earlier column.
    neighbours : int
    random_state : int
        Of the noise that breaks ties between values.
    """

    name = "mutual_information"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})

    def __init__(self, k: int = 10, neighbours: int = 3, random_state: int = 0) -> None:
        self.k = k
        self.neighbours = neighbours
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "k", self.k, least=1, whole=True)
        check_number(self.name, "neighbours", self.neighbours, least=1, whole=True)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.k),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        found = nearest_neighbour_information(values, outcome, neighbours=self.neighbours, seed=self.random_state)
        return keep_top(names, found, self.k, "information")
