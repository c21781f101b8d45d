"""One representative value per category of features."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib.util import find_spec
from typing import Any, ClassVar, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError, first_few
from isthmus.select._shared import check_choice, check_number
from isthmus.stats.representative import ComponentAxis, RepresentativeMethod, UmapAxis, component_axis, umap_axis
from isthmus.table.steps import Property, Step, numbers

__all__ = ["RepresentativeStep"]


class RepresentativeStep(Step):
    """Each category's columns replaced by one column of its name; columns of no category stay.

    A category with one column is that column, whatever the method.

    Parameters
    ----------
    categories : dict, optional
        Category -> a column, a pattern (`"*_glcm_*"`) or a list of them. In a study with extracted features they may be
        left out: then they are the families of the profile (apart by image and filter, where there are several).
    method : {"pca", "umap"}
        The first principal component, or a one-dimensional UMAP, which is less stable (`stats.representative`) and whose
        model file holds the standardised training values, since new patients are placed between them.
    neighbours : int
    min_dist : float
        Of UMAP.
    random_state : int

    Attributes
    ----------
    parts_ : list of dict
        category, columns, and what places a row: mean, sd, loading; for UMAP mean, sd, rows, position, neighbours.
    """

    name = "representatives"
    kind = "unsupervised"
    requires: ClassVar[frozenset[Property]] = frozenset({"numeric", "complete"})
    learned = ("parts_",)

    def __init__(
        self,
        categories: dict[str, Any] | None = None,
        method: RepresentativeMethod = "pca",
        neighbours: int = 15,
        min_dist: float = 0.1,
        random_state: int = 0,
    ) -> None:
        self.categories = categories
        self.method = method
        self.neighbours = neighbours
        self.min_dist = min_dist
        self.random_state = random_state

    def check_settings(self) -> None:
        check_choice(self.name, "method", self.method, get_args(RepresentativeMethod))
        check_number(self.name, "neighbours", self.neighbours, least=2, whole=True)
        check_number(self.name, "min_dist", self.min_dist, least=0, most=1)
        if self.categories is not None and (not isinstance(self.categories, Mapping) or not self.categories):
            raise PlanError(
                f"step '{self.name}': categories = {self.categories!r}; expected a table such as "
                '{ texture = "*_glcm_*", shape = ["volume", "surface"] }'
            )
        if self.method == "umap" and find_spec("umap") is None:
            raise PlanError(
                f"step '{self.name}': method = 'umap' needs the package umap-learn. "
                'Install it: pip install "isthmus[ml]"'
            )

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        values = numbers(frame, self.name)
        names = [str(column) for column in frame.columns]
        members = self._members(names)
        taken = {name for columns in members.values() for name in columns}
        clash = sorted(set(members) & (set(names) - taken))
        if clash:
            raise TableError(f"step '{self.name}': a category and a column beside it have one name: {first_few(clash)}")
        self.parts_: list[dict[str, Any]] = []
        for category, columns in members.items():
            part = np.ascontiguousarray(values[:, [names.index(column) for column in columns]])
            self.parts_.append({"category": category, "columns": columns, **self._axis(part)})
            how = "itself" if len(columns) == 1 else f"{self.method} of {len(columns)} columns"
            self.dropped_ |= {c: f"represented by '{category}' ({how})" for c in columns if c not in members}

    def _members(self, names: list[str]) -> dict[str, list[str]]:
        """The columns of each category that has any."""
        if self.categories is None:
            raise TableError(
                f"step '{self.name}': which columns belong together? This table does not tell; "
                'say categories = { texture = "*_glcm_*", ... }'
            )
        members: dict[str, list[str]] = {}
        owner: dict[str, str] = {}
        for category, patterns in self.categories.items():
            wanted = [patterns] if isinstance(patterns, str) else list(patterns)
            exact = set(wanted)
            wild = [pattern for pattern in wanted if "*" in pattern or "?" in pattern]
            found = [n for n in names if n in exact or any(fnmatchcase(n, pattern) for pattern in wild)]
            twice = [name for name in found if name in owner]
            if twice:
                raise TableError(
                    f"step '{self.name}': column '{twice[0]}' is in the categories '{owner[twice[0]]}' and '{category}'"
                )
            owner |= dict.fromkeys(found, str(category))
            if found:
                members[str(category)] = found
        if not members:
            raise TableError(f"step '{self.name}': no column is in any category ({first_few(list(self.categories))})")
        return members

    def _axis(self, values: NDArray[np.float64]) -> dict[str, Any]:
        if values.shape[1] == 1:
            return {"mean": np.zeros(1), "sd": np.ones(1), "loading": np.ones(1)}
        if self.method == "pca":
            component = component_axis(values)
            return {"mean": component.mean, "sd": component.sd, "loading": component.loading}
        axis = umap_axis(values, seed=self.random_state, neighbours=self.neighbours, min_dist=self.min_dist)
        return {
            "mean": axis.mean, "sd": axis.sd, "rows": axis.rows, "position": axis.position, "neighbours": axis.neighbours,
        }  # fmt: skip

    def _names_out(self) -> list[str]:
        made = [part["category"] for part in self.parts_]
        taken = {column for part in self.parts_ for column in part["columns"]}
        return [*made, *(str(column) for column in self.own_columns if column not in taken)]

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        made = {}
        for part in self.parts_:
            values = numbers(frame[part["columns"]], self.name)
            axis: ComponentAxis | UmapAxis
            if "rows" in part:
                axis = UmapAxis(part["mean"], part["sd"], part["rows"], part["position"], int(part["neighbours"]))
            else:
                axis = ComponentAxis(part["mean"], part["sd"], part["loading"])
            made[part["category"]] = axis.place(values)
        rest = self._names_out()[len(made) :]
        return pd.concat([pd.DataFrame(made, index=frame.index), frame[rest]], axis=1)
