"""The papers behind every method and library that a study can use: read from `references.bib`, printed as text or as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from isthmus.errors import IsthmusError

__all__ = ["REQUIRED", "Reference", "bibtex", "parse", "reference", "references", "text"]

REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "article": ("author", "title", "journal", "year"),
        "inproceedings": ("author", "title", "booktitle", "year"),
        "incollection": ("author", "title", "booktitle", "year"),
        "book": ("author", "title", "publisher", "year"),
        "phdthesis": ("author", "title", "school", "year"),
        "misc": ("author", "title"),
    }
)
"""Kind of an entry -> the fields it cannot do without."""

_ENTRY = re.compile(r"@(\w+)\{([^,\s]+),\n((?:  \w+ = \{.*\},\n)+)\}")
_FIELD = re.compile(r"  (\w+) = \{(.*)\},\n")


@dataclass(frozen=True)
class Reference:
    """One entry: its key, its kind (`article`, `book` ...) and its fields as BibTeX writes them."""

    key: str
    kind: str
    fields: Mapping[str, str]


def parse(source: str) -> dict[str, Reference]:
    """The entries of a BibTeX file written as ours is: one field a line.

    Raises
    ------
    IsthmusError
        A key occurs twice, a field is missing, or something is no entry.
    """
    found: dict[str, Reference] = {}
    rest = "\n".join(line for line in source.split("\n") if not line.startswith("%"))
    for kind, key, body in _ENTRY.findall(rest):
        if key in found:
            raise IsthmusError(f"references: {key!r} occurs twice; keys must differ.")
        fields = dict(_FIELD.findall(body))
        if missing := [name for name in REQUIRED.get(kind, ()) if not fields.get(name)]:
            raise IsthmusError(f"references: {key!r} has no {', '.join(missing)}.")
        found[key] = Reference(key, kind, MappingProxyType(fields))
    if left := _ENTRY.sub("", rest).strip():
        raise IsthmusError(f"references: no entry: {left[:60]!r}. One field a line, `  name = {{value}},`.")
    return found


@lru_cache(maxsize=1)
def references() -> Mapping[str, Reference]:
    """Key -> reference, of everything that can be cited."""
    return MappingProxyType(parse(resources.files("isthmus.report").joinpath("references.bib").read_text("utf-8")))


def reference(key: str) -> Reference:
    """One reference; an unknown key is an error of ours."""
    if key not in references():
        raise IsthmusError(f"references.bib has no {key!r}.")
    return references()[key]


def bibtex(keys: Iterable[str], version: str = "") -> str:
    """The entries as a BibTeX file, in the given order; `version` is that of this software."""
    parts = []
    for key in keys:
        one = reference(key)
        fields = dict(one.fields)
        if key == "isthmus" and version:
            fields["note"] = f"Version {version}"
        body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        parts.append(f"@{one.kind}{{{one.key},\n{body}}}\n")
    return "\n".join(parts)


def text(one: Reference, version: str = "") -> str:
    """`DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing ... Biometrics. 1988;44:837-845. doi:...`."""
    fields = {name: value.replace("--", "-") for name, value in one.fields.items()}
    where = next((fields[name] for name in _PLACES if name in fields), "")
    volume = fields.get("volume", "") + (f"({fields['number']})" if "number" in fields else "")
    numbers = ":".join(part for part in (volume, fields.get("pages", "")) if part)
    issue = ";".join(part for part in (fields.get("year", ""), numbers) if part)
    parts = [_authors(fields["author"]), fields["title"].strip("{}"), where, issue]
    if one.key == "isthmus" and version:
        parts.append(f"Version {version}")
    line = " ".join(part if part.endswith(("?", ".", "!")) else f"{part}." for part in parts if part)
    return f"{line} doi:{fields['doi']}" if "doi" in fields else line


_PLACES = ("journal", "booktitle", "publisher", "school", "howpublished")


def _authors(field: str) -> str:
    if field.startswith("{"):
        return field.strip("{}")
    names = ["et al" if name == "others" else _short(name) for name in field.split(" and ")]
    return ", ".join([*names[:6], "et al"] if len(names) > 7 else names)


def _short(name: str) -> str:
    """`DeLong, Elizabeth R.` -> `DeLong ER`; a suffix (`Jr.`) stands behind the initials."""
    family, *rest = [part.strip() for part in name.split(",")]
    initials = "".join(word[0] for word in re.split(r"[ .-]+", rest[0]) if word) if rest else ""
    return " ".join(part for part in (family, initials, *(part.rstrip(".") for part in rest[1:])) if part)
