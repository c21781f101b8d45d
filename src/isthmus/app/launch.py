"""Start the application on this machine and open it in the browser."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from isthmus.app.settings import AppSettings
from isthmus.errors import PlanError, missing_extra

__all__ = ["launch"]

HOST = "127.0.0.1"


def _say(line: str) -> None:
    """At once, also into a file or a pipe: who started it from another program waits for the address."""
    print(line, flush=True)


def launch(settings: AppSettings, *, port: int = 0, browser: bool = True, say: Callable[[str], None] = _say) -> None:
    """Serve until Ctrl-C.

    Parameters
    ----------
    settings : AppSettings
        Its port is replaced by the one that was got.
    port : int
        0: any free one.
    browser : bool
        Open the address in the user's browser.
    say : callable
        Where the address, and what is missing, are said.

    Raises
    ------
    PlanError
        The extra `web` is not installed, or the port is taken.
    """
    try:
        import uvicorn

        from isthmus.app.server import create_app, missing_parts
    except ImportError as error:
        raise missing_extra("isthmus app", error.name or "FastAPI", "web") from error

    listening = _listen(port)
    settings = replace(settings, port=listening.getsockname()[1])
    address = f"http://{HOST}:{settings.port}/?token={settings.token}"
    config = uvicorn.Config(
        create_app(settings), log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    for missing in missing_parts():
        say(f"missing: {missing}")
    say(f"Isthmus is at {address}")
    say("Only this machine, and whoever has this address, can open it. Stop it with Ctrl-C.")
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
    say("stopped; everything that was saved is kept")


def _listen(port: int) -> Any:
    """A listening socket on the loopback address, and no other."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise PlanError(f"--port {port}: {error.strerror}; choose another, or 0 for any free one") from error
    return listening
