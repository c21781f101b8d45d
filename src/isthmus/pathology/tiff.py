"""Is the directory of a TIFF sound enough to be handed to a C library?

OpenSlide asks for as much memory as an entry of a directory says it needs, and ends the process where that cannot be had (seen with 4.0
and one damaged byte in a BigTIFF: 293 TB). No entry can be larger than its file.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from isthmus.errors import ImageReadError

__all__ = ["check_tiff"]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each type of entry."""
_NDPI = 65420  # a tag of Hamamatsu's files: classic TIFF whose offsets between directories have eight bytes
_MOST_DIRECTORIES = 10_000


def check_tiff(path: Path) -> None:
    """Refuse a TIFF one of whose entries is larger than the file; a file that is no TIFF passes.

    Raises
    ------
    ImageReadError
    """
    with path.open("rb") as file:
        start = file.read(16)
        order = {b"II": "<", b"MM": ">"}.get(start[:2])
        if order is None or len(start) < 16:
            return
        version = struct.unpack(f"{order}H", start[2:4])[0]
        if version == 42:
            _walk(file, order, path, struct.unpack(f"{order}I", start[4:8])[0], big=False)
        elif version == 43:
            _walk(file, order, path, struct.unpack(f"{order}Q", start[8:16])[0], big=True)


def _walk(file: BinaryIO, order: str, path: Path, first: int, *, big: bool) -> None:
    """Every directory from the first on; what lies beyond the file's end is left to the reader, which says so."""
    entry, head = (f"{order}HHQQ", f"{order}Q") if big else (f"{order}HHII", f"{order}H")
    after = f"{order}Q" if big else f"{order}I"
    size, seen, place = path.stat().st_size, set[int](), first
    while 0 < place < size and place not in seen and len(seen) < _MOST_DIRECTORIES:
        seen.add(place)
        file.seek(place)
        head_bytes = file.read(struct.calcsize(head))
        if len(head_bytes) < struct.calcsize(head):
            return
        count = struct.unpack(head, head_bytes)[0]
        if count * struct.calcsize(entry) > size:
            raise ImageReadError(_damaged(path, f"directory {len(seen)} says that it has {count} entries"))
        entries = file.read(count * struct.calcsize(entry))
        if len(entries) < count * struct.calcsize(entry):
            return
        for tag, kind, values, _ in struct.iter_unpack(entry, entries):
            if values * _SIZES.get(kind, 1) > size:
                said = f"entry {tag} of directory {len(seen)} says that it has {values} values"
                raise ImageReadError(_damaged(path, said))
            after = f"{order}Q" if tag == _NDPI else after
        following = file.read(struct.calcsize(after))
        if len(following) < struct.calcsize(after):
            return
        place = struct.unpack(after, following)[0]


def _damaged(path: Path, said: str) -> str:
    return f"{path}: damaged: {said}, more than the file can hold. Copy or export it again"
