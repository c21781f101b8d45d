"""Training of a network on crops: rows of one patient stay together, the best epoch is kept, a stopped run goes on where it was.

The same crops, settings and seed give the same bits on one machine and with the same number of threads; a resumed run gives those of one
that was never stopped, because every epoch draws from its own seed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from isthmus.deep.augment import AugmentSettings, augment
from isthmus.deep.checkpoint import read_checkpoint, write_checkpoint
from isthmus.deep.library import best_device, deterministic, load_torch
from isthmus.errors import PlanError, TableError
from isthmus.settings import Section
from isthmus.stats.roc import auc
from isthmus.stats.seeds import child_seed

__all__ = ["CURVE", "LearningSettings", "TrainSettings", "Trained", "predict", "split_patients", "train"]

log = logging.getLogger("isthmus")

CURVE = ("epoch", "training_loss", "validation_loss", "validation_auc", "seconds")
"""The columns of a learning curve; the AUC of two classes, else NaN."""


class LearningSettings(Section):
    """How a network learns. epochs: at most. patience: epochs without a smaller validation loss after which training ends. validation:
    the share of patients held out for that, of each class. batch: crops at a time. learning_rate, weight_decay: of AdamW. trains:
    "all", or only the "head" behind a frozen body. imbalance: "weights" makes every class count the same; "none". mixed_precision: on a
    GPU that has bfloat16.
    """

    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=15, ge=1)
    validation: float = Field(default=0.2, gt=0, lt=1)
    batch: int = Field(default=16, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=1e-2, ge=0, allow_inf_nan=False)
    trains: Literal["all", "head"] = "all"
    imbalance: Literal["weights", "none"] = "weights"
    mixed_precision: bool = True
    device: Literal["auto", "cpu", "cuda"] = "auto"
    augment: AugmentSettings = Field(default_factory=AugmentSettings)


class TrainSettings(LearningSettings):
    """How a network learns, and the seed of one training."""

    seed: int = 42


@dataclass(frozen=True, eq=False)
class Trained:
    """What training gave.

    Parameters
    ----------
    module : torch.nn.Module
        With the parameters of the best epoch, in evaluation mode.
    curve : DataFrame
        One row an epoch; columns `CURVE`.
    best : int
        The epoch with the smallest validation loss, from 1.
    training, validation : tuple of str
        The patients of either part.
    """

    module: Any
    curve: pd.DataFrame
    best: int
    training: tuple[str, ...]
    validation: tuple[str, ...]
    pretext: pd.DataFrame | None = None
    """The curve of what it learned before, without labels."""


def split_patients(
    patients: Sequence[str], labels: NDArray[np.integer[Any]], share: float, seed: int
) -> NDArray[np.bool_]:
    """Which rows are held out: whole patients, of each class its share and at least one, at random.

    Parameters
    ----------
    patients : sequence of str
    labels : int array
        A patient with rows of several classes counts for the largest.
    share : float
    seed : int

    Raises
    ------
    TableError
        A class has fewer than two patients.
    """
    known = pd.Series(labels).groupby(np.asarray(patients, dtype=str)).max()
    draw = np.random.default_rng(child_seed(seed, "validation"))
    held: set[str] = set()
    for label, members in known.groupby(known):
        if len(members) < 2:
            raise TableError(
                f"training needs two patients of every class, one to learn from and one to stop by; class {label} has {len(members)}"
            )
        count = min(max(round(share * len(members)), 1), len(members) - 1)
        held |= set(draw.permutation(np.asarray(sorted(members.index)))[:count].tolist())
    return np.array([str(patient) in held for patient in patients])


def train(
    module: Any,
    crops: NDArray[np.float32],
    labels: NDArray[np.integer[Any]] | None,
    patients: Sequence[str],
    settings: TrainSettings,
    *,
    heads: Sequence[str] = (),
    lengths: NDArray[np.integer[Any]] | None = None,
    beside: NDArray[np.float32] | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    """Train a module that gives one number a class, or, without labels, one that gives the crop again; the parameters of the best epoch.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place.
    crops : float32 array, shape (n, channels, *places)
        With `lengths`: (n, slices, channels, *places), as `isthmus.deep.crop.padded` makes them.
    labels : int array, shape (n,), or None
        0, 1, ... of every class at least one. None: an autoencoder, whose loss is the mean squared difference, and of a variational one the
        divergence of its code, too.
    patients : sequence of str
        Whose crop it is: a patient's crops are trained on or held out together.
    settings : TrainSettings
    heads : sequence of str
        The modules that `trains = "head"` trains.
    lengths : int array, shape (n,), optional
        How many slices each lesion has, for a network that reads them as a sequence.
    beside : float32 array, shape (n, p), optional
        Columns that the module takes as a second argument.
    checkpoint : Path, optional
        A .safetensors file that is written after every epoch. Where it exists, training goes on from there.

    Raises
    ------
    TableError
        Rows do not fit together, or a class has too few patients.
    WeightsError
        The checkpoint belongs to another training.
    PlanError
        torch is missing, or has no deterministic form of this network on the GPU.
    """
    load_torch("training")
    reconstructs = labels is None
    classes = np.zeros(len(crops), np.int64) if labels is None else labels
    _check(crops, classes, patients, 1 if reconstructs else 2)
    if lengths is not None and (len(lengths) != len(crops) or np.min(lengths) < 1 or np.max(lengths) > crops.shape[1]):
        raise TableError(
            f"training: lengths must say for each of {len(crops)} lesions how many of {crops.shape[1]} slices there are"
        )
    held = split_patients(patients, classes, settings.validation, settings.seed)
    device = best_device() if settings.device == "auto" else settings.device
    module.to(device)
    chosen = _trainable(module, settings, heads)
    weights = None if reconstructs else _class_weights(classes[~held], settings)
    work = _Work(module, chosen, settings, device, weights)
    more: NDArray[Any] | None = lengths if beside is None else beside
    mark = _mark(crops, labels, patients, settings, heads, more)
    state = _State()
    if checkpoint is not None and checkpoint.exists():
        state = _resume(work, checkpoint, mark)
    parts = [(crops[rows], classes[rows], None if more is None else more[rows]) for rows in (~held, held)]
    started, first = time.monotonic(), state.epoch
    while state.epoch < settings.epochs and state.epoch - state.best < settings.patience:
        epoch = state.epoch + 1
        clock = time.monotonic()
        with deterministic(child_seed(settings.seed, f"epoch {epoch}")):
            training = work.epoch(*parts[0], seed=child_seed(settings.seed, f"order {epoch}"))
        validation, scores = work.judge(*parts[1])
        if not np.isfinite(validation):
            raise TableError(f"training: the loss of epoch {epoch} is not a number; use a smaller learning_rate")
        two = not reconstructs and scores.shape[1] == 2
        area = auc(parts[1][1] == 1, scores[:, 1]) if two else float("nan")
        state = state.after(epoch, training, validation, area, time.monotonic() - clock)
        if state.best == epoch:
            state.kept = {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
        if checkpoint is not None:
            _write(work, state, checkpoint, mark)
        left = (time.monotonic() - started) / (epoch - first) * (settings.epochs - epoch)
        log.info(
            "epoch %d of %d: loss %.4f, validation %.4f, best epoch %d; at most %.0f s left",
            epoch, settings.epochs, training, validation, state.best, left,
        )  # fmt: skip
    module.load_state_dict(state.kept)
    names = np.asarray(patients, dtype=str)
    return Trained(
        module.eval(),
        pd.DataFrame(state.curve, columns=list(CURVE)),
        state.best,
        tuple(sorted(set(names[~held].tolist()))),
        tuple(sorted(set(names[held].tolist()))),
    )


def predict(
    module: Any,
    crops: NDArray[np.float32],
    *,
    lengths: NDArray[np.integer[Any]] | None = None,
    batch: int = 16,
    device: str = "cpu",
) -> NDArray[np.float64]:
    """The probability of each class, shape (n, classes); `lengths` as of `train`."""
    torch = load_torch("prediction")
    module.to(device).eval()
    found = []
    with torch.inference_mode(), deterministic():
        for start in range(0, len(crops), batch):
            piece = torch.from_numpy(np.ascontiguousarray(crops[start : start + batch])).to(device)
            scores = _scores(module, piece, lengths, slice(start, start + batch))
            found.append(scores.double().softmax(1).cpu().numpy())
    return np.concatenate(found)


# ---------------------------------------------------------------------- one epoch


def _scores(module: Any, batch: Any, more: NDArray[Any] | None, rows: Any) -> Any:
    """What a module gives for some rows; one that reads sequences is told how long they are, a joint one their columns."""
    if more is None:
        return module(batch)
    told = more[rows].astype(np.int64 if _sequences(more) else np.float32)
    return module(
        batch, load_torch().from_numpy(np.ascontiguousarray(told)).to("cpu" if _sequences(more) else batch.device)
    )


def _sequences(more: NDArray[Any] | None) -> bool:
    """Are these the lengths of sequences?"""
    return more is not None and more.ndim == 1


def _changed(batch: Any, settings: AugmentSettings, draw: Any, sequences: bool) -> Any:
    """Crops changed at random; all slices of a lesion alike."""
    if not sequences:
        return augment(batch, settings, draw)
    return augment(batch.flatten(1, 2), settings, draw).reshape(batch.shape)


class _Work:
    """A module being trained."""

    def __init__(
        self, module: Any, chosen: list[Any], settings: TrainSettings, device: str, weights: NDArray[np.float32] | None
    ) -> None:
        torch = load_torch()
        self.torch, self.module, self.settings, self.device = torch, module, settings, device
        self.optimiser = torch.optim.AdamW(
            chosen, lr=settings.learning_rate, weight_decay=settings.weight_decay, foreach=False
        )
        self.entropy = None
        if weights is not None:
            self.entropy = torch.nn.CrossEntropyLoss(weight=torch.from_numpy(weights).to(device))
        self.mixed = settings.mixed_precision and device == "cuda" and torch.cuda.is_bf16_supported()

    def loss(self, output: Any, crops: Any, classes: Any) -> Any:
        """Of classes the cross-entropy; without them the mean squared difference from the crop, to which `_divergence` is added."""
        if self.entropy is not None:
            return self.entropy(output.float(), classes)
        return self.torch.nn.functional.mse_loss(output.float(), crops)

    def _divergence(self) -> Any:
        """Of the last pass: how far the codes of a variational autoencoder are from the standard normal; of other modules 0."""
        return getattr(self.module, "divergence", 0.0) if self.entropy is None else 0.0

    def epoch(
        self,
        crops: NDArray[np.float32],
        labels: NDArray[np.integer[Any]],
        lengths: NDArray[Any] | None,
        *,
        seed: int,
    ) -> float:
        """Every crop once, in random order and changed at random; the mean loss."""
        torch = self.torch
        self.module.train(self.settings.trains == "all")  # a frozen body keeps its statistics
        draw = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(crops), generator=draw).numpy()
        total = 0.0
        for rows in _batches(order, self.settings.batch):
            batch = torch.from_numpy(np.ascontiguousarray(crops[rows])).to(self.device)
            batch = _changed(batch, self.settings.augment, draw, _sequences(lengths))
            target = torch.from_numpy(labels[rows].astype(np.int64)).to(self.device)
            self.optimiser.zero_grad(set_to_none=True)
            with torch.autocast("cuda", torch.bfloat16) if self.mixed else nullcontext():
                loss = self.loss(_scores(self.module, batch, lengths, rows), batch, target) + self._divergence()
            try:
                loss.backward()
            except RuntimeError as exc:
                if "deterministic" not in str(exc):
                    raise
                raise PlanError(
                    f'torch has no deterministic form of this network on the GPU ({str(exc).splitlines()[0][:120]}); use device = "cpu"'
                ) from exc
            self.optimiser.step()
            total += float(loss.detach()) * len(rows)
        return total / len(crops)

    def judge(
        self, crops: NDArray[np.float32], labels: NDArray[np.integer[Any]], lengths: NDArray[Any] | None
    ) -> tuple[float, NDArray[np.float64]]:
        """The loss on held-out crops as they are, and the probability of each class where there are classes."""
        torch = self.torch
        self.module.eval()
        outputs, apart = [], 0.0
        with torch.inference_mode(), deterministic():
            for start in range(0, len(crops), self.settings.batch):
                rows = slice(start, start + self.settings.batch)
                piece = torch.from_numpy(np.ascontiguousarray(crops[rows]))
                outputs.append(_scores(self.module, piece.to(self.device), lengths, rows).float())
                apart += float(self._divergence()) * len(piece) / len(crops)
            together = torch.cat(outputs)
            target = torch.from_numpy(labels.astype(np.int64)).to(self.device)
            original = torch.from_numpy(np.ascontiguousarray(crops)).to(self.device)
            return float(self.loss(together, original, target)) + apart, together.double().softmax(1).cpu().numpy()


def _batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Batches in order; a last one of a single crop joins the one before it (batch norm needs two)."""
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [np.concatenate(parts[-2:])]
    return parts


