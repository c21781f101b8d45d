"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["CaseTable", "ImageFile", "Lesion", "MaskFile", "OneImage", "OneMask", "Out", "Perturb", "Root", "Workers"]

Out = Annotated[Path, typer.Option("--out", help="Where to write.")]
OneImage = Annotated[Path, typer.Option("--image", help="Image file or DICOM folder.")]
OneMask = Annotated[Path, typer.Option("--mask", help="Mask file or RTSTRUCT.")]
ImageFile = Annotated[Path | None, typer.Option("--image", help="Image file or DICOM folder.")]
MaskFile = Annotated[Path | None, typer.Option("--mask", help="Mask file or RTSTRUCT.")]
CaseTable = Annotated[Path | None, typer.Option("--cases", help="A case table, for many.")]
Lesion = Annotated[
    str | None, typer.Option("--label", help="Value in the mask, or name of an RTSTRUCT's ROI; 1+2: both as one.")
]
Perturb = Annotated[
    list[str] | None,
    typer.Option(
        "--perturb",
        metavar="KEY=VALUE",
        help="More rows of the case perturbed: rotations_deg=[-4,4], noise=true, repeats=5.",
    ),
]
Root = Annotated[str | None, typer.Option("--root", help="Where relative paths of the case table start.")]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: one per core. Never changes a number.")]
