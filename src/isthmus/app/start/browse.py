"""The folders the application was opened with, from the inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isthmus.app.paths import inside_any
from isthmus.app.refusal import Refusal
from isthmus.study.assemble import TABLES

__all__ = ["listing"]

_MOST = 500


def listing(folders: Sequence[Path], path: str) -> dict[str, Any]:
    """Folders and tables in a folder, and the way up; without a path the folders themselves, or what is in the only one.

    Raises
    ------
    Refusal
        403: outside. 404: no folder.
    """
    if not path and len(folders) == 1:
        path = str(folders[0])
    if not path:
        return {
            "path": "",
            "way": [],
            "folders": [_entry(home, str(home)) for home in folders],
            "tables": [],
            "files": 0,
            "more": 0,
        }
    here = inside_any(folders, path)
    if not here.is_dir():
        raise Refusal(f"{here.name}: no folder", "a folder", status=404)
    home = next(one for one in folders if here == one or one in here.parents)
    way = [*reversed([parent for parent in here.parents if parent == home or home in parent.parents]), here]
    inner = sorted(here.iterdir(), key=lambda one: one.name.casefold())
    shown = [one for one in inner if not one.name.startswith(".") and _may(folders, one)]
    below = [one for one in shown if one.is_dir()]
    files = [one for one in shown if one.is_file()]
    tables = [one for one in files if one.name.lower().endswith(TABLES)]
    return {
        "path": str(here),
        "way": [_entry(one, one.name or str(one)) for one in way],
        "folders": [_entry(one, one.name) for one in below[:_MOST]],
        "tables": [_entry(one, one.name) for one in tables[:_MOST]],
        "files": len(files),
        "more": max(len(below) - _MOST, 0),
    }


def _may(folders: Sequence[Path], path: Path) -> bool:
    """A link that leads out is not shown."""
    try:
        inside_any(folders, path)
    except Refusal:
        return False
    return True


def _entry(path: Path, shown: str) -> dict[str, str]:
    return {"path": str(path), "shown": shown}
