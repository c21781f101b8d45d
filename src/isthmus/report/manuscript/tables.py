"""The printed tables of the report as Word files, one a table, in three-line style."""

from __future__ import annotations

from pathlib import Path

from isthmus.report.tables import TABLES, explanation, harmonisation, metrics, reliability, table_one
from isthmus.report.tables._view import View
from isthmus.report.word import Document
from isthmus.study.result import Result

__all__ = ["by_group", "write_tables"]

NOT_FOR_PAPER = ("audit", "nomogram", "notes", "provenance")
"""What the page prints for the reader of the run, and no journal prints as a table."""


def write_tables(result: Result, folder: Path) -> list[Path]:
    """Write `<table>.docx` for every table that the run has something for; which they are is returned."""
    written = []
    for name, module in TABLES.items():
        views = [] if name in NOT_FOR_PAPER else _views(result, name)
        path = folder / f"{name}.docx"
        if not views:
            path.unlink(missing_ok=True)  # of an earlier report, of more than there is now
            continue
        document = Document(module.TITLE)
        for title, view in views:
            document.table(view, title)
        document.save(path)
        written.append(path)
    return written


def _views(result: Result, name: str) -> list[tuple[str, View]]:
    """What stands in one file, each with its title."""
    title = TABLES[name].TITLE
    if name == metrics.NAME:
        parts = [part for view in metrics.views(result) for part in by_group(view)]
        return [(f"{title}: {heading}", view) for heading, view in parts]
    view = TABLES[name].view(result)
    if view is None:
        return []
    more: list[tuple[str, View | None]] = []
    if name == table_one.NAME:
        more = list(table_one.views(result))
    elif name == harmonisation.NAME:
        more = [
            ("How the patients of each centre were dealt with", harmonisation.sites_view(result)),
            ("The outcome over the centres", harmonisation.outcome_view(result)),
        ]
    elif name == reliability.NAME:
        more = [("Features that each threshold keeps", reliability.counts_view(result))]
    elif name == explanation.NAME:
        more = [("Taken together", explanation.groups_view(result))]
    return [(title, view), *((heading, one) for heading, one in more if one is not None)]


def by_group(view: View) -> list[tuple[str, View]]:
    """A table of several groups as one table a group."""
    starts = sorted(view.groups or {0: ""})
    ends = [*starts[1:], len(view.frame)]
    return [
        ((view.groups or {}).get(start, ""), View(view.frame.iloc[start:end], view.caption, None, view.numeric))
        for start, end in zip(starts, ends, strict=True)
    ]
