"""In which encoding a text file was written: tried in a sensible order, and said.

Latin-1 gives some text for any bytes, so a Chinese file must be recognised before it is tried; and almost any two bytes
are some character of GB18030, so a German file must not be taken for a Chinese one.
"""

from __future__ import annotations

import codecs
import re

from isthmus.errors import TableError

__all__ = ["decode"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 (with BOM)"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# what a text file never holds; tab, line ends, form feed and DOS's end of file may occur
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x80-\xff]")
_SAVE = "Save it as UTF-8 (in Excel: 'CSV UTF-8 (comma delimited)')"


def decode(data: bytes, source: str, *, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file, and the name of the encoding it was read in.

    Tried in this order: a byte order mark, UTF-8, then GB18030 (which includes GBK and GB2312) if the bytes look like
    Chinese, then Latin-1 in Windows' form.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        The file's name, for messages.
    encoding : str, optional
        What the plan says; then nothing is guessed.

    Raises
    ------
    TableError
        The bytes are not text in any of these encodings, or not in the one the plan names.
    """
    if encoding is not None:
        return _declared(data, source, encoding), encoding
    for mark, codec, name in _BOMS:
        if data.startswith(mark):
            return _strict(data, codec, source, name), name
    control = _CONTROL.search(data)
    if control is not None:
        raise TableError(
            f"{source}: not a text table: byte {data[control.start()]:#04x} at position {control.start()}{_kind(data)}. "
            f'Expected text in UTF-8, GB18030/GBK or Latin-1. {_SAVE}, or name the encoding: encoding = "utf-16-le"'
        )
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    if _looks_chinese(data):
        return _strict(data, "gb18030", source, "GB18030"), "GB18030"
    try:
        return data.decode("cp1252"), "Latin-1"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "Latin-1"


def _declared(data: bytes, source: str, encoding: str) -> str:
    """The text in the encoding that the plan names."""
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise TableError(
            f"{source}: encoding = {encoding!r} is not known; expected a name such as 'utf-8', 'gb18030' or 'latin-1'"
        ) from error
    return _strict(data, encoding, source, encoding).removeprefix("\ufeff")


def _strict(data: bytes, codec: str, source: str, name: str) -> str:
    """The text, or an error that says where the bytes stop being text."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TableError(
            f"{source}: unreadable as {name}: byte {data[error.start]:#04x} at position {error.start} (line {line}). {_SAVE}"
        ) from error


def _kind(data: bytes) -> str:
    """What a binary file probably is."""
    if data.startswith(b"PK"):
        return " (it looks like an Excel workbook or a zip file)"
    if data.startswith(b"\x1f\x8b"):
        return " (it looks like a gzip file; its name should end in .gz)"
    zeros = data[:4000].count(0)
    return " (it looks like UTF-16 without a byte order mark)" if zeros > len(data[:4000]) / 5 else ""


def _looks_chinese(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 look like Chinese in GBK rather than like a Western European language.

    Every character outside ASCII votes. The 3,755 common characters of GB2312 (lead byte B0 to D7, trail byte from A1)
    and full-width punctuation speak for Chinese; a high byte followed by an ASCII letter (which GBK allows for rare
    characters, and which every accented letter in a Latin word gives) and a lone pair inside an ASCII word speak against.
    """
    votes = 0.0
    for match in _PAIR.finditer(data):
        pair = match.group()
        if len(pair) == 1 or pair[1] < 0x80:
            votes -= 1.0
        elif _inside_word(data, match.start(), match.end()) or pair[1] < 0xA1:
            votes -= 0.5
        elif 0xB0 <= pair[0] <= 0xD7 or 0xA1 <= pair[0] <= 0xA3:
            votes += 1.0
        else:
            votes += 0.25
    return votes > 0


def _inside_word(data: bytes, start: int, end: int) -> bool:
    """Whether ASCII letters stand on both sides, as round the two bytes of 'öß' in 'Größe'."""
    return data[start - 1 : start].isalpha() and data[end : end + 1].isalpha()
