"""Word documents and their three-line tables."""

from __future__ import annotations

import io
import zipfile
from xml.dom import minidom

import docx
import pandas as pd
import pytest
from docx.enum.section import WD_ORIENTATION
from docx.oxml.ns import qn

from isthmus.report.tables._view import View
from isthmus.report.word import Document, clean

HOSTILE = 'a\x00b\x0b<w:p>&amp;"=cmd()\n@x'


def _opened(document: Document):
    return docx.Document(io.BytesIO(document.to_bytes()))


def _view(columns: int = 3, groups: dict[int, str] | None = None) -> View:
    names = [f"c{i}" for i in range(columns)]
    return View(pd.DataFrame([["1"] * columns] * 3, columns=names), "p by chi-square.", groups, ("c1",))


def _document(view: View, title: str = "Table 1") -> Document:
    document = Document("T")
    document.table(view, title)
    return document


def test_cells_come_back() -> None:
    """What was put into cells is read by another library."""
    table = _opened(_document(_view())).tables[0]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["c0", "c1", "c2"], *[["1"] * 3] * 3]


def test_title_and_footnote() -> None:
    """The title stands above the table and the footnote below it."""
    body = _opened(_document(_view())).element.body
    assert [child.tag.split("}")[1] for child in body] == ["p", "tbl", "p", "sectPr"]


def test_three_rules() -> None:
    """Rules above the header, below it and at the end; none elsewhere."""
    xml = _opened(_document(_view())).tables[0]._tbl.xml
    borders = _opened(_document(_view())).tables[0]._tbl.tblPr.find(qn("w:tblBorders"))
    header = [
        cell._tc.find(".//" + qn("w:tcBorders")) is not None
        for cell in _opened(_document(_view())).tables[0].rows[0].cells
    ]
    assert (sorted(one.tag.split("}")[1] for one in borders), header, xml.count("<w:tcBorders>")) == (
        ["bottom", "top"],
        [True] * 3,
        3,
    )


def test_the_header_is_repeated() -> None:
    """On every page of a long table."""
    table = _opened(_document(_view())).tables[0]
    repeated = [row._tr.find(".//" + qn("w:tblHeader")) is not None for row in table.rows]
    assert repeated == [True, False, False, False]


def test_numbers_stand_right() -> None:
    """Columns of numbers are aligned to the right, others are not."""
    row = _opened(_document(_view())).tables[0].rows[1]
    assert [cell.paragraphs[0].alignment is not None for cell in row.cells] == [False, True, False]


def test_groups_span_the_table() -> None:
    """A heading of rows is one cell over all columns."""
    table = _opened(_document(_view(groups={1: "External"}))).tables[0]
    assert (table.rows[2].cells[0].text, len(table.rows[2]._tr.tc_lst)) == ("External", 1)


@pytest.mark.parametrize(("columns", "turned"), [(3, WD_ORIENTATION.PORTRAIT), (9, WD_ORIENTATION.LANDSCAPE)])
def test_wide_tables_lie(columns: int, turned: WD_ORIENTATION) -> None:
    """A table of many columns gets a page in landscape."""
    assert _opened(_document(_view(columns))).sections[-1].orientation == turned


def test_pages_turn_back() -> None:
    """Each table keeps its own direction when a wide one follows."""
    document = _document(_view(3))
    document.table(_view(9))
    document.table(_view(3))
    assert [one.orientation for one in _opened(document).sections] == [
        WD_ORIENTATION.PORTRAIT, WD_ORIENTATION.LANDSCAPE, WD_ORIENTATION.PORTRAIT,
    ]  # fmt: skip


def test_tables_stay_apart() -> None:
    """Two tables without captions in a row do not become one."""
    document = Document("T")
    document.table(View(pd.DataFrame({"a": ["1"]})))
    document.table(View(pd.DataFrame({"a": ["2"]})))
    body = _opened(document).element.body
    assert [child.tag.split("}")[1] for child in body] == ["tbl", "p", "tbl", "p", "sectPr"]


def test_tabs_are_tabs() -> None:
    """A tab in a text is Word's own."""
    document = Document("T")
    document.paragraph("a\tb")
    assert ("<w:tab/>" in _opened(document).paragraphs[0]._p.xml, _opened(document).paragraphs[0].text) == (
        True,
        "a\tb",
    )


def test_hostile_text() -> None:
    """Control characters and mark-up become text; a formula stays what it is."""
    document = Document(HOSTILE)
    document.heading(HOSTILE)
    document.paragraph([(HOSTILE, "b")])
    document.table(View(pd.DataFrame({HOSTILE: [HOSTILE]}), HOSTILE, {0: HOSTILE}, ()), HOSTILE)
    assert _opened(document).tables[0].rows[2].cells[0].text == 'a\ufffdb\ufffd<w:p>&amp;"=cmd()\n@x'


def test_every_part_is_xml() -> None:
    """All parts of the file parse."""
    with zipfile.ZipFile(io.BytesIO(_document(_view()).to_bytes())) as archive:
        parsed = [minidom.parseString(archive.read(name)) for name in archive.namelist()]
    assert len(parsed) == 7


def test_same_bytes() -> None:
    """Twice the same content is twice the same file, without the time."""
    first, second = _document(_view()).to_bytes(), _document(_view()).to_bytes()
    assert first == second


def test_the_time_is_not_inside() -> None:
    """All parts carry the zip's first day."""
    with zipfile.ZipFile(io.BytesIO(_document(_view()).to_bytes())) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_headings_have_styles() -> None:
    """Word finds the headings for its navigation."""
    document = Document("T")
    document.heading("Title", 0)
    document.heading("Methods", 1)
    assert [p.style.name for p in _opened(document).paragraphs] == ["Title", "Heading 1"]


def test_clean_keeps_the_world() -> None:
    """Letters of any script stay; a lone surrogate, which no file can hold, goes."""
    assert clean("体积 é 😀\t\ud800") == "体积 é 😀\t\ufffd"
