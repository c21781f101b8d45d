"""iTED as a step of a model: transform and scale are learned from the supervoxels of training patients only."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from isthmus.errors import PlanError, TableError, first_few
from isthmus.habitat.ited import ited, ited_columns, ited_values, size_adjusted
from isthmus.habitat.measure import SupervoxelTable
from isthmus.habitat.scaling import Array, Scaling, fit_scaling
from isthmus.habitat.settings import ItedSettings
from isthmus.table.steps import Maker

__all__ = ["SUPERVOXELS", "Ited", "OfSupervoxels", "supervoxels_of"]

SUPERVOXELS = "@supervoxels"
"""The context column with the `SupervoxelTable` of each patient; None where the case has none."""


def supervoxels_of(block: str = "") -> str:
    """The context column of a block; without a name that of a study with one."""
    return f"{SUPERVOXELS}:{block}" if block else SUPERVOXELS


class OfSupervoxels(Maker):
    """A step that makes columns of a patient's supervoxels; `block` names whose, and stands in front of the columns' names."""

    block: str

    @property
    def label(self) -> str:
        return f"{self.name} {self.block}" if self.block else self.name

    @property
    def context(self) -> tuple[str, ...]:
        return (supervoxels_of(self.block),)

    @abstractmethod
    def plain_names(self) -> list[str]:
        """The columns without the block's name."""

    def made_names(self) -> list[str]:
        return [f"{self.block}.{name}" if self.block else name for name in self.plain_names()]

    def make(self, read: pd.DataFrame) -> pd.DataFrame:
        names = self.made_names()
        rows = np.full((len(read), len(names)), np.nan)
        for row, table in enumerate(self._tables(read)):
            if table is not None and len(table.voxels):
                rows[row] = self._of_patient(table)
        return pd.DataFrame(rows, index=read.index, columns=names)

    @abstractmethod
    def _of_patient(self, table: SupervoxelTable) -> Array:
        """The values of one patient."""

    def _tables(self, read: pd.DataFrame) -> list[SupervoxelTable | None]:
        """The cells of the context column."""
        (column,) = self.context
        cells = list(read[column])
        wrong = [type(cell).__name__ for cell in cells if cell is not None and not isinstance(cell, SupervoxelTable)]
        if wrong:
            raise TableError(
                f"step '{self.label}' reads a SupervoxelTable (or None) in '{column}'; found {first_few(wrong)}"
            )
        return cells


class Ited(OfSupervoxels):
    """Add the iTED of each row's supervoxels to its columns.

    Reads the context column `@supervoxels`. With the variant "weighted" it learns a power transform and a scale for every feature;
    "compat" learns nothing. A row without supervoxels gets NaN.

    Parameters
    ----------
    variant : {"weighted", "compat"}
    components, minimum_supervoxels, least_share, least_count, separation, size_adjusted, seed
        See `ItedSettings`.
    resamples : int
        For the intervals; they come only with `whole`.
    block : str
        Whose supervoxels, where a study has several blocks: the context column `@supervoxels:<block>`; its name stands before the columns'.
    whole : bool
        All columns instead of the 93 values: limits, standard error, k, and the plain dispersions.

    Attributes
    ----------
    centre_, spread_, power_, mean_, scale_ : arrays, shape (93,)
        See `Scaling`; empty for "compat".
    """

    name = "ited"
    kind = "unsupervised"
    learned = ("centre_", "spread_", "power_", "mean_", "scale_")

    def __init__(
        self,
        variant: str = "weighted",
        components: int = 4,
        minimum_supervoxels: int = 5,
        least_share: float = 0.1,
        least_count: float = 5,
        separation: float = 2.0,
        size_adjusted: bool = True,
        resamples: int = 0,
        whole: bool = False,
        seed: int = 42,
        block: str = "",
    ) -> None:
        self.variant = variant
        self.components = components
        self.minimum_supervoxels = minimum_supervoxels
        self.least_share = least_share
        self.least_count = least_count
        self.separation = separation
        self.size_adjusted = size_adjusted
        self.resamples = resamples
        self.whole = whole
        self.seed = seed
        self.block = block

    def check_settings(self) -> None:
        self.dispersion_settings()

    def dispersion_settings(self) -> ItedSettings:
        """The settings of the step, as `ited` takes them."""
        given = {key: value for key, value in self.get_params(deep=False).items() if key in ItedSettings.model_fields}
        try:
            return ItedSettings(**given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise PlanError(f"step 'ited': {'.'.join(map(str, first['loc']))}: {first['msg']}") from error

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        empty = np.empty(0)
        self.centre_, self.spread_, self.power_, self.mean_, self.scale_ = (empty,) * 5
        if self.variant == "compat":
            return
        values = [self._plain(table) for table in self._tables(self.read_) if table is not None and len(table.voxels)]
        if not values:
            raise TableError(f"step '{self.label}': no training row has supervoxels, so no scale can be learned")
        found = fit_scaling(values)
        self.centre_, self.spread_, self.power_ = found.centre, found.spread, found.power
        self.mean_, self.scale_ = found.mean, found.scale

    def plain_names(self) -> list[str]:
        return ited_columns(whole=self.whole)

    def _of_patient(self, table: SupervoxelTable) -> Array:
        if not self.whole:
            return ited_values(table, self.dispersion_settings(), scaling=self.scaling())
        return ited(table, self.dispersion_settings(), scaling=self.scaling()).to_numpy(dtype=np.float64)

    def scaling(self) -> Scaling | None:
        """What was learned; None of "compat"."""
        if self.variant == "compat":
            return None
        return Scaling(self.centre_, self.spread_, self.power_, self.mean_, self.scale_)

    def _plain(self, table: SupervoxelTable) -> Array:
        return size_adjusted(table) if self.size_adjusted else table.values
