"""[[models]]: what is built from which blocks, by which steps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from isthmus.errors import PlanError
from isthmus.settings import Section, StepSettings
from isthmus.table.outcome import Task

__all__ = ["DEFAULT_MODELS", "Distribution", "ModelSettings", "SearchSettings", "StepSettings", "default_models"]


class Distribution(Section):
    """A range to draw a setting from: whole numbers where both ends are; `log` draws the order of magnitude."""

    low: int | float
    high: int | float
    log: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def check(self, where: str) -> None:
        """Raise `PlanError` where nothing can be drawn."""
        if not self.low < self.high:
            raise PlanError(f"{where}: low = {self.low}, high = {self.high}; low must be below high")
        if self.log and self.low <= 0:
            raise PlanError(f"{where}: log = true needs low above 0; it is {self.low}")


class SearchSettings(Section):
    """How the settings of `tuning` are searched, inside the training rows.

    method: every combination ("grid"), `draws` of them at random, or `draws` proposed one after the other by Optuna's
    TPE.
    one_se: of the combinations within one standard error of the best, the simplest.
    score: what the inner folds are compared by.
    """

    method: Literal["grid", "random", "optuna"] = "grid"
    draws: int = Field(default=50, ge=1)
    one_se: bool = False
    score: Literal["auc", "pr_auc", "log_loss", "brier"] = "auc"


class ModelSettings(Section):
    """One model of the study.

    blocks: the feature blocks it uses (empty: all).
    risks: other models of the plan whose risks are columns of this one (late fusion); with it, only the blocks that are named are used
    besides.
    steps: in order; without them, what the estimator needs (`models.DEFAULT_STEPS`).
    estimator: a name of `models.ESTIMATORS`; `settings` are fixed settings of it, `tuning` lists of values to choose
    from by inner cross-validation.
    class_weight: "balanced" gives every class the same weight while fitting; the risk is carried back to the training
    prevalence.
    calibration: a map of the risk learned on inner out-of-fold predictions of the training rows.
    threshold: overrides [validate] threshold for this model.
    when: "pre-operative" or "post-operative": clinical columns known later than that stay out; every one must say when it is known.
    In a plan, `like = "another model"` says what this one does not; it is written out when the plan is read.
    """

    name: str = Field(min_length=1)
    blocks: list[str] = Field(default=[])
    risks: list[str] = Field(default=[])
    steps: list[str | StepSettings] | None = None
    estimator: str = "lasso"
    settings: dict[str, Any] = Field(default={})
    tuning: dict[str, list[Any] | Distribution] = Field(default={})
    search: SearchSettings | None = None
    class_weight: Literal["balanced"] | None = None
    calibration: Literal["logistic", "intercept", "isotonic", "temperature"] | None = None
    threshold: str | float | dict[str, float] | None = None
    when: Literal["pre-operative", "post-operative"] | None = None


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
