"""What the application is told when it starts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from isthmus.app.tickets import Tickets
from isthmus.errors import TableError

__all__ = ["AppSettings"]

MIB = 1024 * 1024


@dataclass(frozen=True)
class AppSettings:
    """Where the application reads and writes, and who may talk to it.

    Parameters
    ----------
    study : Path
        The study folder. Everything the application writes lies below it.
    cases : Path or None
        The case table.
    root : Path or None
        Where relative paths of the case table start (default: the table's folder); images and masks are read below it or below the
        study folder, nowhere else.
    run : Path or None
        The folder of a finished run.
    port : int
        Where it listens; requests for another host or port are refused.
    token : str
        Every request must show it. Made anew at each start.
    largest_upload : int
        Bytes of the largest body that is taken; a room may ask for less.
    seed : int
        Of the order in which readers see the cases.
    """

    study: Path
    cases: Path | None = None
    root: Path | None = None
    run: Path | None = None
    port: int = 8000
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    largest_upload: int = 512 * MIB
    seed: int = 1
    tickets: Tickets = field(default_factory=Tickets, repr=False)

    def __post_init__(self) -> None:
        for name in ("study", "cases", "root", "run"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, Path(value).resolve())
        for name, kind in (("study", "folder"), ("root", "folder"), ("run", "folder"), ("cases", "file")):
            path = getattr(self, name)
            if path is not None and not (path.is_dir() if kind == "folder" else path.is_file()):
                raise TableError(f"{path}: no such {kind} (--{name}); check the path")

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders whose files may be read: the study's, where the table's paths start, the run; none that lies in another."""
        table = (self.root or self.cases.parent,) if self.cases is not None else ()
        found = dict.fromkeys((self.study, *table, *((self.run,) if self.run is not None else ())))
        return tuple(one for one in found if not found.keys() & set(one.parents))
