"""`isthmus protein`: risk groups beside biology, without a study around them."""

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
        list[str] | None, typer.Option("--covariate", help="A column of the groups' table; once for each.")
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
        typer.Option("--set", help="imputation=qrilc, max_missing=0.3, trend=true, fdr=0.1, min_log2_fold_change=1."),
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
