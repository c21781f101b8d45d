"""Grey levels of a region, as IBSI makes them (manual section 2.7): fixed bin size, fixed bin number, or the integers as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from isthmus.errors import CaseError
from isthmus.settings import Section

__all__ = ["Discretisation", "GreyLevels", "grey_levels", "volume_histogram_levels"]

_MOST_BINS = 4_000_000


class Discretisation(Section):
    """How intensities become grey levels.

    method: "fbs" (fixed bin size: bins of `bin_width` from the lower bound of re-segmentation, or from the region's minimum),
    "fbn" (fixed bin number: `bin_count` bins between the region's minimum and maximum), or "none" (the intensities are integers
    and stay what they are).
    """

    method: Literal["fbs", "fbn", "none"]
    bin_width: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    bin_count: int | None = Field(default=None, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _one_size(self) -> Discretisation:
        needs = {"fbs": "bin_width", "fbn": "bin_count", "none": None}[self.method]
        given = {name for name in ("bin_width", "bin_count") if getattr(self, name) is not None}
        if given != ({needs} if needs else set()):
            raise ValueError(
                f'method = "{self.method}" needs {needs or "no size"}; given: {", ".join(sorted(given)) or "nothing"}'
            )
        return self

    @property
    def label(self) -> str:
        """As the facts of a column say it: "FBS 25", "FBN 32" or empty."""
        return {"fbs": f"FBS {self.bin_width:g}" if self.bin_width else "", "fbn": f"FBN {self.bin_count}", "none": ""}[
            self.method
        ]


@dataclass(frozen=True, slots=True)
class GreyLevels:
    """Grey level of every voxel of a region.

    levels: uint32, one per voxel in memory order, from 1 to `bins`. Level g stands for the intensity `first + step * (g - 1)`.
    """

    levels: NDArray[np.uint32]
    bins: int
    first: float = 1.0
    step: float = 1.0


def grey_levels(intensities: NDArray[Any], how: Discretisation, low: float | None = None) -> GreyLevels:
    """Grey levels for histogram and texture.

    Parameters
    ----------
    intensities : array, shape (voxels,)
        Of the intensity mask, finite.
    how : Discretisation
    low : float, optional
        Lower bound of the re-segmentation range, where fixed bins start; without it, at the region's minimum.

    Raises
    ------
    CaseError
        Without discretisation: intensities that are no grey levels. With it: more bins than a histogram can hold.

    Examples
    --------
    >>> grey_levels(np.array([0.0, 24.9, 25.0]), Discretisation(method="fbs", bin_width=25)).levels.tolist()
    [1, 1, 2]
    >>> grey_levels(np.array([0.0, 1.0, 4.0]), Discretisation(method="fbn", bin_count=4)).levels.tolist()
    [1, 2, 4]
    """
    x = np.asarray(intensities, dtype=np.float64)
    if how.method == "fbn":
        return _fixed_bin_number(x, how)
    if how.method == "fbs":
        return _fixed_bin_size(x, how, low)
    if x.min() < 1 or not _whole(x):
        raise CaseError(
            f"intensities from {x.min():g} to {x.max():g} cannot be grey levels as they are: those are whole numbers from 1 on. Set "
            'discretisation = { method = "fbs", bin_width = ... } or { method = "fbn", bin_count = ... }'
        )
    bins = _bins(x.max(), 1.0, x)
    return GreyLevels(x.astype(np.uint32), bins)


def volume_histogram_levels(
    intensities: NDArray[Any], how: Discretisation, low: float | None = None, high: float | None = None
) -> GreyLevels:
    """Grey levels for the intensity-volume histogram, where each stands for an intensity.

    Whole intensities (HU) stay what they are; bins of a fixed size stand for their centres; a fixed number of bins for their own
    numbers. The histogram spans the re-segmentation range (`low`, `high`), on an open side the region's intensities.

    Raises
    ------
    CaseError
        Without discretisation: intensities that are not whole.
    """
    x = np.asarray(intensities, dtype=np.float64)
    if how.method == "fbn":
        return _fixed_bin_number(x, how)
    start, end = (x.min() if low is None else low), (x.max() if high is None else high)
    if how.method == "fbs":
        assert how.bin_width is not None
        binned = _fixed_bin_size(x, how, low)
        bins = max(binned.bins, _bins(np.ceil((end - start) / how.bin_width), how.bin_width, x))
        return GreyLevels(binned.levels, bins, start + how.bin_width / 2, how.bin_width)
    if not _whole(x):
        raise CaseError(
            "the intensities are not whole numbers, so their volume histogram needs bins. Set ivh_discretisation = "
            '{ method = "fbs", bin_width = ... } for a calibrated quantity (SUV), { method = "fbn", bin_count = 1000 } for others'
        )
    start, end = np.ceil(start), np.floor(end)
    bins = _bins(end - start + 1, 1.0, x)
    return GreyLevels((x - start).astype(np.uint32) + np.uint32(1), bins, float(start))


def _fixed_bin_number(x: NDArray[np.float64], how: Discretisation) -> GreyLevels:
    """floor(N_g (x - min) / (max - min)) + 1, and N_g for the maximum."""
    assert how.bin_count is not None
    low, high = x.min(), x.max()
    levels = np.full(x.shape, how.bin_count, dtype=np.uint32)
    below = x < high
    levels[below] = np.floor(how.bin_count * (x[below] - low) / (high - low)).astype(np.uint32) + 1
    # a value just under the maximum can round up to the last edge
    return GreyLevels(np.minimum(levels, np.uint32(how.bin_count)), how.bin_count)


def _fixed_bin_size(x: NDArray[np.float64], how: Discretisation, low: float | None) -> GreyLevels:
    """floor((x - low) / width) + 1."""
    assert how.bin_width is not None
    numbers = np.floor((x - (x.min() if low is None else low)) / how.bin_width)
    bins = _bins(numbers.max() + 1, how.bin_width, x)
    return GreyLevels(numbers.astype(np.uint32) + np.uint32(1), bins)


def _bins(bins: float, width: float, x: NDArray[np.float64]) -> int:
    if bins > _MOST_BINS:
        raise CaseError(
            f"bins of {width:g} cut intensities from {x.min():g} to {x.max():g} into {bins:.3g} grey levels; at most {_MOST_BINS} "
            "are possible. Choose a wider bin_width, or a bin_count"
        )
    return int(bins)


def _whole(x: NDArray[np.float64]) -> bool:
    return bool((x == np.floor(x)).all())
