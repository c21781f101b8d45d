"""The step 'representatives' in a study: which columns it puts together, and whether its UMAP values are stable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from isthmus.models.settings import ModelSettings
from isthmus.select.representatives import RepresentativeStep
from isthmus.settings import StepSettings
from isthmus.stats.representative import STABLE, component_axis, representative_stability
from isthmus.stats.seeds import child_seed
from isthmus.study.blocks import BlockData, qualified

if TYPE_CHECKING:
    from isthmus.study.evaluate import Candidate
    from isthmus.validate.nested import FittedModel

__all__ = ["stability_table", "with_categories"]


def with_categories(spec: ModelSettings, blocks: Mapping[str, BlockData], names: Sequence[str]) -> ModelSettings:
    """The model with the categories of its columns written into the step 'representatives', if it has it without them.

    Parameters
    ----------
    spec : ModelSettings
    blocks : mapping
        Every block of the study.
    names : sequence of str
        The blocks of this model. Columns without a family (clinical ones, those of a ready table) are in no category.
    """
    if spec.steps is None:
        return spec
    steps: list[str | StepSettings] = []
    for entry in spec.steps:
        step = StepSettings(name=entry) if isinstance(entry, str) else entry
        own = [name for name in names if name in step.settings.get("blocks", names)]
        found = _categories(blocks, own) if step.name == RepresentativeStep.name else {}
        if found and "categories" not in step.settings:
            steps.append(StepSettings.model_validate({"name": step.name, **step.settings, "categories": found}))
        else:
            steps.append(entry)
    return spec.model_copy(update={"steps": steps})


def _categories(blocks: Mapping[str, BlockData], names: Sequence[str]) -> dict[str, list[str]]:
    """Columns by block, filter and family; of these three the names hold those that differ."""
    keys = {
        qualified(name, meta.column, several=len(blocks) > 1): (name, meta.filter, meta.family)
        for name in names
        for meta in blocks[name].columns
        if meta.family and meta.family != "clinical"
    }
    differs = [len({key[part] for key in keys.values()}) > 1 for part in range(2)] + [True]
    found: dict[str, list[str]] = {}
    for column, key in keys.items():
        category = " ".join(word for word, use in zip(key, differs, strict=True) if use and word)
        found.setdefault(category, []).append(column)
    return found


def stability_table(candidates: Sequence[Candidate], finals: Mapping[str, FittedModel], *, seed: int) -> pd.DataFrame:
    """For every category that a model represents by UMAP: is its value a property of the patient?

    On the development rows: the median |Spearman| over ten other seeds and orders of the rows, and the Spearman correlation with
    the first principal component. Empty where no model uses UMAP.
    """
    rows: list[dict[str, Any]] = []
    for candidate in candidates:
        name = candidate.spec.name
        X = finals[name].pipeline.joined(candidate.X, training=True)
        for step_name, step in finals[name].pipeline.steps[:-1]:
            if step.name == RepresentativeStep.name and step.method == "umap":
                rows += [{"model": name, **row} for row in _stability_rows(step, X, child_seed(seed, name, step_name))]
            X = step.transform(X)
    return pd.DataFrame(rows, columns=["model", "category", "columns", "stability", "spearman_pca", "verdict"])


def _stability_rows(step: RepresentativeStep, X: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    rows = []
    for part in step.parts_:
        if "rows" not in part:
            continue  # a category with one column is that column
        values = X[part["columns"]].to_numpy(dtype=np.float64)
        stability = representative_stability(values, seed=seed, neighbours=step.neighbours)
        first = component_axis(values).place(values)
        rows.append(
            {
                "category": part["category"],
                "columns": len(part["columns"]),
                "stability": stability,
                "spearman_pca": float(spearmanr(part["position"], first).statistic),
                "verdict": "stable" if stability >= STABLE else "depends on the seed and the order of the rows",
            }
        )
    return rows
