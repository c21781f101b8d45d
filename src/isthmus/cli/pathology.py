"""`isthmus pathology`: stained slides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.contents import InFull
from isthmus.cli.options import Workers
from isthmus.cli.outcome import DONE, EXCLUSIONS

pathology = typer.Typer(
    name="pathology",
    cls=InFull,
    help="Stained slides: tissue, nuclei, nuclear features (extra `pathology`).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Out = Annotated[Path, typer.Option("--out", help="A folder.")]
OneSlide = Annotated[Path | None, typer.Option("--slide", help="A slide (SVS, NDPI, tiled TIFF ...) or a picture.")]
Slides = Annotated[
    Path | None,
    typer.Option("--slides", help="A table, for many: patient, slide[, mpp, annotation, classes, nuclei, centre]."),
]
Mpp = Annotated[float | None, typer.Option("--mpp", help="Micrometres per pixel, where the slide does not say them.")]
Annotation = Annotated[
    Path | None, typer.Option("--annotation", help="Only inside these outlines: GeoJSON (QuPath) or ASAP's XML.")
]
Classes = Annotated[
    list[str] | None, typer.Option("--class", metavar="NAME", help="Of the outlines; once for each. Unset: all.")
]
Params = Annotated[Path | None, typer.Option("--params", help="A TOML file with [pathology].")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="mpp=0.25, tile=1024, stains=macenko, tissue.least_focus=2, nuclei.opening=0.3.",
    ),
]


@pathology.command()
def tiles(
    out: Out,
    slide: OneSlide = None,
    slides: Slides = None,
    mpp: Mpp = None,
    annotation: Annotation = None,
    classes: Classes = None,
    params: Params = None,
    settings: Settings = None,
) -> None:
    """Tissue and tiles: tiles.csv and a picture of the tissue, before hours are spent on nuclei."""
    from isthmus.study.pathology import pathology_settings, slides_given, tiles_to_folder

    rows = slides_given(slide, slides, mpp=mpp, annotation=annotation, classes=classes or [])
    failed = tiles_to_folder(out, rows, pathology_settings(params, settings or []))
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


@pathology.command()
def nuclei(
    out: Out,
    slide: OneSlide = None,
    slides: Slides = None,
    mpp: Mpp = None,
    annotation: Annotation = None,
    classes: Classes = None,
    params: Params = None,
    settings: Settings = None,
    workers: Workers = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the tiles that are not done.")] = False,
) -> None:
    """Nuclei with their 28 features (nuclei.parquet), one row a slide and a patient, and pictures to judge them by."""
    from isthmus.study.pathology import nuclei_to_folder, pathology_settings, slides_given

    rows = slides_given(slide, slides, mpp=mpp, annotation=annotation, classes=classes or [])
    chosen = pathology_settings(params, settings or [])
    failed = nuclei_to_folder(out, rows, chosen, workers=workers, resume=resume)
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


@pathology.command()
def features(
    out: Out,
    nuclei: Annotated[Path, typer.Option("--nuclei", help="The folder that `isthmus pathology nuclei` wrote.")],
    slide: OneSlide = None,
    slides: Slides = None,
    mpp: Mpp = None,
    annotation: Annotation = None,
    classes: Classes = None,
    params: Params = None,
    settings: Settings = None,
) -> None:
    """Summaries again from nuclei.parquet, after nuclei were given classes or taken out."""
    from isthmus.study.pathology import features_to_folder, pathology_settings, slides_given

    rows = slides_given(slide, slides, mpp=mpp, annotation=annotation, classes=classes or [])
    failed = features_to_folder(out, nuclei, rows, pathology_settings(params, settings or []))
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


@pathology.command()
def stains(
    out: Out,
    slide: OneSlide = None,
    slides: Slides = None,
    method: Annotated[str, typer.Option("--method", help="macenko, vahadane or reinhard.")] = "macenko",
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference", help="A slide, a picture or an earlier reference.json. Unset: the cohort's middle."
        ),
    ] = None,
    reference_mpp: Annotated[
        float | None,
        typer.Option("--reference-mpp", help="Of a reference that does not say its micrometres per pixel."),
    ] = None,
    tiles: Annotated[bool, typer.Option("--tiles", help="Also write every tile, normalised.")] = False,
    mpp: Mpp = None,
    annotation: Annotation = None,
    classes: Classes = None,
    params: Params = None,
    settings: Settings = None,
) -> None:
    """Stains of every slide, the quality of its optical densities, and pictures before and after normalisation."""
    from isthmus.study.pathology import pathology_settings, slides_given
    from isthmus.study.stains import stains_to_folder

    rows = slides_given(slide, slides, mpp=mpp, annotation=annotation, classes=classes or [])
    failed = stains_to_folder(
        out, rows, pathology_settings(params, settings or []), method=method, reference=reference,
        reference_mpp=reference_mpp, tiles=tiles,
    )  # fmt: skip
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


@pathology.command(name="import")
def import_(
    out: Out,
    slide: OneSlide = None,
    slides: Slides = None,
    nuclei: Annotated[
        Path | None,
        typer.Option("--nuclei", help="GeoJSON (QuPath, TIAToolbox), HoVer-Net's JSON, a picture of labels."),
    ] = None,
    mpp: Mpp = None,
    annotation: Annotation = None,
    classes: Classes = None,
    params: Params = None,
    settings: Settings = None,
) -> None:
    """Nuclei that another program found: their 28 features and summaries, as `isthmus pathology nuclei` writes them."""
    from isthmus.study.pathology import pathology_settings, slides_given
    from isthmus.study.pathology_import import import_to_folder

    rows = slides_given(slide, slides, mpp=mpp, annotation=annotation, classes=classes or [])
    failed = import_to_folder(out, rows, pathology_settings(params, settings or []), nuclei=nuclei)
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)
