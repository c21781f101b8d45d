"""A small neural network (multilayer perceptron, one hidden layer)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError
from isthmus.models.arrays import arrays_to_bytes, bytes_to_arrays
from isthmus.models.estimator import Array, Estimator, check_number, softmax
from isthmus.table.outcome import Task
from isthmus.table.steps import Property, deal_folds

__all__ = ["Perceptron"]

_FILE = "mlp.npz"


class Perceptron(Estimator):
    """Risk from one hidden layer of rectified units, trained by scikit-learn (Adam, all rows at a time).

    How long to train is learned without leaking: in a first training, a fifth of the training patients is held out
    (all rows of a patient together), and the epoch with their smallest log-loss is remembered; then the network is
    trained anew on all rows for that many epochs. scikit-learn's own early stopping would hold out rows, not patients.

    Parameters
    ----------
    units : int
        Of the hidden layer.
    l2 : float
        Penalty on the weights (scikit-learn's alpha).
    learning_rate : float
    epochs : int
        Most.
    patience : int
        Stop looking after so many epochs without a smaller loss.
    random_state : int

    Attributes
    ----------
    hidden_, bias_ : arrays, shapes (units, p) and (units,)
    output_, offset_ : arrays, shapes (K, units) and (K,)
        To the score of each class; of two classes one row: to the log odds.
    epochs_ : int
        Trained.
    importance_ : array, shape (p,)
        Mean absolute slope of the log odds (of three classes or more: of each score less their mean, averaged over the classes) along the
        column over the training rows, per sd of the column.
    """

    name = "mlp"
    contribution = "importance"
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass", "ordinal"})
    needs_groups: ClassVar[bool] = True

    def __init__(
        self,
        units: int = 8,
        l2: float = 1.0,
        learning_rate: float = 0.01,
        epochs: int = 200,
        patience: int = 20,
        random_state: int = 0,
    ) -> None:
        self.units = units
        self.l2 = l2
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.patience = patience
        self.random_state = random_state

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric", "complete", "scaled"})

    def check_settings(self) -> None:
        check_number(self.name, "units", self.units, least=1, whole=True)
        check_number(self.name, "l2", self.l2, least=0.0)
        check_number(self.name, "learning_rate", self.learning_rate, least=1e-6, most=1.0)
        check_number(self.name, "epochs", self.epochs, least=1, whole=True)
        check_number(self.name, "patience", self.patience, least=1, whole=True)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.units), -float(self.l2))

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        patients = np.arange(len(events)) if groups is None else np.asarray(groups)
        folds = deal_folds(patients, events, folds=5, seed=self.random_state)
        held = folds == folds.min()
        self.epochs_ = self._best_epoch(values[~held], events[~held], values[held], events[held])
        network = self._network(len(values))
        for _ in range(self.epochs_):
            network.partial_fit(values, events, classes=range(int(events.max()) + 1))
        self._keep(network)
        active = np.stack([self._layer(row) for row in values]) > 0
        apart = self.output_ if len(self.output_) == 1 else self.output_ - self.output_.mean(axis=0)
        slopes = np.mean([np.abs((active * weights) @ self.hidden_) for weights in apart], axis=0)
        self.importance_: Array = slopes.mean(axis=0) * values.std(axis=0)

    def _network(self, rows: int) -> Any:
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(
            hidden_layer_sizes=(self.units,),
            alpha=self.l2,
            learning_rate_init=self.learning_rate,
            batch_size=rows,
            shuffle=False,
            random_state=self.random_state,
        )

    def _best_epoch(self, values: Array, events: NDArray[np.int64], outside: Array, outcome: NDArray[np.int64]) -> int:
        network = self._network(len(values))
        best, smallest = 1, np.inf
        classes = range(int(max(events.max(), outcome.max())) + 1)
        for epoch in range(1, self.epochs + 1):
            network.partial_fit(values, events, classes=classes)
            self._keep(network)
            loss = _log_loss(self._scores(outside), outcome)
            if loss < smallest:
                best, smallest = epoch, loss
            elif epoch - best >= self.patience:
                break
        return best

    def _keep(self, network: Any) -> None:
        (first, last), (bias, offset) = network.coefs_, network.intercepts_
        self.hidden_: Array = np.ascontiguousarray(first.T)
        self.bias_: Array = bias.copy()
        self.output_: Array = np.ascontiguousarray(last.T)
        self.offset_: Array = offset.copy()

    def _layer(self, row: Array) -> Array:
        """Rectified units of one row; row by row, so that a patient alone gets the bits he gets in a batch."""
        units: Array = np.maximum((self.hidden_ * row).sum(axis=1) + self.bias_, 0.0)
        return units

    def _scores(self, values: Array) -> Array:
        """Shape (n, K); of two classes (n, 1), the log odds."""
        scores = [(self._layer(row) * self.output_).sum(axis=1) + self.offset_ for row in values]
        return np.array(scores, dtype=np.float64).reshape(len(values), len(self.output_))

    def _risk(self, values: Array) -> Array:
        risk: Array = 0.5 * (1.0 + np.tanh(0.5 * self._scores(values)[:, 0]))
        return risk

    def _probabilities(self, values: Array) -> Array:
        return softmax(self._scores(values))

    def _n_classes(self) -> int:
        return max(2, len(self.output_))

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return {
            _FILE: arrays_to_bytes(
                hidden=self.hidden_,
                bias=self.bias_,
                output=self.output_.ravel(),
                scalars=np.array([*self.offset_, float(self.epochs_)]),
                importance=self.importance_,
            )
        }

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        arrays = bytes_to_arrays(files[_FILE], _FILE, hidden=2, bias=1, output=1, scalars=1, importance=1)
        model.hidden_, model.bias_ = arrays["hidden"], arrays["bias"]
        model.offset_, model.epochs_ = arrays["scalars"][:-1], int(arrays["scalars"][-1])
        if arrays["output"].size != len(model.offset_) * len(model.bias_):
            raise ModelFileError(f"{_FILE}: the layers do not fit together; the file is damaged")
        model.output_ = arrays["output"].reshape(len(model.offset_), len(model.bias_))
        model.importance_ = arrays["importance"]
        model.n_features_in_ = model.hidden_.shape[1]
        return model


def _log_loss(scores: Array, outcome: NDArray[np.int64]) -> float:
    if scores.shape[1] == 1:
        return float(np.logaddexp(0.0, -np.where(outcome == 1, 1.0, -1.0) * scores[:, 0]).mean())
    total = np.logaddexp.reduce(scores, axis=1)
    return float((total - scores[np.arange(len(outcome)), outcome]).mean())
