"""The page of `isthmus protein`."""

from __future__ import annotations

from pathlib import Path

from isthmus.biology import ProteinAnalysis
from isthmus.report.biology import PROTEIN_FIGURES
from isthmus.report.biology.page import draw_figures, excerpt, write_page

__all__ = ["protein_page"]


def protein_page(analysis: ProteinAnalysis, folder: Path) -> Path:
    """Draw the figures into `folder`/figures and write `folder`/protein.html."""
    tables, design = analysis.tables, analysis.design
    best = tables["differential"].sort_values("p", kind="stable")
    views = [
        excerpt("Proteins by p", best.drop(columns="found"), "differential.csv"),
        excerpt("Power of this number of samples", tables["power"], "power.csv"),
        excerpt("Samples", tables["samples"], "samples.csv"),
    ]
    if "gsea" in tables:
        views += [
            excerpt("Gene sets along the ranking", tables["gsea"].sort_values("p", kind="stable"), "gsea.csv"),
            excerpt(
                "Gene sets among the proteins found",
                tables["over_representation"].sort_values("p", kind="stable"),
                "over_representation.csv",
            ),
        ]
    drawn = draw_figures(PROTEIN_FIGURES, tables, folder / "figures")
    title = f"Proteins: {design.first} against {design.second}"
    return write_page(folder / "protein.html", title, analysis.sentences, drawn, views)
