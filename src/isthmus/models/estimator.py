"""What all estimators of this package share: a scikit-learn classifier that can be stored without executing code.

Most separate two classes; `Estimator.tasks` says which outcomes one can learn. What learns a time to an event derives from
`SurvivalEstimator` (`models.survival`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from isthmus.errors import PlanError
from isthmus.stats.shapley import TreeForm
from isthmus.table.outcome import Task
from isthmus.table.steps import Property, without_context

__all__ = ["Estimator", "check_number", "linear_risk", "softmax"]

Array = NDArray[np.float64]


class Estimator(ClassifierMixin, BaseEstimator):
    """A model of two classes that gives a probability.

    A new estimator derives from this, declares `name`, and writes `_fit`, `_risk`, `contributions`, `to_files` and
    `from_files`. One that knows more than two classes says so in `tasks` and writes `_probabilities`.
    """

    name: ClassVar[str]
    contribution: ClassVar[Literal["coefficient", "importance"]]
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary"})
    """The outcomes it can learn."""
    needs_groups: ClassVar[bool] = False
    """Does `fit` take `groups`, the patient of each row?"""
    takes_weights: ClassVar[bool] = False
    """Does `_fit` take `weights`, one a row (`class_weight` of a model)?"""
    study_decides: ClassVar[frozenset[str]] = frozenset()
    """Settings that have no effect in a study, because validation decides them; a plan that names one is refused."""

    @property
    def requires(self) -> frozenset[Property]:
        """What must be true of the columns."""
        return frozenset({"numeric", "complete"})

    def check_settings(self) -> None:
        """Raise `PlanError` where a setting cannot be used; called when a plan is checked and again in `fit`."""

    def complexity(self) -> tuple[float, ...]:
        """What makes the model more complex under these settings, most important first; smaller is simpler.

        The one-SE rule of a search needs it; an estimator that gives nothing cannot be searched by that rule.
        """
        return ()

    @abstractmethod
    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        """Learn from complete values (n, p) and events (n,): the position of each row's class in `classes_`.

        Where `takes_weights`, also `weights=None`: an array (n,).
        """

    def _risk(self, values: Array) -> Array:
        """Probability of the second of two classes, shape (n,); the same bits for a row alone and in a batch."""
        return self._probabilities(values)[:, 1]

    def _probabilities(self, values: Array) -> Array:
        """Probability of each of more than two classes, shape (n, K); the same bits for a row alone and in a batch."""
        raise NotImplementedError(f"'{self.name}' separates two classes")

    @abstractmethod
    def contributions(self) -> Array:
        """One number a column: the coefficient or the importance; 0 for a column that plays no part."""

    def additive_parts(self, values: Array) -> Array | None:
        """What each column adds to the log odds (of a time to event: the risk score) of each row (n, p), up to a constant; None where the
        model is no such sum.

        Explanation is exact for what is declared here or by `tree_form`, and sampled for the rest.
        """
        return None

    def tree_form(self) -> TreeForm | None:
        """The model as a sum of trees; None where it is none."""
        return None

    def concern(self) -> str:
        """What the last fit found that the reader must know; empty if nothing."""
        return ""

    @property
    def threshold_rule(self) -> str | float | None:
        """The rule of the threshold that belongs to this kind of model, where the plan gives the model none; None: that of [validate]."""
        return None

    def check_threshold(self, rule: Any) -> None:
        """Raise `PlanError` where the threshold a plan gives this model cannot be used with its settings."""

    def tuned(self) -> dict[str, Any]:
        """Setting -> what `fit` chose itself, inside the rows it was given."""
        return {}

    def trials(self) -> Sequence[Mapping[str, Any]]:
        """What `fit` tried to choose from: {"settings": ..., "score": ..., "measure": ...}."""
        return ()

    @abstractmethod
    def to_files(self) -> dict[str, bytes]:
        """The fitted estimator in formats that execute nothing when opened."""

    @classmethod
    @abstractmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        """The fitted estimator again."""

    def fit(self, X: Any, y: Any, groups: Any = None, weights: Any = None) -> Self:
        """Learn from X (n, p; DataFrame or array) and the classes y (n,); the second in sort order is the positive
        one."""
        self.check_settings()
        values, labels = validate_data(self, without_context(X), y, dtype=np.float64)
        kind = type_of_target(labels, raise_unknown=True)
        if kind != "binary" and not (kind == "multiclass" and self._knows_many):
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}; "
                "this estimator separates two classes."
                if not self._knows_many
                else f"Unknown label type: {kind}; expected classes"
            )
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "this classifier needs 2 classes in the data, but the data contains only one class: "
                f"{self.classes_[0]!r}"
            )
        weighted = {} if weights is None else {"weights": np.asarray(weights, dtype=np.float64)}
        self._fit(np.ascontiguousarray(values), codes.astype(np.int64), groups, **weighted)
        return self

    @property
    def _knows_many(self) -> bool:
        return bool(self.tasks & {"multiclass", "ordinal"})

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, shape (n, classes)."""
        check_is_fitted(self, "classes_")
        values = np.ascontiguousarray(validate_data(self, without_context(X), dtype=np.float64, reset=False))
        if len(self.classes_) > 2:
            return self._probabilities(values)
        risk = self._risk(values)
        return np.column_stack([1.0 - risk, risk])

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row; of two the second at one half."""
        probability = self.predict_proba(X)
        if len(self.classes_) > 2:
            return np.asarray(self.classes_[np.argmax(probability, axis=1)])
        return np.asarray(self.classes_[(probability[:, 1] >= 0.5).astype(np.int64)])

    def restore(self, columns: Sequence[str] | None) -> Self:
        """Set what `fit` sets besides the model itself (used when a model file is read)."""
        self.classes_ = np.arange(self._n_classes())
        if columns is not None:
            self.feature_names_in_ = np.asarray(columns, dtype=object)
        return self

    def _n_classes(self) -> int:
        """How many classes the files of the model speak of."""
        return 2

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self._knows_many
        return tags


def linear_risk(values: Array, coefficients: Array, intercept: float) -> Array:
    """Logistic risk of each row (n,).

    Summed row by row rather than by a matrix product, whose rounding depends on how many rows come together: one
    patient alone must get the bits he gets in a batch.
    """
    eta = (values * coefficients).sum(axis=1) + intercept
    risk: Array = 0.5 * (1.0 + np.tanh(0.5 * eta))
    return risk


def softmax(scores: Array) -> Array:
    """Probabilities (n, K) from scores; each row by itself."""
    relative = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Array = relative / relative.sum(axis=1, keepdims=True)
    return shares


def check_number(who: str, key: str, value: Any, *, least: float, most: float = np.inf, whole: bool = False) -> None:
    """Raise `PlanError` unless `value` is a number in [least, most]."""
    kinds: Any = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        what = "a whole number" if whole else "a number"
        span = f"of {least:g} or more" if np.isinf(most) else f"from {least:g} to {most:g}"
        raise PlanError(f"estimator '{who}': {key} = {value!r}; expected {what} {span}")
