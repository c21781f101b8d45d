"""Keep columns that are related to the outcome and not to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_choice, check_number, keep_only
from isthmus.stats.mrmr import MrmrMeasure, mrmr
from isthmus.table.steps import Array, Selector

__all__ = ["MrmrSelector"]


class MrmrSelector(Selector):
    """The first k columns by minimum redundancy and maximum relevance.

    Parameters
    ----------
    k : int
    measure : {"fcq", "mutual_information", "correlation"}
        See `stats.mrmr`; they choose differently, so say in a paper which one it was.
    """

    name = "mrmr"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})

    def __init__(self, k: int = 10, measure: MrmrMeasure = "fcq") -> None:
        self.k = k
        self.measure = measure

    def check_settings(self) -> None:
        check_number(self.name, "k", self.k, least=1, whole=True)
        check_choice(self.name, "measure", self.measure, get_args(MrmrMeasure))

    def complexity(self) -> tuple[float, ...]:
        return (float(self.k),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        chosen, _ = mrmr(values, outcome, self.k, self.measure)
        return keep_only(names, chosen, f"not among the first {self.k} ({self.measure})")
