"""`isthmus app`: the web application on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]


def app(
    cases: Annotated[Path | None, typer.Option("--cases", help="A case table: review and read its cases.")] = None,
    run: Annotated[Path | None, typer.Option("--run", help="The folder of a finished run, to look at.")] = None,
    study: Annotated[
        Path | None,
        typer.Option("--study", help="Where the application writes (default: the table's folder, else here)."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option("--root", help="Where relative paths of the case table start; images are read below it."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of the order in which readers see the cases.")] = 1,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the address in the browser.")] = True,
) -> None:
    """Review masks, read scans, start a study, look at a run, calculate a risk: in the browser, on this machine only."""
    from isthmus.app import AppSettings
    from isthmus.app.launch import launch

    folder = study or (cases.parent if cases is not None else Path())
    launch(AppSettings(study=folder, cases=cases, root=root, run=run, seed=seed), port=port, browser=browser)
