"""The command line: thin commands over the Python API."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run `isthmus`; exit codes: 0 done, 1 some cases were excluded by an error, 2 wrong plan, table or arguments, 3 interrupted."""
    from isthmus.cli.app import app
    from isthmus.cli.outcome import run_command

    sys.exit(run_command(app))
