"""What is wrong with a plan or its data, one entry each: where, what came, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from isthmus.errors import IsthmusError

__all__ = ["Findings", "Problem", "Severity"]

Severity = Literal["error", "case", "note"]


@dataclass(frozen=True)
class Problem:
    """One line of `isthmus check`.

    Parameters
    ----------
    where : str
        Case, column, file or section of the plan.
    what, expected, do : str
        What came, what was expected, what to do about it; the last two may be empty.
    severity : {"error", "case", "note"}
        "error": nothing can run; "case": this case is left out, the others go on; "note": worth knowing.
    case : str
        The row of the table it belongs to, where it belongs to one.
    """

    where: str
    what: str
    expected: str = ""
    do: str = ""
    severity: Severity = "error"
    case: str = ""

    def __str__(self) -> str:
        said = not self.where or self.what.startswith(self.where)
        parts = [self.what if said else f"{self.where}: {self.what}"]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.do:
            parts.append(self.do)
        return "; ".join(parts)


@dataclass
class Findings:
    """Gathers problems; strict, the first error is raised, otherwise it is noted and the reading goes on.

    `isthmus run` stops at the first error; `isthmus check` wants all of them.
    """

    strict: bool = True
    problems: list[Problem] = field(default_factory=list)

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Turn an error raised inside into a problem at this place (not strict), or let it pass (strict)."""
        try:
            yield
        except IsthmusError as error:
            if self.strict:
                raise
            self.problems.append(Problem(where, str(error)))

    def note(
        self, where: str, what: str, *, expected: str = "", do: str = "", severity: Severity = "note", case: str = ""
    ) -> None:
        self.problems.append(Problem(where, what, expected, do, severity, case))

    @property
    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)
