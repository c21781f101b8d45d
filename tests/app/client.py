"""A client of the application as its own page is one: right host, token, origin."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from isthmus.app.guard import HEADER
from isthmus.app.server import create_app
from isthmus.app.settings import AppSettings

__all__ = ["client_of"]


def client_of(settings: AppSettings, app: FastAPI | None = None, **headers: str | bytes) -> TestClient:
    """A client that shows the token; `headers` are added, an empty one takes a header away."""
    sent: dict[str, str | bytes] = {HEADER: settings.token, **headers}
    return TestClient(
        app or create_app(settings),
        base_url=f"http://127.0.0.1:{settings.port}",
        headers={
            name.encode(): value.encode() if isinstance(value, str) else value for name, value in sent.items() if value
        },
        raise_server_exceptions=False,
        follow_redirects=False,
    )
