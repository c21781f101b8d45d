"""The application: its rooms, its pages, and the guard in front of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse

from isthmus import __version__
from isthmus.app.answers import add_answers
from isthmus.app.guard import Guard
from isthmus.app.paths import inside
from isthmus.app.refusal import Refusal
from isthmus.app.rooms import ROOMS
from isthmus.app.settings import AppSettings

__all__ = ["create_app", "missing_parts"]

PAGES = Path(__file__).resolve().parent / "pages"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def create_app(settings: AppSettings) -> FastAPI:
    """The application for one study; nothing is read or written before a request asks for it."""
    app = FastAPI(title="Isthmus", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    add_answers(app)
    for room in ROOMS:
        if room.is_open(settings):
            app.include_router(room.router(settings), prefix=f"/api/{room.name}")

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        """What the home page shows: the rooms, what they need, what is missing."""
        return {
            "version": __version__,
            "study": str(settings.study),
            "cases": None if settings.cases is None else settings.cases.name,
            "run": None if settings.run is None else settings.run.name,
            "rooms": [
                {
                    "name": one.name,
                    "title": one.title,
                    "says": one.says,
                    "needs": one.needs,
                    "open": one.is_open(settings),
                }
                for one in ROOMS
            ],
            "missing": missing_parts(),
        }

    @app.get("/{path:path}")
    def page(path: str) -> FileResponse:
        """A page, script or style of the package; a folder's page is its index.html."""
        if path.startswith("api/"):
            raise Refusal(f"/{path}: no such address", status=404)
        file = inside(PAGES, path)
        file = file / "index.html" if file.is_dir() else file
        if file.suffix not in TYPES or not file.is_file():
            raise Refusal(f"/{path}: no such page", "the home page leads to every room", status=404)
        return FileResponse(file, media_type=TYPES[file.suffix])

    app.add_middleware(Guard, settings=settings)
    return app


def missing_parts() -> list[str]:
    """What this installation lacks, each with what to do."""
    if (PAGES / "vendor" / "niivue.umd.js").is_file():
        return []
    return [
        "NiiVue, which shows images: it was not there when this package was built or set up. In a checkout install Node 18 or newer "
        "and run `make web`; otherwise install a wheel that holds it"
    ]
