"""What readers answered: one file a reader that is only ever added to, and one with the consensus.

A reader sees his own answers and nobody else's. When two have signed a case, its comparison can be opened, which is written down; from
then on the case is closed to the readers, so that nobody can come round to what the other wrote. The consensus stands beside the
answers and changes none of them.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from isthmus.errors import TableError
from isthmus.reading.form import Form

__all__ = ["CONSENSUS", "Answers", "Comparison", "ReadingRecord"]

CONSENSUS = "consensus"
_LOCK = threading.Lock()
log = logging.getLogger("isthmus")


@dataclass(frozen=True)
class Answers:
    """What one reader (or the consensus) says of one case.

    Parameters
    ----------
    case, reader : str
    answers : mapping
        As `Form.checked` keeps them.
    signed : bool
        Final; a draft otherwise.
    version : int
        How often this reader has saved this case.
    seconds : float
        Spent on it, all savings together.
    time : str
        Of the last saving (UTC).
    form : str
        Fingerprint of the form.
    by : tuple of str
        Of a consensus: who agreed on it.
    """

    case: str
    reader: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    signed: bool = False
    version: int = 0
    seconds: float = 0.0
    time: str = ""
    form: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Two or more readers on one case: their answers, the questions on which they differ, and the consensus so far."""

    case: str
    readers: tuple[Answers, ...]
    differ: tuple[str, ...]
    consensus: Answers


