"""`isthmus segment assess` and `isthmus segment readers`: how far masks agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import Workers
from isthmus.cli.outcome import DONE, EXCLUSIONS

if TYPE_CHECKING:
    from isthmus.study.assess import Draw

__all__ = ["assess", "readers"]

Table = Annotated[Path, typer.Option("--out", help="A table (.csv); of folders, summaries and a page beside it.")]
Label = Annotated[int | None, typer.Option("--label", help="The lesion's label, where masks hold several.")]
Tolerance = Annotated[float, typer.Option("--tolerance", help="Of the surface Dice, in mm.")]
LeastIou = Annotated[float, typer.Option("--least-iou", help="From which on two separate lesions are the same.")]
Cases = Annotated[Path | None, typer.Option("--cases", help="A table: case, and patient, group, minutes where known.")]
Images = Annotated[
    Path | None,
    typer.Option("--images", help="A folder of images of the same names: features of every mask, their ICC."),
]
Profile = Annotated[str, typer.Option("--profile", help="Whose definitions the features have.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the profile: bin_width=5.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of the bootstrap over patients.")]
Page = Annotated[bool, typer.Option("--page/--no-page", help="Figures and a page (.html) of folders.")]


def assess(
    reference: Annotated[Path, typer.Option("--reference", help="A mask file, or a folder of them.")],
    prediction: Annotated[Path, typer.Option("--prediction", help="The masks to judge, of the same names.")],
    out: Table,
    label: Label = None,
    tolerance: Tolerance = 1.0,
    least_iou: LeastIou = 0.1,
    cases: Cases = None,
    images: Images = None,
    profile: Profile = "pyradiomics",
    settings: Settings = None,
    seed: Seed = 20240229,
    page: Page = True,
    workers: Workers = 0,
) -> None:
    """How far masks agree with a reference: overlap, distances, volumes, lesions found, features."""
    from isthmus.study.assess import AssessSettings, assess_to_file

    chosen = AssessSettings(
        label=label, tolerance_mm=tolerance, least_iou=least_iou, images=images, profile=profile, settings=settings or [], seed=seed,
        workers=workers,
    )  # fmt: skip
    failed = assess_to_file(reference, prediction, out, chosen=chosen, cases=cases, draw=_draw() if page else None)
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


def readers(
    folders: Annotated[list[Path], typer.Argument(help="A folder of masks for each reader.", metavar="FOLDER...")],
    out: Table,
    label: Label = None,
    tolerance: Tolerance = 1.0,
    cases: Cases = None,
    images: Images = None,
    profile: Profile = "pyradiomics",
    settings: Settings = None,
    seed: Seed = 20240229,
    page: Page = True,
    workers: Workers = 0,
) -> None:
    """How far readers agree who drew the same cases: every two of them, all together, and what is left of the features."""
    from isthmus.study.assess import AssessSettings, readers_to_file

    chosen = AssessSettings(
        label=label, tolerance_mm=tolerance, images=images, profile=profile, settings=settings or [], seed=seed, workers=workers
    )  # fmt: skip
    failed = readers_to_file(folders, out, chosen=chosen, cases=cases, draw=_draw() if page else None)
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


def _draw() -> Draw:
    from isthmus.report.masks.page import mask_page

    return mask_page
