"""The one check that every path of a request or of a table goes through."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from isthmus.app.refusal import Refusal

__all__ = ["inside", "inside_any"]


def inside(folder: Path, path: str | Path) -> Path:
    """The real path of a file below a folder.

    Links are followed first, so a link that leads out is outside; so are `..` and absolute paths that do not lie below the folder.

    Parameters
    ----------
    folder : Path
    path : str or Path
        Relative to the folder, or absolute.

    Raises
    ------
    Refusal
        403: it lies elsewhere, or is no path at all.
    """
    home = folder.resolve()
    try:
        if "\0" in str(path):
            raise ValueError("a zero byte")
        found = (home / path).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise Refusal(f"no path: {error}", "a file of the study", status=403) from error
    if found != home and home not in found.parents:
        raise Refusal(
            f"{path}: outside the study",
            f"a file below {home}",
            "start the application with --root (images and masks) or --study (everything) naming the folder that holds it",
            status=403,
        )
    return found


def inside_any(folders: Iterable[Path], path: str | Path) -> Path:
    """The real path of a file below one of several folders; a relative path starts at the first.

    Raises
    ------
    Refusal
        403: it lies in none of them.
    """
    folders = list(folders)
    first: Refusal | None = None
    for folder in folders:
        try:
            return inside(folder, folders[0] / path)
        except Refusal as error:
            first = first or error
    assert first is not None
    raise first
