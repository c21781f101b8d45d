"""Rows on their way through the steps, and a memory of what steps made of them.

Several models of a study, and the trials of a search, put the same rows through the same first steps. A `Memory` keeps
what came out, found again by content: what the rows hold, which step with which settings, and for a supervised step
the outcome. What is found is what would be computed, so a memory changes no number; its warnings are said again too.
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.table.steps import text_columns

__all__ = ["Memory", "Rows", "content_key", "extend_key"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a study.

    Parameters
    ----------
    X : DataFrame
    events : array, shape (n,)
        Codes of the outcome, or events and times (`table.target`).
    patients : array, shape (n,)
    key : bytes, optional
        Stands for the content of X, the same for equal rows only; without one nothing is remembered of these rows.
    """

    X: pd.DataFrame
    events: NDArray[Any]
    patients: NDArray[Any]
    key: bytes | None = None

    def take(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows of a mask."""
        key = None if self.key is None else extend_key(self.key, np.packbits(mask).tobytes())
        return Rows(self.X[mask], self.events[mask], self.patients[mask], key)

    @property
    def patients_key(self) -> bytes:
        return extend_key(b"patients", pickle.dumps([str(name) for name in self.patients]))

    @property
    def outcome_key(self) -> bytes:
        return extend_key(b"outcome", pickle.dumps((self.events.tolist(), [str(name) for name in self.patients])))


class Memory:
    """What was computed before, by key; the least recently used goes when there is more than `limit_bytes`.

    Parameters
    ----------
    limit_bytes : int
        0 remembers nothing.
    """

    def __init__(self, limit_bytes: int = 400_000_000) -> None:
        self.limit_bytes = limit_bytes
        self.hits = 0
        self._held: OrderedDict[bytes, tuple[Any, tuple[warnings.WarningMessage, ...], int]] = OrderedDict()
        self._bytes = 0

    def recall(self, key: bytes, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """What `make` gives, or gave before under this key; what it warned of is warned of again."""
        if not self.limit_bytes:
            return make()
        if key in self._held:
            self.hits += 1
            self._held.move_to_end(key)
            value, said, _ = self._held[key]
        else:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = make()
            said = tuple(caught)
            self._keep(key, value, said, size(value))
        for message in said:
            warnings.warn_explicit(message.message, message.category, message.filename, message.lineno)
        return value

    def _keep(self, key: bytes, value: Any, said: tuple[warnings.WarningMessage, ...], size: int) -> None:
        self._held[key] = (value, said, size)
        self._bytes += size
        while self._bytes > self.limit_bytes and self._held:
            self._bytes -= self._held.popitem(last=False)[1][2]


def extend_key(*parts: bytes) -> bytes:
    """A key from keys and bytes."""
    total = hashlib.blake2b(digest_size=20)
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.digest()


def content_key(X: pd.DataFrame) -> bytes:
    """Stands for columns, types and values of a table (not for its index)."""
    text = text_columns(X)
    plain = X if not text else X.drop(columns=text)
    names = pickle.dumps([(str(name), str(dtype)) for name, dtype in zip(X.columns, X.dtypes, strict=True)])
    values = np.ascontiguousarray(plain.to_numpy(dtype=np.float64, na_value=np.nan))
    return extend_key(
        names, values.tobytes(), pickle.dumps([[_content(cell) for cell in X[name].astype(object)] for name in text])
    )


def _content(cell: Any) -> Any:
    """What stands for a cell: an object's own digest, where it has one (a table of supervoxels)."""
    return getattr(cell, "digest", cell)
