"""`isthmus segment ...`: masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.grow import grow
from isthmus.cli.outcome import DONE, EXCLUSIONS

segment = typer.Typer(help="Masks: made, and how well they agree.", no_args_is_help=True)
segment.command()(grow)


@segment.command()
def assess(
    reference: Annotated[Path, typer.Option("--reference", help="A mask file, or a folder of them.")],
    prediction: Annotated[Path, typer.Option("--prediction", help="The masks to judge, of the same names.")],
    out: Annotated[Path, typer.Option("--out", help="A table (.csv): case, metric, value.")],
    label: Annotated[int | None, typer.Option("--label", help="The lesion's label, where masks hold several.")] = None,
    tolerance: Annotated[float, typer.Option("--tolerance", help="Of the surface Dice, in mm.")] = 1.0,
) -> None:
    """How far masks agree with a reference: overlap, surface distances, volumes."""
    from isthmus.study.assess import assess_to_file

    failed = assess_to_file(reference, prediction, out, label=label, tolerance_mm=tolerance)
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)
