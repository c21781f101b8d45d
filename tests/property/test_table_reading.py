"""Any table comes back cell by cell, however it was written."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.table.reading import MISSING, numeric, read_frame

LATIN = "abcXYZ 019.-+/äöüßéèñÆ"
COMMON = "患者年龄性别分期转移手术前后大小男女是否一二三天地"
# two accented letters in a row (ÆÆ) are the bytes of a common Chinese character: nothing in such a cell tells the two apart
latin_text = st.text(LATIN + ',;"\t\n', max_size=8).map(
    lambda text: re.sub(r"([^\x00-\x7f])[^\x00-\x7f]+", r"\1", text)
)
cells = latin_text | st.sampled_from(sorted(MISSING))
tables = st.lists(st.tuples(cells, cells), min_size=1, max_size=5)


def expected(cell: str) -> str | None:
    stripped = cell.strip()
    return None if stripped in MISSING else stripped


def back(frame: pd.DataFrame, data: bytes) -> tuple[pd.DataFrame, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(data)
        table = read_frame(path)
    return table.frame, table.encoding


def cells_of(frame: pd.DataFrame) -> list[list[str | None]]:
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.to_numpy().tolist()]


@settings(max_examples=120, deadline=None)
@given(
    tables,
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_written_tables_come_back(drawn: list[tuple[str, str]], separator: str, codec: str, line: str) -> None:
    """Separators, quotes, line ends inside cells and encodings survive; white space and missing markers as documented."""
    frame = pd.DataFrame([(f"P{i}", *row) for i, row in enumerate(drawn)], columns=["patient", "größe", "b"])
    data = frame.to_csv(index=False, sep=separator, lineterminator=line, quoting=1).encode(codec)
    read, _ = back(frame, data)
    wanted = [[f"P{i}", *(expected(cell) for cell in row)] for i, row in enumerate(drawn)]
    assert [[cell and cell.replace("\r\n", "\n") for cell in row] for row in cells_of(read)] == wanted


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(COMMON, min_size=2, max_size=6), min_size=2, max_size=6, unique=True))
def test_chinese_is_never_read_as_latin(drawn: list[str]) -> None:
    """A table of common Chinese words in GBK is recognised, and comes back letter by letter."""
    frame = pd.DataFrame({"patient": drawn, "T分期": "T2"})
    read, said = back(frame, frame.to_csv(index=False).encode("gbk"))
    assert (cells_of(read), said) == ([[name, "T2"] for name in drawn], "GB18030")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_keep_every_bit(drawn: list[float]) -> None:
    """A number written with all its digits is read back as the same float."""
    frame = pd.DataFrame({"patient": [f"P{i}" for i in range(len(drawn))], "x": [repr(value) for value in drawn]})
    read, _ = back(frame, frame.to_csv(index=False).encode())
    assert numeric(read["x"], "x").tolist() == drawn
