"""The folder of a trained segmentation model: what is in it, and how it is opened again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.deep.library import load_torch
from isthmus.deep.weights import named, read_tensors
from isthmus.errors import PlanError, WeightsError
from isthmus.segment.configuration import Configuration, Intensities
from isthmus.segment.networks import build
from isthmus.segment.tidy import largest_of

__all__ = ["FILES", "Fold", "SegmentationModel", "fold_folder"]

FILES = {
    "configuration": "configuration.json",
    "record": "training.json",
    "tidy": "postprocessing.json",
    "folds": "folds.csv",
    "validation": "validation.csv",
    "out_of_fold": "out_of_fold",
    "prepared": "prepared",
    "failed": "exclusions.csv",
    "weights": "weights.safetensors",
    "curve": "learning_curve.csv",
    "checkpoint": "checkpoint.safetensors",
}
"""What a training writes; the last three into the folder of each fold."""


def fold_folder(folder: Path, fold: int) -> Path:
    """Where a fold's network lies."""
    return folder / f"fold_{fold}"


@dataclass(frozen=True)
class Fold:
    """One network: its number, file, checksum, hashes of the patients it was trained on, and the intensities it standardises by."""

    number: int
    weights: Path
    sha256: str
    trained_on: frozenset[str]
    intensities: Intensities | None = None


@dataclass(frozen=True)
class HeldOut:
    """Dice on cases that were held out: how many, mean, median."""

    cases: int
    mean: float
    median: float


@dataclass(frozen=True)
class SegmentationModel:
    """A trained model.

    Parameters
    ----------
    folder : Path
    configuration : Configuration
    folds : tuple of Fold
    largest : tuple of str
        Structures of which only the largest part is kept, as held-out cases had it.
    fingerprint : str
        SHA-256 over the configuration, every network's file and the intensities it standardises by.
    """

    folder: Path
    configuration: Configuration
    folds: tuple[Fold, ...]
    largest: tuple[str, ...]
    fingerprint: str

    @classmethod
    def open(cls, folder: Path) -> SegmentationModel:
        """Read everything but the weights.

        Raises
        ------
        PlanError
            The folder is no model of `isthmus segment train`, or its training was stopped.
        """
        record = _document(folder, "record")
        configuration = Configuration.parse(_document(folder, "configuration"), str(folder / FILES["configuration"]))
        tidy = _document(folder, "tidy")
        folds = []
        for entry in record.get("folds", []):
            path = fold_folder(folder, entry["fold"]) / FILES["weights"]
            said = entry.get("intensities")
            own = None if said is None else Intensities.model_validate(said)
            folds.append(Fold(entry["fold"], path, entry["sha256"], frozenset(entry["trained_on"]), own))
        if not folds:
            raise PlanError(f"{folder}: the record names no network. Train the model again")
        digest = hashlib.sha256(configuration.to_json().encode())
        for fold in folds:
            digest.update(fold.sha256.encode())
            if fold.intensities is not None:
                digest.update(fold.intensities.model_dump_json().encode())
        largest = tuple(name for name, facts in tidy.items() if facts.get("largest"))
        return cls(folder, configuration, tuple(folds), largest, digest.hexdigest())

    def module(self, fold: Fold, device: str) -> Any:
        """A network with its weights, in evaluation mode.

        Raises
        ------
        WeightsError
            The file is not the one of the record, or does not hold this network.
        """
        load_torch("segmentation")
        try:
            data = fold.weights.read_bytes()
        except OSError as exc:
            raise WeightsError(f"{fold.weights}: cannot be read ({exc.strerror or exc})") from exc
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 != fold.sha256:
            raise WeightsError(
                f"{fold.weights}: SHA-256 is {sha256}, the record says {fold.sha256}; the file was changed. Restore it"
            )
        module = build(self.configuration.network, self.configuration.shape)
        try:
            module.load_state_dict(read_tensors(data, fold.weights))
        except RuntimeError as exc:
            said = " ".join(str(exc).split())[:300]
            raise WeightsError(f"{fold.weights}: does not hold the network of the configuration: {said}") from exc
        return module.to(device).eval()

    @property
    def lesion_dice(self) -> HeldOut | None:
        """Of the lesion on held-out cases, cleaned by a choice made without them; None where no case was held out."""
        import pandas as pd

        path = self.folder / FILES["validation"]
        if not path.is_file():
            return None
        table = pd.read_csv(path, usecols=["structure", "dice_tidied"])
        values = table.loc[table["structure"] == self.configuration.lesion, "dice_tidied"]
        return HeldOut(len(values), float(values.mean()), float(values.median())) if len(values) else None

    def largest_without(self, fold: Fold) -> tuple[str, ...]:
        """As `largest`, chosen without the cases that this network's fold held out: for a mask of one of them.

        Raises
        ------
        PlanError
            The record of the held-out cases is not there.
        """
        import pandas as pd

        path = self.folder / FILES["validation"]
        try:
            table = pd.read_csv(path, usecols=["fold", "structure", "dice", "dice_largest"])
        except (OSError, ValueError) as exc:
            raise PlanError(f"{path}: cannot be read ({exc}). Restore it, or train the model again") from exc
        found = largest_of(table[table["fold"] != fold.number])
        return tuple(name for name, facts in found.items() if facts["largest"])

    def unseen_by(self, patient: str, image: str) -> tuple[tuple[Fold, ...], str]:
        """The networks that may draw this case as an unseen one, and what the case is: "unseen", "out_of_fold", or "seen" (then none).

        `image`: the fingerprint of its values, so that a patient under another name is known again.
        """
        mine = {named(patient), image}
        fresh = tuple(fold for fold in self.folds if not mine & fold.trained_on)
        if len(fresh) == len(self.folds):
            return fresh, "unseen"
        return fresh, "out_of_fold" if fresh else "seen"


def _document(folder: Path, what: str) -> Mapping[str, Any]:
    path = folder / FILES[what]
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        more = ""
        if (folder / FILES["configuration"]).exists():
            more = " Its training was stopped; `isthmus segment train --resume` finishes it"
        raise PlanError(
            f"{folder}: no model of `isthmus segment train`: {FILES[what]} is missing.{more or ' Check --model'}"
        ) from exc
    except (OSError, ValueError) as exc:
        raise PlanError(f"{path}: cannot be read ({exc})") from exc
    if not isinstance(found, dict):
        raise PlanError(f"{path}: expected a table")
    return found
