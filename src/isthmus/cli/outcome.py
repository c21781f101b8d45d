"""How a command ends: messages in the user's words, and the exit codes users and job scripts rely on."""

from __future__ import annotations

import errno
import logging
import signal
from types import FrameType
from typing import Any

from isthmus.errors import Interrupted, IsthmusError

__all__ = ["DONE", "EXCLUSIONS", "INTERRUPTED", "WRONG", "fail", "run_command", "set_up_logging"]

log = logging.getLogger("isthmus")

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
    import typer
    from typer.main import get_command

    signal.signal(signal.SIGTERM, _stop)
    try:
        code = get_command(app).main(standalone_mode=False)
        if code == _CTRL_C:
            fail(_STOPPED)
            return INTERRUPTED
        return code if isinstance(code, int) else DONE
    except typer.Exit as exc:
        return exc.exit_code
    except _usage_errors() as exc:
        if type(exc).__name__ == "NoArgsIsHelpError":
            print(exc.format_message())  # the help itself; nothing went wrong but that nothing was asked for
            return WRONG
        fail(_usage(exc))
    except (KeyboardInterrupt, typer.Abort, Interrupted):
        fail(_STOPPED)
        return INTERRUPTED
    except IsthmusError as exc:
        fail(str(exc))
    except OSError as exc:
        fail(_file_trouble(exc))
    except Exception as exc:
        log.error("the place in the program:", exc_info=True)
        fail(
            f"unexpected {type(exc).__name__}: {exc}. This is a fault of Isthmus; please report it with the lines above."
        )
    return WRONG


def _usage_errors() -> type[Any]:
    """What typer raises for wrong arguments: click's class, of its own copy of click or of the installed one."""
    import typer

    return next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def _file_trouble(error: OSError) -> str:
    """A disk that is full, a folder that may not be written: which file, and what to do."""
    if error.errno == errno.ENOSPC:
        return f"{_named(error)}the disk is full. Make room; --resume continues a run."
    return f"{_named(error)}{error.strerror or error}. Check that the path exists and may be read and written."


def _named(error: OSError) -> str:
    name = error.filename2 or error.filename
    return f"{name}: " if name else ""


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    hint = f" See: {context.command_path} --help" if context is not None else ""
    message = error.format_message().rstrip(".")
    for theirs, ours in _PLAIN.items():
        message = message.replace(theirs, ours)
    return f"{message}.{hint}" if not message.endswith("?") else f"{message}{hint}"


_PLAIN = {
    "Input should be a valid integer, unable to parse string as an integer": "a whole number was expected",
    "Input should be a valid number, unable to parse string as a number": "a number was expected",
}


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
