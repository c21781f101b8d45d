"""`isthmus deep extract`: features of a frozen network for one case, or for every row of a case table, without a study around them."""

from __future__ import annotations

import logging
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError, model_validator

from isthmus.deep import DeepSettings, Encoder, seen
from isthmus.deep.encoder import not_finite, one_torch_thread
from isthmus.errors import CaseError, IsthmusWarning, PlanError, TableError
from isthmus.image.prepare import PrepareSettings
from isthmus.roi.settings import Label, RegionSettings
from isthmus.settings import Section
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study.compute import Died, Progress, parallel, worker_count
from isthmus.study.data import label_of
from isthmus.study.deep_blocks import deep_facts, encoder_of
from isthmus.study.deep_repeats import write_repeatability
from isthmus.study.extract import exclusions_path, files_given, part_key_value, perturbation_names, perturbed_files
from isthmus.study.extraction import CaseFiles
from isthmus.study.store import make_folder
from isthmus.table import FeatureTable

__all__ = [
    "CropTask",
    "DeepCaseSettings",
    "DeepExtractSettings",
    "Job",
    "checked",
    "crop_lesions",
    "deep_document",
    "deep_extract_settings",
    "deep_to_file",
    "lesion_crops",
    "list_failed",
]

log = logging.getLogger("isthmus")


class DeepCaseSettings(Section):
    """[deep], and the keys of [image] and [roi] that hold for its image."""

    deep: DeepSettings
    image: PrepareSettings = PrepareSettings()
    roi: RegionSettings = RegionSettings()


class DeepExtractSettings(DeepCaseSettings):
    """Those of a frozen network."""

    @model_validator(mode="after")
    def _frozen(self) -> DeepExtractSettings:
        if self.deep.train is not None:
            raise ValueError(
                "deep.train: features are extracted from a frozen network; networks are trained inside the folds of a study, or by "
                "`isthmus deep train`"
            )
        return self


_PARTS = {
    "encoder": ("deep", "encoder"),
    "weights": ("deep", "encoder", "weights"),
    "input": ("deep", "encoder", "weights", "input"),
    "crop": ("deep", "crop"),
    "train": ("deep", "train"),
    "augment": ("deep", "train", "augment"),
    "image": ("image",),
    "roi": ("roi",),
}


def deep_extract_settings(
    *,
    network: str | None = None,
    weights: str | None = None,
    layer: str | None = None,
    pooling: str | None = None,
    params: Path | None = None,
    settings: Sequence[str] = (),
) -> DeepExtractSettings:
    """From a TOML file with `[deep.encoder]`, `[deep.crop]`, `[image]`, `[roi]`, and options over it.

    `weights` is a file, relative to the current folder, or "random"; a path in the TOML file is relative to that. `settings` are
    `PART.KEY=VALUE` with the parts encoder, weights, input, crop, image, roi.

    Raises
    ------
    PlanError
        Something is missing, unknown or of the wrong kind.
    """
    given = {"network": network, "layer": layer, "pooling": pooling}
    document = deep_document(given, weights, params, settings)
    if not _table(document, _PARTS["weights"]):
        raise PlanError(
            "--weights is missing: the file of the network's weights (nothing is downloaded), or random for an untrained network, whose "
            "features are called a random projection"
        )
    return checked(DeepExtractSettings, document)


Kind = TypeVar("Kind", bound=DeepCaseSettings)


def checked(kind: type[Kind], document: dict[str, Any]) -> Kind:
    """A document as settings; what is wrong is said by its key."""
    try:
        return kind.model_validate(document)
    except ValidationError as exc:
        known = partial(keys_of, kind)
        raise PlanError("\n".join(setting_messages(exc, document, known_keys=known, where="settings:"))) from exc


def deep_document(
    given: Mapping[str, str | None], weights: str | None, params: Path | None, settings: Sequence[str]
) -> dict[str, Any]:
    """What the TOML file says, with the options over it."""
    document = _document(params)
    for key, value in given.items():
        if value is not None:
            _table(document, ("deep", "encoder"))[key] = value
    for text in settings:
        part, key, value = part_key_value(text, _PARTS)
        _table(document, _PARTS[part])[key] = value
    said = _table(document, _PARTS["weights"])
    if weights == "random":
        said["origin"] = "random"
        said.pop("path", None)
    elif weights is not None:
        said |= {"origin": "file", "path": str(Path(weights).resolve())}
    return document


