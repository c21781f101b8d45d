"""What a paper needs besides the page: a drafted Methods and Results, its references, tables for Word, checklists."""

from __future__ import annotations

from pathlib import Path

from isthmus.report.manuscript.tables import write_tables
from isthmus.study.result import Result

__all__ = ["write_manuscript"]


def write_manuscript(result: Result, folder: Path) -> None:
    """Write the manuscript kit of a run into a folder; the same result gives the same bytes."""
    write_tables(result, folder / "tables")
