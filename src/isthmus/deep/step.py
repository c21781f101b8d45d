"""Networks as steps of a model: trained on the crops of training patients only, inside every fold."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from isthmus.deep.crop import normalised, padded
from isthmus.deep.encoder import feature_layer, one_torch_thread, pooled
from isthmus.deep.layouts import as_trained
from isthmus.deep.library import deterministic, load_torch
from isthmus.deep.networks import build
from isthmus.deep.pretext import pretrain
from isthmus.deep.settings import EncoderSettings, PretextSettings
from isthmus.deep.train import Trained, TrainSettings, train
from isthmus.deep.weights import load, tensors_of
from isthmus.errors import ModelFileError, PlanError, TableError, first_few
from isthmus.settings import Section
from isthmus.stats.seeds import child_seed
from isthmus.table.steps import Maker, deal_folds

__all__ = ["CROPS", "Autoencoder", "Crops", "NetworkStep", "TrainedInFold", "crops_of", "feature_names", "score_names"]

Array = NDArray[np.float64]
Kind = TypeVar("Kind", bound=Section)

CROPS = "@crops"
"""The context column with the `Crops` of each row; None where the case has none."""


def crops_of(block: str = "") -> str:
    """The context column of a block; without a name that of a study with one."""
    return f"{CROPS}:{block}" if block else CROPS


def feature_names(network: str, width: int) -> list[str]:
    """The columns of a layer."""
    digits = max(4, len(str(width)))
    return [f"deep_{network}_{number:0{digits}d}" for number in range(1, width + 1)]


def score_names(network: str, classes: int = 2) -> list[str]:
    """The columns of what the whole network says: the log odds of two classes, or of each of more against the first."""
    start = f"deep_{network}_score"
    return [start] if classes <= 2 else [f"{start}_{place}" for place in range(1, classes)]


@dataclass(frozen=True, eq=False)
class Crops:
    """What a network is to see of one lesion, or of all images of one patient.

    Parameters
    ----------
    patient : str
    values : float16 array, shape (crops, *places)
        In the range of the input, before mean and deviation are taken off.
    start : str, optional
        The file of the weights that training starts from.
    """

    patient: str
    values: NDArray[np.float16]
    start: str | None = None

    @cached_property
    def digest(self) -> bytes:
        """Stands for the content."""
        total = hashlib.blake2b(repr((self.patient, self.values.shape)).encode(), digest_size=20)
        total.update(np.ascontiguousarray(self.values).tobytes())
        return total.digest()


class TrainedInFold(Maker):
    """A step that trains a network on the crops of the rows it is fitted on, and makes columns of what the network says.

    Attributes
    ----------
    network_ : str
        The network's tensors as a safetensors file, in base64.
    classes_, size_, width_ : int
        What the network tells apart, the side of a crop, and how many features the layer has.
    best_ : int
        The epoch that was kept.
    curve_, pretext_curve_ : DataFrame
        The learning curve, and that of what came before it (or None); not in the model file.
    """

    needs_groups = True
    learned = ("network_", "classes_", "size_", "width_", "best_")
    reconstructs: ClassVar[bool]

    encoder: Mapping[str, Any] | None
    train: Mapping[str, Any] | None
    combine: str
    block: str
    random_state: int

    @property
    def label(self) -> str:
        return f"{self.name} {self.block}" if self.block else self.name

    @property
    def context(self) -> tuple[str, ...]:
        return (crops_of(self.block),)

    @property
    def held_bytes(self) -> int:
        return len(self.network_)

    def check_settings(self) -> None:
        settings = self.encoder_settings()
        self.train_settings(0)
        if self.combine not in ("mean", "max"):
            raise PlanError(f"step '{self.label}': combine = {self.combine!r}; expected mean or max")
        if settings.row.reconstructs != self.reconstructs:
            other = "network" if self.reconstructs else "autoencoder"
            raise PlanError(f"step '{self.label}': {settings.network} is trained by the step '{other}'")

    def encoder_settings(self) -> EncoderSettings:
        """The network, as the block says it."""
        if self.encoder is None:
            raise PlanError(
                f"step '{self.label}' needs encoder: which network; a block of kind = \"deep\" with train says it"
            )
        return self._section(EncoderSettings, "encoder", self.encoder)

    def train_settings(self, seed: int) -> TrainSettings:
        """How it learns, from a seed."""
        return self._section(TrainSettings, "train", {**(self.train or {}), "seed": seed})

    def _section(self, kind: type[Kind], what: str, said: Mapping[str, Any]) -> Kind:
        try:
            return kind.model_validate(dict(said))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, (what, *first["loc"])))
            raise PlanError(f"step '{self.label}': {where}: {first['msg']}") from error

    # -- fitting ------------------------------------------------------------------------------------------------------

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        cells = self._cells(self.read_)
        there = np.flatnonzero([cell is not None for cell in cells])
        if not len(there):
            raise TableError(f"step '{self.label}': no training row has crops, so no network can be trained")
        patients = np.arange(len(cells)) if groups is None else np.asarray(groups)
        known = [cell for cell in cells if cell is not None]
        labels = None if outcome is None else outcome[there]
        self.size_ = int(known[0].values.shape[-1])
        self.classes_ = 0 if labels is None else int(labels.max()) + 1
        found = self._trained(known, labels, patients[there], self.random_state)
        self.best_, self.curve_, self.pretext_curve_ = found.best, found.curve, found.pretext
        self.network_ = _packed(found.module)
        self.width_ = self._reader().width
        self._fit_inside(known, there, labels, patients[there], len(cells))

    def _fit_inside(
        self, cells: Sequence[Crops], there: NDArray[np.intp], labels: NDArray[np.int64] | None, patients: Any, n: int
    ) -> None:
        """What the training rows get, where that is not what `make` gives."""

    def _trained(
        self, cells: Sequence[Crops], labels: NDArray[np.int64] | None, patients: NDArray[Any], seed: int
    ) -> Trained:
        """A network trained on these crops."""
        encoder = self.encoder_settings()
        network = encoder.row
        lesions = [normalised(cell.values.astype(np.float32), encoder.weights.input) for cell in cells]
        lengths: NDArray[np.int64] | None = None
        counts = [1 if network.sequence else len(one) for one in lesions]
        if network.sequence:
            crops, lengths = padded(lesions)
        else:
            crops = np.concatenate(lesions)
        start = {"seed": seed, **({} if cells[0].start is None else {"path": cells[0].start})}
        with one_torch_thread():
            module, _ = load(
                network,
                encoder.weights.model_copy(update=start),
                dims=encoder.dims,
                size=self.size_,
                base=Path(),
                classes=max(self.classes_, 1),
            )
            who, learning = np.repeat(np.asarray(patients).astype(str), counts).tolist(), self.train_settings(seed)
            pretext = None
            if encoder.weights.origin == "pretrain":
                before = encoder.weights.pretext or PretextSettings()
                pretext = pretrain(module, network, crops, who, before, learning)
            found = train(
                module,
                crops,
                None if labels is None else np.repeat(labels, counts),
                who,
                learning,
                heads=network.heads,
                lengths=lengths,
            )
            return replace(found, pretext=pretext)

    def learning(self) -> list[dict[str, Any]]:
        # seconds are left out: they differ from run to run
        after = [] if self.pretext_curve_ is None else _epochs(self.pretext_curve_, self.block, "pretext")
        return [*after, *_epochs(self.curve_, self.block, "training")]

    # -- applying -----------------------------------------------------------------------------------------------------

    def plain_names(self) -> list[str]:
        """The columns without the block's name."""
        return feature_names(self.encoder_settings().network, self.width_)

    def made_names(self) -> list[str]:
        return [f"{self.block}.{name}" if self.block else name for name in self.plain_names()]

    def make(self, read: pd.DataFrame) -> pd.DataFrame:
        names = self.made_names()
        rows = np.full((len(read), len(names)), np.nan)
        reader = self._reader()
        with one_torch_thread():
            for row, cell in enumerate(self._cells(read)):
                if cell is not None:
                    rows[row] = self._of(reader, cell)
        return self._framed(rows, read.index)

    def _framed(self, rows: Array, index: pd.Index[Any]) -> pd.DataFrame:
        if np.isinf(rows).any():
            raise TableError(f"step '{self.label}': the trained network overflows; use a smaller train.learning_rate")
        return pd.DataFrame(rows, index=index, columns=self.made_names())

    def _of(self, reader: _Reader, cell: Crops) -> Array:
        """The values of one row; a row's crops go through the network by themselves, so that no other row changes a bit."""
        return self._combined(reader(cell)[0])

    def _combined(self, values: NDArray[np.float32]) -> Array:
        combine = np.mean if self.combine == "mean" else np.max
        return np.asarray(combine(values, axis=0), dtype=np.float64)

    def module(self) -> Any:
        """The trained network in evaluation mode, for `isthmus.deep.explain.explain`."""
        return self._reader().module

    def _reader(self) -> _Reader:
        return _reader(self.encoder_settings().model_dump_json(), self.size_, self.classes_, self.network_)

    def _cells(self, read: pd.DataFrame) -> list[Crops | None]:
        (column,) = self.context
        cells = list(read[column])
        wrong = [type(cell).__name__ for cell in cells if cell is not None and not isinstance(cell, Crops)]
        if wrong:
            raise TableError(f"step '{self.label}' reads Crops (or None) in '{column}'; found {first_few(wrong)}")
        return cells


