"""Problems are gathered or raised, as the caller wants."""

from __future__ import annotations

import pytest

from isthmus.errors import TableError
from isthmus.table.problem import Findings, Problem


def test_strict_findings_raise() -> None:
    """Strict, the first error is raised as it is."""
    with pytest.raises(TableError, match="wrong"), Findings(strict=True).at("here"):
        raise TableError("wrong")


def test_patient_findings_note() -> None:
    """Not strict, an error becomes a problem and the reading goes on."""
    findings = Findings(strict=False)
    with findings.at("here"):
        raise TableError("wrong")
    assert findings.problems == [Problem("here", "wrong", severity="error")]


def test_foreign_errors_pass() -> None:
    """A programming error is never taken for bad input."""
    with pytest.raises(ZeroDivisionError), Findings(strict=False).at("here"):
        raise ZeroDivisionError


def test_notes_are_no_failure() -> None:
    """Notes and lost cases do not make the reading fail."""
    findings = Findings()
    findings.note("a", "b")
    findings.note("c", "d", severity="case")
    assert not findings.failed


def test_a_problem_reads_as_a_sentence() -> None:
    """A problem says where, what, what was expected and what to do."""
    assert str(Problem("case P3", "no file", "a file", "correct the path")) == (
        "case P3: no file; expected a file; correct the path"
    )