def _trainable(module: Any, settings: TrainSettings, heads: Sequence[str]) -> list[Any]:
    """The parameters that training may change."""
    if settings.trains == "all":
        return list(module.parameters())
    chosen = []
    for name, parameter in module.named_parameters():
        inside = any(name.startswith(f"{head}.") for head in heads)
        parameter.requires_grad_(inside)
        if inside:
            chosen.append(parameter)
    if not chosen:
        raise PlanError('trains = "head" needs the names of the heads, and this network has none of these')
    return chosen


def _class_weights(labels: NDArray[np.integer[Any]], settings: TrainSettings) -> NDArray[np.float32]:
    counts = np.bincount(labels)
    if settings.imbalance == "none":
        return np.ones(len(counts), np.float32)
    return (counts.sum() / (len(counts) * counts)).astype(np.float32)


def _check(crops: NDArray[np.float32], labels: NDArray[np.integer[Any]], patients: Sequence[str], least: int) -> None:
    if not len(crops) == len(labels) == len(patients):
        raise TableError(
            f"training: {len(crops)} crops, {len(labels)} labels, {len(patients)} patients; one of each a row"
        )
    if not np.isfinite(crops).all():
        raise TableError("training: a crop holds values that are not numbers")
    classes = np.unique(labels)
    if len(classes) < least or classes.tolist() != list(range(len(classes))):
        raise TableError(f"training: expected classes 0, 1 ..., came {classes.tolist()[:10]}")


