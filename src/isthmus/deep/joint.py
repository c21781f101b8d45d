"""Intermediate fusion: a network trained on crops and, at its head, on columns of the table."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.deep.crop import normalised
from isthmus.deep.encoder import feature_layer, one_torch_thread, pooled
from isthmus.deep.library import deterministic, load_torch
from isthmus.deep.settings import EncoderSettings
from isthmus.deep.step import Array, Crops, NetworkStep, network_of, packed_network
from isthmus.errors import PlanError, TableError
from isthmus.stats.seeds import child_seed
from isthmus.table.steps import Step, deal_folds, numbers

__all__ = ["JointNetwork"]


class JointNetwork(Step):
    """Train a network whose head sees columns of the table beside its pooled features, and put what it says in the place of these
    columns.

    Reads the context column `@crops` and the columns of its `blocks`, which steps before it make complete and scale. Scores of training
    rows are those of networks trained on the other inner folds; features of training rows are of a network that knows their outcome.

    Parameters
    ----------
    encoder, train, combine, makes, folds, block, random_state
        See `NetworkStep`; a network with one linear head that reads no sequence. Of more than two classes one score for each but the first.

    Attributes
    ----------
    network_, classes_, size_, width_, best_
        See `TrainedInFold`.
    """

    name = "joint_network"
    kind = "supervised"
    tasks = frozenset({"binary", "multiclass", "ordinal"})
    requires = frozenset({"numeric", "complete", "scaled"})
    needs_groups = True
    learned = ("network_", "classes_", "size_", "width_", "best_")

    def __init__(
        self,
        encoder: Mapping[str, Any] | None = None,
        train: Mapping[str, Any] | None = None,
        combine: str = "mean",
        makes: str = "score",
        folds: int = 5,
        block: str = "",
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.train = train
        self.combine = combine
        self.makes = makes
        self.folds = folds
        self.block = block
        self.random_state = random_state

    @property
    def _plain(self) -> NetworkStep:
        """The same network without columns, which knows settings and crops."""
        return NetworkStep(
            self.encoder, self.train, self.combine, self.makes, self.folds, self.block, self.random_state
        )

    @property
    def context(self) -> tuple[str, ...]:
        return self._plain.context

    def check_settings(self) -> None:
        plain = self._plain
        plain.check_settings()
        if self.combine == "attention":
            raise PlanError(
                f'step \'{self.name}\': combine = "attention" has no columns beside its head; say "mean" or "max" '
                "(crop.combine of the block)"
            )
        row = plain.encoder_settings().row
        if row.sequence or len(row.heads) != 1:
            raise PlanError(
                f"step '{self.name}': {row.name} has no single head that columns could stand beside; use another network"
            )

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        assert outcome is not None  # the base class sees to it
        cells, beside = self._rows(frame)
        patients = np.arange(len(cells)) if groups is None else np.asarray(groups)
        self.size_ = int(cells[0].values.shape[-1])
        self.classes_ = int(outcome.max()) + 1
        found = self._trained(cells, beside, outcome, patients, self.random_state)
        self.best_, self.curve_, self.pretext_curve_ = found.best, found.curve, found.pretext
        self.network_ = packed_network(found.module)
        self.dropped_ = {str(name): "seen by the network at its head" for name in frame.columns}
        self.width_ = self._read(self._network(), cells[:1], beside[:1])[0].shape[1]
        self.inside_: Array | None = None
        if self.makes == "score":
            self.inside_ = np.empty((len(cells), self.classes_ - 1))
            folds = deal_folds(patients, outcome, folds=self.folds, seed=self.random_state)
            for fold in np.unique(folds):
                rest = [cell for cell, other in zip(cells, folds != fold, strict=True) if other]
                seed = child_seed(self.random_state, f"inner fold {fold}")
                inner = self._trained(
                    rest, beside[folds != fold], outcome[folds != fold], patients[folds != fold], seed
                )
                held = np.flatnonzero(folds == fold)
                reader = _Reader(inner.module.to("cpu"), self._plain.encoder_settings())
                self.inside_[held] = self._read(reader, [cells[int(place)] for place in held], beside[held])[1]

    def _trained(
        self, cells: Sequence[Crops], beside: Array, labels: NDArray[np.int64], patients: NDArray[Any], seed: int
    ) -> Any:
        plain = self._plain
        plain.size_, plain.classes_ = self.size_, self.classes_
        return plain._trained(cells, labels, patients, seed, beside=beside.astype(np.float32))

    def _rows(self, frame: pd.DataFrame) -> tuple[list[Crops], Array]:
        cells = self._plain._cells(self.read_)
        found = [cell for cell in cells if cell is not None]
        if len(found) < len(cells):
            raise TableError(
                f"step '{self.name}': {len(cells) - len(found)} rows have no crops; exclude these patients"
            )
        return found, numbers(frame, self.name)

    def _read(self, reader: _Reader, cells: Sequence[Crops], beside: Array) -> tuple[Array, Array]:
        """Features and scores of each row, by itself."""
        features, scores = [], []
        plain = self._plain
        with one_torch_thread():
            for cell, row in zip(cells, beside.astype(np.float32), strict=True):
                seen, outputs = reader(cell, row)
                features.append(plain._combined(seen))
                scores.append(plain._combined(outputs[:, 1:] - outputs[:, :1]))
        return np.stack(features), np.stack(scores)

    def _network(self) -> _Reader:
        return _reader(
            self._plain.encoder_settings().model_dump_json(),
            self.size_,
            self.classes_,
            len(self.own_columns),
            self.network_,
        )

    def _names_out(self) -> list[str]:
        network = self._plain.encoder_settings().network
        if self.makes == "features":
            return [f"joint_{network}_{number:04d}" for number in range(1, self.width_ + 1)]
        if self.classes_ == 2:
            return [f"joint_{network}_score"]
        return [f"joint_{network}_score_{number}" for number in range(1, self.classes_)]

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        cells, beside = self._rows(frame)
        values = self._read(self._network(), cells, beside)[0 if self.makes == "features" else 1]
        return self._framed(values, frame)

    def _framed(self, values: Array, frame: pd.DataFrame) -> pd.DataFrame:
        if not np.isfinite(values).all():
            raise TableError(f"step '{self.name}': the trained network overflows; use a smaller train.learning_rate")
        return pd.DataFrame(values, index=frame.index, columns=self._names_out())

    def transform_fitted(self, X: pd.DataFrame) -> pd.DataFrame:
        after = self.transform(X)
        if self.inside_ is None:
            return after
        made = [self._named(name) for name in self._names_out()]
        return after.assign(**dict(zip(made, self.inside_.T, strict=True)))

    def learning(self) -> list[dict[str, Any]]:
        plain = self._plain
        plain.curve_, plain.pretext_curve_ = self.curve_, self.pretext_curve_
        return plain.learning()


class _Reader:
    """A trained joint network that gives the features of a layer and its outputs, on the CPU."""

    def __init__(self, module: Any, encoder: EncoderSettings) -> None:
        self.torch = load_torch()
        self.module, self.encoder = module.eval().requires_grad_(False), encoder
        _, self.place, self.pooling = feature_layer(encoder)
        self._seen: Any = None
        module.body.get_submodule(self.place.module).register_forward_hook(self._see)

    def _see(self, module: Any, inputs: Any, output: Any) -> None:
        self._seen = pooled(output, self.place, self.pooling).clone()

    def __call__(self, cell: Crops, beside: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features and outputs, one row a crop."""
        batch = normalised(cell.values.astype(np.float32), self.encoder.weights.input)
        features, outputs = [], []
        with self.torch.inference_mode(), deterministic():
            for start in range(0, len(batch), self.encoder.batch):
                piece = self.torch.from_numpy(np.ascontiguousarray(batch[start : start + self.encoder.batch]))
                columns = self.torch.from_numpy(np.tile(beside, (len(piece), 1)))
                outputs.append(self.module(piece, columns).float().flatten(1).numpy())
                features.append(self._seen.float().numpy())
        return np.concatenate(features), np.concatenate(outputs)


@lru_cache(maxsize=8)
def _reader(encoder: str, size: int, classes: int, columns: int, network: str) -> _Reader:
    """The network again from its tensors; nothing in them is executed, and all must fit."""
    load_torch("a network trained in the folds")
    import safetensors.torch

    from isthmus.deep.nets.joint import Joint

    settings = EncoderSettings.model_validate_json(encoder)
    module = Joint(network_of(settings, size, classes), settings.row.heads[0], columns)
    module.load_state_dict(safetensors.torch.load(base64.b64decode(network)))
    return _Reader(module, settings)
