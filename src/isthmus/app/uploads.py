"""Files that a browser sends for one question only: kept in a temporary folder, deleted when it is answered."""

from __future__ import annotations

import atexit
import re
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from isthmus.app.guard import too_large
from isthmus.app.refusal import Refusal

__all__ = ["Uploads"]

HOUR = 3600.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ ()+-]{0,120}")


class Uploads:
    """Folders of one question each; nothing stays longer than an hour, and nothing when the application ends.

    Parameters
    ----------
    endings : tuple of str
        Of the files that are taken.
    most : int
        Bytes of all files of one question.
    """

    def __init__(self, endings: tuple[str, ...], most: int) -> None:
        self.endings, self.most = endings, most
        self._lock = threading.Lock()
        self._home: Path | None = None
        self._open: dict[str, float] = {}

    def begin(self) -> str:
        """A new folder's key."""
        with self._lock:
            if self._home is None:
                self._home = Path(tempfile.mkdtemp(prefix="isthmus-"))
                atexit.register(shutil.rmtree, self._home, ignore_errors=True)
            for key in [key for key, since in self._open.items() if time.monotonic() - since > HOUR]:
                self._remove(key)
            key = secrets.token_urlsafe(16)
            self._open[key] = time.monotonic()
            (self._home / key).mkdir()
        return key

    def folder(self, key: str) -> Path:
        """The folder of a key.

        Raises
        ------
        Refusal
            404: no such folder, or it was deleted.
        """
        if key not in self._open or self._home is None:
            raise Refusal(
                "no such upload; files are deleted when they have served", do="choose the files again", status=404
            )
        return self._home / key

    async def receive(self, request: Any, key: str, part: str, name: str) -> Path:
        """Write the body of a request (raw bytes) as a file of its own folder, while it comes in.

        Raises
        ------
        Refusal
            400: a name or ending that is not taken. 413: too large. 415: not raw bytes.
        """
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/octet-stream":
            raise Refusal(f"a body of type {kind}", "application/octet-stream", status=415)
        plain = Path(name).name
        if not _NAME.fullmatch(plain) or not plain.lower().endswith(self.endings):
            raise Refusal(f"a file called {name[:80]!r}", f"a name that ends in {', '.join(self.endings)}", status=400)
        # image and mask often have one name: each gets a folder
        target = self.folder(key) / re.sub(r"\W+", "_", part)[:60] / plain
        target.parent.mkdir(exist_ok=True)
        left = self.most - sum(file.stat().st_size for file in self.folder(key).rglob("*") if file.is_file())
        try:
            with target.open("wb") as stream:
                async for piece in request.stream():
                    left -= len(piece)
                    if left < 0:
                        raise too_large(self.most)
                    stream.write(piece)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target

    def end(self, key: str) -> None:
        """Delete a folder."""
        with self._lock:
            self._remove(key)

    def _remove(self, key: str) -> None:
        if self._open.pop(key, None) is not None and self._home is not None:
            shutil.rmtree(self._home / key, ignore_errors=True)