class NetworkStep(TrainedInFold):
    """Train a network with the outcome and add the features of its layer, or what it says of the outcome.

    Reads the context column `@crops`. A row without crops gets NaN. The features of the rows it was trained on are features of a network
    that knows their outcome: what is fitted on them trusts them too much, and only rows it has not seen judge it. Scores of training
    rows are therefore those of networks trained on the other inner folds.

    Parameters
    ----------
    encoder : dict
        See `EncoderSettings`; its weights are where training starts.
    train : dict
        See `LearningSettings`.
    combine : {"mean", "max"}
        How several crops of a row become one.
    makes : {"features", "score"}
        The layer, or the logarithm of the odds: one column of two classes; of more, one for each but the first, against the first.
    folds : int
        Inner folds of the scores of training rows.
    block : str
        Whose crops, where a study has several blocks; its name stands before the columns'.
    random_state : int
    """

    name = "network"
    kind = "supervised"
    tasks = frozenset({"binary", "multiclass", "ordinal"})
    reconstructs = False

    def __init__(
        self,
        encoder: Mapping[str, Any] | None = None,
        train: Mapping[str, Any] | None = None,
        combine: str = "mean",
        makes: str = "features",
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

    def check_settings(self) -> None:
        super().check_settings()
        if self.makes not in ("features", "score"):
            raise PlanError(f"step '{self.label}': makes = {self.makes!r}; expected features or score")
        if isinstance(self.folds, bool) or not isinstance(self.folds, int) or self.folds < 2:
            raise PlanError(f"step '{self.label}': folds = {self.folds!r}; expected a whole number from 2 on")

    def plain_names(self) -> list[str]:
        if self.makes == "score":
            return score_names(self.encoder_settings().network, self.classes_)
        return super().plain_names()

    def _of(self, reader: _Reader, cell: Crops) -> Array:
        features, outputs = reader(cell)
        return self._combined(features if self.makes == "features" else outputs[:, 1:] - outputs[:, :1])

    def _fit_inside(
        self, cells: Sequence[Crops], there: NDArray[np.intp], labels: NDArray[np.int64] | None, patients: Any, n: int
    ) -> None:
        self.inside_: Array | None = None
        if self.makes == "features":
            return
        assert labels is not None  # the base class sees to it
        rows = np.full((n, self.classes_ - 1), np.nan)
        folds = deal_folds(patients, labels, folds=self.folds, seed=self.random_state)
        encoder = self.encoder_settings()
        for fold in np.unique(folds):
            rest = [cell for cell, other in zip(cells, folds != fold, strict=True) if other]
            seed = child_seed(self.random_state, f"inner fold {fold}")
            found = self._trained(rest, labels[folds != fold], patients[folds != fold], seed)
            with one_torch_thread():
                reader = _Reader(found.module.to("cpu"), encoder, self.size_)
                for place in np.flatnonzero(folds == fold):
                    rows[there[place]] = self._of(reader, cells[int(place)])
        self.inside_ = rows

    def inside(self, read: pd.DataFrame) -> pd.DataFrame | None:
        return None if self.inside_ is None else self._framed(self.inside_, read.index)


class Autoencoder(TrainedInFold):
    """Train an autoencoder, which never sees an outcome, and add the features of its layer (its code).

    Reads the context column `@crops`. A row without crops gets NaN.

    Parameters
    ----------
    encoder, train, combine, block, random_state
        See `NetworkStep`.
    """

    name = "autoencoder"
    kind = "unsupervised"
    reconstructs = True

    def __init__(
        self,
        encoder: Mapping[str, Any] | None = None,
        train: Mapping[str, Any] | None = None,
        combine: str = "mean",
        block: str = "",
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.train = train
        self.combine = combine
        self.block = block
        self.random_state = random_state


# ---------------------------------------------------------------------- the trained network


class _Reader:
    """A trained network that gives the features of a layer and its own outputs, always on the CPU."""

    def __init__(self, module: Any, encoder: EncoderSettings, size: int) -> None:
        self.torch = load_torch()
        self.module, self.encoder, self.size = module.eval().requires_grad_(False), encoder, size
        _, self.place, self.pooling = feature_layer(encoder)
        self._seen: Any = None
        module.get_submodule(self.place.module).register_forward_hook(self._see)

    def _see(self, module: Any, inputs: Any, output: Any) -> None:
        self._seen = pooled(output, self.place, self.pooling).clone()

    def __call__(self, cell: Crops) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features and outputs, one row a crop, or one for the sequence of them."""
        return self._through(normalised(cell.values.astype(np.float32), self.encoder.weights.input))

    @cached_property
    def width(self) -> int:
        """How many features the layer has."""
        shape = (1, self.encoder.weights.input.channels, *[self.size] * self.encoder.dims)
        return int(self._through(np.zeros(shape, np.float32))[0].shape[1])

    def _through(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        features, outputs = [], []
        sequence = self.encoder.row.sequence
        step = len(batch) if sequence else self.encoder.batch  # its slices belong together
        with self.torch.inference_mode(), deterministic():
            for start in range(0, len(batch), step):
                piece = self.torch.from_numpy(np.ascontiguousarray(batch[start : start + step]))
                out = self.module(piece[None] if sequence else piece)
                outputs.append(out.float().flatten(1).numpy())
                features.append(self._seen.float().numpy())
        return np.concatenate(features), np.concatenate(outputs)


def _epochs(curve: pd.DataFrame, block: str, stage: str) -> list[dict[str, Any]]:
    """A learning curve as plain values; that with the smallest validation loss was kept."""
    best = int(np.argmin(curve["validation_loss"].to_numpy()))
    rows = curve.drop(columns="seconds").astype({"epoch": int}).to_dict("records")
    return [
        {
            "block": block,
            "stage": stage,
            **{str(key): None if pd.isna(value) else value for key, value in row.items()},
            "kept": at == best,
        }
        for at, row in enumerate(rows)
    ]


def _packed(module: Any) -> str:
    import safetensors.torch

    return base64.b64encode(safetensors.torch.save(tensors_of(module))).decode("ascii")


_MOST_SIDE, _MOST_CLASSES = 4096, 1000


@lru_cache(maxsize=8)
def _reader(encoder: str, size: int, classes: int, network: str) -> _Reader:
    """The network again from its tensors; nothing in them is executed, and all must fit."""
    load_torch("a network trained in the folds")
    import safetensors.torch

    if not (8 <= size <= _MOST_SIDE and 0 <= classes <= _MOST_CLASSES):
        raise ModelFileError(f"a network for crops of {size} pixels a side and {classes} classes; the file is damaged")
    settings = EncoderSettings.model_validate_json(encoder)
    row, weights = settings.row, settings.weights
    module = build(row, settings.dims, channels=weights.input.channels, size=size, classes=max(classes, 1))
    if weights.origin == "file":
        as_trained(module, row.name, weights.layout)
    module.load_state_dict(safetensors.torch.load(base64.b64decode(network)))
    return _Reader(module, settings, size)
