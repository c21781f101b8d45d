"""The drop rule: columns with too many gaps are left out, judged on the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.table.steps import Step

__all__ = ["DropMissing"]


class DropMissing(Step):
    """Leaves out the columns whose share of missing training values is above `share`; put it before 'impute'."""

    name = "drop_missing"
    kind = "unsupervised"

    def __init__(self, share: float = 0.3) -> None:
        self.share = share

    def check_settings(self) -> None:
        if isinstance(self.share, bool) or not isinstance(self.share, int | float) or not 0 <= self.share < 1:
            raise PlanError(f"step 'drop_missing': share = {self.share!r}; expected a number from 0 to below 1")

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        shares = frame.isna().to_numpy().mean(axis=0)
        self.dropped_ = {
            str(column): f"{100 * share:.0f} % of the training values are missing, more than {100 * self.share:.0f} %"
            for column, share in zip(frame.columns, shares, strict=True)
            if share > self.share
        }

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[self._names_out()]
