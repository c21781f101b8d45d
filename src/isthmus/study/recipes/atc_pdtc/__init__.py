"""The recipe `atc-pdtc`: anaplastic or poorly differentiated against differentiated thyroid carcinoma (Moon et al., Sci Rep 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from isthmus.stats.seeds import child_seed
from isthmus.study.recipes.atc_pdtc.groups import read_histology

if TYPE_CHECKING:
    from isthmus.study.plan import Plan
    from isthmus.study.recipes import Finished

__all__ = ["NAME", "check", "outputs"]

NAME = "atc-pdtc"


def check(plan: Plan) -> None:
    """Raise where the case table does not say what the recipe's tables need."""
    read_histology(plan)


def outputs(run: Finished) -> dict[str, pd.DataFrame]:
    """Name -> table: what the study printed, of this run, with the printed numbers beside it."""
    from isthmus.study.recipes.atc_pdtc.characteristics import characteristics
    from isthmus.study.recipes.atc_pdtc.important import CURVE_COLUMNS, curves_of, ranking
    from isthmus.study.recipes.atc_pdtc.operating import operating_points
    from isthmus.study.recipes.atc_pdtc.representatives import represent
    from isthmus.study.recipes.atc_pdtc.subtypes import subtypes
    from isthmus.validate.splits import outer_splits

    plan, data = run.plan, run.data
    settings = plan.validation
    recipe = plan.report.recipe
    assert recipe is not None
    outcome = data.outcome_of("train").values
    histology = read_histology(plan).loc[outcome.index]
    seed = child_seed(settings.seed, "recipe", NAME)
    found: dict[str, pd.DataFrame] = {}
    clinical = data.blocks.get("clinical")
    if clinical is not None:
        values = clinical.values.loc[outcome.index]
        found["characteristics"] = characteristics(values, histology, seed=seed)
    for name in [block.name for block in plan.features][:1]:
        X, _ = data.matrix([name], "train")
        made = represent(X.loc[outcome.index], data.families([name]), histology, umap_runs=recipe.umap_runs, seed=seed)
        found["representatives"], found["categories"] = made.values, made.categories
    found["operating"] = operating_points(run.predictions, run.thresholds, settings=settings, seed=seed)
    found["subtypes"] = subtypes(run.predictions, run.thresholds, histology, settings=settings, seed=seed)
    splits = outer_splits(outcome, folds=settings.folds, repeats=settings.repeats, seed=settings.seed)
    groups = {model.name: data.families(plan.blocks_of(model)) for model in plan.models}
    if len(run.importance):
        table = ranking(run.importance, groups)
        drawn, areas = [], []
        for model, feature in table.loc[table["rank"] <= 5, ["model", "feature"]].itertuples(index=False, name=None):
            X, _ = data.matrix(plan.blocks_of(plan.model(model)), "train")
            curves, area = curves_of(X.loc[outcome.index], outcome, splits, groups[model][feature])
            drawn.append(curves.assign(model=model, feature=feature)[CURVE_COLUMNS])
            areas.append((model, feature, area["cross-validated"], area["as published"]))
        alone = pd.DataFrame(areas, columns=["model", "feature", "auc", "auc_as_published"])
        found["important"] = table.merge(alone, on=["model", "feature"], how="left")
        found["important_curves"] = pd.concat(drawn, ignore_index=True)
    return found