class ReadingRecord:
    """The answers to one form in one folder: `<reader>.jsonl` and `consensus.jsonl`, one line a saving, never rewritten."""

    def __init__(self, folder: str | Path, form: Form) -> None:
        self.folder = Path(folder)
        self.form = form

    # ------------------------------------------------------------------ one reader

    def own(self, reader: str, case: str) -> Answers:
        """A reader's answers to a case; empty ones where there are none yet."""
        return self._all(_name(reader)).get(case, Answers(case, _name(reader)))

    def done(self, reader: str) -> dict[str, Answers]:
        """All a reader has saved, by case."""
        return self._all(_name(reader))

    def save(
        self,
        reader: str,
        case: str,
        answers: Mapping[str, Any],
        *,
        signed: bool = False,
        seconds: float = 0.0,
        version: int | None = None,
    ) -> Answers:
        """Add a reader's answers to his file.

        Parameters
        ----------
        reader, case : str
        answers : mapping
            Question -> answer.
        signed : bool
            Whether they are final; then every required question must be answered.
        seconds : float
            Spent since the last saving.
        version : int, optional
            The version these answers were made from; another one now (a second window) is refused.

        Raises
        ------
        TableError
            An answer the form does not take, a version that has moved on, or a case whose comparison was opened.
        """
        reader = _name(reader)
        kept = self.form.checked(answers, whole=signed)
        with _LOCK:
            if case in self._opened():
                raise TableError(
                    f"{case}: the comparison of the readers was opened, so their answers are closed. Change the consensus instead"
                )
            return self._add(reader, case, kept, signed, seconds, version)

    # ------------------------------------------------------------------ the readers together

    def readers(self) -> tuple[str, ...]:
        """Everybody who has saved something, in alphabetical order."""
        if not self.folder.is_dir():
            return ()
        names = {
            one.reader for path in self.folder.glob("*.jsonl") if path.stem != CONSENSUS for one in _read(path).values()
        }
        return tuple(sorted(names))

    def signed(self, case: str) -> tuple[Answers, ...]:
        """The signed answers to a case, reader by reader. Not to be shown to a reader who has not signed."""
        every = (self.own(reader, case) for reader in self.readers())
        return tuple(one for one in every if one.signed)

    def compare(self, case: str, reader: str) -> Comparison:
        """Open the comparison of a case, which closes it to its readers.

        Raises
        ------
        TableError
            Fewer than two readers have signed the case, or somebody who reads it has not yet.
        """
        reader = _name(reader)
        with _LOCK:
            opened = case in self._opened()
            signed = self.signed(case)
            drafts = [one for name in self.readers() if (one := self.own(name, case)).version and not one.signed]
            if not opened and (len(signed) < 2 or drafts):
                who = (
                    f"{drafts[0].reader} has not signed it"
                    if drafts and len(signed) > 1
                    else f"{len(signed)} of 2 readers have signed it"
                )
                raise TableError(f"{case}: {who}, so nothing of the others is shown. Wait until two have signed")
            if not opened:
                self._append(CONSENSUS, {"time": _now(), "reader": CONSENSUS, "case": case, "opened": reader})
        return Comparison(
            case, signed, differing(self.form, signed), self._consensus().get(case, Answers(case, CONSENSUS))
        )

    def agree(self, case: str, answers: Mapping[str, Any], by: Sequence[str], *, signed: bool = True) -> Answers:
        """Write the consensus of a case.

        Raises
        ------
        TableError
            Its comparison is not open, nobody stands for it, or an answer the form does not take.
        """
        names = tuple(_name(one) for one in by)
        if not names:
            raise TableError(f"{case}: nobody stands for the consensus; name those who agreed")
        kept = self.form.checked(answers, whole=signed)
        with _LOCK:
            if case not in self._opened():
                raise TableError(f"{case}: its comparison is not open; a consensus without having compared is none")
            return self._add(CONSENSUS, case, kept, signed, 0.0, None, by=list(names))

    def settled(self, case: str) -> Answers | None:
        """The signed consensus of a case, or None."""
        found = self._consensus().get(case)
        return found if found is not None and found.signed else None

    def opened(self) -> frozenset[str]:
        """The cases whose comparison was opened."""
        return self._opened()

    # ------------------------------------------------------------------ the files

    def _add(
        self,
        reader: str,
        case: str,
        kept: Mapping[str, Any],
        signed: bool,
        seconds: float,
        version: int | None,
        **more: Any,
    ) -> Answers:
        before = self._consensus() if reader == CONSENSUS else self._all(reader)
        last = before.get(case, Answers(case, reader))
        if version is not None and version != last.version:
            raise TableError(
                f"{case}: saved {last.version} times, these answers were made from saving {version}: another window was faster. "
                "Load the case again"
            )
        line = {
            "time": _now(), "reader": reader, "case": case, "answers": kept, "signed": signed,
            "seconds": round(max(float(seconds), 0.0), 1), "form": self.form.fingerprint, **more,
        }  # fmt: skip
        self._append(reader, line)
        made = self._consensus() if reader == CONSENSUS else self._all(reader)
        return made[case]

    def _path(self, reader: str) -> Path:
        # Anna and anna are one person, on every file system
        return self.folder / f"{quote(reader.casefold(), safe=' ')}.jsonl"

    def _append(self, reader: str, line: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(reader)
        with path.open("ab+") as stream:
            stream.seek(0, os.SEEK_END)
            if stream.tell():
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":  # a crash left half a line: it stays, and is no part of the next
                    stream.write(b"\n")
            stream.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _all(self, reader: str) -> dict[str, Answers]:
        return _read(self._path(reader))

    def _consensus(self) -> dict[str, Answers]:
        return _read(self._path(CONSENSUS))

    def _opened(self) -> frozenset[str]:
        return frozenset(line["case"] for line in _lines(self._path(CONSENSUS)) if "opened" in line)


def differing(form: Form, signed: Sequence[Answers]) -> tuple[str, ...]:
    """The questions with choices on which the readers do not say the same. Numbers never are the same, and are averaged."""
    fields = (field for field in form.fields if field.choices)
    return tuple(field.name for field in fields if len({json.dumps(one.answers.get(field.name)) for one in signed}) > 1)


def _name(reader: str) -> str:
    """A reader's name as it is kept."""
    name = " ".join(str(reader).split())
    if not name or len(name) > 60:
        raise TableError(f"reader {reader!r}: expected a name of 1 to 60 characters")
    if name.casefold() == CONSENSUS:
        raise TableError(f"reader {reader!r}: that name is kept for what the readers agree on; take another")
    return name


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; what a crash left of one, or damage, is passed over, and said."""
    found = []
    for number, text in enumerate(path.read_bytes().split(b"\n") if path.is_file() else (), start=1):
        try:
            line = json.loads(text) if text else None
        except ValueError:
            line = {}
        if line is not None and _is_whole(line):
            found.append(line)
        elif line is not None:
            _tell(path, number)
    return found


def _is_whole(line: Any) -> bool:
    """Is it what this module writes?"""
    return (
        isinstance(line, dict)
        and isinstance(line.get("case"), str)
        and isinstance(line.get("reader"), str)
        and isinstance(line.get("answers", {}), dict)
        and isinstance(line.get("seconds", 0), int | float)
        and isinstance(line.get("by", []), list)
    )


@functools.cache
def _tell(path: Path, number: int) -> None:
    """Once a line, not each time that the file is read."""
    log.warning("%s, line %d: cut short or damaged; what it held is not counted", path, number)


def _read(path: Path) -> dict[str, Answers]:
    """The last saving of every case, with how many there were and the time spent on all."""
    found: dict[str, Answers] = {}
    for line in _lines(path):
        if "answers" not in line:
            continue
        last = found.get(line["case"], Answers(line["case"], line["reader"]))
        found[line["case"]] = Answers(
            line["case"], line["reader"], line["answers"], bool(line.get("signed")), last.version + 1,
            last.seconds + float(line.get("seconds", 0)), str(line.get("time", "")), str(line.get("form", "")),
            tuple(line.get("by", ())),
        )  # fmt: skip
    return found
