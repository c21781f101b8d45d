"""Word documents (docx): headings, paragraphs, references and three-line tables, the same bytes for the same content.

A document is a zip of a few XML files (ECMA-376); they are written as text, which is quick and leaves no time stamp behind. Every text
is escaped, and characters that XML forbids become the replacement character.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from isthmus.report.tables._view import View

__all__ = ["Document", "clean"]

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TIME = (1980, 1, 1, 0, 0, 0)

_LONG, _SHORT, _MARGIN = 16838, 11906, 1134  # A4 in twentieths of a point; margins of 20 mm
_MOST_COLUMNS, _MOST_LETTERS = 7, 105  # what a page of normal width holds
_CELL_LETTERS = 40  # text of a cell beyond this wraps

Run = tuple[str, str]
"""A piece of text and how it is set: "" plain, "b" bold, "i" italic, "^" raised."""


def clean(value: object) -> str:
    """Text as XML may hold it."""
    return _FORBIDDEN.sub("\ufffd", str(value))


class Document:
    """A document that grows from top to bottom.

    Parameters
    ----------
    title : str
        In the properties of the file; `heading` prints one.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._body: list[str] = []
        self._wide = False  # the page that is being filled

    def heading(self, text: str, level: int = 1) -> None:
        """A heading of level 0 (the title) to 3."""
        self._body.append(_paragraph([(text, "")], "Title" if level == 0 else f"Heading{level}"))

    def paragraph(self, runs: str | Sequence[Run], style: str = "") -> None:
        """One paragraph."""
        self._body.append(_paragraph([(runs, "")] if isinstance(runs, str) else runs, style))

    def table(self, view: View, title: str = "") -> None:
        """A three-line table: its title above, its caption as a footnote below; on a page of its own width where it is wide."""
        self._turn(_is_wide(view))
        if title:
            self._body.append(_paragraph([(title, "b")], "TableTitle"))
        self._body.append(_table(view, self._width))
        # never without a paragraph: two tables in a row would become one
        self._body.append(_paragraph([(view.caption, "")] if view.caption else [], "TableNote"))

    def page_break(self) -> None:
        """What follows begins a new page."""
        self._body.append('<w:p><w:r><w:br w:type="page"/></w:r></w:p>')

    def to_bytes(self) -> bytes:
        """The file."""
        body = "".join(self._body) + _section(self._wide)
        document = f"{_DECLARATION}<w:document {_NAMESPACES} {_RELATIONS}><w:body>{body}</w:body></w:document>"
        parts = {**_FIXED, "docProps/core.xml": _CORE.format(escape(clean(self._title))), "word/document.xml": document}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in parts.items():
                info = zipfile.ZipInfo(name, _TIME)
                info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
                archive.writestr(info, text.encode("utf-8"))
        return buffer.getvalue()

    def save(self, path: Path) -> None:
        """Write the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.to_bytes())

    @property
    def _width(self) -> int:
        return (_LONG if self._wide else _SHORT) - 2 * _MARGIN

    def _turn(self, wide: bool) -> None:
        """Turn the page: what stood before keeps its own direction."""
        if wide != self._wide:
            if self._body:
                self._body.append(f"<w:p><w:pPr>{_section(self._wide)}</w:pPr></w:p>")
            self._wide = wide


# ---------------------------------------------------------------------- pieces of XML


def _paragraph(runs: Iterable[Run], style: str = "") -> str:
    head = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{head}{''.join(_run(*run) for run in runs)}</w:p>"


_SET = {
    "": "",
    "b": "<w:rPr><w:b/></w:rPr>",
    "i": "<w:rPr><w:i/></w:rPr>",
    "^": '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>',
}


def _run(text: str, how: str) -> str:
    lines = escape(clean(text)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    inner = "<w:br/>".join("<w:tab/>".join(map(_piece, line.split("\t"))) for line in lines)
    return f"<w:r>{_SET[how]}{inner}</w:r>"


def _piece(text: str) -> str:
    return f'<w:t xml:space="preserve">{text}</w:t>'


def _section(wide: bool) -> str:
    size = (
        f'w:w="{_LONG}" w:h="{_SHORT}" w:orient="landscape"' if wide else f'w:w="{_SHORT}" w:h="{_LONG}"'
    )  # width, height
    margins = " ".join(f'w:{side}="{_MARGIN}"' for side in ("top", "right", "bottom", "left"))
    return (
        f'<w:sectPr><w:footerReference w:type="default" r:id="rId2"/><w:pgSz {size}/>'
        f'<w:pgMar {margins} w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
    )


def _is_wide(view: View) -> bool:
    return len(view.frame.columns) > _MOST_COLUMNS or sum(_letters(view)) > _MOST_LETTERS


def _letters(view: View) -> list[int]:
    """How many letters each column asks for; long text wraps."""
    columns = [[str(name), *map(str, view.frame.iloc[:, i])] for i, name in enumerate(view.frame.columns)]
    return [min(_CELL_LETTERS, max(4, *map(len, texts))) for texts in columns]


def _table(view: View, width: int) -> str:
    letters = _letters(view)
    total = sum(letters) or 1
    widths = [width * one // total for one in letters]
    numeric = [str(name) in view.numeric for name in view.frame.columns]
    grid = "".join(f'<w:gridCol w:w="{one}"/>' for one in widths)
    rows = [_row(list(map(str, view.frame.columns)), widths, numeric, header=True)]
    for i, row in enumerate(view.frame.itertuples(index=False, name=None)):
        if view.groups and i in view.groups:
            rows.append(_group(view.groups[i], len(widths), width))
        rows.append(_row(list(map(str, row)), widths, numeric))
    return f"<w:tbl>{_TABLE.format(width)}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


_TABLE = (
    '<w:tblPr><w:tblW w:w="{}" w:type="dxa"/><w:tblBorders><w:top w:val="single" w:sz="12" w:space="0" w:color="000000"/>'
    '<w:bottom w:val="single" w:sz="12" w:space="0" w:color="000000"/></w:tblBorders><w:tblLayout w:type="fixed"/>'
    '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>'
)
_RULE = '<w:tcBorders><w:bottom w:val="single" w:sz="6" w:space="0" w:color="000000"/></w:tcBorders>'


def _row(texts: list[str], widths: list[int], numeric: list[bool], header: bool = False) -> str:
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{_RULE if header else ""}</w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="TableText"/>{_RIGHT if right else ""}</w:pPr>{_run(text, "b" if header else "")}</w:p></w:tc>'
        for text, width, right in zip(texts, widths, numeric, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if header else ''}</w:trPr>{cells}</w:tr>"


_RIGHT = '<w:jc w:val="right"/>'


def _group(text: str, span: int, width: int) -> str:
    return (
        f'<w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:gridSpan w:val="{span}"/></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="TableText"/><w:keepNext/></w:pPr>{_run(text, "i")}</w:p></w:tc></w:tr>'
    )


# ---------------------------------------------------------------------- the parts that never change

_RELATIONS = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_CORE = (
    f'{_DECLARATION}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title><dc:creator>Isthmus</dc:creator></cp:coreProperties>'
)
_OOXML = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def _style(name: str, shown: str, paragraph: str, letters: str, after: str = "Normal", default: str = "") -> str:
    following = f'<w:next w:val="{after}"/>' if after else ""
    based = "" if default else '<w:basedOn w:val="Normal"/>'
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{name}"><w:name w:val="{shown}"/>{based}{following}<w:qFormat/>'
        f"<w:pPr>{paragraph}</w:pPr><w:rPr>{letters}</w:rPr></w:style>"
    )


def _size(half_points: int, bold: bool = False) -> str:
    return f'{"<w:b/>" if bold else ""}<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


def _space(before: int, after: int, line: int = 276) -> str:
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="auto"/>'


_KEEP = "<w:keepNext/><w:keepLines/>"
_STYLES = (
    f"{_DECLARATION}<w:styles {_NAMESPACES}><w:docDefaults><w:rPrDefault><w:rPr>"
    '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="SimSun" w:cs="Times New Roman"/>'
    f'{_size(22)}<w:lang w:val="en-GB" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault></w:docDefaults>'
    + _style("Normal", "Normal", _space(0, 120), "", after="", default=' w:default="1"')
    + _style("Title", "Title", _KEEP + _space(0, 240), _size(32, bold=True))
    + _style("Heading1", "heading 1", _KEEP + _space(320, 120) + '<w:outlineLvl w:val="0"/>', _size(28, bold=True))
    + _style("Heading2", "heading 2", _KEEP + _space(240, 80) + '<w:outlineLvl w:val="1"/>', _size(24, bold=True))
    + _style("Heading3", "heading 3", _KEEP + _space(160, 60) + '<w:outlineLvl w:val="2"/>', _size(22, bold=True))
    + _style("TableTitle", "Table Title", _KEEP + _space(240, 80), _size(20))
    + _style("TableText", "Table Text", _space(20, 20, 240), _size(17))
    + _style("TableNote", "Table Note", _space(60, 240, 240), _size(16))
    + _style("Bibliography", "Bibliography", _space(0, 60, 240) + '<w:ind w:left="454" w:hanging="454"/>', _size(20))
    + "</w:styles>"
)
_FIXED = {
    "[Content_Types].xml": (
        f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_OOXML}.document.main+xml"/>'
        f'<Override PartName="/word/styles.xml" ContentType="{_OOXML}.styles+xml"/>'
        f'<Override PartName="/word/footer1.xml" ContentType="{_OOXML}.footer+xml"/>'
        '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
        f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>'
    ),
    "word/_rels/document.xml.rels": (
        f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/footer" Target="footer1.xml"/></Relationships>'
    ),
    "word/styles.xml": _STYLES,
    "word/footer1.xml": (
        f'{_DECLARATION}<w:ftr {_NAMESPACES}><w:p><w:pPr><w:jc w:val="center"/></w:pPr>'
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p></w:ftr>'
    ),
}
