"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from isthmus.errors import OutputError, PlanError

__all__ = ["is_unfinished", "make_folder", "write_bytes"]

_UNFINISHED = ".unfinished"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def make_folder(path: Path, option: str = "--out") -> None:
    """Make a folder to write to, before the work whose result goes there; `option` is where the user named it.

    Raises
    ------
    PlanError
        It cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise PlanError(
            f"{path}: cannot be made a folder ({exc.strerror or exc}). Choose another place with {option}."
        ) from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise PlanError(f"{path}: nothing may be written there. Choose another place with {option}.")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it.

    Raises
    ------
    OutputError
        The disk is full, or the file may not be written.
    """
    if path.is_dir():
        raise PlanError(f"{path} is a folder; expected the name of a file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except OSError as exc:
        raise OutputError(f"{path}: cannot be written ({exc.strerror or exc}). {_cure(exc)}") from exc


def _cure(error: OSError) -> str:
    if error.errno in _FULL:
        return "Make room; --resume continues a run."
    return "Check that the folder may be written; --resume continues a run."


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def is_unfinished(path: Path) -> bool:
    """Is it a file that `write_bytes` had not finished when its process was killed?"""
    return path.name.startswith(".") and path.name.endswith(_UNFINISHED)
