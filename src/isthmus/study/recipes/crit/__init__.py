"""The recipe `crit`: distant metastasis of differentiated thyroid cancer from clinical data, radiomics and heterogeneity on CT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from isthmus.errors import PlanError
from isthmus.study.recipes.crit.published import BASELINE, MODELS

if TYPE_CHECKING:
    from isthmus.study.plan import Plan
    from isthmus.study.recipes import Finished

__all__ = ["NAME", "check", "outputs"]

NAME = "crit"


def check(plan: Plan) -> None:
    """Raise where the recipe's tables could not be made."""
    if plan.source.task != "binary":
        raise PlanError(f"[report] recipe = 'crit' needs an outcome of two classes; the task is {plan.source.task!r}.")
    if not any(model.name in MODELS for model in plan.models):
        raise PlanError(
            "[report] recipe = 'crit': no model has a name of the study, so none could be compared with it. "
            f"Names: {', '.join(MODELS)}."
        )


def outputs(run: Finished) -> dict[str, pd.DataFrame]:
    """Name -> table: what the study reported, of this run."""
    from isthmus.study.recipes.crit.added_value import added_value
    from isthmus.study.recipes.crit.models import model_table
    from isthmus.study.recipes.crit.published import external_rates
    from isthmus.study.recipes.crit.risk_groups import patient_risks, risk_groups
    from isthmus.study.recipes.crit.score import screening_score

    final, confidence = run.plan.final, run.plan.validation.confidence
    models = model_table(run.predictions, run.thresholds, run.metrics)
    scores, components = screening_score(models[models["model"].isin(MODELS)])
    patients = patient_risks(run.predictions, run.thresholds, final)
    mine = run.thresholds[(run.thresholds["model"] == final) & run.thresholds["fold"].isna()]
    found = {
        "models": models,
        "score": scores,
        "score_components": components,
        "patients": patients,
        "risk_groups": risk_groups(patients, threshold=float(mine["threshold"].iloc[0]), confidence=confidence),
        "published": external_rates(models, final, confidence=confidence),
    }
    if BASELINE in set(models["model"]):
        found["added_value"] = added_value(run.comparisons)
    return found
