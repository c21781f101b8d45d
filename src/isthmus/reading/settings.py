"""[reading]: the questions of the reading form, and the kinds of answer they take."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from isthmus.settings import Section
from isthmus.table.dictionary import Time

__all__ = ["MEASURES", "FieldSettings", "ReadingSettings", "Show"]

Kind = Literal["choice", "several", "number", "text"]
Measure = Literal[
    "axial_diameter_mm", "across_mm", "longest_diameter_mm", "volume_ml", "mean", "sd", "enhancement", "contact_degrees"
]
MEASURES: tuple[str, ...] = Measure.__args__  # type: ignore[attr-defined]
"""What can be measured on the mask and offered as an answer."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Show(Section):
    """A field is asked only where another one has one of these answers: { field = "invasion", answers = ["yes"] }."""

    field: str
    answers: list[str] = Field(min_length=1)


class FieldSettings(Section):
    """[[reading.fields]]: one question.

    name: of the column it becomes; question: what the reader sees; help: more, in small print; group: the heading it stands under.
    kind: "choice" (one answer), "several" (any number of them, also none), "number" or "text".
    choices: of the first two, in the order they are shown. ordered: they go from less to more, so kappa is weighted and models see 0, 1, 2.
    unit, range: of a number. required: the form cannot be signed without it.
    measured: what is measured on the mask and offered as the answer; cuts: where a choice changes, in the measure's unit, one fewer than
    choices; organ: whose contact is measured, the case table's column `mask:<organ>`.
    show: only where another field has one of these answers.
    when: the time at which it is known, for models that are held to one.
    """

    name: str
    question: str
    kind: Kind = "choice"
    choices: list[str] = Field(default_factory=list)
    ordered: bool = False
    unit: str = ""
    range: tuple[float, float] | None = None
    required: bool = True
    help: str = ""
    group: str = ""
    measured: Measure | None = None
    cuts: list[float] = Field(default_factory=list)
    organ: str = ""
    show: Show | None = None
    when: Time | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name = {self.name!r}: letters, digits and _ only, as it becomes the name of a column")
        if self.kind in ("choice", "several"):
            self._check_choices()
        elif self.choices or self.ordered or self.cuts:
            raise ValueError(f"{self.name}: choices, ordered and cuts have no meaning with kind = {self.kind!r}")
        if self.kind != "number" and (self.unit or self.range is not None):
            raise ValueError(f'{self.name}: unit and range belong to kind = "number"')
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"{self.name}: range = {list(self.range)}: the first is not below the second")
        if self.measured is not None and self.kind == "choice" and len(self.cuts) != len(self.choices) - 1:
            raise ValueError(
                f"{self.name}: measured needs {len(self.choices) - 1} cuts between {len(self.choices)} choices"
            )
        if (self.measured == "contact_degrees") != bool(self.organ):
            raise ValueError(f'{self.name}: measured = "contact_degrees" and organ = "..." go together')
        if self.cuts and (self.measured is None or self.cuts != sorted(set(self.cuts))):
            raise ValueError(f"{self.name}: cuts belong to a measured choice, and rise")
        return self

    def _check_choices(self) -> None:
        if len(self.choices) < (2 if self.kind == "choice" else 1):
            raise ValueError(f"{self.name}: kind = {self.kind!r} needs choices = [...]")
        if len({choice.strip().casefold() for choice in self.choices}) < len(self.choices):
            raise ValueError(f"{self.name}: two choices are the same word")
        if self.ordered and self.kind == "several":
            raise ValueError(f'{self.name}: ordered belongs to kind = "choice"')
        if self.kind == "several" and self.measured is not None:
            raise ValueError(f'{self.name}: measured belongs to "choice" and "number"')


class ReadingSettings(Section):
    """[reading]: the form that readers fill in (`isthmus app`, the reading room).

    form: a ready one, or a TOML file with [[fields]], relative to the plan; without own fields it is "thyroid". fields: more questions, or
    other ones of the same name.
    leave_out: names of the form's questions that are not asked.
    """

    form: str | None = None
    fields: list[FieldSettings] = Field(default_factory=list)
    leave_out: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _default_form(cls, said: Any) -> Any:
        if isinstance(said, dict) and not said.get("form") and (said.get("leave_out") or not said.get("fields")):
            return {**said, "form": "thyroid"}
        return said
