"""[[models]]: what is built from which blocks, by which steps."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from isthmus.settings import Section, StepSettings
from isthmus.table.outcome import Task

__all__ = ["DEFAULT_MODELS", "ModelSettings", "StepSettings", "default_models"]


class ModelSettings(Section):
    """One model of the study.

    blocks: the feature blocks it uses (empty: all).
    steps: in order; without them, what the estimator needs (`models.DEFAULT_STEPS`).
    estimator: a name of `models.ESTIMATORS`; `settings` are fixed settings of it, `tuning` lists of values to choose
    from by inner cross-validation.
    threshold: overrides [validate] threshold for this model.
    """

    name: str = Field(min_length=1)
    blocks: list[str] = Field(default=[])
    steps: list[str | StepSettings] | None = None
    estimator: str = "lasso"
    settings: dict[str, Any] = Field(default={})
    tuning: dict[str, list[Any]] = Field(default={})
    threshold: str | float | dict[str, float] | None = None


DEFAULT_MODELS = (
    ModelSettings(name="lasso", estimator="lasso"),
    ModelSettings(name="random-forest", estimator="random_forest"),
    ModelSettings(name="lightgbm", estimator="lightgbm"),
)


def default_models(task: Task) -> tuple[ModelSettings, ...]:
    """What is built where the plan names no model."""
    if task == "binary":
        return DEFAULT_MODELS
    if task == "survival":
        return (ModelSettings(name="lasso-cox", estimator="lasso_cox"),)
    first = "proportional_odds" if task == "ordinal" else "multinomial"
    return (ModelSettings(name=first.replace("_", "-"), estimator=first), *DEFAULT_MODELS[1:])
