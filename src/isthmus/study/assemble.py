"""A study put together from a folder, a table and a few choices, for those who write no plan themselves.

What is guessed here is a proposal: every guess is shown and can be changed before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from isthmus.cohort.folder import find_cases
from isthmus.errors import PlanError, TableError, first_few
from isthmus.settings import Section
from isthmus.study import toml
from isthmus.study.plan import Plan
from isthmus.study.store import make_folder, write_bytes
from isthmus.table.expression import truth
from isthmus.table.outcome import Task
from isthmus.table.reading import classify, number, read_frame

__all__ = [
    "Choices",
    "ColumnGuess",
    "Found",
    "ImageChoice",
    "assemble",
    "guess_columns",
    "joined_cases",
    "look",
    "plan_document",
]

Role = Literal["patient", "outcome", "time", "centre", "split", "clinical", "image", "ignore"]

TABLES = (".csv", ".tsv", ".txt", ".csv.gz", ".parquet", ".xlsx")
_NAMES: Mapping[Role, tuple[str, ...]] = {
    "patient": ("patient", "id", "case", "subject", "pid", "mrn", "number", "no", "编号", "病例号"),
    "outcome": ("outcome", "label", "target", "metastasis", "event", "status", "death", "recurrence", "malignant", "diagnosis", "y"),
    "time": ("time", "months", "days", "followup", "follow", "survival", "os", "pfs", "dfs"),
    "centre": ("centre", "center", "hospital", "site", "institution"),
    "split": ("split", "cohort", "set"),
}  # fmt: skip
_SHOWN = 4
_FEW = 200  # cells of a column that are looked at for its kind
_BIN_WIDTHS = (("pet", 0.25), ("suv", 0.25), ("ct", 25.0))
_BIN_WIDTH = 25.0


@dataclass(frozen=True)
class Found:
    """What a folder holds: `cases` (a case table with absolute paths; empty where none is found: `why`), files with no place, tables."""

    cases: pd.DataFrame
    unplaced: tuple[str, ...]
    tables: tuple[Path, ...]
    why: str = ""

    @property
    def images(self) -> list[str]:
        return [name.removeprefix("image:") for name in self.cases.columns if name.startswith("image:")]


@dataclass(frozen=True)
class ColumnGuess:
    """A column of a table: what it holds (numeric, categorical, text, empty), how many values, some of them, and its part in a study."""

    name: str
    kind: str
    role: Role
    distinct: int
    missing: int
    shown: tuple[str, ...]
    may_be_outcome: bool


class ImageChoice(Section):
    """One kind of image: whether it is measured, and the width of the bins of its grey levels, in its own unit."""

    use: bool = True
    bin_width: float = Field(default=_BIN_WIDTH, gt=0)


class Choices(Section):
    """What the user chose.

    images: the folder with images and masks. table: the table of patients, or a ready case table or feature table; kind says which of them.
    patient, outcome, positive, task, time, centre, external, clinical: as in a plan. blocks: name of an image -> its choices.
    models: estimators. folds, repeats: of the cross-validation. title: of the report.
    """

    kind: Literal["images", "features"] = "images"
    images: str | None = None
    table: str | None = None
    patient: str = "patient"
    outcome: str = "outcome"
    positive: str | None = None
    task: Task = "binary"
    time: str | None = None
    centre: str | None = None
    external: list[str] = Field(default_factory=list)
    clinical: list[str] = Field(default_factory=list)
    blocks: dict[str, ImageChoice] = Field(default_factory=dict)
    models: list[str] = Field(default_factory=list)
    folds: int = Field(default=5, ge=2, le=20)
    repeats: int = Field(default=5, ge=1, le=100)
    permutations: int = Field(default=20, ge=0, le=1000)
    title: str = ""


# ---------------------------------------------------------------------- looking


def look(folder: Path) -> Found:
    """What a folder holds: images with masks, and tables in it or one folder below."""
    tables = sorted(path for path in folder.glob("*") if _is_table(path)) + sorted(
        p for p in folder.glob("*/*") if _is_table(p)
    )
    try:
        cases, unplaced = find_cases(folder)
    except TableError as exc:
        return Found(pd.DataFrame(columns=["patient"]), (), tuple(tables), str(exc))
    return Found(cases, tuple(unplaced), tuple(tables))


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith(TABLES) and path.is_file() and not path.name.startswith(".")


def guess_columns(frame: pd.DataFrame) -> list[ColumnGuess]:
    """The columns of a table and the part each seems to have; at most one patient, outcome, time, centre and split."""
    taken: set[Role] = set()
    found = []
    for name in sorted(frame.columns, key=lambda column: _fit(str(column)), reverse=True):
        guess = _column(str(name), frame[name], taken)
        found.append(guess)
        if guess.role not in ("clinical", "ignore", "image"):
            taken.add(guess.role)
    place = {str(name): position for position, name in enumerate(frame.columns)}
    return sorted(found, key=lambda guess: place[guess.name])


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+|[^\x00-\x7f]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _fit(name: str) -> int:
    """2: called exactly after a part; 1: one of its words is; 0: not at all."""
    words = _words(name)
    every = {word for names in _NAMES.values() for word in names}
    return 2 if "".join(words) in every else int(bool(every & set(words)))


def _column(name: str, cells: pd.Series[Any], taken: set[Role]) -> ColumnGuess:
    known = cells.dropna().astype("str")
    kind, distinct = classify(cells), int(known.nunique())
    binary = distinct == 2 or (0 < distinct <= 2 and all(truth(cell) is not None for cell in known.unique()))
    whole = distinct == len(cells) and len(cells) > 1
    role: Role = "clinical" if kind in ("numeric", "categorical") else "ignore"
    if name.startswith(("image:", "mask:", "label:")):
        role = "image"
    else:
        fits: Mapping[Role, bool] = {
            "patient": whole or kind == "text",
            "outcome": binary,
            "time": kind == "numeric" and distinct > 2,
            "centre": 1 < distinct <= 30 and not whole,
            "split": bool(distinct) and set(known.str.lower()) <= {"train", "internal", "external"},
        }
        words = _words(name)
        called = (part for part, names in _NAMES.items() if set(names) & {*words, "".join(words)} and fits[part])
        role = next((part for part in called if part not in taken), role)
    shown = tuple(known.drop_duplicates().head(_SHOWN))
    return ColumnGuess(name, kind, role, distinct, int(cells.isna().sum()), shown, binary)


# ---------------------------------------------------------------------- putting together


def joined_cases(cases: pd.DataFrame, table: pd.DataFrame, patient: str) -> tuple[pd.DataFrame, list[str]]:
    """The case table of a folder with the columns of a table, and what did not match.

    Patients are matched by their exact names; where none matches, without regard to case, spaces, signs and leading zeros, if that is
    unambiguous.

    Raises
    ------
    TableError
        The table lacks the column, names a patient twice, or nobody matches.
    """
    if patient not in table.columns:
        raise TableError(f"the table has no column {patient!r}; its columns: {first_few(table.columns)}")
    names = table[patient].dropna().astype("str")
    twice = sorted(set(names[names.duplicated()]))
    if twice:
        raise TableError(
            f"the table names {first_few(twice)} more than once in {patient!r}; expected one row a patient"
        )
    exact = set(names) & set(cases["patient"])
    key = (lambda text: text) if exact else _plain
    keys = {key(name): name for name in names}
    theirs = [key(name) for name in cases["patient"]]
    if len(keys) < len(names) or len(set(theirs)) < len(theirs):
        raise TableError(
            "names of patients differ in signs or zeros only, so images and table cannot be matched; write them alike"
        )
    matched = [keys.get(one) for one in theirs]
    if not any(matched):
        raise TableError(
            f"no patient of the table ({first_few(names)}) is one of the images' ({first_few(cases['patient'])}). "
            "Is it the right column? Folders and files must carry the patients' names"
        )
    notes = []
    if not exact:
        notes.append(
            "patients were matched without regard to case, signs and leading zeros; look through the table that is written"
        )
    without = [one for one, found in zip(cases["patient"], matched, strict=True) if found is None]
    alone = sorted(set(names) - {found for found in matched if found is not None})
    if without:
        notes.append(
            f"{len(without)} patients have images but no row in the table and are left out: {first_few(without)}"
        )
    if alone:
        notes.append(f"{len(alone)} patients of the table have no images and are left out: {first_few(alone)}")
    rows = table.assign(**{patient: table[patient].astype("str")}).set_index(patient)
    keep = [position for position, found in enumerate(matched) if found is not None]
    beside = rows.loc[[str(matched[position]) for position in keep]].reset_index(drop=True)
    clash = sorted(set(beside.columns) & set(cases.columns))
    left = cases.iloc[keep].reset_index(drop=True)
    return pd.concat([left[["patient"]], beside.drop(columns=clash), left.drop(columns="patient")], axis=1), notes


def _plain(name: str) -> str:
    """A name without case, signs and leading zeros of its numbers."""
    parts: list[str] = re.findall(r"\d+|[^\W\d_]+", name.casefold())
    return "".join(str(int(part)) if part.isdecimal() else part for part in parts)


def plan_document(choices: Choices, *, table: str, images: Sequence[str]) -> dict[str, Any]:
    """The plan as a document: what the choices say and nothing that is a default.

    Raises
    ------
    PlanError
        The choices leave nothing to learn from.
    """
    document: dict[str, Any] = {}
    source = _source(choices)
    if choices.kind == "features":
        document["table"] = {"path": table, "id": choices.patient, **source}
    else:
        named = {"patient": choices.patient} if choices.patient != "patient" else {}
        document["cohort"] = {"table": table, **named, **source}
        document |= _blocks(choices, images)
    if choices.models:
        document["models"] = [{"name": name.replace("_", "-"), "estimator": name} for name in choices.models]
    document["validate"] = {"folds": choices.folds, "repeats": choices.repeats, "seed": 1}
    if choices.external:
        if not choices.centre:
            raise PlanError("centres are set aside, and no column says which centre a patient is from. Choose it")
        document["validate"]["external"] = {"centre": list(choices.external)}
    if choices.permutations != 20:
        document["audit"] = {"permutations": choices.permutations}
    if choices.title:
        document["report"] = {"title": choices.title}
    return document


def _source(choices: Choices) -> dict[str, Any]:
    """The outcome and the centre."""
    said: dict[str, Any] = {"outcome": choices.outcome}
    if choices.task != "binary":
        said["task"] = choices.task
    if choices.positive and choices.task == "binary":
        value = number(choices.positive)
        said["positive"] = choices.positive if value is None else _short(value)
    if choices.task == "survival":
        said["time"] = choices.time
    return {**said, **({"centre": choices.centre} if choices.centre else {})}


def _blocks(choices: Choices, images: Sequence[str]) -> dict[str, Any]:
    """Clinical columns, and the images that are measured."""
    used = [name for name in images if choices.blocks.get(name, _proposed(name)).use]
    if not used and not choices.clinical:
        raise PlanError(
            "nothing to learn from: no image is measured and no clinical column is chosen. Choose at least one"
        )
    document: dict[str, Any] = {"clinical": {"columns": list(choices.clinical)}} if choices.clinical else {}
    if used:
        widths = {name: _short(choices.blocks.get(name, _proposed(name)).bin_width) for name in used}
        document["features"] = [
            {"name": name, "image": name, "profile": "pyradiomics", "bin_width": width}
            for name, width in widths.items()
        ]
    return document


def _proposed(name: str) -> ImageChoice:
    """The width of bins that fits what an image is called: SUV for PET, HU for CT."""
    return ImageChoice(bin_width=next((width for part, width in _BIN_WIDTHS if part in _words(name)), _BIN_WIDTH))


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else value


@dataclass(frozen=True)
class Assembled:
    """The plan and what it reads, not yet written: the plan's text, the case table (None: the table stays where it is), and notes."""

    plan: str
    cases: pd.DataFrame | None
    notes: tuple[str, ...]

    def write(self, out: Path) -> Path:
        """Write `plan.toml` (and `cases.csv`) into a new folder; the plan's path.

        Raises
        ------
        PlanError
            The folder has such files already.
        """
        taken = [name for name in ("plan.toml", "cases.csv") if (out / name).exists()]
        if taken:
            raise PlanError(
                f"{out} already has {' and '.join(taken)}; nothing is overwritten. Give the study another name"
            )
        make_folder(out)
        if self.cases is not None:
            write_bytes(out / "cases.csv", self.cases.to_csv(index=False).encode())
        write_bytes(out / "plan.toml", self.plan.encode())
        return out / "plan.toml"


