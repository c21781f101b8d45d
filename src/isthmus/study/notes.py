"""Notes of many cases, each said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from isthmus.errors import first_few
from isthmus.study.extraction import CaseFiles

__all__ = ["Said", "said_once"]

_ONE_BY_ONE = 5  # up to here every case has a line of its own


@dataclass(frozen=True)
class Said:
    """A note of one block, and the rows of the case table it is about."""

    rows: tuple[str, ...]
    block: str
    note: str

    @property
    def cases(self) -> str:
        """Which cases, for the start of a message."""
        return f"case {self.rows[0]}" if len(self.rows) == 1 else f"{len(self.rows)} cases ({first_few(self.rows)})"


def said_once(notes: pd.DataFrame, cases: Sequence[CaseFiles]) -> list[Said]:
    """The notes of an extraction; one that more than five cases share, but for the name of the file, is one note of them all."""
    paths = {case.row: [*case.images.values(), *case.masks.values()] for case in cases}
    shared: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row, block, note in zip(notes["row"], notes["block"], notes["note"], strict=True):
        text = note
        for path in paths.get(row, ()):
            text = text.removeprefix(f"{path}: ")
        shared.setdefault((block, text), []).append((row, note))
    found = []
    for (block, text), about in shared.items():
        if len(about) > _ONE_BY_ONE:
            found.append(Said(tuple(row for row, _ in about), block, text))
        else:
            found += [Said((row,), block, note) for row, note in about]
    return found
