"""`isthmus deidentify`: a copy of images without what says whose they are."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.outcome import DONE, EXCLUSIONS

__all__ = ["deidentify"]


class _Dates(StrEnum):
    shift = "shift"
    remove = "remove"


class _Keep(StrEnum):
    patient = "patient"
    device = "device"


class _BurntIn(StrEnum):
    auto = "auto"
    all = "all"
    none = "none"


def deidentify(
    source: Annotated[
        Path, typer.Argument(help="A folder of images (DICOM, NIfTI, NRRD, pictures), or one file.", metavar="IN")
    ],
    out: Annotated[Path, typer.Argument(help="A new folder, elsewhere.", metavar="OUT")],
    secret: Annotated[
        Path,
        typer.Option("--secret", help="A file with your secret, made if absent; whoever has it can link old and new."),
    ],
    patients: Annotated[
        Path | None, typer.Option("--patients", help="Your pseudonyms (.csv): original, pseudonym.")
    ] = None,
    links: Annotated[
        Path | None, typer.Option("--links", help="Writes which file became which (.csv); keep it with the originals.")
    ] = None,
    dates: Annotated[
        _Dates, typer.Option("--dates", help="All of a patient by the same days, or none at all.")
    ] = _Dates.shift,
    keep: Annotated[
        list[_Keep] | None,
        typer.Option("--keep", help="patient: sex, age, height, weight (for SUV); device: serial numbers."),
    ] = None,
    burnt_in: Annotated[
        _BurntIn,
        typer.Option("--burnt-in", help="Mask writing in ultrasound, captures, pictures; in all images; nowhere."),
    ] = _BurntIn.auto,
) -> None:
    """Copy images without names, numbers, dates and writing in the pixels; nothing is changed in place, nothing overwritten."""
    from isthmus.cohort.deidentify import Settings
    from isthmus.cohort.deidentify import deidentify as run

    settings = Settings(dates=dates.value, keep=frozenset(word.value for word in keep or []), burnt_in=burnt_in.value)
    done = run(source, out, secret=secret, settings=settings, patients=patients, links=links)
    for file, reason in done.refused:
        print(f"refused: {file}: {reason}")
    print(
        f"{len(done.written)} files of {len(done.patients)} patients, {len(done.refused)} refused; "
        f"what was removed: {out / 'deidentified.csv'}"
    )
    if done.previews:
        print(
            f"look at all {len(done.previews)} pictures in {out / 'previews'}: writing that is left, "
            "and faces in CT and MR of the head, are yours to find"
        )
    raise typer.Exit(EXCLUSIONS if done.refused else DONE)
