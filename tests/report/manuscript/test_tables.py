"""The tables as Word files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import docx
import pandas as pd
import pytest

from isthmus.report.manuscript.tables import by_group, write_tables
from isthmus.report.tables import metrics
from isthmus.study.result import Result


@pytest.fixture(scope="module")
def written(full_run: Result, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.stem: path for path in write_tables(full_run, tmp_path_factory.mktemp("tables"))}


def test_which_tables(written: dict[str, Path]) -> None:
    """Each table of a paper has its file."""
    wanted = "table1 logistic metrics comparisons selected reliability harmonisation exclusions subgroups sample_size"
    assert set(wanted.split()) <= set(written)


def test_performance_has_a_table_per_split(written: dict[str, Path], full_run: Result) -> None:
    """One table a split, in the order of the report."""
    assert len(docx.Document(str(written["metrics"])).tables) == len(metrics.view(full_run).groups)


def test_groups_hold_all_rows(full_run: Result) -> None:
    """No row is lost when a table is cut at its headings."""
    view = metrics.view(full_run)
    assert pd.concat([part.frame for _, part in by_group(view)]).equals(view.frame)


def test_footnotes_name_the_tests(written: dict[str, Path]) -> None:
    """Table 1 says which test its p-values are from."""
    notes = [p.text for p in docx.Document(str(written["table1"])).paragraphs if p.style.name == "Table Note"]
    assert "Welch" in notes[0]


def test_a_table_that_is_no_more_has_no_file(full_run: Result, tmp_path: Path) -> None:
    """A second report of less leaves nothing behind from the first."""
    write_tables(full_run, tmp_path)
    write_tables(replace(full_run, comparisons=full_run.comparisons.iloc[:0]), tmp_path)
    assert not (tmp_path / "comparisons.docx").exists()
