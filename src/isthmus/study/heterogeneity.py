"""`isthmus habitat`: supervoxels, iTED and ITHscore of one case, or of every row of a case table, without a study around them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from isthmus.errors import CaseError, PlanError, TableError
from isthmus.habitat.case import Description, case_columns, describe
from isthmus.habitat.settings import HeterogeneitySettings, shared_keys
from isthmus.image import Image
from isthmus.image.io import read_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi import Roi, read_roi
from isthmus.roi.perturb import MARGIN_MM
from isthmus.roi.perturb import perturb as perturbed
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study.compute import Died, parallel, worker_count
from isthmus.study.data import label_of
from isthmus.study.extract import files_given, part_key_value, perturbation_names, perturbed_files
from isthmus.study.extraction import CaseFiles
from isthmus.study.store import file_name, make_folder

__all__ = ["habitat_to_folder", "heterogeneity_settings"]

log = logging.getLogger("isthmus")


Draw = Callable[[Image, Roi, Description, HeterogeneitySettings, Path, str], Any]
"""What draws the figures of a lesion into a folder: `isthmus.report.heterogeneity.lesion_figures`; the report stands above this room."""


@dataclass(frozen=True)
class _Task:
    case: CaseFiles
    image: str
    label: Any
    settings: HeterogeneitySettings
    folder: Path
    draw: Draw | None


def habitat_to_folder(
    out: Path,
    *,
    image: Path | None = None,
    mask: Path | None = None,
    cases: Path | None = None,
    label: str | None = None,
    settings: Sequence[str] = (),
    perturb: Sequence[str] = (),
    root: str | None = None,
    workers: int = 0,
    draw: Draw | None = None,
) -> int:
    """Write `features.csv`, `reasons.csv`, and each case's `supervoxels.nii.gz` and `clusters.nii.gz`; how many cases failed.

    With `perturb` (`KEY=VALUE`, as of `isthmus extract`) every row comes once more per perturbation, numbers only: a table of repeats for
    [select] reliability.

    `draw` is called for each lesion in the process that measured it (so it must be a function of a module), with the folder of its maps.

    Raises
    ------
    PlanError
        The arguments do not fit together, or a setting is unknown.
    CaseError
        The one case asked for cannot be processed.
    TableError
        Every case of the table failed.
    """
    if out.exists() and not out.is_dir():
        raise PlanError(f"--out {out} is a file; expected a folder")
    resolved = heterogeneity_settings(settings)
    files = perturbed_files(files_given(image, mask, cases, root, mask_name="image"), perturb)
    given = None if label is None else label_of(label)
    several = len({name for case in files for name in case.images}) > 1
    tasks = []
    for case in files:
        for name in case.images:
            place = out if cases is None else out / file_name(case.row) / (file_name(name) if several else "")
            tasks.append(_Task(case, name, case.labels.get(name, given), resolved, place, draw))
    make_folder(out)
    found: list[dict[str, Any]] = [{}] * len(tasks)

    def done(position: int, value: dict[str, Any] | Died) -> None:
        found[position] = {"error": value.reason} if isinstance(value, Died) else value
        if "error" in found[position]:
            log.warning("case %s: %s", tasks[position].case.row, found[position]["error"])

    parallel(_one, tasks, workers=min(worker_count(workers), len(tasks)), done=done)
    if cases is None and "error" in found[0]:
        raise CaseError(found[0]["error"], case=tasks[0].case.row)
    failed = {task.case.row for task, one in zip(tasks, found, strict=True) if "error" in one}
    _write(out, tasks, found, several)
    if len(failed) == len(files):
        raise TableError(f"every case failed; the reasons are in {out / 'reasons.csv'}. The first: {found[0]['error']}")
    return len(failed)


def heterogeneity_settings(texts: Sequence[str]) -> HeterogeneitySettings:
    """From `--set PART.KEY=VALUE`, such as `supervoxels.volume_mm3=200`. `window` of the supervoxels and `bin_width` of their features hold
    for `ith2d`, too, unless it is given its own."""
    document: dict[str, dict[str, Any]] = {}
    for text in texts:
        part, key, value = part_key_value(text, HeterogeneitySettings.model_fields)
        document.setdefault(part, {})[key] = tuple(value) if isinstance(value, list) else value
    document = shared_keys(document)
    known = partial(keys_of, HeterogeneitySettings)
    try:
        return HeterogeneitySettings.model_validate(document)
    except ValidationError as exc:
        raise PlanError("\n".join(setting_messages(exc, document, known_keys=known, where="--set"))) from exc


def _one(task: _Task) -> dict[str, Any]:
    """One lesion: its row and its maps; the reason where it cannot be read or measured."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            image = read_image(task.case.images[task.image])
            if task.image not in task.case.masks:
                raise CaseError(f"no mask for the image {task.image!r}")
            roi = read_roi(task.case.masks[task.image], image, label=task.label)
            if task.case.perturbation is not None:
                image, roi = perturbed(image, roi, task.case.perturbation, margin_mm=MARGIN_MM)
            found = describe(image, roi, task.settings, patient=task.case.patient)
        except CaseError as error:
            return {"error": error.reason}
    if task.case.perturbation is not None:
        return {"values": found.values.to_dict(), "reasons": found.reasons}
    if found.pieces is not None and found.clusters is not None:
        make_folder(task.folder)
        for name, labels in (("supervoxels", found.pieces.labels), ("clusters", found.clusters)):
            write_labels(LabelImage(labels, found.pieces.geometry), task.folder / f"{name}.nii.gz")
    return {"values": found.values.to_dict(), "reasons": found.reasons | _drawn(task, image, roi, found)}


def _drawn(task: _Task, image: Image, roi: Roi, found: Description) -> dict[str, str]:
    """Draw the figures; a failure costs no number and is a reason."""
    if task.draw is None:
        return {}
    make_folder(task.folder)
    try:
        task.draw(image, roi, found, task.settings, task.folder, task.case.row)
    except Exception as exc:
        log.debug("no figures", exc_info=True)
        return {"figures": f"not drawn ({type(exc).__name__}: {exc})"}
    return {}


def _write(out: Path, tasks: Sequence[_Task], found: Sequence[dict[str, Any]], several: bool) -> None:
    """A row a case, columns of several images under their names; a row a reason."""
    rows: dict[str, dict[str, Any]] = {}
    reasons = []
    for task, one in zip(tasks, found, strict=True):
        before = f"{task.image}_" if several else ""
        row = rows.setdefault(task.case.row, {"row": task.case.row, "patient": task.case.patient})
        for column in case_columns(task.settings):
            row[before + column] = one.get("values", {}).get(column, float("nan"))
        why = one.get("reasons", {"": one.get("error", "")})
        reasons += [
            (task.case.row, task.case.patient, before + column if column else "", reason)
            for column, reason in why.items()
        ]
    table = pd.DataFrame(list(rows.values()))
    cases = [task.case for task in tasks]
    if any(case.perturbation for case in cases):
        table.insert(2, "perturbation", perturbation_names(cases, table["row"]))
    if (table["row"] == table["patient"]).all():
        table = table.drop(columns="row")
    table.to_csv(out / "features.csv", index=False)
    pd.DataFrame(reasons, columns=["row", "patient", "column", "reason"]).to_csv(out / "reasons.csv", index=False)
