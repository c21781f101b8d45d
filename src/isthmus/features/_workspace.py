"""Scratch memory of the core, one per thread."""

from __future__ import annotations

import threading

from isthmus import _core

__all__ = ["workspace"]

_local = threading.local()


def workspace() -> _core.Workspace:
    """The scratch memory of this thread; it grows and is used again."""
    found: _core.Workspace | None = getattr(_local, "workspace", None)
    if found is None:
        found = _local.workspace = _core.Workspace()
    return found
