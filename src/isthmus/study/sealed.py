"""A zip under one seal: how a model file travels, and how a file that nobody vouches for is opened.

The last 64 bytes (the zip's comment) are the SHA-256 of every byte before them, in hexadecimal. They find damage, wherever
it is; they are no signature, for whoever alters a file can seal it again. So nothing that the headers say is believed: sizes
are counted while reading, and names, kinds and number of entries are checked before.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from isthmus.errors import ModelFileError

__all__ = ["open_sealed", "read_sealed", "seal", "sha256"]

MOST_BYTES = 512 * 2**20
"""Of the file itself."""
MOST_ENTRIES = 256
MOST_UNPACKED = 1024 * 2**20
"""Of all entries together."""
MOST_RATIO = 200
"""Bytes unpacked for one byte of the file; beyond the first `_SMALL` bytes."""

_SMALL = 2**20
_SEAL = 64
_END = struct.Struct("<4s4H2LH")  # end of central directory
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_CHUNK = 2**16


def sha256(content: bytes) -> str:
    """The digest as `sha256sum` prints it."""
    return hashlib.sha256(content).hexdigest()


def seal(files: Mapping[str, bytes]) -> bytes:
    """One zip of these files (name -> content, in this order); the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
        archive.comment = b"0" * _SEAL
    content = buffer.getvalue()[:-_SEAL]
    return content + sha256(content).encode()


def read_sealed(path: Path) -> bytes:
    """The bytes of a file that may be a model file; not more than one can be.

    Raises
    ------
    ModelFileError
        It is not there, cannot be read or is too large.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ModelFileError(f"{path}: {size} bytes; a model file has at most {MOST_BYTES}. Refused.")
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise ModelFileError(f"{path}: no such file.") from exc
    except OSError as exc:
        raise ModelFileError(f"{path}: cannot be read ({exc.strerror or exc}).") from exc


def open_sealed(content: bytes) -> dict[str, bytes]:
    """The files inside, each whole; nothing is looked at before the seal fits.

    Raises
    ------
    ModelFileError
        With the reason: damaged, not such a file, or more inside than a model needs.
    """
    if content[:4] != b"PK\x03\x04":
        raise ModelFileError("not a model file (it does not begin as one). Ask for it again.")
    if len(content) < _END.size + _SEAL or sha256(content[:-_SEAL]).encode() != content[-_SEAL:]:
        raise ModelFileError(
            "does not match its seal: the file is damaged, was cut off or altered, or is older than format 2. Refused; ask for it again."
        )
    _check_end(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            return _unpacked(archive, entries, len(content))
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError) as exc:
        # NotImplementedError (a method of packing) is a RuntimeError
        raise ModelFileError(f"damaged inside ({exc}). Refused; ask for it again.") from exc


def _check_end(content: bytes) -> None:
    """The directory of the zip is where it must be, and small: it is read whole before its entries can be counted."""
    place = len(content) - _SEAL - _END.size
    mark, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(content, place)
    sound = mark == b"PK\x05\x06" and disk == first_disk == 0 and here == count and comment == _SEAL
    if not sound or offset + size != place or content[max(place - 20, 0) : place].startswith(b"PK\x06\x07"):
        raise ModelFileError("its directory is not where that of a model file is. Refused.")
    if count > MOST_ENTRIES or size > MOST_ENTRIES * 1024:
        raise ModelFileError(f"holds {count} files; a model has at most {MOST_ENTRIES}. Refused.")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise ModelFileError(f"holds {len(entries)} files; a model has at most {MOST_ENTRIES}. Refused.")
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        if not _NAME.fullmatch(name) or name != entry.filename:
            raise ModelFileError(f"holds an entry named {name[:100]!r}; expected a plain file name, no path. Refused.")
        if name in seen:
            raise ModelFileError(f"holds {name} twice. Refused.")
        seen.add(name)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise ModelFileError(f"{name} is a link or another special file. Refused.")
        if entry.flag_bits & 0x1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ModelFileError(f"{name} is encrypted or packed by a method that model files do not use. Refused.")


def _unpacked(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], size: int) -> dict[str, bytes]:
    left = min(MOST_UNPACKED, _SMALL + MOST_RATIO * size)
    files: dict[str, bytes] = {}
    for entry in entries:
        parts = []
        with archive.open(entry) as stream:
            while part := stream.read(_CHUNK):
                left -= len(part)
                if left < 0:
                    raise ModelFileError(
                        f"unpacks to more than a model needs (stopped in {entry.filename}): a zip bomb. Refused."
                    )
                parts.append(part)
        files[entry.filename] = b"".join(parts)
    return files
