"""`isthmus deep`: networks without a study around them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.contents import InFull
from isthmus.cli.options import CaseTable, ImageFile, Lesion, MaskFile, OneImage, OneMask, Perturb, Root, Workers
from isthmus.cli.outcome import DONE, EXCLUSIONS

deep = typer.Typer(
    name="deep",
    cls=InFull,
    help="Features of deep networks (extra `deep`).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

NetworkName = Annotated[
    str | None, typer.Option("--network", help="densenet121, resnet50 ...; a wrong name lists them all.")
]
Params = Annotated[Path | None, typer.Option("--params", help="A TOML file with [deep.encoder], [deep.crop].")]


@deep.command()
def extract(
    out: Annotated[Path, typer.Option("--out", help="A .csv or .parquet.")],
    image: ImageFile = None,
    mask: MaskFile = None,
    cases: CaseTable = None,
    label: Lesion = None,
    network: NetworkName = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="A file (.safetensors, .pt); or random: untrained, a random projection."),
    ] = None,
    layer: Annotated[str | None, typer.Option("--layer", help="Whose output is read; a wrong name lists them.")] = None,
    pooling: Annotated[str | None, typer.Option("--pooling", help="avg, max, flatten, first.")] = None,
    params: Params = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="encoder.dims=3, weights.layout=torchvision, input.channels=3, crop.margin_mm=5, image.clip=[0,200].",
        ),
    ] = None,
    perturb: Perturb = None,
    root: Root = None,
    workers: Workers = 0,
) -> None:
    """Features of a frozen network for one case or many: a table, the facts of its columns, and the record of the weights beside it."""
    from isthmus.study.deep import deep_extract_settings, deep_to_file

    chosen = deep_extract_settings(
        network=network, weights=weights, layer=layer, pooling=pooling, params=params, settings=settings or []
    )
    failed = deep_to_file(
        out, chosen, image=image, mask=mask, cases=cases, label=label, perturb=perturb or [], root=root, workers=workers
    )
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


@deep.command()
def train(
    cases: Annotated[Path, typer.Option("--cases", help="A case table: patient, image:, mask:, the outcome.")],
    out: Annotated[Path, typer.Option("--out", help="A folder.")],
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="The column to tell apart; none: an autoencoder.")
    ] = None,
    use: Annotated[str | None, typer.Option("--use", help="Which image, where the table has several.")] = None,
    network: NetworkName = None,
    weights: Annotated[
        str | None, typer.Option("--weights", help="Where training starts: a file; unset, random numbers.")
    ] = None,
    params: Params = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="train.epochs=50, augment.noise=0, crop.margin_mm=5, as of extract."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of weights, order, and who is held out.")] = 42,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was stopped.")] = False,
    root: Root = None,
    workers: Workers = 0,
) -> None:
    """Train a network on the lesions of a table; its weights (for extract, explain, a study of other patients) and how it learned."""
    from isthmus.report.learning_curve import learning_curve
    from isthmus.study.deep_train import deep_train, deep_train_settings

    chosen = deep_train_settings(network=network, weights=weights, params=params, settings=settings or [])
    print(
        deep_train(
            out, chosen, cases=cases, outcome=outcome, use=use, root=root, seed=seed, resume=resume, workers=workers,
            draw=learning_curve,
        )
    )  # fmt: skip


@deep.command()
def explain(
    image: OneImage,
    mask: OneMask,
    out: Annotated[Path, typer.Option("--out", help="A folder.")],
    label: Lesion = None,
    network: NetworkName = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="A file with the network's last layer, too (.safetensors, .pt); or random."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="NAME",
            help="grad_cam, grad_cam_plus_plus, occlusion, attention; once for each. Default: grad_cam.",
        ),
    ] = None,
    target: Annotated[
        int | None, typer.Option("--class", help="Which class, from 0; unset, the most probable.")
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option("--layer", help="Of the Grad-CAMs; unset, the last with a map. A wrong name lists them."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Make the weights random, layer by layer: does the map go?")
    ] = False,
    params: Params = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="encoder.dims=3, crop.margin_mm=5, as of extract."),
    ] = None,
) -> None:
    """Where a network looks in one lesion: one map for each method on the image's grid, a figure, and what each map stands for."""
    from isthmus.report.network_maps import network_maps
    from isthmus.study.deep import deep_extract_settings
    from isthmus.study.deep_explain import explain_to_folder

    chosen = deep_extract_settings(network=network, weights=weights, params=params, settings=settings or [])
    for path in explain_to_folder(
        out, chosen, image=image, mask=mask, label=label, methods=method or ["grad_cam"], layer=layer, target=target,
        check=check, draw=network_maps,
    ):  # fmt: skip
        print(path)
