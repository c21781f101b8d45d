"""`isthmus reading ...`: the reading form and what readers answered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.contents import InFull

__all__ = ["reading"]

reading = typer.Typer(
    cls=InFull, help="The reading form: print it, export the answers, agreement of readers.", no_args_is_help=True
)

FormName = Annotated[
    str, typer.Option("--form", help='A ready form ("thyroid"), a form file, or a plan with [reading].')
]


@reading.command()
def form(name: Annotated[str, typer.Argument(help="A ready form.", metavar="NAME")] = "thyroid") -> None:
    """Print a ready form as TOML, to edit."""
    from isthmus.reading.form import form_text

    print(form_text(name), end="")


@reading.command()
def export(
    cases: Annotated[Path, typer.Option("--cases", help="The case table.")],
    out: Annotated[Path, typer.Option("--out", help="A folder: reading.csv, reading.toml, agreement.csv, open.csv.")],
    study: Annotated[
        Path | None, typer.Option("--study", help="The study folder of `isthmus app` (default: the table's folder).")
    ] = None,
    form: FormName = "thyroid",
    reader: Annotated[str | None, typer.Option("--reader", help="Only this reader's answers, no consensus.")] = None,
) -> None:
    """The answers as a clinical table with its data dictionary, and how well the readers agree."""
    from isthmus.study.readings import export_readings

    for line in export_readings(cases, out, study=study, form=form, reader=reader):
        print(line)
