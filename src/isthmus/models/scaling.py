"""z-scores, with the mean and sd of the training rows."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Property, Step, numbers

__all__ = ["Scale"]


class Scale(Step):
    """Each column minus its training mean, divided by its training sd (ddof 0); a constant column becomes 0.

    Attributes
    ----------
    mean_, sd_ : arrays, shape (p,)
        sd_ is 1 for a column that is constant in the training rows.
    """

    name = "scale"
    kind = "unsupervised"
    requires: ClassVar[frozenset[Property]] = frozenset({"numeric", "complete"})
    provides: ClassVar[frozenset[Property]] = frozenset({"scaled"})
    learned = ("mean_", "sd_")

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        values = numbers(frame, self.name)
        self.mean_: Array = values.mean(axis=0)
        spread = values.std(axis=0)
        constant = constant_columns(values)
        self.sd_: Array = np.where(constant, 1.0, spread)
        self.mean_ = np.where(constant, values[0], self.mean_)

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        values = (numbers(frame, self.name) - self.mean_) / self.sd_
        return pd.DataFrame(values, index=frame.index, columns=frame.columns)
