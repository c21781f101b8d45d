"""The audit log: one JSON line a decision, only ever appended.

Each line holds the SHA-256 of the line before it, so a line that was changed or taken out later shows. Writers of several windows and
processes wait for one another at a lock; a line is on the disk before the decision is answered. A line that a crash cut short stays
where it is, is told, and does not keep the next from being written.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Log", "Read", "locked"]

START = "0" * 64
_threads = threading.RLock()


@dataclass(frozen=True)
class Read:
    """What the log holds.

    Parameters
    ----------
    lines : tuple of dict
    faults : tuple of str
        Lines that cannot be read, and places where the chain is broken.
    last : str
        Hash that the next line must hold.
    """

    lines: tuple[dict[str, Any], ...]
    faults: tuple[str, ...]
    last: str


class Log:
    """The file `log.jsonl`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Read:
        """Every line that can be read, and what is wrong with the others."""
        lines, faults, last = [], [], START
        data = self.path.read_bytes() if self.path.is_file() else b""
        for number, raw in enumerate(data.split(b"\n"), start=1):
            if not raw:
                continue
            try:
                line = json.loads(raw)
                assert isinstance(line, dict)
            except (ValueError, AssertionError):
                faults.append(
                    f"{self.path.name}, line {number}: cut short or damaged; the decision it held is not counted"
                )
                last = hashlib.sha256(raw).hexdigest()
                continue
            if line.get("previous") != last:
                faults.append(
                    f"{self.path.name}, line {number}: does not follow the line before it; was the file edited?"
                )
            last = hashlib.sha256(raw).hexdigest()
            lines.append(line)
        return Read(tuple(lines), tuple(faults), last)

    def append(self, make: Callable[[Read], dict[str, Any]]) -> dict[str, Any]:
        """Append the line that `make` makes of what the log holds now; nobody else writes in between.

        `make` may raise: then nothing is written.
        """
        with locked(self.path.with_suffix(".lock")):
            held = self.read()
            line = {**make(held), "previous": held.last}
            text = json.dumps(line, ensure_ascii=False, allow_nan=False).encode()
            torn = self.path.is_file() and self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n")
            with self.path.open("ab") as file:
                file.write((b"\n" if torn else b"") + text + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return line


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One writer at a time, among the threads of this process and among processes; a crash leaves no lock behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _threads, path.open("a+b") as file:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)
