"""A table as the page prints it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

__all__ = ["View"]


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
