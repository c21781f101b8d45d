"""A table as the page prints it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

__all__ = ["View"]


LONG = 7
"""Rows; a shorter table is read at a glance."""


@dataclass(frozen=True)
class View:
    """A table ready to print: every cell is text.

    `groups` names the rows before which a heading stands (row number -> heading), `numeric` the columns set to the
    right.
    """

    frame: pd.DataFrame
    caption: str = ""
    groups: dict[int, str] | None = None
    numeric: tuple[str, ...] = ()

    @property
    def sortable(self) -> bool:
        """May a reader sort it? Long, and every row stands for itself: none belongs to the one above it."""
        first = self.frame.iloc[:, 0].astype("str") if self.frame.shape[1] else pd.Series(dtype="str")
        return not self.groups and len(self.frame) > LONG and not first.str.match(r"\s|$").any()
