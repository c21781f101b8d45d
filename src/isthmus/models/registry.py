"""The explicit mappings from the names of a plan to the classes of this room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.models.balance import Balance
from isthmus.models.best_of import BestOf
from isthmus.models.catboost import CatBoost
from isthmus.models.cox import Cox, LassoCox
from isthmus.models.decision_tree import DecisionTree
from isthmus.models.elastic_net import ElasticNet
from isthmus.models.encoding import Encode
from isthmus.models.estimator import Estimator
from isthmus.models.extra_trees import ExtraTrees
from isthmus.models.extremes import Log, Winsorise
from isthmus.models.firth import Firth
from isthmus.models.imputation import Impute
from isthmus.models.knn import NearestNeighbours
from isthmus.models.lasso import LassoLogistic
from isthmus.models.lightgbm import LightGbm
from isthmus.models.logistic import Logistic
from isthmus.models.mean_risk import MeanRisk
from isthmus.models.missingness import DropMissing
from isthmus.models.mlp import Perceptron
from isthmus.models.multinomial import Multinomial
from isthmus.models.naive_bayes import NaiveBayes
from isthmus.models.proportional_odds import ProportionalOddsLogistic
from isthmus.models.quantile_forest import QuantileForest
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
from isthmus.models.stacking import Stacking
from isthmus.models.svm import SupportVectors
from isthmus.models.voting import Voting
from isthmus.models.xgboost import XgBoost
from isthmus.table.outcome import Task
from isthmus.table.steps import Step

__all__ = ["DEFAULT_STEPS", "ESTIMATORS", "STEPS", "estimators_of"]

_RESAMPLERS = (
    Smote,
    SmoteNc,
    BorderlineSmote,
    SvmSmote,
    Adasyn,
    SmoteEnn,
    SmoteTomek,
    OverSample,
    UnderSample,
    Balance,
)

STEPS: Mapping[str, type[Step]] = MappingProxyType(
    {step.name: step for step in (DropMissing, Winsorise, Log, Impute, Encode, Scale, *_RESAMPLERS)}
)

_LINEAR = (LassoLogistic, ElasticNet, Logistic, Firth)
_TREES = (DecisionTree, RandomForest, QuantileForest, ExtraTrees, LightGbm, XgBoost, CatBoost)
_OTHERS = (SupportVectors, NearestNeighbours, Perceptron, NaiveBayes)
_ENSEMBLES = (Voting, Stacking, BestOf)
_MEANS = (MeanRisk,)
_CLASSES = (Multinomial, ProportionalOddsLogistic)
_TIMES = (Cox, LassoCox, RandomSurvivalForest)

ESTIMATORS: Mapping[str, type[Estimator]] = MappingProxyType(
    {estimator.name: estimator for estimator in (*_LINEAR, *_TREES, *_OTHERS, *_ENSEMBLES, *_MEANS, *_CLASSES, *_TIMES)}
)

_PLAIN: tuple[str | StepSettings, ...] = ("impute", "encode", "variance", "correlation")
_SCALED: tuple[str | StepSettings, ...] = ("impute", "encode", "variance", "scale", "correlation")
_REFERENCE: tuple[str | StepSettings, ...] = (
    "impute",
    StepSettings.model_validate({"name": "encode", "drop_first": True}),
    "variance",
    "scale",
    "correlation",
)


def estimators_of(task: Task) -> dict[str, type[Estimator]]:
    """The estimators that learn this kind of outcome."""
    return {name: estimator for name, estimator in ESTIMATORS.items() if task in estimator.tasks}


DEFAULT_STEPS: Mapping[str, tuple[str | StepSettings, ...]] = MappingProxyType(
    {
        "lasso": _SCALED,
        "elastic_net": _SCALED,
        "logistic": _REFERENCE,
        "firth": _REFERENCE,
        **{estimator.name: _PLAIN for estimator in _TREES},
        "quantile_forest": ("impute", "encode", "variance"),
        "svm": _SCALED,
        "knn": _SCALED,
        "mlp": _SCALED,
        "naive_bayes": _PLAIN,
        **{estimator.name: _SCALED for estimator in _ENSEMBLES},
        "mean_risk": ("impute", "encode"),
        "multinomial": _SCALED,
        "proportional_odds": _REFERENCE,
        "cox": _REFERENCE,
        "lasso_cox": _SCALED,
        "random_survival_forest": _PLAIN,
    }
)
"""The steps of a model whose plan names none."""
