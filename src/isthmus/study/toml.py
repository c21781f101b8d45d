"""Writing TOML, which the standard library only reads; and what to do about a text that is none."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

__all__ = ["cure", "dump"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dump(document: Mapping[str, Any]) -> str:
    """A document as TOML: sections as tables, lists of mappings as arrays of tables, what is None left out."""
    plain = {
        name: value for name, value in document.items() if not isinstance(value, Mapping) and not _is_table_array(value)
    }
    lines = _pairs(plain)
    for name, value in document.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{_key(name)}]", *_pairs(value)]
        elif _is_table_array(value):
            for item in value:
                lines += ["", f"[[{_key(name)}]]", *_pairs(item)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _is_table_array(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_pairs(value)) + " }" if value else "{}"
    raise TypeError(f"cannot write {type(value).__name__} as TOML")


def cure(text: str, error: tomllib.TOMLDecodeError) -> str:
    """What to do about a text that is not TOML: the line, and the slip that is likely in it."""
    found = re.search(r"at line (\d+)", str(error))
    line = text.splitlines()[int(found.group(1)) - 1] if found else ""
    value = line.partition("=")[2].partition("#")[0].strip()
    slips = (
        (any(mark in line for mark in "“”„‟‘’«»"), 'Typographic quotes are no quotes here; write them straight: "..."'),
        ("overwrite" in str(error), "The key stands there twice; keep one"),
        ("\\" in line, "A path has / in place of \\ (or stands in single quotes)"),
        (value.count('"') % 2 == 1, 'A quote is missing: text begins and ends with "'),
        (
            bool(re.fullmatch(r"-?\d+,\d+", value)),
            f"Numbers have a decimal point: {value.replace(',', '.')}",
        ),
        (value in ("True", "False"), f"Write {value.lower()}"),
        ("=" not in line and not line.lstrip().startswith("["), "A line of a plan is: key = value"),
        (True, "Text needs quotes, lists need [ ], sections [name]"),
    )
    shown = f"The line is: {line.strip()[:80]}. " if line.strip() else ""
    return shown + next(words for found_here, words in slips if found_here)
