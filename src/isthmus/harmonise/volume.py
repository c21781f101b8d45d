"""Take out of features what the volume of the lesion says of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import IsthmusWarning, PlanError, TableError, first_few
from isthmus.table.steps import CONTEXT, Array, Step, is_text

__all__ = ["VolumeAdjustment"]

LEAST = 5
"""Training rows with volume and feature, below which nothing is learned of it."""


class VolumeAdjustment(Step):
    """Every column as it would be in a lesion of the mean (log) volume.

    A polynomial in the logarithm of the volume is fitted by least squares, in the training rows and for each column on its own, and what
    it predicts is taken off. What is left has no linear relation to the volume there, and about none in new patients. A row without
    volume gets NaN; beyond the training rows' volumes the prediction stays what it is at their ends. Text columns pass as they are.

    For features that vary continuously. A score that is exactly 0 in many lesions (iTED, ITHscore) follows the volume in rank *after* such
    an adjustment, because its zeros do.

    Parameters
    ----------
    volume : str
        What holds the volume: `lesion_ml`, which a study on images puts in by itself, or a column of the table. Above 0.
    degree : {1, 2, 3}
        Of the polynomial.

    Attributes
    ----------
    coefficients_ : dict
        Column -> coefficients of the prediction, from the first power on, in standardised log volume.
    limits_ : array
        Mean and standard deviation of the logarithm, its smallest and largest value.
    """

    name = "volume_adjust"
    kind = "unsupervised"
    learned = ("coefficients_", "limits_")

    def __init__(self, volume: str = "lesion_ml", degree: int = 1) -> None:
        self.volume = volume
        self.degree = degree

    @property
    def context(self) -> tuple[str, ...]:
        return (f"{CONTEXT}{self.volume}",)

    def check_settings(self) -> None:
        if self.degree not in (1, 2, 3) or isinstance(self.degree, bool):
            raise PlanError(f"step '{self.name}': degree = {self.degree!r}; expected 1, 2 or 3")

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        logarithm = self._logarithm()
        known = logarithm[np.isfinite(logarithm)]
        if known.size < LEAST or np.ptp(known) == 0:
            raise TableError(
                f"step '{self.name}': {known.size} training rows with a volume, or all the same; at least {LEAST} different ones are needed"
            )
        self.limits_ = np.array([known.mean(), known.std(), known.min(), known.max()])
        powers = self._powers(logarithm)
        self.coefficients_: dict[str, list[float]] = {}
        few = []
        for column in self._ours(frame):
            values = frame[column].to_numpy(dtype=np.float64)
            there = np.isfinite(values) & np.isfinite(logarithm)
            if there.sum() < LEAST:
                few.append(column)
                continue
            design = np.column_stack([np.ones(there.sum()), powers[there]])
            self.coefficients_[column] = np.linalg.lstsq(design, values[there], rcond=None)[0][1:].tolist()
        if few:
            warnings.warn(
                f"{self.name}: fewer than {LEAST} values in {first_few(few)}; left as they are",
                IsthmusWarning,
                stacklevel=2,
            )

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        powers = self._powers(self._logarithm())
        changed = {}
        for column, coefficients in self.coefficients_.items():
            predicted = np.zeros(len(frame))
            for power, coefficient in zip(powers.T, coefficients, strict=True):
                predicted += power * coefficient
            changed[column] = frame[column].to_numpy(dtype=np.float64) - predicted
        return frame.assign(**changed)

    def _logarithm(self) -> Array:
        volume = self.read_[f"{CONTEXT}{self.volume}"]
        if is_text(volume.dtype):
            raise TableError(
                f"step '{self.name}': {self.volume!r} is text; expected the volume of each row as a number"
            )
        numbers = volume.to_numpy(dtype=np.float64)
        if (numbers <= 0).any():
            raise TableError(f"step '{self.name}': {self.volume!r} is 0 or less in some rows; a volume is above 0")
        return np.log(numbers)

    def _powers(self, logarithm: Array) -> Array:
        """Centred powers of the standardised logarithm, shape (n, degree): what is taken away is 0 for the mean lesion."""
        mean, sd, low, high = self.limits_.tolist()
        z = (np.clip(logarithm, low, high) - mean) / sd
        return np.column_stack([z, *(z**power for power in range(2, self.degree + 1))])

    def _ours(self, frame: pd.DataFrame) -> list[str]:
        return [str(column) for column, dtype in zip(frame.columns, frame.dtypes, strict=True) if not is_text(dtype)]
