"""The application, served to the browser of the tests."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isthmus.app.settings import AppSettings

__all__ = ["serve"]


@contextmanager
def serve(study: Path, **given: Path) -> Iterator[tuple[str, str]]:
    """Serve the application for a study; the address to open, and the one that everything must come from."""
    import uvicorn

    from isthmus.app.server import create_app, missing_parts

    if missing_parts():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs the viewer: {missing_parts()[0]}")
        pytest.skip(missing_parts()[0])
    listening = socket.create_server(("127.0.0.1", 0))
    settings = AppSettings(study=study, port=listening.getsockname()[1], **given)
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    home = f"http://127.0.0.1:{settings.port}"
    yield f"{home}/?token={settings.token}", home
    server.should_exit = True
    thread.join(timeout=20)
    listening.close()
