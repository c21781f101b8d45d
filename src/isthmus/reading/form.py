"""The reading form: ready or from a file, and whether an answer is one it can take."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from isthmus.errors import PlanError, TableError, did_you_mean
from isthmus.reading.settings import FieldSettings, ReadingSettings, Show
from isthmus.settings.messages import keys_of, setting_messages

__all__ = ["CANNOT_TELL", "FORMS", "Form", "form_of", "form_text", "read_form"]

FORMS = ("thyroid",)
"""Ready forms."""
CANNOT_TELL = "cannot be judged"
"""An answer that every choice takes: the scan does not show it. Missing to models."""

_LONGEST = 4000


@dataclass(frozen=True)
class Form:
    """The questions, in order, each of its own name."""

    fields: tuple[FieldSettings, ...]

    @property
    def fingerprint(self) -> str:
        """A short key of its content: answers remember to which form they belong."""
        said = json.dumps([field.model_dump(mode="json") for field in self.fields], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def field(self, name: str) -> FieldSettings:
        found = next((field for field in self.fields if field.name == name), None)
        if found is None:
            raise TableError(f"the form has no question {name!r}.{did_you_mean(name, [f.name for f in self.fields])}")
        return found

    def asked(self, field: FieldSettings, answers: Mapping[str, Any]) -> bool:
        """Whether a question is asked, given the other answers."""
        if field.show is None:
            return True
        given = answers.get(field.show.field)
        return bool(set(given if isinstance(given, list) else [given]) & set(field.show.answers))

    def checked(self, answers: Mapping[str, Any], *, whole: bool = False) -> dict[str, Any]:
        """The answers as they are kept: choices in the form's order, numbers as floats, what is empty left out.

        Parameters
        ----------
        answers : mapping
            Question -> a choice, a list of choices, a number or a text; None or "" is no answer.
        whole : bool
            Whether every required question that is asked must be answered.

        Raises
        ------
        TableError
            A question the form does not have, an answer it cannot take, or one that is missing.
        """
        for name in answers:
            self.field(name)
        kept = {}
        for field in self.fields:
            value = _kept(field, answers.get(field.name))
            if value is not None and self.asked(field, answers):
                kept[field.name] = value
        lacking = [f.question for f in self.fields if f.required and self.asked(f, kept) and f.name not in kept]
        if whole and lacking:
            raise TableError(f"not answered yet: {'; '.join(lacking)}. {CANNOT_TELL!r} is an answer, too")
        return kept


def _kept(field: FieldSettings, value: Any) -> Any:
    """One answer as it is kept; None where there is none. An empty list of several choices is an answer: none of them."""
    if value is None or value == "":
        return None
    where = f"{field.name} = {value!r}"
    if field.kind == "several":
        chosen = value if isinstance(value, list) else [value]
        if chosen == [CANNOT_TELL]:
            return CANNOT_TELL
        strange = [one for one in chosen if one not in field.choices]
        if strange:
            raise TableError(f"{where}: expected some of {', '.join(field.choices)}")
        return [choice for choice in field.choices if choice in chosen]
    if field.kind == "choice":
        if value not in (*field.choices, CANNOT_TELL):
            raise TableError(f"{where}: expected one of {', '.join(field.choices)}")
        return value
    if field.kind == "number":
        return _number(field, value)
    text = str(value).strip()
    if len(text) > _LONGEST:
        raise TableError(f"{field.name}: a text of {len(text)} characters; expected at most {_LONGEST}")
    return text or None


def _number(field: FieldSettings, value: Any) -> float:
    try:
        number = float(str(value).replace(",", ".")) if not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    low, high = field.range or (-math.inf, math.inf)
    if not math.isfinite(number) or not low <= number <= high:
        unit = f" {field.unit}" if field.unit else ""
        expected = f"a number from {low:g} to {high:g}{unit}" if field.range else "a number"
        raise TableError(f"{field.name} = {value!r}: expected {expected}")
    return number


def form_text(name: str) -> str:
    """A ready form as the TOML it is written in.

    Raises
    ------
    PlanError
        There is no form of that name.
    """
    if name not in FORMS:
        raise PlanError(
            f"[reading] form = {name!r} is not known.{did_you_mean(name, FORMS)} Or name a file that ends in .toml"
        )
    return (resources.files("isthmus.reading") / "forms" / f"{name}.toml").read_text(encoding="utf-8")


def read_form(named: str | Path) -> Form:
    """A form by its name, or from a TOML file with [[fields]] (or [reading], as a plan has it).

    Raises
    ------
    PlanError
        There is no such form, or the file is no form.
    """
    text, where = str(named), f"the form {named}"
    if not text.endswith(".toml"):
        return _parsed(form_text(text), where, Path())
    try:
        content = Path(named).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise PlanError(
            f"{named}: cannot be read ({exc}). `isthmus reading form thyroid` prints one to start from"
        ) from exc
    return _parsed(content, where, Path(named).resolve().parent)


def _parsed(content: str, where: str, base: Path) -> Form:
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as exc:
        raise PlanError(
            f"{where}: not valid TOML: {exc}. Text needs quotes, lists need [ ], questions [[fields]]."
        ) from exc
    said = document.get("reading", document)
    try:
        settings = ReadingSettings.model_validate(said)
    except ValidationError as exc:
        lines = setting_messages(
            exc, said, known_keys=lambda place: keys_of(ReadingSettings, [p for p in place if isinstance(p, str)])
        )
        raise PlanError("\n".join(f"{where}: {line}" for line in lines)) from exc
    if settings.form is not None and settings.form.endswith(".toml"):
        raise PlanError(
            f"{where}: form = {settings.form!r}: a form in a file may start from a ready one only ({', '.join(FORMS)})"
        )
    try:
        return form_of(settings, base)
    except PlanError as exc:
        raise PlanError(f"{where}: {exc}") from exc


def form_of(settings: ReadingSettings, base: Path) -> Form:
    """The form that [reading] describes; `base` is where its paths start.

    Raises
    ------
    PlanError
        A question occurs twice, or is shown upon an answer that does not exist.
    """
    start: tuple[FieldSettings, ...] = ()
    if settings.form is not None:
        start = read_form(base / settings.form if settings.form.endswith(".toml") else settings.form).fields
    names = [field.name for field in settings.fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PlanError(f"[reading] fields: {twice!r} occurs twice; names must differ")
    own = {field.name: field for field in settings.fields}
    for name in settings.leave_out:
        if name not in {field.name for field in start}:
            raise PlanError(f"[reading] leave_out: no question {name!r}.{did_you_mean(name, [f.name for f in start])}")
    kept = [own.pop(field.name, field) for field in start if field.name not in settings.leave_out]
    form = Form((*kept, *own.values()))
    if not form.fields:
        raise PlanError("[reading] asks nothing. Name a form, or give [[reading.fields]]")
    for field in form.fields:
        if field.show is not None:
            _check_show(form, field, field.show)
    return form


def _check_show(form: Form, field: FieldSettings, show: Show) -> None:
    place = {one.name: position for position, one in enumerate(form.fields)}
    if place.get(show.field, len(place)) >= place[field.name]:
        raise PlanError(f"[reading] {field.name} show: {show.field!r} is no question before it")
    known = [*form.field(show.field).choices, CANNOT_TELL]
    for answer in show.answers:
        if answer not in known:
            raise PlanError(
                f"[reading] {field.name} show: {answer!r} is no answer to {show.field!r}.{did_you_mean(answer, known)}"
            )
