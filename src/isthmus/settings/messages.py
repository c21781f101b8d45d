"""What is wrong with settings, in the words of somebody who wrote TOML and not Python: one line for one mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from isthmus.errors import did_you_mean

__all__ = ["keys_of", "setting_messages"]

_ARRAYS = ("features", "models")
_EXPECTED = {
    "bool": "true or false",
    "dict": "a table: { key = value }",
    "float": "a number",
    "int": "a whole number",
    "list": "a list: [ ... ]",
    "model": "a table: { key = value }",
    "string": "text in quotes",
    "tuple": "a list: [ ... ]",
}


def keys_of(section: type[BaseModel], place: Sequence[Any]) -> list[str]:
    """The keys of the section at a place of a document, for `setting_messages`."""
    current: Any = section
    for key in place:
        field = current.model_fields.get(key)
        kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
        current = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if current is None:
            return []
    return sorted(field.alias or name for name, field in current.model_fields.items())


def setting_messages(
    error: ValidationError,
    document: Mapping[str, Any],
    *,
    known_keys: Callable[[list[Any]], Sequence[str]],
    where: str = "",
) -> list[str]:
    """One message for each mistake that pydantic found.

    Parameters
    ----------
    error : ValidationError
    document : mapping
        What was validated; tells the keys of the plan from the names pydantic gives the branches of a choice of types.
    known_keys : function
        From the place of a table in the document to the keys it may have.
    where : str
        What every message starts with; by default the section.
    """
    choices: dict[tuple[Any, ...], list[tuple[list[Any], Any]]] = {}
    for item in error.errors(include_url=False):
        place, branched_at = _place(item, document)
        choices.setdefault(tuple(place if branched_at is None else place[:branched_at]), []).append((place, item))
    lines = []
    for found in choices.values():
        deepest = max(len(place) for place, _ in found)
        meant = [(place, item) for place, item in found if len(place) == deepest or item["type"] == "extra_forbidden"]
        if len(meant) > 1 and all(place == meant[0][0] for place, _ in meant):
            expected = " or ".join(dict.fromkeys(_expected(item) for _, item in meant))
            lines.append(f"{_start(meant[0][0], where)}: expected {expected}{_came(meant[0][1])}")
        else:
            lines += [_message(place, item, known_keys, where) for place, item in meant]
    return list(dict.fromkeys(lines))


def _place(item: Any, document: Any) -> tuple[list[Any], int | None]:
    """Where in the document an error is, and after how many parts a choice of types begins, if there is one."""
    place: list[Any] = []
    branched_at = None
    location = list(item["loc"])
    here = document
    for position, part in enumerate(location):
        absent = position == len(location) - 1 and item["type"] == "missing"
        if _holds(here, part):
            here = here[part]
        elif not absent:
            branched_at = len(place) if branched_at is None else branched_at
            continue
        place.append(part)
    return place, branched_at


def _holds(here: Any, part: int | str) -> bool:
    if isinstance(here, Mapping):
        return part in here
    return isinstance(here, (list, tuple)) and isinstance(part, int) and part < len(here)


def _message(place: list[Any], item: Any, known_keys: Callable[[list[Any]], Sequence[str]], where: str) -> str:
    if item["type"] == "extra_forbidden":
        return _unknown(place, known_keys(place[:-1]), where)
    if item["type"] == "missing" and isinstance(place[-1], int):
        return f"{_start(place[:-1], where)}: expected more values in the list; number {place[-1] + 1} is missing"
    if item["type"] == "missing":
        key = ".".join(_keys(place, where))
        return f"{where or _section(place)} {key!r} is missing; it has no default."
    if len(place) == 1 and not where and item["type"] != "value_error":
        name = place[0]
        written = f"[[{name}]]" if name in _ARRAYS else f"[{name}]"
        return f"{name}: expected a section, written {written} on a line of its own, its keys below{_came(item)}"
    return _sentence(place, item, where) or f"{_start(place, where)}: expected {_expected(item)}{_came(item)}"


def _sentence(place: list[Any], item: Any, where: str) -> str:
    """A message that a setting wrote itself and that needs no more words; else empty."""
    said = item["msg"].removeprefix("Value error, ")
    if item["type"] != "value_error":
        return ""
    if said.startswith("filter ") or (place and isinstance(item["input"], dict)):  # of a table as a whole
        return f"{_start(place, where)}: {said}"
    if where and (not place or said.startswith((f"{place[-1]} ", f"{place[-1]}:"))):
        return f"{_start(place[:-1], where)} {said}"
    return ""


def _unknown(place: list[Any], names: Sequence[str], where: str) -> str:
    """A section or a key that nobody knows, most often a slip of the pen."""
    hint = did_you_mean(str(place[-1]), dict.fromkeys(names))
    if len(place) == 1 and not where:
        return f"unknown section {place[0]!r}.{hint}"
    inside = _keys(place[:-1], where)
    return f"{where or _section(place)} {'.'.join(inside) + ': ' if inside else ''}unknown key {place[-1]!r}.{hint}"


def _keys(place: list[Any], where: str) -> list[str]:
    """The keys on the way; the section is said in front, numbers of list entries are left out."""
    return [part for part in (place if where else place[1:]) if isinstance(part, str)]


def _start(place: list[Any], where: str) -> str:
    """Section and key."""
    return " ".join(filter(None, [where or _section(place), ".".join(_keys(place, where))]))


def _section(place: list[Any]) -> str:
    if len(place) > 1 and isinstance(place[1], int):
        return f"[[{place[0]}]] number {place[1] + 1}"
    return f"[{place[0]}]"


def _expected(item: Any) -> str:
    """What would have been right."""
    kind, _, rest = item["type"].partition("_")
    facts = item.get("ctx", {})
    if item["type"] == "literal_error":
        return str(facts["expected"])
    if kind in ("greater", "less"):
        return " ".join([_COMPARED[item["type"]], str(next(iter(facts.values())))])
    if item["type"] in ("too_short", "string_too_short"):
        return "something in it; it is empty"
    if kind in _EXPECTED and (rest.startswith(("type", "parsing", "from"))):
        return _EXPECTED[kind]
    return str(item["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")


_COMPARED = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}


def _came(item: Any) -> str:
    came = item["input"]
    return "" if isinstance(came, dict) else f" (came: {came!r})"
