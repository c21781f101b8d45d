"""[table], and what [cohort] and [table] say alike: the outcome and who is in the study."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from isthmus.settings import Section
from isthmus.table.outcome import Task

__all__ = ["OutcomeSettings", "TableSettings"]


class OutcomeSettings(Section):
    """The outcome, and the rules by which patients enter.

    outcome: a column, or an expression over columns (`nodes_metastatic > 5`); its source columns are then barred as predictors.
    positive: the value that counts as the event; without it 1, true and yes are positive, 0, false and no negative.
    order: the classes of a multi-class or ordinal outcome, lowest first.
    time: survival only, the column with the time to event or censoring.
    contrasts: secondary comparisons of two classes, `"A vs B" = ["A", "B"]`.
    include, exclude: labelled expressions, drawn in the flow diagram per centre.
    encoding: of the table, where finding it out would be wrong ("gb18030", "latin-1" ...).
    """

    outcome: str
    task: Task = "binary"
    positive: str | int | float | bool | None = None
    order: list[str] | None = None
    time: str | None = None
    contrasts: dict[str, tuple[str, str]] = Field(default_factory=dict)
    include: dict[str, str] = Field(default_factory=dict)
    exclude: dict[str, str] = Field(default_factory=dict)
    encoding: str | None = None


class TableSettings(OutcomeSettings):
    """[table]: a ready feature table instead of images.

    path: CSV (also .csv.gz) or Parquet, relative to the plan. id, centre, split: its columns.
    ignore: columns that are neither predictors nor facts.
    """

    path: str
    id: str = "patient"
    centre: str | None = None
    split: str | None = None
    ignore: list[str] = Field(default_factory=list)

    @property
    def columns(self) -> dict[str, Any]:
        return {"patient": self.id, "centre": self.centre, "split": self.split}
