"""Replace the columns by their principal components."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.select._shared import check_number
from isthmus.stats.pca import principal_components
from isthmus.table.steps import Array, Property, Step, numbers

__all__ = ["PrincipalComponentStep"]


class PrincipalComponentStep(Step):
    """Components PC1, PC2, ... of the standardised columns, with the means, sds and loadings of the training rows.

    Parameters
    ----------
    components : int
        At most this many; there are never more than rows less one.
    variance : float in (0, 1], optional
        Only as many as explain this share of the variance.

    Attributes
    ----------
    mean_, sd_ : arrays, shape (p,)
    loadings_ : array, shape (p, components)
        Of each component the largest in absolute value is positive.
    share_ : array, shape (components,)
        Of the variance.
    """

    name = "pca"
    kind = "unsupervised"
    requires: ClassVar[frozenset[Property]] = frozenset({"numeric", "complete"})
    learned = ("mean_", "sd_", "loadings_", "share_")

    def __init__(self, components: int = 10, variance: float | None = None) -> None:
        self.components = components
        self.variance = variance

    def check_settings(self) -> None:
        check_number(self.name, "components", self.components, least=1, whole=True)
        if self.variance is not None:
            check_number(self.name, "variance", self.variance, least=1e-6, most=1)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.components),)

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        found = principal_components(numbers(frame, self.name))
        count = min(self.components, len(found.share))
        if self.variance is not None:
            count = min(count, int(np.searchsorted(np.cumsum(found.share), self.variance - 1e-12)) + 1)
        self.mean_, self.sd_ = found.mean, found.sd
        self.loadings_: Array = np.ascontiguousarray(found.loadings[:, :count])
        self.share_: Array = found.share[:count]
        self.dropped_ = {str(column): f"replaced by {count} principal components" for column in frame.columns}

    def _names_out(self) -> list[str]:
        return [f"PC{number}" for number in range(1, self.loadings_.shape[1] + 1)]

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        standard = (numbers(frame, self.name) - self.mean_) / self.sd_
        # summed row by row: a matrix product rounds differently for one row and for many
        scores = np.column_stack([(standard * loading).sum(axis=1) for loading in self.loadings_.T])
        return pd.DataFrame(scores, index=frame.index, columns=self._names_out())
