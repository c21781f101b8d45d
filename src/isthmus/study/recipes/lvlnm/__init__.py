"""The recipe `lvlnm`: large volume lymph node metastasis of papillary thyroid carcinoma from radiomics and networks on ultrasound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from isthmus.errors import PlanError

if TYPE_CHECKING:
    from isthmus.study.plan import Plan
    from isthmus.study.recipes import Finished

__all__ = ["CLASSIFIERS", "FUSION", "NAME", "NETWORKS", "check", "outputs"]

NAME = "lvlnm"
FUSION = "Thy-DL-Radiomics"
CLASSIFIERS = ("LR", "SVM", "KNN", "MLP", "RandomForest", "ExtraTrees", "XGBoost", "LightGBM")
NETWORKS = ("AlexNet", "Thy-DL", "Inception_v3", "ResNet50", "ViT")
"""Names of the plan's models; Thy-DL is DenseNet121."""


def check(plan: Plan) -> None:
    """Raise where the recipe's tables could not be made."""
    if plan.source.task != "binary":
        raise PlanError(f"[report] recipe = 'lvlnm' needs an outcome of two classes; the task is {plan.source.task!r}.")
    names = (FUSION, *CLASSIFIERS, *NETWORKS)
    if not any(model.name in names for model in plan.models):
        raise PlanError(
            "[report] recipe = 'lvlnm': no model has a name of the study, so none could be compared with it. "
            f"Names: {', '.join(names)}."
        )


def outputs(run: Finished) -> dict[str, pd.DataFrame]:
    """Name -> table: what the study reported, of this run, and what its print can mean."""
    from isthmus.study.recipes.facts import facts_of
    from isthmus.study.recipes.lvlnm.choice import best_of_several
    from isthmus.study.recipes.lvlnm.models import against_final, model_table
    from isthmus.study.recipes.lvlnm.printed import counts_behind

    groups = {"classifiers": CLASSIFIERS, "networks": NETWORKS}
    choices = best_of_several(run.predictions, run.metrics, groups, seed=run.plan.validation.seed)
    found = {
        "models": model_table(run.plan, run.metrics),
        "against_final": against_final(run.comparisons, run.plan.final),
        "printed_counts": counts_behind(facts_of(NAME)),
    }
    return {**found, "choices": choices} if len(choices) else found
