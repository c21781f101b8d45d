"""Finished runs: one opened with its report, tables, figures and facts, or all side by side with their headline numbers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel

from isthmus.app.refusal import Refusal
from isthmus.app.results.runs import Runs, opened, summary, table_of
from isthmus.app.settings import AppSettings

__all__ = ["router"]

TYPES = {
    ".svg": "image/svg+xml", ".png": "image/png", ".csv": "text/csv; charset=utf-8", ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".toml": "text/plain; charset=utf-8", ".json": "application/json", ".html": "text/html; charset=utf-8",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".pdf": "application/pdf",
    ".isthmus": "application/octet-stream", ".parquet": "application/octet-stream",
}  # fmt: skip
# A report may come from elsewhere: it may run its own scripts, and reach nothing of the application or of any host.
REPORT = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts allow-downloads allow-popups allow-modals"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}


class Named(BaseModel):
    """A run by its key, or by its folder."""

    run: str


class Part(BaseModel):
    """A file of a run."""

    run: str
    file: str


def router(settings: AppSettings) -> APIRouter:
    room = APIRouter()
    runs = Runs(settings)

    @room.get("/runs")
    def all_runs() -> dict[str, Any]:
        """The finished runs below the application's folders, newest first, each with its headline numbers."""
        chosen = runs.key_of(settings.run) if settings.run is not None else None
        return {"runs": [summary(key, folder, settings) for key, folder in runs.found().items()], "chosen": chosen}

    @room.post("/open")
    def open_run(named: Named) -> dict[str, Any]:
        """One run: the answer, its numbers, its tables, figures, files and facts."""
        key, folder = runs.named(named.run)
        return opened(key, folder, settings)

    @room.post("/table")
    def table(part: Part) -> dict[str, Any]:
        """A table of a run."""
        return table_of(runs.file(part.run, part.file))

    @room.post("/ticket")
    def ticket(part: Part) -> dict[str, str]:
        """An address that opens a file of a run once (for a frame, an image or a download)."""
        key, _ = runs.named(part.run)
        runs.file(part.run, part.file)
        kind = "report" if part.file == "report.html" else "file"
        return {"address": settings.tickets.issue(f"/api/results/{kind}/{key}/{part.file}")}

    @room.get("/file/{key}/{path:path}")
    def file(key: str, path: str) -> FileResponse:
        """A file of a run, to keep."""
        found = runs.file(key, path)
        kind = TYPES.get(found.suffix)
        if kind is None or found.suffix == ".html":
            kind = "application/octet-stream"
        return FileResponse(found, media_type=kind, filename=found.name, content_disposition_type="attachment")

    @room.get("/report/{key}/report.html")
    def report(key: str) -> FileResponse:
        """The report, in a frame that cannot reach the application."""
        found = runs.file(key, "report.html")
        if found.name != "report.html":
            raise Refusal("no report", status=404)
        return FileResponse(found, media_type=TYPES[".html"], headers=REPORT)

    return room
