"""Leave out features that are the volume of the lesion in other words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.select._shared import check_number
from isthmus.stats.correlation import correlation_test
from isthmus.table.steps import CONTEXT, Step, is_text

__all__ = ["VolumeFilter"]


class VolumeFilter(Step):
    """Columns whose rank correlation with the volume of the lesion stays below a limit, in the training rows.

    A feature that grows with the lesion says no more than its volume does, which is cheaper to measure. Rows without the volume or the
    feature are left out of its correlation; text columns pass as they are.

    Parameters
    ----------
    below : float in (0, 1]
        Of |Spearman's rho|.
    volume : str
        What holds the volume: `lesion_ml`, which a study on images puts in by itself, or a column of the table.

    Attributes
    ----------
    rho_ : dict
        Column -> its correlation, of those that have one.
    """

    name = "volume_correlation"
    kind = "unsupervised"
    learned = ("rho_",)

    def __init__(self, below: float = 0.9, volume: str = "lesion_ml") -> None:
        self.below = below
        self.volume = volume

    @property
    def context(self) -> tuple[str, ...]:
        return (f"{CONTEXT}{self.volume}",)

    def check_settings(self) -> None:
        check_number(self.name, "below", self.below, least=0, most=1)

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        volume = self.read_[f"{CONTEXT}{self.volume}"]
        if is_text(volume.dtype):
            raise TableError(
                f"step '{self.name}': {self.volume!r} is text; expected the volume of each row as a number"
            )
        self.rho_: dict[str, float] = {}
        for column, dtype in zip(frame.columns, frame.dtypes, strict=True):
            name = str(column)
            if is_text(dtype):
                continue
            found = correlation_test(frame[column].to_numpy(dtype=np.float64), volume.to_numpy(dtype=np.float64))
            if not np.isfinite(found.statistic):
                continue
            self.rho_[name] = found.statistic
            if abs(found.statistic) >= self.below:
                self.dropped_[name] = (
                    f"|rho| = {abs(found.statistic):.3f} with the volume ({self.volume}); limit {self.below:g}"
                )

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[self._names_out()]
