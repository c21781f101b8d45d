"""`isthmus deep train`: a network trained on the lesions of a case table, without a study around it, and its file of weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.deep.crop import padded
from isthmus.deep.encoder import crop_size, one_torch_thread
from isthmus.deep.library import load_torch, versions
from isthmus.deep.networks import Network
from isthmus.deep.pretext import pretrain
from isthmus.deep.settings import PretextSettings, WeightSettings
from isthmus.deep.train import LearningSettings, Trained, TrainSettings, train
from isthmus.deep.weights import load, save
from isthmus.errors import PlanError, TableError
from isthmus.study import toml
from isthmus.study.compute import Died, Progress, parallel, worker_count
from isthmus.study.deep import CropTask, DeepCaseSettings, Job, checked, crop_lesions, deep_document, list_failed
from isthmus.study.extract import files_given
from isthmus.study.extraction import CaseFiles
from isthmus.study.store import make_folder, write_bytes
from isthmus.table.expression import unknown_column
from isthmus.table.reading import number, read_frame

__all__ = ["FILES", "deep_train", "deep_train_settings"]

log = logging.getLogger("isthmus")

FILES = {
    "weights": "weights.safetensors",
    "settings": "deep.toml",
    "record": "training.json",
    "curve": "learning_curve.csv",
    "failed": "exclusions.csv",
    "checkpoint": "checkpoint.safetensors",
    "pretext": "pretext-checkpoint.safetensors",
}
"""What a training writes into its folder; the checkpoints go when it is done."""

Draw = Callable[[pd.DataFrame, Path, str], Any]
"""What draws the learning curve into a folder: `isthmus.report.learning_curve.learning_curve`; the report stands above this room."""


def deep_train_settings(
    *,
    network: str | None = None,
    weights: str | None = None,
    params: Path | None = None,
    settings: Sequence[str] = (),
) -> DeepCaseSettings:
    """As `deep_extract_settings`; `[deep.train]` says how it learns, and without weights it starts from random numbers.

    Raises
    ------
    PlanError
        Something is missing, unknown or of the wrong kind.
    """
    document = deep_document({"network": network}, weights, params, settings)
    encoder = document.setdefault("deep", {}).setdefault("encoder", {})
    if not encoder.get("weights", {}).get("origin"):
        encoder.setdefault("weights", {})["origin"] = "random"
    document["deep"].setdefault("train", {})
    return checked(DeepCaseSettings, document)


@dataclass(frozen=True, eq=False)
class _Lesions:
    """What is learned from: crops of lesions, whose they are, and their classes."""

    crops: list[NDArray[np.float32]]
    patients: list[str]
    labels: NDArray[np.int64] | None


def deep_train(
    out: Path,
    settings: DeepCaseSettings,
    *,
    cases: Path,
    outcome: str | None = None,
    use: str | None = None,
    root: str | None = None,
    seed: int = 42,
    resume: bool = False,
    workers: int = 0,
    draw: Draw | None = None,
) -> Path:
    """Train a network that tells the values of a column apart, or without one an autoencoder; the file of its weights.

    Writes `FILES` into `out`. The weights hold the hash of every patient's name, those held out to stop it too, so that a study that holds
    one of them refuses the file. Crops are kept in memory.

    Parameters
    ----------
    out : Path
        A folder.
    settings : DeepCaseSettings
    cases : Path
        A case table: patient, image:, mask:, and the column of the outcome. A patient's rows are trained on or held out together.
    outcome : str, optional
        A column of two or more values, in their order the classes 0, 1 ...; rows without one are left out.
    use : str, optional
        Which image, where the table has several.
    seed : int
    resume : bool
        Go on from the checkpoint of a training that was stopped, to the same bits.
    draw : function, optional
        Draws the learning curve.

    Raises
    ------
    PlanError
        The arguments do not fit together, or a training lies in the folder already.
    TableError
        No lesion can be read, or the classes have too few patients.
    WeightsError
        The weights to start from, or the checkpoint, are not of this training.
    """
    deep = settings.deep
    network = deep.encoder.row
    if network.reconstructs != (outcome is None):
        raise PlanError(
            f"network {network.name!r} is an autoencoder, which learns without an outcome; leave --outcome out"
            if network.reconstructs
            else f"network {network.name!r} learns to tell classes apart: --outcome COLUMN says which. An autoencoder learns without"
        )
    checkpoint, weights = (out / FILES[key] for key in ("checkpoint", "weights"))
    _free(out, weights, resume)
    load_torch(f"network {network.name!r}")
    files = files_given(None, None, cases, root, mask_name="image")
    name = _image(files, use)
    values = None if outcome is None else _classes(cases, outcome, files)
    names = sorted(set(values.values()), key=_rank) if values is not None else []
    make_folder(out)
    chosen = [case for case in files if values is None or case.row in values]
    if len(chosen) < len(files):
        log.warning("%d of %d rows have no %s and are left out", len(files) - len(chosen), len(files), outcome)
    crops, failed = _crops([Job(case, name, case.labels.get(name)) for case in chosen], settings, worker_count(workers))
    list_failed(out / FILES["failed"], chosen, failed)
    kept = [(case, found) for case, found in zip(chosen, crops, strict=True) if found is not None]
    if not kept:
        raise TableError(f"every lesion failed; the first: {next(iter(failed.values()), 'no rows')}")
    labels = None if values is None else np.array([names.index(values[case.row]) for case, _ in kept], np.int64)
    lesions = _Lesions([found for _, found in kept], [case.patient for case, _ in kept], labels)
    size = crop_size(network, deep.encoder.dims, deep.crop)
    learning = TrainSettings(**{**(deep.train or LearningSettings()).model_dump(), "seed": seed})
    with one_torch_thread():
        start = deep.encoder.weights
        module, record = load(
            network, start if start.origin == "file" else start.model_copy(update={"seed": seed}), dims=deep.encoder.dims, size=size,
            base=Path(), classes=max(len(names), 1),
        )  # fmt: skip
        trained = _trained(module, network, lesions, learning, start, checkpoint)
    trained.module.to("cpu")
    sha256 = save(trained.module, weights, trained_on=lesions.patients)
    curve = trained.curve.drop(columns="seconds").assign(kept=trained.curve["epoch"] == trained.best)
    curve.to_csv(out / FILES["curve"], index=False, lineterminator="\n")
    facts = {
        "network": network.name, "dims": deep.encoder.dims, "size": size, "sha256": sha256, "outcome": outcome, "classes": names,
        "image": name, "lesions": len(kept), "failed": len(failed), "training_patients": len(trained.training),
        "validation_patients": len(trained.validation), "best_epoch": trained.best, "epochs": len(trained.curve),
        "started_from": record.as_dict(), "learning": learning.model_dump(mode="json"), "versions": versions(),
    }  # fmt: skip
    write_bytes(out / FILES["record"], (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode())
    write_bytes(out / FILES["settings"], toml.dump(_ready(settings, sha256, cases.name)).encode())
    if draw is not None:
        draw(curve, out, network.name)
    for key in ("checkpoint", "pretext"):
        (out / FILES[key]).unlink(missing_ok=True)
    log.info("%s: sha256 %s", weights, sha256)
    return weights


def _free(out: Path, weights: Path, resume: bool) -> None:
    """A finished training is not written over, and one that was stopped goes on only when asked to."""
    if out.exists() and not out.is_dir():
        raise PlanError(f"--out {out} is a file; expected a folder")
    stopped = any((out / FILES[key]).exists() for key in ("checkpoint", "pretext"))
    if stopped and not resume:
        raise PlanError(
            f"{out} holds a training that was stopped: --resume goes on with it; another folder starts anew"
        )
    if weights.exists() and not stopped:
        raise PlanError(f"{weights} is there already; give another folder")
    if resume and not stopped:
        raise PlanError(f"--resume: {out} holds no training that was stopped")


def _image(files: Sequence[CaseFiles], use: str | None) -> str:
    names = list(dict.fromkeys(name for case in files for name in case.images))
    if use is not None and use not in names:
        raise unknown_column(f"image:{use}", [f"image:{name}" for name in names], where="--use")
    if use is None and len(names) > 1:
        raise PlanError(
            f"the table has the images {', '.join(names)}; a network learns from one of them: --use {names[0]}"
        )
    return use or names[0]


def _classes(cases: Path, outcome: str, files: Sequence[CaseFiles]) -> dict[str, str]:
    """The value of the column for each row that has one."""
    from isthmus.cohort.rows import row_ids

    frame = read_frame(cases).frame
    if outcome not in frame.columns:
        raise unknown_column(outcome, frame.columns, where=f"{cases}, the outcome")
    cells = frame[outcome].astype("str").str.strip()
    there = frame[outcome].notna().to_numpy() & (cells != "").to_numpy()
    rows = np.asarray(row_ids(frame, "patient"))
    found = {str(row): str(cell) for row, cell, known in zip(rows, cells, there, strict=True) if known}
    if not 2 <= len(set(found.values())) <= max(len(files) // 2, 2):
        raise TableError(
            f"{cases}: the column {outcome!r} holds {len(set(found.values()))} values in {len(found)} rows; expected two or more classes, "
            "each of several patients"
        )
    return found


def _rank(value: str) -> tuple[bool, float, str]:
    """Numbers by size, then words."""
    as_number = number(value)
    return (as_number is None, 0.0 if as_number is None else as_number, value)


def _crops(
    jobs: Sequence[Job], settings: DeepCaseSettings, workers: int
) -> tuple[list[NDArray[np.float32] | None], dict[str, str]]:
    """What the network sees of each lesion, None where it cannot be read, and why by row."""
    crops: list[NDArray[np.float32] | None] = [None] * len(jobs)
    failed: dict[str, str] = {}
    with Progress("crops", len(jobs)) as progress:

        def done(place: int, found: Any) -> None:
            if isinstance(found, Died):
                failed[jobs[place].case.row] = found.reason
            elif found.reasons:
                failed[jobs[place].case.row] = found.reasons[0]
            else:
                crops[place] = found.crops[0]
            for row, note in [] if isinstance(found, Died) else found.notes:
                log.warning("case %s: %s", row, note)
            progress.step()

        parallel(crop_lesions, [CropTask((job,), settings) for job in jobs], workers=min(workers, len(jobs)), done=done)
    return crops, failed


def _trained(
    module: Any, network: Network, lesions: _Lesions, learning: TrainSettings, start: WeightSettings, checkpoint: Path
) -> Trained:
    counts = [1 if network.sequence else len(one) for one in lesions.crops]
    crops, lengths = padded(lesions.crops) if network.sequence else (np.concatenate(lesions.crops), None)
    labels = None if lesions.labels is None else np.repeat(lesions.labels, counts)
    who = np.repeat(np.asarray(lesions.patients, dtype=str), counts).tolist()
    if start.origin == "pretrain":
        before = checkpoint.with_name(FILES["pretext"])
        pretrain(module, network, crops, who, start.pretext or PretextSettings(), learning, checkpoint=before)
    return train(module, crops, labels, who, learning, heads=network.heads, lengths=lengths, checkpoint=checkpoint)


def _ready(settings: DeepCaseSettings, sha256: str, cases: str) -> Mapping[str, Any]:
    """What `isthmus deep extract --params` and `deep explain` need to read the weights as they were trained."""
    document = settings.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    document["deep"].pop("train", None)
    given = settings.deep.encoder.weights.input.model_dump(mode="json", exclude_unset=True)
    document["deep"]["encoder"]["weights"] = {
        "origin": "file", "path": FILES["weights"], "sha256": sha256, "source": f"isthmus deep train, on {cases}",
        **({"input": given} if given else {}),
    }  # fmt: skip
    return document
