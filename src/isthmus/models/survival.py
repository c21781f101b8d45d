"""What estimators of a time to event share: a risk score, and the probability of the event by any time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from isthmus.errors import TableError
from isthmus.models.estimator import Array, Estimator
from isthmus.table.outcome import Task
from isthmus.table.steps import without_context
from isthmus.table.target import is_time_to_event

__all__ = ["SurvivalEstimator"]


class SurvivalEstimator(Estimator):
    """A model of a time to event.

    It derives from `Estimator` for what every estimator shares (settings, files, contributions) and writes `_fit_times`,
    `_score` and `_event_probability` instead of a class's probabilities. Its setting `horizon` is the study's: the time
    for which `predict_proba` gives the probability of the event.
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"survival"})
    horizon: float | None

    @abstractmethod
    def _fit_times(self, values: Array, event: NDArray[np.bool_], time: Array) -> None:
        """Learn from complete values (n, p), events (n,) and times (n,)."""

    @abstractmethod
    def _score(self, values: Array) -> Array:
        """Risk score (n,), larger meaning an earlier event; the same bits for a row alone and in a batch."""

    @abstractmethod
    def _event_probability(self, values: Array, times: Array) -> Array:
        """Probability of the event by each time (T): shape (n, T)."""

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        raise NotImplementedError("a time to event is fitted by _fit_times")

    def fit(self, X: Any, y: Any, groups: Any = None, weights: Any = None) -> Self:
        """Learn from X (n, p; DataFrame or array) and y, a structured array of `event` and `time`
        (`table.target.time_to_event`)."""
        self.check_settings()
        outcome = np.asarray(y)
        if not is_time_to_event(outcome):
            raise TableError(
                f"estimator '{self.name}' learns a time to event; expected an array with the fields 'event' and 'time'"
            )
        values = np.ascontiguousarray(validate_data(self, without_context(X), dtype=np.float64))
        if len(values) != len(outcome):
            raise TableError(f"estimator '{self.name}': {len(values)} rows but {len(outcome)} outcomes")
        self._fit_times(values, outcome["event"], outcome["time"].astype(np.float64))
        self.is_fitted_ = True
        return self

    def _values(self, X: Any) -> Array:
        check_is_fitted(self, "is_fitted_")
        return np.ascontiguousarray(validate_data(self, without_context(X), dtype=np.float64, reset=False))

    def predict(self, X: Any) -> Array:
        """Risk score of each row, larger meaning an earlier event."""
        return self._score(self._values(X))

    def event_probability(self, X: Any, times: ArrayLike) -> Array:
        """Probability of the event by each of `times` (T): shape (n, T)."""
        return self._event_probability(self._values(X), np.atleast_1d(np.asarray(times, dtype=np.float64)))

    def predict_proba(self, X: Any) -> Array:
        """Risk score, and probability of the event by the horizon: shape (n, 2)."""
        values = self._values(X)
        if self.horizon is None:
            probability = np.full(len(values), np.nan)
        else:
            probability = self._event_probability(values, np.array([self.horizon], dtype=np.float64))[:, 0]
        return np.column_stack([self._score(values), probability])

    def restore(self, columns: Any) -> Self:
        """Set what `fit` sets besides the model itself (used when a model file is read)."""
        self.is_fitted_ = True
        if columns is not None:
            self.feature_names_in_ = np.asarray(columns, dtype=object)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = None
        tags.classifier_tags = None
        return tags