def assemble(choices: Choices, *, out: Path) -> Assembled:
    """The plan that the choices make, checked as a plan; nothing is written.

    Parameters
    ----------
    choices : Choices
    out : Path
        The folder it will be written to; paths are relative to it where they lie below.

    Raises
    ------
    PlanError, TableError
        The choices make no study.
    """
    read = read_frame(Path(choices.table)) if choices.table else None
    cases: pd.DataFrame | None = None
    notes: list[str] = []
    if choices.kind == "features" or not choices.images:
        if read is None:
            raise PlanError("no table is chosen. Choose the table of patients, or a folder of images")
        names = [str(name).removeprefix("image:") for name in read.frame.columns if str(name).startswith("image:")]
        document = plan_document(choices, table=str(read.path.resolve()), images=names)
    else:
        found = look(Path(choices.images))
        if found.cases.empty:
            raise TableError(found.why)
        cases = found.cases
        if read is not None:
            cases, notes = joined_cases(found.cases, read.frame, choices.patient)
        choices = choices.model_copy(update={"patient": "patient"})
        if choices.outcome not in cases.columns and re.fullmatch(r"\w+", choices.outcome):
            raise PlanError(
                f"no column {choices.outcome!r} with the outcome. Choose the table of patients and its column"
            )
        document = plan_document(choices, table="cases.csv", images=found.images)
    plan = Plan.parse(document, base=out)
    return Assembled(
        _HEADER + toml.dump(document), cases, (*notes, *_remarks(plan, read.frame if read is not None else cases))
    )


def _remarks(plan: Plan, frame: pd.DataFrame | None) -> list[str]:
    """What a careful colleague would say of the choices."""
    said = []
    if plan.clinical is not None and plan.source.outcome in plan.clinical.columns:
        raise PlanError(
            f"{plan.source.outcome!r} is the outcome and cannot be a predictor, too. Take it out of the clinical columns"
        )
    if frame is not None and plan.source.outcome in frame.columns:
        counts = frame[plan.source.outcome].value_counts()
        rarest = int(counts.min()) if len(counts) else 0
        if plan.source.task == "binary" and len(counts) == 2 and rarest < 10 * np.log2(max(len(plan.blocks), 2)):
            said.append(
                f"only {rarest} patients have the rarer outcome: whatever comes out will be uncertain; the report shows how much"
            )
    if plan.validation.external is None:
        said.append("no centre is set aside: the result will rest on cross-validation alone")
    return said


_HEADER = """# Written by the start room of the Isthmus application.
# Check it: isthmus check plan.toml   Run it: isthmus run plan.toml --out runs/first   Every key: docs/reference/plan.md

"""
