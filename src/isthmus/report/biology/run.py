"""The part of a run's report that [biology] fills: sentences, figures, tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pandas as pd

from isthmus.report.biology import ASSOCIATION_FIGURES
from isthmus.report.biology.page import excerpt
from isthmus.report.recipes._part import Part
from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["biology_figures", "biology_parts"]

_TABLES = {
    "groups": "Features between risk groups",
    "markers": "Markers between risk groups",
    "blocks": "Blocks as wholes",
}


@dataclass(frozen=True)
class _Figure:
    """A figure of one table, in the shape of a figure of the report."""

    table: str
    module: ModuleType

    @property
    def NAME(self) -> str:
        return f"biology_{self.table}_{self.module.NAME}"

    @property
    def TITLE(self) -> str:
        return f"{self.module.TITLE} ({self.table})"

    def data(self, result: Result) -> dict[str, pd.DataFrame]:
        found: dict[str, pd.DataFrame] = self.module.data(_tables(result, self.table))
        return found

    def size(self, data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
        width, height = self.module.size(data)
        return width, height

    def draw(self, data: Mapping[str, pd.DataFrame], ax: Any) -> None:
        self.module.draw(data, ax)


def biology_figures(result: Result) -> dict[str, Any]:
    """Name -> figure, of every table of [biology]."""
    figures = [_Figure(table, module) for table in _names(result) for module in ASSOCIATION_FIGURES.values()]
    return {figure.NAME: figure for figure in figures}


def biology_parts(result: Result) -> list[Part]:
    """In the order of the plan: a table's sentences, its figures, its numbers."""
    parts = []
    said = result.tables.get("biology", pd.DataFrame())
    for table in _names(result):
        parts.append(Part(heading=table, text=tuple(said.loc[said["table"] == table, "sentence"].astype("str"))))
        tables = _tables(result, table)
        for module in ASSOCIATION_FIGURES.values():
            data = module.data(tables)
            if any(len(frame) for frame in data.values()):
                parts.append(Part(figure=f"biology_{table}_{module.NAME}", caption=module.caption(data)))
        for name, words in _TABLES.items():
            if name in tables:
                one = excerpt(
                    words, tables[name].sort_values("p", kind="stable"), f"tables/biology_{table}_{name}.csv", rows=30
                )
                parts.append(Part(view=View(one.frame, f"{words}. {one.caption}", None, tuple(one.frame.columns[1:]))))
    return parts


def _names(result: Result) -> list[str]:
    """The tables of [biology] of which the run says something."""
    said = result.tables.get("biology", pd.DataFrame())
    return list(dict.fromkeys(said["table"].astype("str"))) if len(said) else []


def _tables(result: Result, table: str) -> dict[str, pd.DataFrame]:
    start = f"biology_{table}_"
    return {name.removeprefix(start): frame for name, frame in result.tables.items() if name.startswith(start)}
