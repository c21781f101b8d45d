"""A text that knows where each of its numbers comes from.

Sentences are ordinary strings in which four things are marked by characters that no text uses: a number with its source, a name that
a user gave, references, and what only the author can say. A draft is printed as Markdown, as Word, and as a table of its numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from isthmus.errors import IsthmusError
from isthmus.report.facts import patients
from isthmus.report.references import reference, text
from isthmus.report.word import Document, Run, clean
from isthmus.report.wording import listed, number, p_value
from isthmus.study.result import Result

__all__ = ["FORMS", "Draft", "Trace", "author", "cite", "listed", "name"]

_NAME, _CITE, _TRACE, _AUTHOR = "\ue000\ue001", "\ue002\ue003", "\ue004\ue005", "\ue006\ue007"
_MARKED = re.compile("([\ue000\ue002\ue004\ue006])([^\ue000-\ue007]*)[\ue001\ue003\ue005\ue007]")
_OURS = re.compile("[\ue000-\ue007]")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|@$^~!&])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")

FORMS = (
    "d", "g", ".1f", ".2f", ".3f", "percent", "p", "text", "items", "rows", "distinct", "patients", "smallest", "largest", "default",
)  # fmt: skip
"""How a printed number is made from its source.

d, g, .1f, .2f, .3f: the cell so formatted. percent: times 100, whole. p: as p-values are printed. text: as it stands. items: how many
things a list of the plan holds. rows: how many rows there are. distinct: how many different values the column has in them. patients:
how many patients (of cases.csv one row a patient, an included one before an excluded one). smallest, largest: of the column. default:
of a setting that the plan leaves alone.
"""


@dataclass(frozen=True)
class Trace:
    """A printed number, the file of the run, the rows of it, the column (or a path inside TOML or JSON), and the form."""

    printed: str
    file: str
    rows: tuple[tuple[str, str], ...]
    column: str
    form: str


def name(value: object) -> str:
    """Text that a user gave: printed as it is, whatever it holds."""
    return f"{_NAME[0]}{_OURS.sub('', _CONTROL.sub(' ', clean(value)))}{_NAME[1]}"


def cite(*keys: str) -> str:
    """References, with the space before them; an unknown key is an error."""
    for key in keys:
        reference(key)
    return f" {_CITE[0]}{','.join(keys)}{_CITE[1]}"


def author(what: str) -> str:
    """What the software cannot know."""
    return f"{_AUTHOR[0]}{what}{_AUTHOR[1]}"


class Draft:
    """Headings and paragraphs of one run, and the source of every number in them.

    Parameters
    ----------
    result : Result
        Numbers are taken from its files only.
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self._parts: list[tuple[int, str]] = []  # (level, text); level 0 is a paragraph
        self._traces: list[Trace] = []
        self._tables: dict[str, list[dict[Hashable, Any]]] = {}

    # ------------------------------------------------------------------ writing

    def heading(self, text: str, level: int = 2) -> None:
        """A heading of level 1 to 3."""
        self._parts.append((level, text))

    def paragraph(self, *sentences: str) -> None:
        """One paragraph; empty sentences are left out, and a paragraph of none is not written."""
        body = " ".join(one.strip() for one in sentences if one.strip())
        if body:
            self._parts.append((0, body))

    # ------------------------------------------------------------------ numbers

    def cell(self, file: str, column: str, form: str = ".2f", **rows: object) -> str:
        """The first of the rows with these values; an error where there is none or it is empty."""
        found = self.rows(file, **rows)
        if not found or pd.isna(found[0].get(column)):
            raise IsthmusError(f"{file}: nothing in {column!r} of {rows}")
        return self._traced(_formed(found[0][column], form), file, rows, column, form)

    def known(self, file: str, column: str, **rows: object) -> bool:
        """Is there such a cell, and not empty?"""
        found = self.rows(file, **rows)
        return bool(found) and column in found[0] and not pd.isna(found[0][column])

    def number_of_rows(self, file: str, **rows: object) -> str:
        """How many rows have these values."""
        return self._traced(str(len(self.rows(file, **rows))), file, rows, "", "rows")

    def distinct(self, file: str, column: str, **rows: object) -> str:
        """How many different values the column has in these rows; empty cells do not count."""
        values = {str(row[column]) for row in self.rows(file, **rows) if not _empty(row[column])}
        return self._traced(str(len(values)), file, rows, column, "distinct")

    def extreme(self, file: str, column: str, which: str, **rows: object) -> str:
        """The `smallest` or `largest` number of a column."""
        values = [float(row[column]) for row in self.rows(file, **rows) if not _empty(row[column])]
        value = min(values) if which == "smallest" else max(values)
        return self._traced(f"{value:g}", file, rows, column, which)

    def patients(self, **rows: object) -> str:
        """How many patients have these values."""
        return self._traced(
            str(len(self.rows("patients of cases.csv", **rows))), "cases.csv", rows, "patient", "patients"
        )

    def setting(self, path: str, form: str = "g") -> str:
        """What the plan says at a dotted path; an old run may not say it, and then the author is asked."""
        value = self.said(path)
        if value is None:
            return author(f"{path}, which the plan of this run does not state")
        return self._traced(_formed(value, form), "plan.lock.toml", {}, path, form)

    def default(self, kind: str, which: str, key: str, value: object) -> str:
        """A setting of a step or estimator that the plan leaves alone."""
        return self._traced(_formed(value, "g"), "isthmus", {kind: which}, key, "default")

    def version(self, package: str) -> str:
        """The version of a package, by provenance.json."""
        found = self.result.provenance["versions"][package]
        return self._traced(str(found), "provenance.json", {}, f"versions.{package}", "text")

    def said(self, path: str) -> Any:
        """What the plan says at a dotted path, None where it says nothing."""
        return _inside(self.result.plan, path)

    def rows(self, file: str, **rows: object) -> list[dict[Hashable, Any]]:
        """The rows of a csv file with these values."""
        if file not in self._tables:
            self._tables[file] = _table(self.result, file).to_dict("records")
        wanted = {key: str(value) for key, value in rows.items()}
        return [row for row in self._tables[file] if all(str(row.get(key)) == value for key, value in wanted.items())]

    def _traced(self, printed: str, file: str, rows: dict[str, Any], column: str, form: str) -> str:
        where = tuple((key, str(value)) for key, value in rows.items())
        self._traces.append(Trace(printed, file, where, column, form))
        return f"{_TRACE[0]}{len(self._traces) - 1}{_TRACE[1]}"

    # ------------------------------------------------------------------ printing

    def keys(self) -> list[str]:
        """The references, in the order in which they are first cited."""
        found = (
            key
            for _, text in self._parts
            for mark, inner in _MARKED.findall(text)
            if mark == _CITE[0]
            for key in inner.split(",")
        )
        return list(dict.fromkeys(found))

    def traces(self) -> list[tuple[str, Trace]]:
        """Every number in the order of the text, with the heading it stands under."""
        heading, found = "", []
        for level, body in self._parts:
            heading = self._plain(body) if level else heading
            found += [(heading, self._traces[int(inner)]) for mark, inner in _MARKED.findall(body) if mark == _TRACE[0]]
        return found

    def trace_table(self) -> pd.DataFrame:
        """`methods.trace.csv`."""
        rows = [
            (heading, one.printed, one.file, json.dumps(dict(one.rows), ensure_ascii=False), one.column, one.form)
            for heading, one in self.traces()
        ]
        return pd.DataFrame(rows, columns=["section", "printed", "file", "rows", "column", "form"])

    def markdown(self, title: str) -> str:
        """Pandoc's Markdown: references as [@key], the source of every number in a comment below its paragraph."""
        head = (
            f"---\ntitle: {json.dumps(_CONTROL.sub(' ', clean(title)), ensure_ascii=False)}\nbibliography: "
            f"references.bib\n---\n"
        )
        parts = [head, _NOTE]
        for level, body in self._parts:
            printed = self._replaced(body, _escaped, _keyed, lambda what: f"**[Author: {what}]**")
            parts.append(f"{'#' * level} {printed}\n" if level else f"{printed}\n")
            sources = [self._traces[int(inner)] for mark, inner in _MARKED.findall(body) if mark == _TRACE[0]]
            if sources:
                parts.append(f"<!-- {' | '.join(map(_source, sources))} -->\n")
        return "\n".join([*parts, "# References\n"])

    def word(self, title: str, version: str = "") -> Document:
        """The same in Word: references numbered in the order of the text and listed at the end."""
        numbers = {key: i for i, key in enumerate(self.keys(), start=1)}
        document = Document(title)
        document.heading(title, 0)
        for level, body in self._parts:
            if level:
                document.heading(self._plain(body), level)
            else:
                document.paragraph(self._runs(body, numbers))
        document.heading("References", 1)
        for key, i in numbers.items():
            document.paragraph(f"{i}.\t{text(reference(key), version)}", "Bibliography")
        return document

    def _replaced(
        self, body: str, named: Callable[[str], str], cited: Callable[[str], str], asked: Callable[[str], str]
    ) -> str:
        how: dict[str, Callable[[str], str]] = {
            _NAME[0]: named,
            _CITE[0]: cited,
            _AUTHOR[0]: asked,
            _TRACE[0]: lambda i: self._traces[int(i)].printed,
        }
        return _MARKED.sub(lambda found: how[found[1]](found[2]), body)

    def _plain(self, body: str) -> str:
        return self._replaced(body, str, lambda _: "", str)

    def _runs(self, body: str, numbers: dict[str, int]) -> list[Run]:
        runs: list[Run] = []
        place = 0
        for found in _MARKED.finditer(body):
            runs.append((body[place : found.start()], ""))
            mark, inner = found.groups()
            if mark == _AUTHOR[0]:
                runs.append((f"[Author: {inner}]", "b"))
            elif mark == _CITE[0]:
                runs.append((f"[{', '.join(str(numbers[key]) for key in inner.split(','))}]", ""))
            else:
                runs.append((inner if mark == _NAME[0] else self._traces[int(inner)].printed, ""))
            place = found.end()
        return [run for run in [*runs, (body[place:], "")] if run[0]]


