"""JSON from a file that nobody vouches for: finite numbers of a sane length, no depth that exhausts the reader."""

from __future__ import annotations

import json
import math
from typing import Any

from isthmus.errors import ModelFileError

__all__ = ["read_json"]

_MOST_DIGITS = 40


def read_json(content: bytes, file: str) -> dict[str, Any]:
    """The object a JSON text holds.

    Raises
    ------
    ModelFileError
        Not JSON, not an object, a name twice, nested too deeply, or a number that is not one (NaN, infinite, endless).
    """
    try:
        found = json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse,
            parse_float=_number,
            parse_int=_whole,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError) as exc:
        why = "nested too deeply" if isinstance(exc, RecursionError) else str(exc)
        raise ModelFileError(f"{file} is not valid JSON ({why}); it is damaged") from exc
    if not isinstance(found, dict):
        raise ModelFileError(f"{file} holds a {type(found).__name__}; expected an object. It is damaged")
    return found


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} where a number belongs")


def _number(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text[:_MOST_DIGITS])


def _whole(text: str) -> int:
    return int(text) if len(text) <= _MOST_DIGITS else _refuse(f"{text[:_MOST_DIGITS]}...")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} occurs twice")
    return found
