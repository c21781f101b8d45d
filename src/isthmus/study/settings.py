"""[compute] and [report]: how a run uses the machine, and what the report is to be called."""

from __future__ import annotations

from pydantic import Field

from isthmus.settings import Section

__all__ = ["ComputeSettings", "ReportSettings"]


class ComputeSettings(Section):
    """How much of the machine a run may use; it never changes a number. workers: processes; 0 means one per core."""

    workers: int = Field(0, ge=0)


class ReportSettings(Section):
    """title: of the report; final: the model that becomes `model.isthmus` (default: the first declared)."""

    title: str | None = None
    final: str | None = None
