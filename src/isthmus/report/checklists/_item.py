"""Items of checklists, their answers, and what a run can say about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from isthmus.report.facts import final_model, patients, splits, task
from isthmus.study.result import Result

__all__ = [
    "AUTHOR", "NO", "NOT_APPLICABLE", "PARTLY", "YES", "Answer", "Checklist", "Facts", "Item", "asked", "items", "no", "not_applicable",
    "partly", "yes",
]  # fmt: skip

YES, PARTLY, NO, NOT_APPLICABLE, AUTHOR = "yes", "partly", "no", "not applicable", "author must answer"


@dataclass(frozen=True)
class Answer:
    """An answer, the file of the run that shows it, what stands there, and a remark; `points` where an item is scored by points."""

    answer: str
    file: str = ""
    value: str = ""
    note: str = ""
    points: tuple[float, float] | None = None

    @property
    def evidence(self) -> str:
        return f"{self.file}: {self.value}" if self.file and self.value else self.file


def yes(file: str, value: object = "", note: str = "") -> Answer:
    """The run holds what the item asks for."""
    return Answer(YES, file, str(value), note)


def partly(file: str, value: object = "", note: str = "") -> Answer:
    """The run holds a part; the rest is the author's."""
    return Answer(PARTLY, file, str(value), note)


def no(file: str = "", value: object = "", note: str = "") -> Answer:
    """It was not done."""
    return Answer(NO, file, str(value), note)


def not_applicable(note: str = "") -> Answer:
    """The study has no such thing."""
    return Answer(NOT_APPLICABLE, note=note)


def asked(note: str = "", file: str = "", value: object = "") -> Answer:
    """Only the author knows; a file may help."""
    return Answer(AUTHOR, file, str(value), note)


Answering = Callable[["Facts"], Answer]


@dataclass(frozen=True)
class Item:
    """One item: its number in the checklist, the section, what it asks in our own words, how it is answered, its weight or points."""

    item: str
    section: str
    question: str
    answer: Answering
    weight: float = 0.0
    lowest: float = 0.0


@dataclass(frozen=True)
class Checklist:
    """A checklist: its file's name, its title, the key of its paper, and its items; `scoring` is "", "weights" or "points"."""

    name: str
    title: str
    reference: str
    items: tuple[Item, ...]
    scoring: str = ""
    note: str = ""


def items(section: str, *rows: tuple[str, str, Answering]) -> tuple[Item, ...]:
    """Items of one section."""
    return tuple(Item(number, section, question, answer) for number, question, answer in rows)


class Facts:
    """What a stored run says about itself, in the words of checklists; nothing of it depends on what a report wrote."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.plan: dict[str, Any] = result.plan
        self.images = bool(self.plan.get("features"))
        self.blocks: list[dict[str, Any]] = list(self.plan.get("features") or [])
        self.clinical = bool(self.plan.get("clinical"))
        self.task = task(result)
        self.final = final_model(result)
        self.splits = splits(result)
        self.external = any(one.startswith("external") for one in self.splits)
        self.internal = "internal" in self.splits
        self.validate: dict[str, Any] = self.plan.get("validate") or {}

    def said(self, path: str) -> Any:
        """What the plan says at a dotted path; None where nothing."""
        value: Any = self.plan
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def table(self, name: str) -> pd.DataFrame:
        """A table of `tables/`, empty where the run has none."""
        return self.result.tables.get(name, pd.DataFrame())

    def has(self, name: str) -> bool:
        """Does the run have this table?"""
        return len(self.table(name)) > 0

    @cached_property
    def patients(self) -> pd.DataFrame:
        return patients(self.result)

    @cached_property
    def included(self) -> pd.DataFrame:
        return self.patients[self.patients["status"] == "included"]

    @cached_property
    def centres(self) -> list[str]:
        return sorted(set(self.included["centre"]) - {""})

    @cached_property
    def steps(self) -> set[str]:
        """The names of the steps of all models."""
        return {
            step if isinstance(step, str) else str(step.get("name"))
            for model in self.plan.get("models", [])
            for step in model.get("steps") or []
        }

    @cached_property
    def metrics(self) -> set[str]:
        """The metrics of the final model, without what follows a colon."""
        table = self.result.metrics
        known = table[(table["model"] == self.final) & table["estimate"].notna()]
        return {str(one).partition(":")[0] for one in known["metric"]}

    def scanned(self, column: str) -> str:
        """What acquisition.csv says in a column, in short; empty where it says nothing."""
        table = self.result.acquisition
        if column not in table:
            return ""
        values = sorted({str(value) for value in table[column].dropna()} - {""})
        more = f" and {len(values) - 3} more" if len(values) > 3 else ""
        return f"{column} {', '.join(values[:3])}{more}" if values else ""

    @cached_property
    def modality(self) -> str:
        """CT, MR, PT where the headers of all images agree; else empty."""
        table = self.result.acquisition
        if "modality" in table:
            found = set(table["modality"].dropna()) - {""}
            return str(found.pop()) if len(found) == 1 else ""
        return "CT" if self.scanned("kvp") else ""
