"""Which encoding a file was written in is found, said, and never guessed in silence."""

from __future__ import annotations

import pytest

from isthmus.errors import TableError
from isthmus.table.encoding import decode

CHINESE = "患者,性别,年龄,T分期,远处转移\n张三,女,45,T2,否\n李四,男,61,T3a,是\n"
GERMAN = "Patient,Größe,Händigkeit\nMüller,3,rechts\nGroß,4,links\nÄrztin,5,früh\n"
FRENCH = "patient,âge,résultat\nAndré,44,élevé\nHélène,51,très bas\n"


@pytest.mark.parametrize(
    ("text", "codec", "said"),
    [
        (CHINESE, "utf-8", "UTF-8"),
        (CHINESE, "utf-8-sig", "UTF-8 (with BOM)"),
        (CHINESE, "gbk", "GB18030"),
        (CHINESE, "gb18030", "GB18030"),
        ("patient,notes,outcome\nP1,镕基,1\nP2,转移,0\n", "gbk", "GB18030"),
        ("patient,outcome\n王,1\n", "gbk", "GB18030"),
        (GERMAN, "latin-1", "Latin-1"),
        (GERMAN, "cp1252", "Latin-1"),
        (FRENCH, "latin-1", "Latin-1"),
        ("patient,size\nGröße,3\n", "latin-1", "Latin-1"),
        ("patient,Größe (µm²)\nNúñez,3\n", "latin-1", "Latin-1"),
        ("patient,dose\nP1,5 µg\n", "latin-1", "Latin-1"),
        (CHINESE, "utf-16", "UTF-16"),
    ],
)
def test_text_comes_back_and_the_encoding_is_said(text: str, codec: str, said: str) -> None:
    """What was written in a usual encoding is read back letter by letter, and the choice is named."""
    assert decode(text.encode(codec), "t.csv") == (text, said)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (CHINESE.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"PK\x03\x04\x14\x00\x06\x00", "Excel workbook"),
        (b"\x1f\x8b\x08\x00abc", "should end in .gz"),
        (
            CHINESE.encode("gbk") + b"P1,\xff\xff,1\n",
            "unreadable as GB18030: byte 0x.. at position .*line 4.* Save it as UTF-8",
        ),
    ],
)
def test_unreadable_bytes_are_refused(data: bytes, message: str) -> None:
    """A file that is no text in a known encoding is an error that says what it looks like and what to do."""
    with pytest.raises(TableError, match=message):
        decode(data, "t.csv")


def test_a_declared_encoding_is_not_guessed() -> None:
    """The plan's encoding is used even where guessing would choose another."""
    assert decode("é".encode("gb18030"), "t.csv", encoding="latin-1")[0] == "é".encode("gb18030").decode("latin-1")


def test_a_wrong_declared_encoding_is_refused() -> None:
    """A file that is not in the encoding the plan names is an error, not replacement signs."""
    with pytest.raises(TableError, match=r"unreadable as utf-8: byte 0xfc at position 1 \(line 1\)"):
        decode("Müller".encode("latin-1"), "t.csv", encoding="utf-8")


def test_an_unknown_declared_encoding_is_refused() -> None:
    """A misspelt encoding is named."""
    with pytest.raises(TableError, match="encoding = 'utf8-x' is not known"):
        decode(b"a", "t.csv", encoding="utf8-x")
