"""What made these numbers: versions, seeds, hashes of inputs, machine, command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "provenance"
TITLE = "Provenance"

MOST = 24
"""Facts shown under one heading; a study of a thousand images has a thousand hashes."""


def view(result: Result) -> View | None:
    """provenance.json as two columns; nested facts are headed by their key."""
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    plain = {key: value for key, value in result.provenance.items() if not isinstance(value, dict)}
    for key, value in plain.items():
        text = (
            "isthmus " + shlex.join(map(str, value)) if key == "command" and isinstance(value, list) else _text(value)
        )
        rows.append([key.replace("_", " "), text])
    for key, value in result.provenance.items():
        if isinstance(value, dict) and value:
            groups[len(rows)] = key.replace("_", " ").capitalize()
            flat = [[name, text] for name, text in _flat(value)]
            rows += flat[:MOST]
            if len(flat) > MOST:
                rows.append(["…", f"{len(flat) - MOST} more in provenance.json"])
    return View(pd.DataFrame(rows, columns=["Fact", "Value"]), "", groups) if rows else None


def _flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{key}: ")
        else:
            yield f"{prefix}{key}", _text(inner)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "–" if value is None else str(value)
