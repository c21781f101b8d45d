"""Training of a segmentation network as nnU-Net trains: SGD with Nesterov momentum, a learning rate that falls by a polynomial, patches
drawn at random.

The last epoch's parameters are kept, so nothing is chosen by the held-out cases; they only draw the curve. On a processor the same cases,
settings and seed give the same bits, and a training that was stopped goes on to those of one that was not, as every iteration draws from a
seed of its own. On a GPU the fast algorithms are used, whose bits vary, unless `deterministic` is set.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from isthmus.deep.checkpoint import read_checkpoint, write_checkpoint
from isthmus.deep.library import best_device, deterministic, load_torch
from isthmus.errors import PlanError, TableError
from isthmus.segment.configuration import Configuration
from isthmus.segment.loss import supervised_loss
from isthmus.segment.networks import levels, logits
from isthmus.segment.sample import AugmentSettings, TrainingCase, draw_batch
from isthmus.settings import Section
from isthmus.stats.seeds import child_seed

__all__ = ["CURVE", "SegmentLearning", "Trained", "memory_advice", "train"]

log = logging.getLogger("isthmus")

_GATES_STILL = 10
"""Epochs."""

CURVE = ("epoch", "learning_rate", "training_loss", "validation_loss", "validation_dice", "lesion_dice", "seconds")
"""The columns of a learning curve; the Dice of patches of held-out cases, all structures' mean and the lesion's."""


class SegmentLearning(Section):
    """How a network learns; the defaults are nnU-Net's.

    epochs, iterations: so many batches an epoch. validation_iterations: batches of held-out cases after each, for the curve.
    learning_rate: falls as (1 - epoch / epochs) ** power. clip: largest norm of the gradient. foreground: share of patches around a
    structure. mixed_precision: on a GPU that has bfloat16. deterministic: on a GPU, too. minutes: ends training early, after the epoch in
    which so many have passed; the rate then falls by time, not epochs.
    """

    epochs: int = Field(default=1000, ge=1)
    iterations: int = Field(default=250, ge=1)
    validation_iterations: int = Field(default=10, ge=0)
    learning_rate: float = Field(default=0.01, gt=0, allow_inf_nan=False)
    power: float = Field(default=0.9, ge=0)
    momentum: float = Field(default=0.99, ge=0, lt=1)
    weight_decay: float = Field(default=3e-5, ge=0)
    clip: float = Field(default=12.0, gt=0)
    foreground: float = Field(default=1 / 3, ge=0, le=1)
    minutes: float | None = Field(default=None, gt=0)
    mixed_precision: bool = True
    deterministic: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    augment: AugmentSettings = Field(default_factory=AugmentSettings)


@dataclass(frozen=True, eq=False)
class Trained:
    """The module with the last epoch's parameters in evaluation mode, on its device, and its curve (columns `CURVE`)."""

    module: Any
    curve: pd.DataFrame
    device: str


def train(
    module: Any,
    training: Sequence[TrainingCase],
    validation: Sequence[TrainingCase],
    configuration: Configuration,
    settings: SegmentLearning,
    *,
    seed: int = 42,
    checkpoint: Path | None = None,
) -> Trained:
    """Train a module in place.

    Parameters
    ----------
    module : torch.nn.Module
        From `isthmus.segment.networks.build`.
    training, validation : sequence of TrainingCase
        Of different patients.
    configuration : Configuration
    settings : SegmentLearning
    seed : int
    checkpoint : Path, optional
        A .safetensors file written after every epoch. Where it exists, training goes on from there.

    Raises
    ------
    TableError
        No training case, a patient on both sides, or a loss that is not a number.
    WeightsError
        The checkpoint belongs to another training.
    PlanError
        Memory does not suffice, or torch is missing.
    """
    torch = load_torch("training")
    _check(training, validation)
    device = best_device() if settings.device == "auto" else settings.device
    module.to(device)
    optimiser = torch.optim.SGD(
        module.parameters(), settings.learning_rate, momentum=settings.momentum, nesterov=settings.momentum > 0,
        weight_decay=settings.weight_decay, foreach=False,
    )  # fmt: skip
    mark = _mark(training, configuration, settings, seed)
    epoch = 0
    curve: list[Any] = []
    if checkpoint is not None and checkpoint.exists():
        epoch, curve = _resume(module, optimiser, checkpoint, mark)
    began = time.monotonic()
    while epoch < settings.epochs:
        clock = time.monotonic()
        spent = (clock - began) / 60 / settings.minutes if settings.minutes is not None else 0.0
        if spent >= 1:
            break
        done = max(epoch / settings.epochs, spent)
        rate = settings.learning_rate * (1 - done) ** settings.power
        for group in optimiser.param_groups:
            group["lr"] = rate
        epoch += 1
        with memory_advice(), _exactness(settings, device, child_seed(seed, "epoch", epoch)):
            loss = _epoch(module, optimiser, training, configuration, settings, device, seed, epoch)
            judged = _judge(module, validation, configuration, settings, device, seed)
        if not np.isfinite(loss):
            raise TableError(f"training: the loss of epoch {epoch} is not a number; use a smaller learning_rate")
        curve.append((epoch, rate, loss, *judged, time.monotonic() - clock))
        if checkpoint is not None:
            _write(module, optimiser, checkpoint, mark, epoch, curve)
        log.info(
            "epoch %d of %d: loss %.4f, held out %.4f, lesion Dice of patches %.3f", epoch, settings.epochs, loss, judged[0], judged[2]
        )  # fmt: skip
    return Trained(module.eval(), pd.DataFrame(curve, columns=list(CURVE)), device)


