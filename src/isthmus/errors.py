"""What can go wrong, by name.

Every message answers four questions: where (case, ROI, plan section), what came, what was expected, what to do.
All classes derive from `IsthmusError` and from the built-in a caller expects.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "CaseError",
    "GeometryMismatchError",
    "ImageReadError",
    "Interrupted",
    "IsthmusError",
    "IsthmusWarning",
    "LeakageError",
    "MaskError",
    "ModelFileError",
    "OutputError",
    "PlanError",
    "PrivacyError",
    "TableError",
    "UndefinedFeatureWarning",
    "WeightsError",
    "did_you_mean",
    "first_few",
]


class IsthmusError(Exception):
    """Base of every error this package raises on purpose."""


class PlanError(IsthmusError, ValueError):
    """The plan says something that cannot be done; names the section and key."""


class TableError(IsthmusError, ValueError):
    """A case table, clinical table or feature table cannot be used as it is."""


class PrivacyError(IsthmusError, ValueError):
    """A copy without identities cannot be made as asked: its folder, secret or table of pseudonyms does not serve."""


class LeakageError(IsthmusError, ValueError):
    """A step would see rows it must not see (rules L1 to L13 of the leakage contract)."""


class ModelFileError(IsthmusError, ValueError):
    """A model file is damaged, of an unknown format, or names a type that is not trusted."""


class WeightsError(IsthmusError, ValueError):
    """A file of a network's weights is not the one named, holds another network or another layout, or could run code."""


class OutputError(IsthmusError, OSError):
    """A result cannot be written: the disk is full, or nothing may be written there. It stops the work; what is finished is kept."""


class Interrupted(IsthmusError):
    """The run was stopped; `--resume` continues it."""


class CaseError(IsthmusError, ValueError):
    """One case cannot be processed: it becomes an exclusion with this reason, the other cases go on.

    Parameters
    ----------
    message : str
        What came, what was expected, what to do; without the name of the case.
    case : str, optional
        The case; deep code does not know it, whoever reports the error names it.
    """

    def __init__(self, message: str, *, case: str | None = None) -> None:
        self.reason = message
        self.case = case
        super().__init__(message if case is None else f"case {case}: {message}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_case_error, (type(self), self.reason, self.case)


def _rebuild_case_error(cls: type[CaseError], reason: str, case: str | None) -> CaseError:
    """Unpickle an error that crossed a process border."""
    return cls(reason, case=case)


class ImageReadError(CaseError):
    """A file is missing, truncated, of an unknown format, or its values or geometry cannot be trusted."""


class MaskError(CaseError):
    """A mask is empty, too small, or lacks the label asked for."""


class GeometryMismatchError(CaseError):
    """Image and mask do not lie on one grid."""


class IsthmusWarning(UserWarning):
    """Something the user should know, which does not stop the work."""


class UndefinedFeatureWarning(IsthmusWarning):
    """Some features are not defined for this ROI; they are missing (NaN), the others are fine."""


def first_few(names: Iterable[object]) -> str:
    """The first five names of a list, and how many more there are, for a message."""
    listed = [str(name) for name in names]
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")


def missing_extra(who: str, library: str, extra: str) -> PlanError:
    """The error for a library of an extra that is not installed."""
    return PlanError(f'{who} needs {library}, which is not installed: pip install "isthmus[{extra}]"')


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest known one, and all of them."""
    known = [str(name) for name in known]
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{hint} Known: {', '.join(sorted(known)) or 'none'}."
