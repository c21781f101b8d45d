"""`isthmus segment ...`: masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.assess import assess, readers
from isthmus.cli.contents import InFull
from isthmus.cli.grow import grow
from isthmus.cli.options import CaseTable, ImageFile, Root
from isthmus.cli.outcome import DONE, EXCLUSIONS

segment = typer.Typer(cls=InFull, help="Masks: made, and how well they agree.", no_args_is_help=True)
for _command in (grow, assess, readers):
    segment.command()(_command)


@segment.command()
def train(
    cases: Annotated[Path, typer.Option("--cases", help="A case table: patient, image:, mask:.")],
    out: Annotated[Path, typer.Option("--out", help="A folder: the model.")],
    network: Annotated[
        str | None,
        typer.Option("--network", help="cbam_unet (default), unet, dynunet ...; a wrong name lists them all."),
    ] = None,
    dims: Annotated[int | None, typer.Option("--dims", help="3 (default): volumes; 2: slices.")] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help='JSON: the names of the values in the masks, {"lesion": 11, ...}.')
    ] = None,
    lesion: Annotated[str, typer.Option("--lesion", help="Which of the names is the lesion.")] = "lesion",
    context: Annotated[
        str | None, typer.Option("--context", help="A folder of TotalSegmentator a case: totalseg/{patient}.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="The study's outcome: its folds, then, are the study's.")
    ] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="5 (default); 0: one network on all.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The study's: of folds, weights, patches.")] = 1,
    params: Annotated[Path | None, typer.Option("--params", help="A TOML file with these settings.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="train.epochs=100, augment.p_noise=0, configuration.patch=[16,64,64], memory_gb=4.",
        ),
    ] = None,
    use: Annotated[str | None, typer.Option("--use", help="Which image, where the table has several.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was stopped.")] = False,
    root: Root = None,
) -> None:
    """Train networks that draw the lesion, fold by fold, and draw every case by one that never saw its patient."""
    from isthmus.study.segment_train import segment_train
    from isthmus.study.segmentation import segment_train_settings

    chosen = segment_train_settings(params=params, settings=settings or [], network=network, dims=dims, folds=folds)
    print(
        segment_train(
            out, chosen, cases=cases, labels=labels, lesion=lesion, context=context, outcome=outcome, use=use, root=root, seed=seed,
            resume=resume,
        )
    )  # fmt: skip


@segment.command()
def predict(
    model: Annotated[Path, typer.Option("--model", help="The folder of `segment train`.")],
    out: Annotated[Path, typer.Option("--out", help="A folder: masks and predictions.csv.")],
    image: ImageFile = None,
    cases: CaseTable = None,
    uncertainty: Annotated[bool, typer.Option("--uncertainty", help="A map beside each mask, in percent.")] = False,
    mirror: Annotated[bool, typer.Option("--mirror/--no-mirror", help="Average over mirrorings.")] = True,
    overlap: Annotated[float, typer.Option("--overlap", min=0, max=0.9, help="Of neighbouring windows.")] = 0.5,
    least_mm3: Annotated[float, typer.Option("--min-volume", min=0, help="Drop parts of less volume, mm3.")] = 0.0,
    near: Annotated[str | None, typer.Option("--near", help="Drop parts far from this structure.")] = None,
    near_mm: Annotated[float, typer.Option("--near-mm", min=0, help="How far that is.")] = 15.0,
    seen: Annotated[bool, typer.Option("--seen", help="Draw cases all networks were trained on, too.")] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only rows without a mask; the others keep theirs.")
    ] = False,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    use: Annotated[str | None, typer.Option("--use", help="Which image, where the table has several.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep masks that are there.")] = False,
    root: Root = None,
) -> None:
    """Draw lesions by a trained model, cases that trained it only by networks that never saw them."""
    from isthmus.errors import PlanError
    from isthmus.study.segment_predict import PredictSettings, segment_predict

    if device not in ("auto", "cpu", "cuda"):
        raise PlanError(f"--device {device!r}: auto, cpu or cuda")
    chosen = PredictSettings(
        overlap=overlap, mirror=mirror, least_mm3=least_mm3, near=near, near_mm=near_mm, uncertainty=uncertainty, seen=seen,
        device=device, missing=missing,
    )  # fmt: skip
    failed = segment_predict(model, out, chosen, image=image, cases=cases, use=use, root=root, resume=resume)
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)
