"""Support vector machine with an RBF or a linear kernel, and an honest probability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, PlanError
from isthmus.models.arrays import arrays_to_bytes, bytes_to_arrays
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.stats.platt import platt_scaling
from isthmus.table.outcome import Task
from isthmus.table.steps import Property, deal_folds

__all__ = ["SupportVectors"]

_FILE = "svm.npz"


class SupportVectors(Estimator):
    """Risk from the distance to a separating surface, by Platt's scaling.

    The scaling is learned on out-of-fold distances of the training rows, in folds that keep the rows of a patient
    together; distances of the rows the machine was trained on would make every risk too sure of itself. Where those
    distances rank the patients the wrong way round, nothing was learned: everybody gets the prevalence, and the fold
    says so.

    Of three classes or more each gets a machine of its own against the rest, with its own scaling; the risks are divided by their sum.

    With an RBF kernel a model file holds the support vectors, which are rows of training patients: think before you
    send it.

    Parameters
    ----------
    kernel : {"rbf", "linear"}
    C : float
        Price of a row on the wrong side.
    gamma : "scale" or float
        Of the RBF kernel exp(-gamma * squared distance); "scale" is 1 / (columns * variance of all values).
    folds : int
        Of the inner cross-validation for the scaling.
    random_state : int
        Deals patients to the folds.

    Attributes
    ----------
    vectors_ : array, shape (v, p)
        Support vectors; for the linear kernel the one row of weights.
    dual_ : array, shape (v,)
    offset_, gamma_, slope_, intercept_ : float
    importance_ : array, shape (p,)
        Mean absolute slope of the decision value along the column over the training rows, per sd of the column.
    each_ : list
        Of three classes or more: the machine of each, and no attribute above but `importance_`, their mean.
    """

    name = "svm"
    contribution = "importance"
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass", "ordinal"})
    needs_groups: ClassVar[bool] = True

    def __init__(
        self,
        kernel: Literal["rbf", "linear"] = "rbf",
        C: float = 1.0,  # noqa: N803, RUF100 - scikit-learn's name
        gamma: Literal["scale"] | float = "scale",
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.folds = folds
        self.random_state = random_state

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric", "complete", "scaled"})

    def check_settings(self) -> None:
        if self.kernel not in ("rbf", "linear"):
            raise PlanError(f"estimator 'svm': kernel = {self.kernel!r}; expected 'rbf' or 'linear'")
        check_number(self.name, "C", self.C, least=1e-10)
        if isinstance(self.gamma, str):
            if self.gamma != "scale":
                raise PlanError(f"estimator 'svm': gamma = {self.gamma!r}; expected 'scale' or a number above 0")
        else:
            check_number(self.name, "gamma", self.gamma, least=1e-12)
        check_number(self.name, "folds", self.folds, least=2, whole=True)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        self.each_: list[SupportVectors] = []
        if events.max() > 1:
            for label in range(int(events.max()) + 1):
                one = SupportVectors(**self.get_params())
                self.each_.append(one.fit(values, (events == label).astype(np.int64), groups=groups))
            self.importance_: Array = np.mean([one.importance_ for one in self.each_], axis=0)
            return
        patients = np.arange(len(events)) if groups is None else np.asarray(groups)
        folds = deal_folds(patients, events, folds=self.folds, seed=self.random_state)
        outside = np.empty(len(events))
        for fold in np.unique(folds):
            held = folds == fold
            self._machine(values[~held], events[~held])
            outside[held] = self.decision(values[held])
        slope, intercept = platt_scaling(outside, events)
        self._backwards = slope <= 0
        if self._backwards:
            slope, intercept = 0.0, float(np.log(events.sum() / (len(events) - events.sum())))
        self.slope_, self.intercept_ = slope, intercept
        self._machine(values, events)
        slopes = np.zeros(values.shape[1])
        for row in values:
            slopes += np.abs(self._gradient(row))
        self.importance_ = slopes / len(values) * values.std(axis=0)

    def _machine(self, values: Array, events: NDArray[np.int64]) -> None:
        from sklearn.svm import SVC

        spread = float(values.var())
        scale = 1.0 / (values.shape[1] * spread) if spread > 0 else 1.0
        self.gamma_ = scale if self.gamma == "scale" else float(self.gamma)
        machine = SVC(kernel=self.kernel, C=self.C, gamma=self.gamma_, tol=1e-5)
        machine.fit(values, events)
        self.dual_: Array = machine.dual_coef_[0].copy()
        self.vectors_: Array = machine.support_vectors_.copy()
        self.offset_ = float(machine.intercept_[0])
        if self.kernel == "linear":
            self.vectors_ = (self.dual_ @ self.vectors_)[None, :]
            self.dual_ = np.ones(1)

    def decision(self, values: Array) -> Array:
        """Decision value of each row (n); positive on the side of the events. Row by row: the same bits in any batch."""
        if self.kernel == "linear":
            result: Array = (values * self.vectors_[0]).sum(axis=1) + self.offset_
            return result
        return np.array([(self.dual_ * self._kernel(row)).sum() + self.offset_ for row in values], dtype=np.float64)

    def _kernel(self, row: Array) -> Array:
        near: Array = np.exp(-self.gamma_ * ((self.vectors_ - row) ** 2).sum(axis=1))
        return near

    def _gradient(self, row: Array) -> Array:
        if self.kernel == "linear":
            return self.vectors_[0]
        gradient: Array = 2.0 * self.gamma_ * ((self.dual_ * self._kernel(row)) @ (self.vectors_ - row))
        return gradient

    def _risk(self, values: Array) -> Array:
        risk: Array = 0.5 * (1.0 + np.tanh(0.5 * (self.slope_ * self.decision(values) + self.intercept_)))
        return risk

    def _probabilities(self, values: Array) -> Array:
        risks = np.column_stack([one._risk(values) for one in self.each_])
        return risks / risks.sum(axis=1, keepdims=True)

    def _n_classes(self) -> int:
        return max(2, len(self.each_))

    def concern(self) -> str:
        if self.each_:
            said = {place: one.concern() for place, one in enumerate(self.each_, 1)}
            return "; ".join(f"class {place} against the rest: {text}" for place, text in said.items() if text)
        if not self._backwards:
            return ""
        return (
            "the out-of-fold decision values of the support vector machine rank the training patients no better than "
            "chance (the slope of Platt's scaling is not positive): every patient gets the prevalence"
        )

    def additive_parts(self, values: Array) -> Array | None:
        if self.each_ or self.kernel != "linear":
            return None
        return self.slope_ * values * self.vectors_[0]

    def contributions(self) -> Array:
        if self.each_:
            return np.asarray(np.mean([one.contributions() for one in self.each_], axis=0))
        return self.importance_ if self.slope_ > 0 else np.zeros_like(self.importance_)

    def to_files(self) -> dict[str, bytes]:
        if self.each_:
            return {f"{place}-{_FILE}": one.to_files()[_FILE] for place, one in enumerate(self.each_, 1)}
        scalars = np.array([self.offset_, self.gamma_, self.slope_, self.intercept_])
        return {
            _FILE: arrays_to_bytes(vectors=self.vectors_, dual=self.dual_, scalars=scalars, importance=self.importance_)
        }

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        model.each_ = []
        if _FILE not in files:
            model.each_ = [
                cls.from_files(settings, {_FILE: files[f"{place}-{_FILE}"]}) for place in range(1, len(files) + 1)
            ]
            widths = {one.n_features_in_ for one in model.each_}
            if len(model.each_) < 3 or len(widths) != 1:
                raise ModelFileError(f"{_FILE}: the machines of the classes do not fit together; the file is damaged")
            model.importance_ = np.mean([one.importance_ for one in model.each_], axis=0)
            (model.n_features_in_,) = widths
            return model
        arrays = bytes_to_arrays(files[_FILE], _FILE, vectors=2, dual=1, scalars=1, importance=1)
        model.vectors_, model.dual_, model.importance_ = arrays["vectors"], arrays["dual"], arrays["importance"]
        model.offset_, model.gamma_, model.slope_, model.intercept_ = (float(value) for value in arrays["scalars"])
        model._backwards = model.slope_ <= 0
        model.n_features_in_ = model.vectors_.shape[1]
        return model
