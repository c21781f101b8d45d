"""The explicit mappings from the names of a plan to the classes of this room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.models.encoding import Encode
from isthmus.models.estimator import Estimator
from isthmus.models.imputation import Impute
from isthmus.models.lasso import LassoLogistic
from isthmus.models.lightgbm import LightGbm
from isthmus.models.logistic import Logistic
from isthmus.models.random_forest import RandomForest
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
from isthmus.table.steps import Step

__all__ = ["DEFAULT_STEPS", "ESTIMATORS", "STEPS"]

_RESAMPLERS = (Smote, SmoteNc, BorderlineSmote, SvmSmote, Adasyn, SmoteEnn, SmoteTomek, OverSample, UnderSample)

STEPS: Mapping[str, type[Step]] = MappingProxyType({step.name: step for step in (Impute, Encode, Scale, *_RESAMPLERS)})

ESTIMATORS: Mapping[str, type[Estimator]] = MappingProxyType(
    {estimator.name: estimator for estimator in (LassoLogistic, Logistic, RandomForest, LightGbm)}
)

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
    }
)
"""The steps of a model whose plan names none."""