def _document(params: Path | None) -> dict[str, Any]:
    """What the TOML file says, the path of the weights made whole."""
    if params is None:
        return {}
    try:
        document: dict[str, Any] = tomllib.loads(params.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as exc:
        raise PlanError(f"{params}: not TOML: {exc}") from exc
    path = document.get("deep", {}).get("encoder", {}).get("weights", {}).get("path")
    if isinstance(path, str):
        document["deep"]["encoder"]["weights"]["path"] = str((params.parent / path).resolve())
    return document


def _table(document: dict[str, Any], place: Sequence[str]) -> dict[str, Any]:
    for key in place:
        document = document.setdefault(key, {})
    return document


# ---------------------------------------------------------------------- the command


@dataclass(frozen=True)
class Job:
    """One image of one row."""

    case: CaseFiles
    image: str
    label: Label


@dataclass(frozen=True)
class CropTask:
    """So many lesions as go through the network at a time; what is one batch does not depend on the number of workers."""

    jobs: tuple[Job, ...]
    settings: DeepCaseSettings
    encode: bool = False


@dataclass
class _Found:
    """Of each job of a task: its crops, or its features, or the reason why there are none; and what was noted."""

    crops: list[NDArray[np.float32]] = field(default_factory=list)
    rows: NDArray[np.float32] | None = None
    reasons: dict[int, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)


def deep_to_file(
    out: Path,
    settings: DeepExtractSettings,
    *,
    image: Path | None = None,
    mask: Path | None = None,
    cases: Path | None = None,
    label: str | None = None,
    perturb: Sequence[str] = (),
    root: str | None = None,
    workers: int = 0,
) -> int:
    """Write the features to `out` (.csv or .parquet), the facts of the columns and of the encoder beside it; how many cases failed.

    With `perturb` (`KEY=VALUE`, as of `isthmus extract`) every row comes once more per perturbation: a table of repeats for
    `[select.reliability]`, and beside it how far each feature (`.reliability.csv`) and each lesion (`.cosine.csv`) came out again.

    Raises
    ------
    PlanError
        The arguments do not fit together, or torch is not installed.
    WeightsError
        The weights are refused.
    CaseError
        The one case asked for cannot be processed.
    TableError
        Every case of the table failed.
    """
    if out.is_dir() or out.suffix not in (".csv", ".parquet"):
        raise PlanError(f"--out {out}: expected the name of a file that ends in .csv or .parquet")
    files = perturbed_files(files_given(image, mask, cases, root, mask_name="image"), perturb)
    encoder = encoder_of(settings.deep)  # before any image is read: wrong weights are told at once
    given = None if label is None else label_of(label)
    names = list(dict.fromkeys(name for case in files for name in case.images))
    jobs = [Job(case, name, case.labels.get(name, given)) for case in files for name in names]
    values, reasons, notes = _describe(jobs, settings, encoder, worker_count(workers))
    for row, note in dict.fromkeys(notes):
        log.warning("case %s: %s", row, note)
    failed: dict[str, str] = {}
    for position, reason in reasons.items():
        failed.setdefault(jobs[position].case.row, reason)
    if cases is None and failed:
        raise CaseError(failed[files[0].row], case=files[0].row)
    make_folder(out.parent)
    table = _write(out, files, names, values, failed, encoder)
    if perturb:
        write_repeatability(out, table)
    if len(failed) == len(files):
        raise TableError(
            f"every case failed; the reasons are in {exclusions_path(out)}. The first: {next(iter(failed.values()))}"
        )
    return len(failed)


def _describe(
    jobs: Sequence[Job], settings: DeepExtractSettings, encoder: Encoder, workers: int
) -> tuple[NDArray[np.float32], dict[int, str], list[tuple[str, str]]]:
    """Features of every job, reasons by position where there are none, notes by row. On a processor every worker has the network; a GPU
    is fed by this process, while the workers read and crop."""
    step = settings.deep.encoder.batch
    here = encoder.device != "cpu"
    tasks = [
        CropTask(tuple(jobs[start : start + step]), settings, encode=not here) for start in range(0, len(jobs), step)
    ]
    with one_torch_thread():
        values = np.full((len(jobs), encoder.width), np.nan, np.float32)
    reasons: dict[int, str] = {}
    notes: list[tuple[str, str]] = []
    with Progress("deep features", len(tasks)) as progress:

        def done(number: int, found: _Found | Died) -> None:
            start = number * step
            if isinstance(found, Died):
                reasons.update(dict.fromkeys(range(start, start + len(tasks[number].jobs)), found.reason))
            else:
                rows = encoder.describe(found.crops) if found.rows is None else found.rows
                good = [n for n in range(len(tasks[number].jobs)) if n not in found.reasons]
                for n, row in zip(good, rows, strict=True):
                    values[start + n] = row
                    if reason := not_finite(row):
                        found.reasons[n] = reason
                reasons.update({start + n: reason for n, reason in found.reasons.items()})
                notes.extend(found.notes)
            progress.step()

        parallel(crop_lesions, tasks, workers=min(workers, len(tasks)), done=done)
    return values, dict(sorted(reasons.items())), notes


def crop_lesions(task: CropTask) -> _Found:
    """Read and crop the lesions of a task, and encode them where the network is to run here."""
    found = _Found()
    for number, job in enumerate(task.jobs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found.crops.append(lesion_crops(job, task.settings))
            except CaseError as error:
                found.reasons[number] = error.reason
        found.notes += [(job.case.row, str(w.message)) for w in caught if issubclass(w.category, IsthmusWarning)]
    if task.encode:
        with one_torch_thread():
            found.rows = encoder_of(task.settings.deep).describe(found.crops)
        found.crops = []
    return found


def lesion_crops(job: Job, settings: DeepCaseSettings) -> NDArray[np.float32]:
    from isthmus.study.preparation import prepare_case, region_of

    paths: list[Path] = []
    for kind, table in (("image", job.case.images), ("mask", job.case.masks)):
        if table.get(job.image) is None:
            raise CaseError(f"the case table gives no {kind}:{job.image} here. Fill the cell in")
        paths.append(table[job.image])
    prepared = prepare_case(paths[0], paths[1], job.label, settings.image, judge=False)
    return seen(*region_of(prepared, settings.roi, perturbation=job.case.perturbation), settings.deep)


def _write(
    out: Path,
    files: Sequence[CaseFiles],
    names: Sequence[str],
    values: NDArray[np.float32],
    failed: Mapping[str, str],
    encoder: Encoder,
) -> FeatureTable:
    """One row a case that did not fail; with several images, their names stand in front of the columns."""
    columns = []
    for name in names:
        facts = encoder.columns(image=name, roi=name)
        columns += [replace(meta, column=f"{name}_{meta.column}") for meta in facts] if len(names) > 1 else list(facts)
    good = [case.row not in failed for case in files]
    wide = values.reshape(len(files), -1)[good].astype(np.float64)
    index = pd.Index([case.row for case in files if case.row not in failed])
    rows = pd.DataFrame({"patient": [case.patient for case in files if case.row not in failed]}, index=index)
    if any(case.row != case.patient for case in files):
        rows.insert(0, "row", rows.index)
    if any(case.perturbation for case in files):
        rows["perturbation"] = perturbation_names(files, rows.index)
    table = pd.DataFrame(wide, index=index, columns=[meta.column for meta in columns])
    found = FeatureTable(table, rows, tuple(columns))
    found.write(out)
    beside = out.with_name(out.name.removesuffix(out.suffix) + ".encoder.json")
    beside.write_text(deep_facts(encoder.settings), encoding="utf-8")
    list_failed(exclusions_path(out), files, failed)
    return found


def list_failed(path: Path, files: Sequence[CaseFiles], failed: Mapping[str, str]) -> None:
    """Why each of some rows failed, as a table; none where none did, whatever an earlier call had left."""
    path.unlink(missing_ok=True)
    if failed:
        listed = [(case.row, case.patient, "deep", failed[case.row]) for case in files if case.row in failed]
        pd.DataFrame(listed, columns=["row", "patient", "step", "reason"]).to_csv(path, index=False)
        log.warning("%d of %d cases failed; reasons: %s", len(failed), len(files), path)
