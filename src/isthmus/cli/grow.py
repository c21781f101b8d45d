"""`isthmus segment grow`: a mask from a few clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import CaseTable, ImageFile, Root
from isthmus.cli.outcome import DONE, EXCLUSIONS

__all__ = ["grow"]


def grow(
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="The mask (.nii.gz, .nrrd, .mha), <mask>.origin.json beside it; of --cases a folder."
        ),
    ],
    image: ImageFile = None,
    cases: CaseTable = None,
    inside: Annotated[
        list[str] | None, typer.Option("--inside", metavar="X,Y,Z", help="A click in the lesion: x,y,z in LPS mm.")
    ] = None,
    outside: Annotated[
        list[str] | None, typer.Option("--outside", metavar="X,Y,Z", help="A click outside it, in the same way.")
    ] = None,
    seeds: Annotated[
        Path | None, typer.Option("--seeds", help="Clicks as .csv: x, y, z (mm) or k, j, i (voxels), inside (1 or 0).")
    ] = None,
    voxels: Annotated[bool, typer.Option("--voxels", help="Clicks and box are voxels k,j,i instead of mm.")] = False,
    box: Annotated[str | None, typer.Option("--box", help="Stay inside: two corners, six numbers.")] = None,
    method: Annotated[
        str, typer.Option("--method", help="growcut, threshold, region, confidence, chan_vese or geodesic.")
    ] = "growcut",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting: denoise_mm=1, rule=fixed, lower=40, ..."),
    ] = None,
    label: Annotated[int, typer.Option("--label", help="What the mask's voxels hold.")] = 1,
    use: Annotated[str | None, typer.Option("--use", help="Which image, where the case table has several.")] = None,
    root: Root = None,
) -> None:
    """Grow a mask from clicks, without training; it is recorded as semi-automatic."""
    from isthmus.errors import PlanError
    from isthmus.study.grow import grow_cases, grow_to_file

    if (image is None) == (cases is None):
        raise PlanError("give either --image (one case) or --cases with --seeds (many)")
    if cases is not None:
        if seeds is None or inside or outside or box is not None:
            raise PlanError(
                "--cases needs --seeds, a table with a column case; --inside, --outside and --box are of one image"
            )
        failed = grow_cases(
            cases, seeds, out, use=use, root=root, method=method, settings=settings or [], label=label
        )  # fmt: skip
        print(out / "grown.csv")
        raise typer.Exit(EXCLUSIONS if failed else DONE)
    assert image is not None
    origin = grow_to_file(
        image, out, inside=inside or [], outside=outside or [], seeds=seeds, voxels=voxels, box=box, method=method,
        settings=settings or [], label=label,
    )  # fmt: skip
    print(out)
    print(origin)
