"""`isthmus review ...`: what came out of a review of masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.contents import InFull

__all__ = ["review"]

review = typer.Typer(cls=InFull, help="A review of masks (`isthmus app --cases`): its tables.", no_args_is_help=True)


@review.callback()
def _group() -> None:
    """Keeps `export` a command of its own while there is one only."""


@review.command()
def export(
    cases: Annotated[Path, typer.Option("--cases", help="The case table that was reviewed.")],
    out: Annotated[Path, typer.Option("--out", help="A folder: decisions.csv, agreement.csv, masks.csv, cases.csv.")],
    study: Annotated[
        Path | None, typer.Option("--study", help="The study folder of `isthmus app` (default: the table's folder).")
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", help="Where relative paths of the case table start, as for `isthmus app`.")
    ] = None,
) -> None:
    """Decisions, agreement of readers, and a case table with the masks that stand, for a plan to run on."""
    from isthmus.app.review.table import export_review

    for line in export_review(cases, out, study=study, root=root):
        print(line)
