"""Batches taken out of a protein table before its test, and where that cannot be done."""

from __future__ import annotations

import numpy as np
import pandas as pd

from isthmus.biology.design import covariate_columns
from isthmus.biology.settings import ProteinSettings
from isthmus.errors import TableError, first_few
from isthmus.stats.combat import apply_combat, fit_combat

__all__ = ["check_batches", "remove_batches"]


def check_batches(samples: pd.DataFrame, settings: ProteinSettings) -> None:
    """Can ComBat tell a batch from its samples?

    Raises
    ------
    TableError
        A batch has one sample, or no batch has two samples of one group.
    """
    assert settings.batch is not None
    cells = pd.crosstab(samples[settings.batch].astype("str"), samples["group"])
    alone = cells.index[cells.sum(axis=1) < 2]
    instead = "Keep the batch in the model (leave --combat out)"
    if len(alone):
        raise TableError(
            f"ComBat: {settings.batch} {first_few(alone)} has one sample, so its spread is unknown. {instead}, or leave these samples out"
        )
    if int(cells.to_numpy().max()) < 2:
        raise TableError(
            f"ComBat: no {settings.batch} holds two samples of one group, so what a batch does to the spread cannot be told from the "
            f"samples themselves. {instead}"
        )


def remove_batches(values: pd.DataFrame, samples: pd.DataFrame, settings: ProteinSettings) -> pd.DataFrame:
    """ComBat over the batches, the groups and covariates kept: the values sva gives (proteins, samples).

    Plain limma on them counts the batches' shifts and scales as known: `analyse_proteins` does not.

    Raises
    ------
    TableError
        A value is missing, or as `fit_combat`.
    """
    if values.isna().to_numpy().any():
        raise TableError(
            "ComBat needs a value of every protein in every sample: --missing complete or impute, or batch as a covariate"
        )
    kept = covariate_columns(samples, ["group", *settings.covariates]).to_numpy()
    rows, sites = values.to_numpy().T, samples[settings.batch].to_numpy().astype(str)
    fitted = fit_combat(rows, sites, kept)
    codes = np.array([fitted.sites.index(site) for site in sites])
    return pd.DataFrame(apply_combat(fitted, rows, codes, kept).T, index=values.index, columns=values.columns)
