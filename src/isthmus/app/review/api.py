"""The addresses of the review room."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from isthmus.app.guard import received
from isthmus.app.refusal import Refusal
from isthmus.app.review.boxed import BOX, pack, unpack
from isthmus.app.review.exchange import COLOURS
from isthmus.app.review.export import EXPORTS, export, import_labels
from isthmus.app.review.study import Item, Review, agreement
from isthmus.app.review.table import tables, tables_zip, write_tables
from isthmus.app.review.volumes import Opened, fingerprint, present_labels
from isthmus.app.settings import AppSettings
from isthmus.segment.grow import METHODS

__all__ = ["make_router"]

GRID = "X-Isthmus-Grid"
SLACK = 4096


class Decision(BaseModel):
    """What a reader decided."""

    model_config = ConfigDict(extra="forbid")

    reader: str
    item: str
    decision: str
    base: str
    drawn: str = ""
    reasons: list[str] = Field(default_factory=list)
    comment: str = Field("", max_length=4000)
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    viewer: str = Field("", max_length=40)


class Clicks(BaseModel):
    """Clicks to grow a mask from, as voxels x, y, z of the viewer."""

    model_config = ConfigDict(extra="forbid")

    reader: str
    item: str
    inside: list[tuple[int, int, int]] = Field(min_length=1, max_length=1000)
    outside: list[tuple[int, int, int]] = Field(default_factory=list, max_length=1000)
    method: str = "growcut"
    settings: dict[str, float | int | bool | str] = Field(default_factory=dict)


def make_router(settings: AppSettings) -> APIRouter:
    """Every address of the room; the case table is read when the first one is asked for."""
    return _Room(settings).router


class _Room:
    """The addresses, each a method."""

    def __init__(self, settings: AppSettings) -> None:
        self.settings = settings
        self.lock = threading.Lock()
        self.held: Review | None = None
        self.router = APIRouter()
        for method, path, answer in (
            ("GET", "/setup", self.setup),
            ("GET", "/list", self.work_list),
            ("GET", "/case", self.case_facts),
            ("GET", "/image", self.image),
            ("GET", "/mask", self.mask),
            ("GET", "/measure", self.measure),
            ("PUT", "/draft", self.keep_draft),
            ("DELETE", "/draft", self.drop_draft),
            ("POST", "/decide", self.decide),
            ("GET", "/export", self.export_mask),
            ("POST", "/import", self.import_mask),
            ("POST", "/grow", self.grow_mask),
            ("GET", "/table", self.table),
            ("GET", "/tables", self.tables),
        ):
            self.router.add_api_route(path, answer, methods=[method])

    def review(self) -> Review:
        """The review, read when it is first asked for."""
        with self.lock:
            if self.held is None:
                self.held = Review(self.settings)
            return self.held

    def opened(self, reader: str, key: str) -> tuple[Review, Item, Opened]:
        room = self.review()
        item = room.item(reader, key)
        return room, item, room.opened(item.case)

    async def drawing(self, request: Request, reader: str, key: str) -> tuple[Review, Item, Opened, NDArray[np.uint8]]:
        """The label map that a request carries, in the file's order, checked against the grid of its case."""
        room, item, case = await run_in_threadpool(self.opened, reader, key)
        if request.headers.get(GRID) != grid_of(case):
            raise Refusal(
                f"a mask for the grid {request.headers.get(GRID)!r}",
                f"one of {grid_of(case)}",
                "reload the page",
                status=422,
            )
        body = await received(request, int(np.prod(case.geometry.shape)) + SLACK)

        def put() -> NDArray[np.uint8]:
            view = unpack(body, request.headers.get(BOX, ""), case.frame.shape(case.geometry))
            return case.frame.stored(view)

        return room, item, case, await run_in_threadpool(put)

    def setup(self) -> dict[str, Any]:
        """What the page needs before anybody says who he is."""
        room = self.review()
        return {
            "reasons": room.settings.reasons,
            "readers": list(room.settings.readers),
            "idle_seconds": room.settings.idle_seconds,
            "acceptable_dice": room.settings.acceptable_dice,
            "cases": len(room.cases),
            "exports": list(EXPORTS),
            "methods": {name: method.title for name, method in METHODS.items()},
        }

    def work_list(self, reader: str) -> dict[str, Any]:
        """A reader's work list, in his order: his own decisions only."""
        room = self.review()
        role = room.check_reader(reader)
        log = room.log.read()
        hidden = room.settings.repeat_share > 0 and role == "reader"  # a name would show which cases come back
        rows = []
        for item in room.items(reader):
            lines = room.own_lines(log, reader, item)
            last = lines[-1] if lines else None
            rows.append(
                {
                    "item": item.key,
                    "number": item.number,
                    "name": f"No. {item.number}" if hidden else item.case.name,
                    "origin": item.case.origin,
                    "confidence": item.case.confidence,
                    "status": last["decision"] if last else "undecided",
                    "comment": last["comment"] if last else "",
                    "time": last["time"] if last else None,
                    "dice": last["metrics"]["dice"] if last else None,
                    "seconds": round(sum(line["seconds"] for line in lines), 1),
                    "draft": room.drafts.has(reader, item.key),
                }
            )
        return {"role": role, "items": rows, "faults": list(log.faults)}

    def case_facts(self, reader: str, item: str) -> dict[str, Any]:
        """One case: its grid, windows, labels, and where the reader left it."""
        room, one, case = self.opened(reader, item)
        log = room.log.read()
        current, base = room.current(log, reader, one, case)
        draft = room.drafts.read(reader, one.key, case)
        hidden = room.settings.repeat_share > 0 and room.check_reader(reader) == "reader"
        lines = room.own_lines(log, reader, one)
        names = room.names(case)
        present = {*present_labels(current), case.label}
        return {
            "name": f"No. {one.number}" if hidden else one.case.name,
            "grid": grid_of(case),
            "shape": list(case.frame.shape(case.geometry)),
            "spacing": list(case.frame.spacing_mm(case.geometry)),
            "unit": case.geometry.unit,
            "quantity": case.quantity,
            "windows": case.windows,
            "label": case.label,
            "labels": {
                str(n): names.get(n, "lesion" if n == case.label else f"label {n}") for n in sorted(present - {0})
            },
            "colours": COLOURS,
            "origin": one.case.origin,
            "base": base,
            "draft": None
            if draft is None
            else {
                "fingerprint": draft.fingerprint,
                "seconds": draft.seconds,
                "time": draft.time,
                "stale": draft.base != base,
            },
            "status": lines[-1]["decision"] if lines else "undecided",
            "notes": [] if hidden else list(case.notes),
        }

    def image(self, reader: str, item: str) -> Response:
        """The image for the viewer: NIfTI, not compressed (on one machine that would only cost time)."""
        _, _, case = self.opened(reader, item)
        return Response(case.nifti, media_type="application/octet-stream")

    def mask(self, reader: str, item: str, which: str = "current") -> Response:
        """A label map for the viewer: `proposal` (for an adjudicator the second reader's), `current`, or `draft`."""
        room, one, case = self.opened(reader, item)
        log = room.log.read()
        if which == "proposal":
            labels = room.other(log, reader, one, case)
        elif which == "current":
            labels = room.current(log, reader, one, case)[0]
        else:
            draft = room.drafts.read(reader, one.key, case)
            if draft is None:
                raise Refusal(f"mask {which!r}", "proposal, current, or a draft that was kept", status=404)
            labels = draft.labels
        body, box = pack(case.frame.view(labels))
        return Response(body, media_type="application/octet-stream", headers={BOX: box})

    def measure(self, reader: str, item: str) -> dict[str, Any]:
        """The mask as the reader left it, or drew it, against the proposal (for an adjudicator: the second reader's mask)."""
        room, one, case = self.opened(reader, item)
        log = room.log.read()
        draft = room.drafts.read(reader, one.key, case)
        base = room.current(log, reader, one, case)
        labels = draft.labels if draft is not None and draft.base == base[1] else base[0]
        other = room.other(log, reader, one, case)
        return {"metrics": agreement(other == case.label, labels == case.label, case)}

    async def keep_draft(
        self,
        request: Request,
        reader: str,
        item: str,
        base: str,
        previous: str = "",
        seconds: Annotated[float, Field(ge=0)] = 0.0,
    ) -> dict[str, Any]:
        """Keep the drawing as it is now, and measure it."""
        room, one, case, labels = await self.drawing(request, reader, item)

        def keep() -> dict[str, Any]:
            draft = room.put_draft(reader, one, labels, base=base, previous=previous, seconds=seconds)
            other = room.other(room.log.read(), reader, one, case)
            return {
                "fingerprint": draft.fingerprint,
                "time": draft.time,
                "metrics": agreement(other == case.label, labels == case.label, case),
            }

        return await run_in_threadpool(keep)

    def drop_draft(self, reader: str, item: str) -> dict[str, Any]:
        """Throw the drawing away."""
        room = self.review()
        room.drafts.drop(reader, room.item(reader, item).key)
        return {}

    def decide(self, said: Decision) -> dict[str, Any]:
        """Write a decision into the log."""
        room = self.review()
        item = room.item(said.reader, said.item)
        line = room.decide(
            said.reader, item, said.decision, base=said.base, drawn=said.drawn, reasons=said.reasons, comment=said.comment,
            seconds=said.seconds, page=said.viewer,
        )  # fmt: skip
        return {
            "number": line["number"],
            "metrics": line["metrics"],
            "modification": line["modification"],
            "base": line["mask_after"],
        }

    def export_mask(self, reader: str, item: str, kind: str) -> Response:
        """The mask as the reader left it, for another program."""
        room, one, case = self.opened(reader, item)
        labels, _ = room.current(room.log.read(), reader, one, case)
        draft = room.drafts.read(reader, one.key, case)
        data, name = export(labels if draft is None else draft.labels, case, kind, room.names(case))
        return Response(data, media_type="application/octet-stream", headers={"X-Isthmus-Name": name})

    async def import_mask(
        self, request: Request, reader: str, item: str, name: str, previous: str = "", base: str = ""
    ) -> dict[str, Any]:
        """A label file of another program becomes the drawing; refused where it lies on another grid."""
        room, one, case = await run_in_threadpool(self.opened, reader, item)
        body = await received(request, 8 * int(np.prod(case.geometry.shape)) + 1024 * SLACK)

        def put() -> dict[str, Any]:
            if name.lower().endswith(".txt"):
                return {"labels": room.name_labels(body)}
            labels, names = import_labels(body, name, case)
            draft = room.put_draft(reader, one, labels, base=base, previous=previous, seconds=0.0)
            return {"fingerprint": draft.fingerprint, "labels": {str(n): text for n, text in names.items()}}

        return await run_in_threadpool(put)

    def table(self) -> dict[str, Any]:
        """How far the review is, and where its tables were written: decisions, agreement, cases with the masks to go on with."""
        room = self.review()
        written = write_tables(room)
        return {
            "files": [path.relative_to(self.settings.study).as_posix() for path in written],
            "rows": {name: len(one) for name, one in tables(room).items()},
        }

    def tables(self, reader: str) -> Response:
        """The tables as one .zip. They show everybody's decisions, so a reader gets them where he need not stay blinded."""
        room = self.review()
        if room.check_reader(reader) == "reader" and len(room.settings.readers) > 1:
            raise Refusal(
                f"reader {reader!r}",
                "an adjudicator: the tables show what the other readers decided",
                "write them with `isthmus review export`",
                status=403,
            )
        return Response(tables_zip(room), media_type="application/zip", headers={"X-Isthmus-Name": "review.zip"})

    def grow_mask(self, said: Clicks) -> Response:
        """A mask from clicks inside and outside the lesion, without training; the page puts it into the drawing."""
        _, _, case = self.opened(said.reader, said.item)
        grown = case.grown(said.inside, said.outside, method=said.method, **said.settings)
        body, box = pack(case.frame.view(grown.astype(np.uint8)))
        return Response(body, media_type="application/octet-stream", headers={BOX: box})


def grid_of(case: Opened) -> str:
    """A name for the grid of a case: the page sends it back with every mask."""
    geometry = case.geometry
    return fingerprint(np.frombuffer(repr(geometry.shape).encode() + geometry.affine.tobytes(), np.uint8))[:24]
