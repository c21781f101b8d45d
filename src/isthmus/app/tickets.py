"""Tickets: one file opened once in a frame or as a download, where a browser cannot send the token along."""

from __future__ import annotations

import secrets
import threading
import time

__all__ = ["Tickets"]

SECONDS = 60.0


class Tickets:
    """A ticket opens one address, once, within a minute; `?ticket=...` stands for the token there (GET only)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[str, float]] = {}

    def issue(self, path: str) -> str:
        """The address with its ticket; `path` begins with a slash and has no query."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            now = time.monotonic()
            self._open = {key: one for key, one in self._open.items() if one[1] > now}
            self._open[ticket] = (path, now + SECONDS)
        return f"{path}?ticket={ticket}"

    def redeem(self, ticket: str, path: str) -> bool:
        """Whether this ticket opens this address; it does so only once."""
        with self._lock:
            held = self._open.pop(ticket, None)
        return held is not None and held[0] == path and held[1] > time.monotonic()
