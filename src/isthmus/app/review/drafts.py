"""Drawings that are not saved yet: a browser or a machine may stop at any moment, and at most the last second is lost."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.app.refusal import Refusal
from isthmus.app.review.boxed import pack, unpack
from isthmus.app.review.cases import folder_name
from isthmus.app.review.log import locked
from isthmus.app.review.masks import replace_file
from isthmus.app.review.volumes import Opened, fingerprint

__all__ = ["Draft", "Drafts"]

log = logging.getLogger("isthmus")


@dataclass(frozen=True, eq=False)
class Draft:
    """A drawing.

    Parameters
    ----------
    labels : uint8 array, shape (k, j, i)
    fingerprint : str
    base : str
        Fingerprint of the mask it began with.
    seconds : float
        Working time so far.
    time : str
        When it was kept.
    """

    labels: NDArray[np.uint8]
    fingerprint: str
    base: str
    seconds: float
    time: str


class Drafts:
    """One file a reader and case: a line of JSON, then the voxels of the box (gzip), so both are replaced at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self,
        reader: str,
        key: str,
        opened: Opened,
        labels: NDArray[np.uint8],
        *,
        base: str,
        previous: str,
        seconds: float,
    ) -> Draft:
        """Keep a drawing in the place of the one before.

        Raises
        ------
        Refusal
            409: the draft that is there is not the one this page knows (`previous`): another window draws on the same case.
        """
        time = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        draft = Draft(labels, fingerprint(labels), base, seconds, time)
        body, box = pack(opened.frame.view(labels))
        facts = {"fingerprint": draft.fingerprint, "base": base, "seconds": round(seconds, 1), "time": time, "box": box}
        data = json.dumps(facts).encode() + b"\n" + gzip.compress(body, 1, mtime=0)
        with locked(self.folder / ".lock"):
            held = self._facts(reader, key)
            there = "" if held is None else held["fingerprint"]
            if there not in (previous, draft.fingerprint):
                raise Refusal(
                    "another window is drawing on this case", "one window a case", "close one of them and open the case again",
                    status=409, current=there,
                )  # fmt: skip
            replace_file(self._path(reader, key), data)
        return draft

    def read(self, reader: str, key: str, opened: Opened) -> Draft | None:
        """The drawing kept for this case, if any."""
        path = self._path(reader, key)
        if not path.is_file():
            return None
        line, _, body = path.read_bytes().partition(b"\n")
        try:
            facts = json.loads(line)
            view = unpack(gzip.decompress(body), facts["box"], opened.frame.shape(opened.geometry))
            labels = opened.frame.stored(view)
            return Draft(labels, facts["fingerprint"], facts["base"], float(facts["seconds"]), facts["time"])
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zlib.error) as error:
            self._set_aside(path, error)
            return None

    def drop(self, reader: str, key: str) -> None:
        """Forget a drawing: it was saved, or the reader threw it away."""
        with locked(self.folder / ".lock"):
            self._path(reader, key).unlink(missing_ok=True)

    def has(self, reader: str, key: str) -> bool:
        return self._path(reader, key).is_file()

    def _facts(self, reader: str, key: str) -> dict[str, str] | None:
        path = self._path(reader, key)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            line = file.readline()
        try:
            facts: dict[str, str] = json.loads(line)
            facts["fingerprint"]
        except (ValueError, KeyError, TypeError) as error:
            self._set_aside(path, error)
            return None
        return facts

    def _set_aside(self, path: Path, error: Exception) -> None:
        """A damaged drawing must not close its case for ever: it goes out of the way, and that is said."""
        aside = path.with_suffix(".damaged")
        os.replace(path, aside)
        log.warning(
            "%s: a drawing that was not saved yet is damaged (%s); it was put aside as %s", path, error, aside.name
        )

    def _path(self, reader: str, key: str) -> Path:
        return self.folder / folder_name(reader) / f"{folder_name(key)}.draft"