# ---------------------------------------------------------------------- going on where it was


@dataclass
class _State:
    """How far training is."""

    epoch: int = 0
    best: int = 0
    loss: float = float("inf")
    curve: tuple[tuple[float, ...], ...] = ()
    kept: dict[str, Any] | None = None

    def after(self, epoch: int, training: float, validation: float, area: float, seconds: float) -> _State:
        better = validation < self.loss
        return _State(
            epoch,
            epoch if better else self.best,
            validation if better else self.loss,
            (*self.curve, (epoch, training, validation, area, seconds)),
            self.kept,
        )


def _mark(
    crops: NDArray[np.float32],
    labels: NDArray[np.integer[Any]] | None,
    patients: Sequence[str],
    settings: TrainSettings,
    heads: Sequence[str],
    lengths: NDArray[Any] | None,
) -> str:
    """Stands for the data and the settings; how long to train and on which device may change."""
    digest = hashlib.sha256(np.ascontiguousarray(crops).tobytes())
    digest.update(b"none" if labels is None else np.ascontiguousarray(labels, dtype=np.int64).tobytes())
    if lengths is not None:
        digest.update(np.ascontiguousarray(lengths, dtype=np.int64 if _sequences(lengths) else np.float32).tobytes())
    said = settings.model_dump_json(exclude={"epochs", "patience", "device"})
    digest.update(json.dumps([crops.shape, list(map(str, patients)), said, list(heads)]).encode())
    return digest.hexdigest()


