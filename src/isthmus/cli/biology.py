"""`isthmus protein`, `ihc`, `associate`: groups of patients beside biology, without a study around them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--out", help="A folder; it gets tables, figures and a page.")]


def protein(
    table: Annotated[Path, typer.Option("--table", help="One row a protein, one column a sample.")],
    groups: Annotated[Path, typer.Option("--groups", help="sample, group; other columns: covariates, batch.")],
    out: Folder,
    scale: Annotated[str | None, typer.Option("--scale", help="raw (default; 0: not measured) or log2.")] = None,
    normalise: Annotated[
        str | None, typer.Option("--normalise", help="none (default), median, quantile or vsn.")
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option("--missing", help="complete (default: proteins that every sample has), available or impute."),
    ] = None,
    contrast: Annotated[str | None, typer.Option("--contrast", help="A-B: A minus B.")] = None,
    covariates: Annotated[
        list[str] | None,
        typer.Option("--covariate", metavar="COLUMN", help="A column of the groups' table; once for each."),
    ] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="The column of batches.")] = None,
    combat: Annotated[
        bool, typer.Option("--combat", help="Remove the batch before, instead of keeping it in the model.")
    ] = False,
    gene_sets: Annotated[Path | None, typer.Option("--gene-sets", help="Your gene sets (.gmt).")] = None,
    gene: Annotated[str | None, typer.Option("--gene", help="The column of genes (default: gene).")] = None,
    name: Annotated[
        str | None, typer.Option("--protein", help="The column of protein names (default: the first).")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="imputation=qrilc, max_missing=0.3, trend=true, fdr=0.1, min_log2_fold_change=1.",
        ),
    ] = None,
) -> None:
    """Which proteins differ between groups: normalise, fill in or not, moderated t (limma), false discovery rate, gene sets, figures."""
    from isthmus.report.biology.protein import protein_page
    from isthmus.study.protein import protein_settings, protein_to_folder

    chosen = protein_settings(
        {
            "scale": scale,
            "normalise": normalise,
            "missing": missing,
            "covariates": tuple(covariates) if covariates else None,
            "batch": batch,
            "batch_method": "combat" if combat else None,
        },
        settings or [],
    )
    for path in protein_to_folder(
        out, table=table, groups=groups, contrast=contrast, settings=chosen, gene_sets=gene_sets, gene=gene, protein=name,
        draw=protein_page,
    ):  # fmt: skip
        print(path)


PatientTable = Annotated[Path, typer.Option("--table", help="One row a patient.")]
Identifier = Annotated[
    str | None, typer.Option("--id", help="The column of patients (default: patient, PatientID, id).")
]
GroupColumn = Annotated[str | None, typer.Option("--group", help="The column of groups.")]
FinishedRun = Annotated[
    Path | None, typer.Option("--run", help="A finished run: its risk groups, of models that had not seen the patient.")
]
ModelName = Annotated[str | None, typer.Option("--model", help="Of the run (default: the first).")]
Contrast = Annotated[str | None, typer.Option("--contrast", help="A-B: A against B.")]
Fdr = Annotated[float, typer.Option("--fdr", min=0, max=1, help="When something counts as found.")]


def ihc(
    table: PatientTable,
    out: Folder,
    identifier: Identifier = None,
    group: GroupColumn = None,
    run: FinishedRun = None,
    model: ModelName = None,
    contrast: Contrast = None,
    markers: Annotated[
        list[str] | None,
        typer.Option("--marker", metavar="COLUMN", help="A column of grades; once for each (default: all of them)."),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option("--levels", help="From low to high, with commas (default: Negative, Weak Positive, ...)."),
    ] = None,
    covariates: Annotated[
        list[str] | None,
        typer.Option("--covariate", metavar="COLUMN", help="What odds ratios are adjusted for; once for each."),
    ] = None,
    second_reader: Annotated[
        Path | None, typer.Option("--second-reader", help="The same table by a second reader: weighted kappa.")
    ] = None,
    fdr: Fdr = 0.05,
) -> None:
    """Graded stains between groups of patients: exact tests, Cliff's delta, odds ratios, false discovery rate over the markers."""
    from isthmus.report.biology.pages import association_page
    from isthmus.study.biology import stains_to_folder

    for path in stains_to_folder(
        out, table=table, identifier=identifier, group=group, run=run, model=model, contrast=contrast, markers=markers or (),
        levels=levels, covariates=covariates or (), second_reader=second_reader, fdr=fdr, draw=association_page,
    ):  # fmt: skip
        print(path)


def associate(
    table: PatientTable,
    out: Folder,
    identifier: Identifier = None,
    features: Annotated[
        list[str] | None,
        typer.Option(
            "--feature", metavar="COLUMN", help="A column of the table; once for each (default: all numbers)."
        ),
    ] = None,
    group: GroupColumn = None,
    run: FinishedRun = None,
    model: ModelName = None,
    contrast: Contrast = None,
    image: Annotated[Path | None, typer.Option("--image", help="Image features, one row a patient.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given", metavar="COLUMN", help="An image feature that correlations are freed of; once for each."
        ),
    ] = None,
    hypotheses: Annotated[
        list[str] | None,
        typer.Option("--hypothesis", metavar="COLUMN", help="A feature asked for beforehand; once for each."),
    ] = None,
    composite: Annotated[
        str | None,
        typer.Option(
            "--composite", help="A column of two outcomes: one score of all features, a patient's from the others."
        ),
    ] = None,
    fdr: Fdr = 0.05,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of permutations and bootstrap.")] = 42,
) -> None:
    """Features of biology (slides, proteins) beside risk groups and image features: differences, correlations, whole blocks."""
    from isthmus.report.biology.pages import association_page
    from isthmus.study.biology import associate_to_folder

    for path in associate_to_folder(
        out, table=table, identifier=identifier, features=features or (), group=group, run=run, model=model, contrast=contrast,
        image=image, given=given or (), hypotheses=hypotheses or (), composite=composite, fdr=fdr, seed=seed, draw=association_page,
    ):  # fmt: skip
        print(path)
