"""The logistic tables of the clinical variables: on development patients, models' risks out of fold."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.seeds import child_seed
from isthmus.study.data import StudyData
from isthmus.study.plan import CLINICAL, Plan
from isthmus.table.regression import logistic_tables

__all__ = ["inference_tables", "out_of_fold_risk"]

log = logging.getLogger("isthmus")


def inference_tables(
    plan: Plan, data: StudyData, predictions: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The univariable and the multivariable table that [clinical.inference] asks for; None where there is none to make.

    Parameters
    ----------
    predictions : DataFrame
        As in `predictions.csv`; of it only the out-of-fold rows are used, because the final model's own predictions of its training
        patients would look better than they are.
    """
    clinical = plan.clinical
    if clinical is None or not clinical.inference.tables or plan.source.task != "binary":
        return None
    outcome = data.outcome_of("train")
    patients = pd.Index(outcome.patients)
    values = data.blocks[CLINICAL].values.loc[patients]
    risks = {f"risk of {name}": out_of_fold_risk(predictions, name, patients) for name in clinical.inference.models}
    log.info("odds ratios of %d clinical variables", len(values.columns) + len(risks))
    return logistic_tables(
        values.assign(**risks),
        outcome.values.loc[patients].to_numpy(),
        clinical.columns,
        clinical.inference,
        confidence=plan.validation.confidence,
        seed=child_seed(plan.validation.seed, "inference"),
        per_sd=tuple(risks),
    )


def out_of_fold_risk(predictions: pd.DataFrame, model: str, patients: pd.Index[Any]) -> pd.Series[Any]:
    """The logit of a model's out-of-fold probability, mean over repeats."""
    rows = predictions[(predictions["model"] == model) & (predictions["split"] == "cv")]
    probability = rows.groupby("patient")["probability"].mean().reindex(patients).clip(1e-12, 1 - 1e-12)
    return pd.Series(np.log(probability / (1 - probability)), index=patients)
