"""The run folder: what is finished stays finished. Every file appears whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.table.writing import is_unfinished, make_folder, write_bytes

__all__ = [
    "RunFolder",
    "digest",
    "file_name",
    "hash_bytes",
    "hash_path",
    "make_folder",
    "packed",
    "unpacked",
    "write_bytes",
    "write_table",
]

log = logging.getLogger("isthmus")

# what a run writes at the top of its folder; never over somebody else's file of that name
_OURS = (
    "acquisition.csv", "cases.csv", "comparisons.csv", "features", "figures", "metrics.csv", "model.isthmus", "pictures", "plan.lock.toml",
    "predictions.csv", "preparation", "provenance.json", "quality.csv", "report.html", "selected.csv", "tables",
)  # fmt: skip


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV; floats with every digit they need, so the same numbers are the same bytes."""
    write_bytes(path, table.to_csv(index=False, lineterminator="\n").encode())


def digest(*parts: object) -> str:
    """A short content key."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def file_name(text: str) -> str:
    """A name that any file system takes; texts that differ give names that differ."""
    plain = re.sub(r"[^\w.-]+", "_", text)
    return plain if plain == text else f"{plain}-{digest(text)[:8]}"


def hash_bytes(data: bytes) -> str:
    """What `hash_path` gives for a file of this content."""
    return hashlib.sha256(hashlib.sha256(data).digest()).hexdigest()


def hash_path(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files in the order of their names."""
    total = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        if path.is_dir():
            total.update(str(file.relative_to(path)).encode())
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


class RunFolder:
    """`RUN/`: its tables, and the finished pieces of work that let an interrupted run continue.

    A piece of work (the features of one case, one fold of one model) is one small JSON file under `.work/`, named by the content
    of everything it depends on, so it can never be taken for another's.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.work = self.path / ".work"

    def begin(self, fingerprint: str, *, resume: bool) -> bool:
        """Start a run here (True), or continue the one that is here (False); refuse to overwrite a finished one.

        An unfinished run may go on with a corrected plan or table: its pieces are named by content, so what still fits is
        used and nothing can be mixed.
        """
        if self._marker.is_file():
            if not resume:
                raise PlanError(
                    f"{self.path} already holds a run. Continue it with --resume, or choose another folder with --out."
                )
            if self._marker.read_bytes() != fingerprint.encode():
                if (self.path / "provenance.json").is_file():
                    raise PlanError(
                        f"{self.path} holds the finished run of another plan, or its table has changed since. "
                        "Choose another folder with --out; nothing of the old run is overwritten."
                    )
                log.warning("the plan or its table has changed since the run began; what still fits is kept")
                write_bytes(self._marker, fingerprint.encode())
            return False
        make_folder(self.work)
        taken = sorted(name for name in _OURS if (self.path / name).exists())
        if taken:
            raise PlanError(
                f"{self.path} holds {', '.join(taken)} but no run that could be continued, and nothing is overwritten. "
                "Choose another folder with --out."
            )
        write_bytes(self._marker, fingerprint.encode())
        return True

    def abandon(self) -> None:
        """Take back a run that could not begin: what it wrote at the top goes, finished pieces of work stay."""
        for name in _OURS:
            path = self.path / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self._marker.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the unfinished files that killed processes left; nobody else may be writing here."""
        for path in self.path.rglob(".*"):
            if path.is_file() and is_unfinished(path):
                path.unlink(missing_ok=True)

    @property
    def _marker(self) -> Path:
        return self.work / "plan.sha256"

    def get(self, kind: str, key: str) -> Any | None:
        """A finished piece of work, or None; a damaged one is not finished."""
        path = self._piece(kind, key)
        try:
            content, _, seal = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        try:
            if seal != _seal(content):
                raise ValueError("its content is not what was written")
            return json.loads(content)
        except ValueError as error:
            log.warning("%s: damaged (%s); it is done again", path, error)
            return None

    def put(self, kind: str, key: str, value: Any) -> None:
        """Keep a finished piece of work: JSON in one line, and its hash."""
        content = json.dumps(value, ensure_ascii=False).encode()
        write_bytes(self._piece(kind, key), content + b"\n" + _seal(content))

    def has(self, kind: str, key: str) -> bool:
        return self._piece(kind, key).is_file()

    def _piece(self, kind: str, key: str) -> Path:
        return self.work / kind / f"{key}.json"

    def write(self, name: str, table: pd.DataFrame, columns: Iterable[str] = ()) -> None:
        """One of the run's tables; `columns` are the ones it must have, even when it is empty."""
        missing = [column for column in columns if column not in table.columns]
        write_table(self.path / name, table.assign(**dict.fromkeys(missing)) if missing else table)


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def packed(array: NDArray[Any]) -> str:
    """An array as text; its shape is kept elsewhere."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return base64.b64encode(zlib.compress(plain.tobytes(), 6)).decode("ascii")


def unpacked(text: str, kind: type[Any]) -> NDArray[Any]:
    """The array again, flat."""
    content = zlib.decompress(base64.b64decode(text))
    return np.frombuffer(content, dtype=np.dtype(kind).newbyteorder("<")).astype(kind)
