"""[cohort]: who is in the study, and where their files are."""

from __future__ import annotations

from isthmus.table.settings import OutcomeSettings

__all__ = ["CohortSettings"]


class CohortSettings(OutcomeSettings):
    """[cohort].

    table: the case table, relative to the plan.
    root: where relative image paths start (default: the case table's folder); `$ISTHMUS_DATA` is the only variable known.
    patient, centre, split: the columns' names, where the table has others.
    """

    table: str
    root: str | None = None
    patient: str = "patient"
    centre: str = "centre"
    split: str = "split"
