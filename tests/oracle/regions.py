"""Random small regions: the ones that found every bug the large cases missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus import _core


@dataclass(frozen=True)
class Case:
    """A drawn region: intensities, mask, spacing, bin width."""

    values: NDArray[np.generic]
    mask: NDArray[np.bool_]
    spacing: tuple[float, float, float]
    width: float
    kind: str

    def prepared(self) -> tuple[_core.Region, _core.Sample, NDArray[np.float64]]:
        region = _core.Region(self.mask, self.spacing)
        sample = _core.Sample(region, self.values)
        low = np.floor(sample.minimum / self.width) * self.width
        return region, sample, np.arange(low, sample.maximum + 2 * self.width, self.width)

    def levels(self) -> dict[tuple[int, int, int], int]:
        """Grey level of every voxel of the region."""
        edges = self.prepared()[2]
        level = np.digitize(self.values.astype(np.float64), edges)
        return {(int(k), int(j), int(i)): int(level[k, j, i]) for k, j, i in np.argwhere(self.mask)}


KINDS = ("blob", "sparse", "flat", "line", "plane", "isolated", "pair", "many-levels", "outlier", "gaps", "full")
DTYPES = (np.int16, np.int32, np.float32, np.float64)


def draw(rng: np.random.Generator, kind: str) -> Case:
    """One region of a kind; 1 to 9 voxels a side, 2 to 100 % filled, at least two voxels."""
    shape = rng.integers(1, 10, 3)
    fill = rng.uniform(0.02, 1.0)
    if kind == "sparse":
        fill = 0.05
    if kind == "line":
        shape[rng.permutation(3)[:2]] = 1
        shape = np.maximum(shape, np.where(shape.max() == shape, 4, 1))
    if kind == "plane":
        shape = np.maximum(shape, 3)
        shape[rng.integers(3)] = 1
    if kind in ("blob", "gaps", "isolated", "full", "many-levels", "outlier"):
        shape = np.maximum(shape, 4)
    mask = rng.random(shape) < (1.0 if kind == "full" else fill)
    if kind == "isolated":
        mask = np.zeros(shape, bool)
        mask[::2, ::2, ::2] = True
    if kind == "gaps":
        mask[:, mask.shape[1] // 2] = False
    if kind == "pair" or mask.sum() < 2:
        shape = np.maximum(shape, 2)
        mask = np.zeros(shape, bool)
        mask.flat[rng.choice(mask.size, 2, replace=False)] = True
    dtype = DTYPES[rng.integers(len(DTYPES))]
    spread, width = float(rng.choice([3, 12, 60])), float(rng.choice([1.0, 2.5, 4.0]))
    values = rng.normal(20, spread, mask.shape)
    if kind == "flat":
        values[:] = 7
    if kind == "many-levels":
        values, width = rng.uniform(0, 3000, mask.shape), 1.0
    if kind == "outlier":
        values.flat[rng.integers(values.size)] = 20000
    spacing = tuple(float(s) for s in rng.choice([0.5, 0.78, 1.0, 2.0, 6.5], 3))
    return Case(values.astype(dtype), mask, spacing, width, kind)  # type: ignore[arg-type]


def draws(count: int, seed: int = 20261120) -> list[Case]:
    """`count` regions, kinds in turn."""
    rng = np.random.default_rng(seed)
    return [draw(rng, KINDS[n % len(KINDS)]) for n in range(count)]
