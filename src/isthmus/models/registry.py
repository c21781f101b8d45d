"""The explicit mappings from the names of a plan to the classes of this room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.models.cox import Cox, LassoCox
from isthmus.models.encoding import Encode
from isthmus.models.estimator import Estimator
from isthmus.models.imputation import Impute
from isthmus.models.lasso import LassoLogistic
from isthmus.models.lightgbm import LightGbm
from isthmus.models.logistic import Logistic
from isthmus.models.multinomial import Multinomial
from isthmus.models.proportional_odds import ProportionalOddsLogistic
from isthmus.models.random_forest import RandomForest
from isthmus.models.random_survival_forest import RandomSurvivalForest
from isthmus.models.resampling import (
    Adasyn,
    BorderlineSmote,
    OverSample,
    Smote,
    SmoteEnn,
    SmoteNc,
    SmoteTomek,
    SvmSmote,
    UnderSample,
)
from isthmus.models.scaling import Scale
from isthmus.models.settings import StepSettings
from isthmus.table.outcome import Task
from isthmus.table.steps import Step

__all__ = ["DEFAULT_STEPS", "ESTIMATORS", "STEPS", "estimators_of"]

_RESAMPLERS = (Smote, SmoteNc, BorderlineSmote, SvmSmote, Adasyn, SmoteEnn, SmoteTomek, OverSample, UnderSample)

STEPS: Mapping[str, type[Step]] = MappingProxyType({step.name: step for step in (Impute, Encode, Scale, *_RESAMPLERS)})

_CLASSES = (Multinomial, ProportionalOddsLogistic)
_TIMES = (Cox, LassoCox, RandomSurvivalForest)

ESTIMATORS: Mapping[str, type[Estimator]] = MappingProxyType(
    {estimator.name: estimator for estimator in (LassoLogistic, Logistic, RandomForest, LightGbm, *_CLASSES, *_TIMES)}
)


def estimators_of(task: Task) -> dict[str, type[Estimator]]:
    """The estimators that learn this kind of outcome."""
    return {name: estimator for name, estimator in ESTIMATORS.items() if task in estimator.tasks}


DEFAULT_STEPS: Mapping[str, tuple[str | StepSettings, ...]] = MappingProxyType(
    {
        "lasso": ("impute", "encode", "variance", "scale", "correlation"),
        "logistic": (
            "impute",
            StepSettings.model_validate({"name": "encode", "drop_first": True}),
            "variance",
            "scale",
            "correlation",
        ),
        "random_forest": ("impute", "encode", "variance", "correlation"),
        "lightgbm": ("impute", "encode", "variance", "correlation"),
        "multinomial": ("impute", "encode", "variance", "scale", "correlation"),
        "proportional_odds": (
            "impute",
            StepSettings.model_validate({"name": "encode", "drop_first": True}),
            "variance",
            "scale",
            "correlation",
        ),
        "cox": (
            "impute",
            StepSettings.model_validate({"name": "encode", "drop_first": True}),
            "variance",
            "scale",
            "correlation",
        ),
        "lasso_cox": ("impute", "encode", "variance", "scale", "correlation"),
        "random_survival_forest": ("impute", "encode", "variance", "correlation"),
    }
)
"""The steps of a model whose plan names none."""