def _write(work: _Work, state: _State, path: Path, mark: str) -> None:
    """Parameters, the best ones, and the optimiser's memory as tensors; the rest as JSON in the same file's head."""
    tensors = {f"now.{name}": tensor for name, tensor in work.module.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in (state.kept or {}).items()}
    for number, memory in work.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in memory.items()}
    facts = {"mark": mark, "epoch": state.epoch, "best": state.best, "loss": state.loss, "curve": state.curve}
    write_checkpoint(path, tensors, facts)


def _resume(work: _Work, path: Path, mark: str) -> _State:
    """Set module and optimiser to what a checkpoint says."""
    facts, tensors = read_checkpoint(path, mark, marked="its images, labels, patients or settings")
    parts: dict[str, dict[str, Any]] = {"now": {}, "best": {}, "optimiser": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    work.module.load_state_dict(parts["now"])
    memory: dict[int, dict[str, Any]] = {}
    for name, tensor in parts["optimiser"].items():
        number, _, what = name.partition(".")
        memory.setdefault(int(number), {})[what] = tensor
    work.optimiser.load_state_dict({**work.optimiser.state_dict(), "state": memory})
    curve = tuple(tuple(row) for row in facts["curve"])
    return _State(facts["epoch"], facts["best"], facts["loss"], curve, parts["best"])
