"""What a protein table is asked, and how: the options of `isthmus protein` and of a plan's [biology]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from isthmus.settings import Section

__all__ = [
    "BatchMethod",
    "BiologySection",
    "BiologyTable",
    "EnrichmentSettings",
    "Imputation",
    "Missing",
    "Normalisation",
    "ProteinSettings",
    "Scale",
]

Scale = Literal["raw", "log2"]
Normalisation = Literal["none", "median", "quantile", "vsn"]
Missing = Literal["complete", "available", "impute"]
Imputation = Literal["mixed", "shifted", "qrilc", "knn"]
BatchMethod = Literal["covariate", "combat"]


class EnrichmentSettings(Section):
    """Gene sets: which are tested, and how often the genes are shuffled."""

    smallest: int = Field(default=5, ge=2)
    largest: int = Field(default=500, ge=2)
    permutations: int = Field(default=1000, ge=100)


class ProteinSettings(Section):
    """How a table of protein abundances is compared between groups.

    Parameters
    ----------
    scale : {"raw", "log2"}
        What the numbers are. Of raw intensities, 0 means not measured.
    normalise : {"none", "median", "quantile", "vsn"}
        How samples are made comparable; "vsn" needs raw intensities.
    missing : {"complete", "available", "impute"}
        Proteins measured in every sample; the values that are there; missing ones filled in.
    imputation : {"mixed", "shifted", "qrilc", "knn"}
        How: see `isthmus.biology.missing`.
    max_missing : float
        Share of a group's samples; a protein that misses more in every group is left out (with "complete": that misses any). With
        "mixed", a protein that misses more in a group counts as below detection there.
    draws : int
        Imputations whose results are compared.
    covariates : tuple of str
        Columns of the table of groups that go into the model.
    batch : str, optional
        The column of batches.
    batch_method : {"covariate", "combat"}
        Batch in the model, or removed before (with the group kept).
    trend : bool
        The prior variance follows the abundance.
    fdr, min_log2_fold_change : float
        When a protein is reported as found.
    enrichment : EnrichmentSettings
    seed : int
    """

    scale: Scale = "raw"
    normalise: Normalisation = "none"
    missing: Missing = "complete"
    imputation: Imputation = "mixed"
    max_missing: float = Field(default=0.5, ge=0, lt=1)
    draws: int = Field(default=20, ge=2)
    covariates: tuple[str, ...] = ()
    batch: str | None = None
    batch_method: BatchMethod = "covariate"
    trend: bool = False
    fdr: float = Field(default=0.05, gt=0, lt=1)
    min_log2_fold_change: float = Field(default=0.0, ge=0)
    enrichment: EnrichmentSettings = EnrichmentSettings()
    seed: int = 42


class BiologyTable(Section):
    """One table of biology with a row a patient.

    name: of the table in the report; path; id: the column of patients (default: patient, PatientID, id ...); kind: "numbers" (features of
    slides, protein values) or "stains" (graded markers); columns: which (default: every column of numbers, or of grades); levels: of
    stains, from low to high; hypotheses: columns asked for beforehand, a family of their own; given: columns of the model's features that
    correlations are freed of.
    """

    name: str
    path: str
    id: str | None = None
    kind: Literal["numbers", "stains"] = "numbers"
    columns: tuple[str, ...] = ()
    levels: tuple[str, ...] = ("Negative", "Weak Positive", "Moderate Positive", "Strong Positive")
    hypotheses: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


class BiologySection(Section):
    """[biology]: tables beside the risk groups of a model (default: the final one), which are of models that had not seen the patient.

    groups: "threshold" (the model's own) or "median" (halves of the compared patients by the same risks: where a screening threshold calls
    nearly all of them high, it leaves nothing to compare); features: of the model's selected features, those that correlate with numbers
    (0: none).
    """

    model: str | None = None
    groups: Literal["threshold", "median"] = "threshold"
    fdr: float = Field(default=0.05, gt=0, lt=1)
    features: int = Field(default=20, ge=0)
    tables: list[BiologyTable] = Field(default_factory=list)
