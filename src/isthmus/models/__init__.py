"""Imputation, encoding, scaling, classifiers, and how fitted pipelines are written to a model file.

`STEPS` and `ESTIMATORS` map the names used in a plan to classes, `DEFAULT_STEPS` says what an estimator gets when a
plan names no steps. scikit-learn is imported when one of them is first asked for, so that reading a plan stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from isthmus.models.settings import DEFAULT_MODELS, ModelSettings, StepSettings

if TYPE_CHECKING:
    from isthmus.models.building import build, check_model, resolve
    from isthmus.models.persistence import load_pipeline, save_pipeline
    from isthmus.models.registry import DEFAULT_STEPS, ESTIMATORS, STEPS, estimators_of

__all__ = [
    "DEFAULT_MODELS",
    "DEFAULT_STEPS",
    "ESTIMATORS",
    "STEPS",
    "ModelSettings",
    "StepSettings",
    "build",
    "check_model",
    "estimators_of",
    "load_pipeline",
    "resolve",
    "save_pipeline",
]

_LATER = {
    "build": "building",
    "check_model": "building",
    "resolve": "building",
    "load_pipeline": "persistence",
    "save_pipeline": "persistence",
    "DEFAULT_STEPS": "registry",
    "ESTIMATORS": "registry",
    "STEPS": "registry",
    "estimators_of": "registry",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = getattr(import_module(f"isthmus.models.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'isthmus.models' has no attribute {name!r}")
