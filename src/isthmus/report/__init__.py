"""The report: one self-contained page, figures and tables, drawn from a stored result only.

`isthmus.report` is this room and, since users call it so, also the function: `isthmus.report(result)` is `write_report(result)`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from isthmus.report.html import write_report

if TYPE_CHECKING:
    from isthmus.study.result import Result

__all__ = ["write_report"]


class _Callable(ModuleType):
    """A package that can be called."""

    def __call__(self, result: Result, out: str | Path | None = None) -> Path:
        """Write the report of a stored result; see `write_report`."""
        return write_report(result, None if out is None else Path(out))


sys.modules[__name__].__class__ = _Callable
