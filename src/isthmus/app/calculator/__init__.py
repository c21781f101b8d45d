"""The calculator: the risk of one patient from a model file. Nothing that is entered or uploaded is kept."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from isthmus.app.calculator.held import Held
from isthmus.app.calculator.sheet import sheet
from isthmus.app.settings import AppSettings

__all__ = ["router"]


class Open(BaseModel):
    """A model file below one of the application's folders."""

    path: str


class Ask(BaseModel):
    """One patient: `model` and `upload` are keys that were handed out before."""

    model: str
    values: dict[str, str] = {}
    upload: str = ""
    label: str = ""
    note: str = ""


def router(settings: AppSettings) -> APIRouter:
    room = APIRouter()
    held = Held(settings)

    @room.get("/models")
    def models() -> dict[str, Any]:
        """The model files below the application's folders."""
        return {"models": held.found()}

    @room.post("/open")
    def open_model(said: Open) -> dict[str, Any]:
        """Read one of them."""
        return held.open(said.path)

    @room.post("/upload-model")
    async def upload_model(request: Request, name: str) -> dict[str, Any]:
        """Read a model file that the browser sends; the file is deleted at once."""
        return await held.receive_model(request, name)

    @room.post("/upload")
    async def upload(request: Request, part: str, name: str, key: str = "") -> dict[str, Any]:
        """Take an image or a mask (`part` = image:<name> or mask:<name>) for one calculation."""
        return {"upload": await held.receive_image(request, key, part, name)}

    @room.post("/risk")
    def risk(asked: Ask) -> dict[str, Any]:
        """The risk; the images are deleted, whatever comes out."""
        return held.risk(asked.model, asked.values, asked.upload, asked.label, asked.note)

    @room.get("/sheet/{key}")
    def one_page(key: str) -> HTMLResponse:
        """A calculated risk as one page to keep or print."""
        return HTMLResponse(sheet(held.told(key)))

    return room
