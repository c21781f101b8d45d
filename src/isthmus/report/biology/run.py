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


_INTERVALS = {
    "shift": ("shift_low", "shift_high"), "cliffs_delta": ("delta_low", "delta_high"), "odds_ratio": ("or_low", "or_high"),
}  # fmt: skip
_LEFT_OUT = {"test", *(name for pair in _INTERVALS.values() for name in pair)}
_WORDS = {
    "n_low": "n low", "n_high": "n high", "median_low": "median low", "median_high": "median high", "mean_low": "mean low",
    "mean_high": "mean high", "shift": "shift (95 %)", "cliffs_delta": "Cliff's delta (95 %)", "odds_ratio": "odds ratio (95 %)",
    "or_p": "p of the ratio", "p_max_t": "p (max-T)", "fdr": "FDR", "trend_p": "p of the trend",
    "fisher_p": "Fisher's p", "cramers_v": "Cramér's V",
}  # fmt: skip


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
                name = f"biology_{table}_{module.NAME}"
                parts.append(Part(figure=name, caption=module.caption(data), who=_who(tables)))
        for name, words in _TABLES.items():
            if name in tables:
                shown = _narrow(tables[name].sort_values("p", kind="stable"))
                one = excerpt(words, shown, f"tables/biology_{table}_{name}.csv", rows=30)
                parts.append(Part(view=View(one.frame, f"{words}. {one.caption}", None, tuple(one.frame.columns[1:]))))
    return parts


def _who(tables: Mapping[str, pd.DataFrame]) -> str:
    """How many patients of the table are compared."""
    for name in ("groups", "counts"):
        if name in tables:
            table = tables[name] if name == "groups" else tables[name].groupby("marker")[["n_low", "n_high"]].sum()
            return f"n = {int(table['n_low'].max())} low and {int(table['n_high'].max())} high."
    return ""


def _narrow(table: pd.DataFrame) -> pd.DataFrame:
    """What a reader looks for, in as few columns as a page has room for: an estimate and its interval in one."""
    shown = pd.DataFrame(index=table.index)
    for column in table.columns:
        if column in _INTERVALS:
            low, high = _INTERVALS[column]
            shown[_WORDS[column]] = [
                f"{_digits(value)} ({_digits(least)} to {_digits(most)})"
                for value, least, most in zip(table[column], table[low], table[high], strict=True)
            ]
        elif column not in _LEFT_OUT and not (column == "family" and table[column].nunique() == 1):
            shown[_WORDS.get(column, column)] = table[column]
    return shown


def _digits(value: float) -> str:
    """Two digits; whole numbers from a hundred on, and 0 for what rounding left of it."""
    if pd.isna(value):
        return "–"
    text = "0" if abs(value) < 1e-12 else f"{value:.0f}" if abs(value) >= 99.5 else f"{value:.2g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _names(result: Result) -> list[str]:
    """The tables of [biology] of which the run says something."""
    said = result.tables.get("biology", pd.DataFrame())
    return list(dict.fromkeys(said["table"].astype("str"))) if len(said) else []


def _tables(result: Result, table: str) -> dict[str, pd.DataFrame]:
    start = f"biology_{table}_"
    return {name.removeprefix(start): frame for name, frame in result.tables.items() if name.startswith(start)}
