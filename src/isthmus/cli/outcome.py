"""How a command ends: messages in the user's words, and the exit codes users and job scripts rely on."""

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import Any

from isthmus.errors import Interrupted, IsthmusError

__all__ = ["DONE", "EXCLUSIONS", "INTERRUPTED", "WRONG", "fail", "run_command", "set_up_logging"]

DONE, EXCLUSIONS, WRONG, INTERRUPTED = 0, 1, 2, 3

_CTRL_C = 130  # what typer turns a KeyboardInterrupt into
_STOPPED = "interrupted. What is finished is kept; the same command with --resume continues."


def fail(message: str) -> None:
    """One message on stderr."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text("error: ", style="bold red") + Text(message))


def run_command(app: Any) -> int:
    """Call the typer application and turn every way it can end into an exit code."""
    import click
    from typer.main import get_command

    signal.signal(signal.SIGTERM, _stop)
    try:
        code = get_command(app).main(standalone_mode=False)
        if code == _CTRL_C:
            fail(_STOPPED)
            return INTERRUPTED
        return code if isinstance(code, int) else DONE
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.ClickException as exc:
        fail(_usage(exc))
        return WRONG
    except (KeyboardInterrupt, click.Abort, Interrupted):
        fail(_STOPPED)
        return INTERRUPTED
    except IsthmusError as exc:
        fail(str(exc))
        return WRONG


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    hint = f" See: {context.command_path} --help" if context is not None else ""
    return f"{error.format_message()}{hint}"


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def set_up_logging(*, verbose: bool = False) -> None:
    """Log lines on stderr: through rich on a terminal, plain otherwise."""
    from rich.console import Console

    handler: logging.Handler = logging.StreamHandler()
    if Console(stderr=True).is_terminal:
        from rich.logging import RichHandler

        handler = RichHandler(console=Console(stderr=True), show_path=False, markup=False)
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("isthmus")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.propagate = False