class memory_advice(AbstractContextManager[None]):
    """Turns an exhausted memory into an error that says what to do."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        said = str(error)
        if isinstance(error, MemoryError) or (
            isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said)
        ):
            raise PlanError(
                f"memory does not suffice for this network and patch ({said.splitlines()[0][:160] if said else 'MemoryError'}). Give a "
                "smaller patch, batch or memory_gb (--set), or another device"
            ) from error


def _exactness(settings: SegmentLearning, device: str, seed: int) -> AbstractContextManager[None]:
    if device == "cpu" or settings.deterministic:
        return deterministic(seed)
    load_torch().backends.cudnn.benchmark = True
    return nullcontext()


def _epoch(
    module: Any,
    optimiser: Any,
    cases: Sequence[TrainingCase],
    configuration: Configuration,
    settings: SegmentLearning,
    device: str,
    seed: int,
    epoch: int,
) -> float:
    """So many batches; the mean loss."""
    torch = load_torch()
    module.train()
    if hasattr(module, "train_gates"):  # MedT: the authors keep its gates still at first
        module.train_gates(epoch > _GATES_STILL)
    total = torch.zeros((), device=device)
    for number in range(settings.iterations):
        rng = np.random.default_rng(child_seed(seed, "batch", epoch, number))
        batch, labels = draw_batch(
            cases, configuration, rng, foreground=settings.foreground, augment=settings.augment, device=device
        )
        optimiser.zero_grad(set_to_none=True)
        with _mixed(settings, device):
            outputs = levels(module, batch)
        loss = supervised_loss(outputs, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), settings.clip, foreach=False)
        optimiser.step()
        total += loss.detach()
    return float(total) / settings.iterations


def _judge(
    module: Any,
    cases: Sequence[TrainingCase],
    configuration: Configuration,
    settings: SegmentLearning,
    device: str,
    seed: int,
) -> tuple[float, float, float]:
    """Loss, mean Dice and the lesion's on patches of held-out cases, the same patches every epoch."""
    torch = load_torch()
    if not cases or not settings.validation_iterations:
        return float("nan"), float("nan"), float("nan")
    module.eval()
    losses = []
    counts = torch.zeros(3, configuration.classes)
    with torch.inference_mode():
        for number in range(settings.validation_iterations):
            rng = np.random.default_rng(child_seed(seed, "validation", number))
            batch, labels = draw_batch(cases, configuration, rng, foreground=settings.foreground, device=device)
            with _mixed(settings, device):
                found = logits(module, batch)
            losses.append(float(supervised_loss([found], labels)))
            best = found.argmax(1)
            for number_of in range(1, configuration.classes):
                mine, truth = best == number_of, labels == number_of
                counts[:, number_of] += torch.stack([(mine & truth).sum(), mine.sum(), truth.sum()]).cpu()
    there = (counts[1] + counts[2]) > 0
    dice = torch.where(there, 2 * counts[0] / (counts[1] + counts[2]).clamp_min(1), float("nan"))
    return float(np.mean(losses)), float(dice[1:].nanmean()), float(dice[configuration.lesion_class])


def _mixed(settings: SegmentLearning, device: str) -> AbstractContextManager[Any]:
    torch = load_torch()
    if settings.mixed_precision and device == "cuda" and torch.cuda.is_bf16_supported():
        context: AbstractContextManager[Any] = torch.autocast("cuda", torch.bfloat16)
        return context
    return nullcontext()


def _check(training: Sequence[TrainingCase], validation: Sequence[TrainingCase]) -> None:
    if not training:
        raise TableError("training: no case to learn from")
    both = sorted({case.patient for case in training} & {case.patient for case in validation})
    if both:
        raise TableError(f"training: patients on both sides: {', '.join(both[:5])}")


# ---------------------------------------------------------------------- going on where it was


def _mark(training: Sequence[TrainingCase], configuration: Configuration, settings: SegmentLearning, seed: int) -> str:
    """Stands for cases, configuration and settings; the device may change. The number of epochs may not: the rate depends on it."""
    digest = hashlib.sha256(configuration.to_json().encode())
    digest.update(settings.model_dump_json(exclude={"device", "minutes"}).encode())
    for case in training:
        digest.update(f"{case.row}\n{case.patient}\n{case.image.shape}\n".encode())
        digest.update(np.ascontiguousarray(case.labels).data)
    digest.update(str(seed).encode())
    return digest.hexdigest()


def _write(module: Any, optimiser: Any, path: Path, mark: str, epoch: int, curve: list[Any]) -> None:
    tensors = {f"now.{name}": tensor for name, tensor in module.state_dict().items()}
    for number, memory in optimiser.state_dict()["state"].items():
        if memory.get("momentum_buffer") is not None:
            tensors[f"momentum.{number}"] = memory["momentum_buffer"]
    write_checkpoint(path, tensors, {"mark": mark, "epoch": epoch, "curve": curve})


def _resume(module: Any, optimiser: Any, path: Path, mark: str) -> tuple[int, list[Any]]:
    facts, tensors = read_checkpoint(path, mark, marked="its cases, configuration or settings")
    module.load_state_dict({name[4:]: tensor for name, tensor in tensors.items() if name.startswith("now.")})
    memory = {
        int(name.removeprefix("momentum.")): {"momentum_buffer": tensor}
        for name, tensor in tensors.items()
        if name.startswith("momentum.")
    }
    optimiser.load_state_dict({**optimiser.state_dict(), "state": memory})
    return int(facts["epoch"]), [tuple(row) for row in facts["curve"]]
