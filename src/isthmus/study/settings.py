"""[compute] and [report]: how a run uses the machine, and what the report is to be called and to show."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from isthmus.settings import Section

__all__ = ["ComputeSettings", "RecipeSettings", "ReportSettings"]


class ComputeSettings(Section):
    """How much of the machine a run may use; it never changes a number. workers: processes; 0 means one per core."""

    workers: int = Field(0, ge=0)


class RecipeSettings(Section):
    """The tables and figures of a published study, beside what it printed.

    name: the study's recipe. umap_runs: seeds and orders of rows over which the stability of a UMAP value is measured; 0: no UMAP.
    """

    name: str
    umap_runs: int = Field(10, ge=0)


class ReportSettings(Section):
    """title: of the report; final: the model that becomes `model.isthmus` (default: the first declared); outcome: the outcome in words,
    for sentences and figures (default: as [cohort] has it); recipe: a published study whose own tables and figures the run adds;
    pictures: patients of whom the run keeps a small picture of the lesion (0: none); maps: of these, patients for whom a texture of the
    final model is mapped over the lesion (0: no maps, of networks neither); embedding: of the map of patients."""

    title: str | None = None
    final: str | None = None
    outcome: str | None = None
    recipe: RecipeSettings | None = None
    pictures: int = Field(12, ge=0, le=48)
    maps: int = Field(2, ge=0, le=6)
    embedding: Literal["tsne", "umap", "none"] = "tsne"
