"""iTED as a step of a model: transform and scale are learned from the supervoxels of training patients only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from isthmus.errors import PlanError, TableError, first_few
from isthmus.habitat.ited import ited, ited_columns, size_adjusted
from isthmus.habitat.measure import SupervoxelTable
from isthmus.habitat.scaling import Array, Scaling, fit_scaling
from isthmus.habitat.settings import ItedSettings
from isthmus.table.steps import Step

__all__ = ["SUPERVOXELS", "Ited", "tables_of"]

SUPERVOXELS = "@supervoxels"
"""The context column with the `SupervoxelTable` of each patient; None where the case has none."""


class Ited(Step):
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

    @property
    def context(self) -> tuple[str, ...]:
        return (SUPERVOXELS,)

    def check_settings(self) -> None:
        self._settings()

    def _settings(self) -> ItedSettings:
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
        values = [
            self._plain(table) for table in tables_of(self.read_, self.name) if table is not None and len(table.voxels)
        ]
        if not values:
            raise TableError("step 'ited': no training row has supervoxels, so no scale can be learned")
        found = fit_scaling(values)
        self.centre_, self.spread_, self.power_ = found.centre, found.spread, found.power
        self.mean_, self.scale_ = found.mean, found.scale

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        settings = self._settings()
        if not self.whole:
            settings = settings.model_copy(update={"resamples": 0})
        names = ited_columns(whole=self.whole)
        rows = np.full((len(frame), len(names)), np.nan)
        for row, table in enumerate(tables_of(self.read_, self.name)):
            if table is not None:
                rows[row] = ited(table, settings, scaling=self._scaling()).loc[names]
        return pd.concat([frame, pd.DataFrame(rows, index=frame.index, columns=names)], axis=1)

    def _names_out(self) -> list[str]:
        return [*map(str, self.feature_names_in_), *ited_columns(whole=self.whole)]

    def _scaling(self) -> Scaling | None:
        if self.variant == "compat":
            return None
        return Scaling(self.centre_, self.spread_, self.power_, self.mean_, self.scale_)

    def _plain(self, table: SupervoxelTable) -> Array:
        return size_adjusted(table) if self.size_adjusted else table.values


def tables_of(read: pd.DataFrame, who: str) -> list[SupervoxelTable | None]:
    """The cells of `@supervoxels`, of the rows a step works on."""
    cells = list(read[SUPERVOXELS])
    wrong = [type(cell).__name__ for cell in cells if cell is not None and not isinstance(cell, SupervoxelTable)]
    if wrong:
        raise TableError(f"step '{who}' reads a SupervoxelTable (or None) in '{SUPERVOXELS}'; found {first_few(wrong)}")
    return cells
