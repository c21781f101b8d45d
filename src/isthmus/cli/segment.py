"""`isthmus segment ...`: masks."""

from __future__ import annotations

import typer

from isthmus.cli.assess import assess, readers
from isthmus.cli.grow import grow

segment = typer.Typer(help="Masks: made, and how well they agree.", no_args_is_help=True)
segment.command()(grow)


segment.command()(assess)
segment.command()(readers)
