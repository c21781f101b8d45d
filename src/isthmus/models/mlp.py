"""A small neural network (multilayer perceptron, one hidden layer)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.models.arrays import arrays_to_bytes, bytes_to_arrays
from isthmus.models.estimator import Array, Estimator, check_number
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
    output_, offset_ : array, shape (units,), and float
    epochs_ : int
        Trained.
    importance_ : array, shape (p,)
        Mean absolute slope of the log odds along the column over the training rows, per sd of the column.
    """

    name = "mlp"
    contribution = "importance"
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
            network.partial_fit(values, events, classes=[0, 1])
        self._keep(network)
        active = np.stack([self._layer(row) for row in values]) > 0
        slopes = np.abs((active * self.output_) @ self.hidden_)
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
        sign = np.where(outcome == 1, 1.0, -1.0)
        for epoch in range(1, self.epochs + 1):
            network.partial_fit(values, events, classes=[0, 1])
            self._keep(network)
            loss = float(np.logaddexp(0.0, -sign * self._log_odds(outside)).mean())
            if loss < smallest:
                best, smallest = epoch, loss
            elif epoch - best >= self.patience:
                break
        return best

    def _keep(self, network: Any) -> None:
        (first, last), (bias, offset) = network.coefs_, network.intercepts_
        self.hidden_: Array = np.ascontiguousarray(first.T)
        self.bias_: Array = bias.copy()
        self.output_: Array = last[:, 0].copy()
        self.offset_ = float(offset[0])

    def _layer(self, row: Array) -> Array:
        """Rectified units of one row; row by row, so that a patient alone gets the bits he gets in a batch."""
        units: Array = np.maximum((self.hidden_ * row).sum(axis=1) + self.bias_, 0.0)
        return units

    def _log_odds(self, values: Array) -> Array:
        return np.array([(self._layer(row) * self.output_).sum() + self.offset_ for row in values], dtype=np.float64)

    def _risk(self, values: Array) -> Array:
        risk: Array = 0.5 * (1.0 + np.tanh(0.5 * self._log_odds(values)))
        return risk

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return {
            _FILE: arrays_to_bytes(
                hidden=self.hidden_,
                bias=self.bias_,
                output=self.output_,
                scalars=np.array([self.offset_, float(self.epochs_)]),
                importance=self.importance_,
            )
        }

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        arrays = bytes_to_arrays(files[_FILE], _FILE, hidden=2, bias=1, output=1, scalars=1, importance=1)
        model.hidden_, model.bias_, model.output_ = arrays["hidden"], arrays["bias"], arrays["output"]
        model.offset_, model.epochs_ = float(arrays["scalars"][0]), int(arrays["scalars"][1])
        model.importance_ = arrays["importance"]
        model.n_features_in_ = model.hidden_.shape[1]
        return model
