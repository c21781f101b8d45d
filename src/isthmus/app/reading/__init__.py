"""The reading room: a form for every case, readers apart from each other, the comparison, the consensus and the table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from isthmus.app.reading.scans import Scans
from isthmus.app.refusal import Refusal
from isthmus.app.settings import AppSettings
from isthmus.reading import Answers, Form, ReadingRecord
from isthmus.reading.agreement import agreement_table
from isthmus.reading.form import CANNOT_TELL
from isthmus.study.reading_measures import measured, offered
from isthmus.study.readings import FOLDER, form_named, write_readings

__all__ = ["router"]


class Who(BaseModel):
    """A reader."""

    reader: str


class Which(BaseModel):
    """A reader and a case."""

    reader: str
    case: str


class Save(Which):
    """Answers of a reader to a case."""

    answers: dict[str, Any]
    signed: bool = False
    seconds: float = 0.0
    version: int | None = None


class Agree(BaseModel):
    """The consensus of a case, and who stands for it."""

    case: str
    answers: dict[str, Any]
    by: list[str]


class OneCase(BaseModel):
    """A case."""

    case: str


def router(settings: AppSettings) -> APIRouter:
    room = APIRouter()
    scans = Scans(settings)

    def record() -> ReadingRecord:
        return ReadingRecord(settings.study / FOLDER, _form(settings))

    def known(case: str) -> str:
        if case not in scans.patients:
            raise Refusal(f"no case {case!r}", "a case of the case table", status=404)
        return case

    @room.get("/form")
    def form() -> dict[str, Any]:
        """The questions, and who has read so far."""
        held = record()
        fields = [field.model_dump(mode="json") for field in held.form.fields]
        return {
            "fields": fields,
            "cannot": CANNOT_TELL,
            "readers": list(held.readers()),
            "fingerprint": held.form.fingerprint,
        }

    @room.post("/list")
    def listing(who: Who) -> dict[str, Any]:
        """Every case and how far this reader is with it; of the others only whether the comparison can be opened."""
        held = record()
        own, opened = held.done(who.reader), held.opened()
        every = [held.done(reader) for reader in held.readers()]
        cases = []
        for case in scans.patients:
            mine = own.get(case, Answers(case, who.reader))
            theirs = [one[case] for one in every if case in one]
            ready = sum(one.signed for one in theirs) >= 2 and all(one.signed for one in theirs)
            cases.append(
                {
                    "case": case,
                    "state": "signed" if mine.signed else "draft" if mine.version else "new",
                    "compare": case in opened or (ready and mine.signed),
                    "opened": case in opened,
                    "settled": held.settled(case) is not None,
                }
            )
        return {"cases": cases}

    @room.post("/case")
    def case(which: Which) -> dict[str, Any]:
        """A reader's own answers to a case, and what there is to see."""
        held = record()
        own = held.own(which.reader, known(which.case))
        return {**asdict(own), "closed": which.case in held.opened(), "scans": scans.shown(which.case)}

    @room.post("/measure")
    def measure(one: OneCase) -> dict[str, Any]:
        """What is measured on the masks of a case, and what it would be on the form."""
        form = _form(settings)
        found = measured(scans.row(known(one.case)), form)
        return {"measures": found, "offered": offered(form, found)}

    @room.get("/slice")
    def one_slice(case: str, image: str, k: int, low: float, high: float, outline: bool = True) -> Response:
        """One slice of a scan as a picture, windowed, with the outline of the mask."""
        return Response(scans.picture(known(case), image, k, low, high, outline=outline), media_type="image/png")

    @room.post("/save")
    def save(said: Save) -> dict[str, Any]:
        """Add a saving; nothing is overwritten."""
        saved = record().save(
            said.reader, known(said.case), said.answers, signed=said.signed, seconds=said.seconds, version=said.version
        )
        return asdict(saved)

    @room.post("/compare")
    def compare(which: Which) -> dict[str, Any]:
        """Open the comparison of a case, which closes it to its readers."""
        held = record()
        if not held.own(which.reader, known(which.case)).signed:
            raise Refusal(f"{which.case}: you have not signed it", do="sign your own reading first", status=403)
        found = held.compare(which.case, which.reader)
        return {**asdict(found), "scans": scans.shown(which.case)}

    @room.post("/agree")
    def agree(said: Agree) -> dict[str, Any]:
        """Write the consensus."""
        return asdict(record().agree(known(said.case), said.answers, said.by))

    @room.get("/agreement")
    def agreement() -> dict[str, Any]:
        """Kappa and ICC of every two readers."""
        table = agreement_table(record())
        rows = table.astype("object").where(table.notna(), None).to_dict("records")
        return {"rows": rows}

    @room.post("/export")
    def export(_none: dict[str, Any]) -> dict[str, Any]:
        """Write the clinical table, its dictionary and the agreement below the study folder."""
        out = settings.study / FOLDER / "export"
        return {"lines": write_readings(record(), scans.patients, out)}

    return room


def _form(settings: AppSettings) -> Form:
    """The form of the study folder: [reading] of its plan.toml, or reading.toml, or the thyroid's."""
    for name in ("reading.toml", "plan.toml"):
        if (settings.study / name).is_file():
            return form_named(settings.study / name)
    return form_named("thyroid")
