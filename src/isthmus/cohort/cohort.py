"""The cohort: who is in the study, where their files are, what happened to them, and who was left out and why."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from isthmus.table.clinical import ClinicalBlock, JoinLoss
from isthmus.table.exclusion import account
from isthmus.table.outcome import Outcome
from isthmus.table.problem import Problem

__all__ = ["KEYS", "Cohort"]

KEYS = ("view", "lesion", "timepoint")
"""Columns that tell the rows of one patient apart."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """The patients of a study and their files.

    Parameters
    ----------
    rows : DataFrame of str
        The rows in the study, on the index 0, 1, ..., sorted by `row`: `row` (the patient, and view, lesion and time point
        where the table has them), `patient`, `centre`, `split` (train, internal, external), the key columns, and for each
        image `image:<name>` and `mask:<name>` as absolute paths and `label:<name>` where the table has it.
    clinical : DataFrame of str
        The columns that are no paths, for the same rows on the same index; with those of a joined clinical table.
    outcome : Outcome
        Of the patients in the study.
    barred : frozenset of str
        Columns that made the outcome.
    exclusions : DataFrame
        row, patient, step (include, exclude, outcome, files, clinical), reason.
    problems : tuple of Problem
        Everything worth knowing that did not stop the reading.
    images : tuple of str
        The images that were asked for.
    everyone : DataFrame of str
        row, patient, centre, split of every row of the table.
    encoding : str
        What the case table was read in.
    block : ClinicalBlock or None
        The clinical predictors, where the plan has [clinical].
    loss : JoinLoss or None
        What joining the clinical table lost, where there is one.
    """

    rows: pd.DataFrame
    clinical: pd.DataFrame
    outcome: Outcome
    barred: frozenset[str]
    exclusions: pd.DataFrame
    problems: tuple[Problem, ...]
    images: tuple[str, ...]
    everyone: pd.DataFrame
    encoding: str
    block: ClinicalBlock | None = None
    loss: JoinLoss | None = None

    def __repr__(self) -> str:
        return (
            f"Cohort({self.rows['patient'].nunique()} patients, {len(self.rows)} rows, "
            f"{len(self.exclusions)} excluded, images: {', '.join(self.images) or 'none'})"
        )

    @property
    def patients(self) -> pd.Index[str]:
        """The patients in the study, sorted."""
        return pd.Index(sorted(set(self.rows["patient"])), name="patient")

    @property
    def cases(self) -> pd.DataFrame:
        """Every row of the table: row, patient, centre, split, status (included or excluded), step, reason, outcome."""
        return account(self.everyone, self.exclusions, self.outcome)