_NOTE = (
    "<!-- Drafted by Isthmus from the locked plan and the stored result. The comment below a paragraph names the "
    "source of each of its "
    "numbers; methods.trace.csv lists them all. [Author: ...] marks what only the authors know. "
    "To typeset it with its references: pandoc -C methods.md -o methods.pdf -->\n"
)


def _escaped(given: str) -> str:
    return _MARKDOWN.sub(r"\\\1", given)


def _keyed(keys: str) -> str:
    return f"[{'; '.join(f'@{key}' for key in keys.split(','))}]"


def _source(one: Trace) -> str:
    rows = "; ".join(f"{key}={value}" for key, value in one.rows)
    where = f"{one.printed}: {one.file}{f' [{rows}]' if rows else ''} {one.column} ({one.form})"
    return _CONTROL.sub(" ", where).replace("--", "- -").replace(">", "&gt;").replace("<", "&lt;")


def _table(result: Result, file: str) -> pd.DataFrame:
    """A csv file of the run as `Result` holds it; empty where the run has none."""
    if file == "patients of cases.csv":
        return patients(result)
    plain = {
        "metrics.csv": result.metrics, "cases.csv": result.cases, "comparisons.csv": result.comparisons, "selected.csv": result.selected,
        "acquisition.csv": result.acquisition, "predictions.csv": result.predictions,
    }  # fmt: skip
    if file in plain:
        return plain[file]
    folder, _, rest = file.partition("/")
    if folder == "features":
        return result.blocks.get(rest.removesuffix(".columns.csv"), pd.DataFrame())
    return result.tables.get(rest.removesuffix(".csv"), pd.DataFrame())


def _inside(document: Any, path: str) -> Any:
    """What stands at a dotted path; numbers are places in lists."""
    for key in path.split("."):
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def _empty(value: object) -> bool:
    return value is None or value == "" or bool(pd.isna(value))  # type: ignore[call-overload]


def _formed(value: Any, form: str) -> str:
    if form.startswith("."):
        return number(float(value), int(form[1]))
    plain: dict[str, Callable[[], str]] = {
        "items": lambda: str(len(value)),
        "p": lambda: p_value(value),
        "percent": lambda: f"{100 * float(value):.0f}",
        "d": lambda: f"{float(value):.0f}",
        "g": lambda: _general(value),
        "text": lambda: str(value),
    }
    return plain[form]()


def _general(value: Any) -> str:
    """A setting as people write it."""
    if isinstance(value, list | tuple):
        return listed([_general(one) for one in value])
    if isinstance(value, float):
        return f"{value:g}".replace("-", "\N{MINUS SIGN}")
    return str(value).replace("-", "\N{MINUS SIGN}") if isinstance(value, int) else str(value)
