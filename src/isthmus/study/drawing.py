"""Masks drawn case by case, by a network or from clicks: each with its origin beside it, and one that is there is not drawn again.

What a row says of its mask is read from the mask's origin, whether the mask was drawn now or before.
"""

from __future__ import annotations

import dataclasses
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.cohort.rows import path_cells, row_ids
from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.library import best_device, load_torch
from isthmus.errors import CaseError, ImageReadError, IsthmusError, MaskError, PlanError, TableError
from isthmus.image import Geometry, Image
from isthmus.image.io import read_image, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.origin import MaskOrigin, origin_kind, origin_path, read_origin, write_origin
from isthmus.segment.folder import FILES, Fold, SegmentationModel
from isthmus.segment.grow import grow_recorded, grow_settings, read_seeds
from isthmus.segment.infer import draw, predict_rows
from isthmus.segment.prepare import grid_of, prepare_image
from isthmus.segment.settings import DrawSettings
from isthmus.segment.tidy import drop_far, drop_small, keep_largest
from isthmus.segment.train import memory_advice
from isthmus.study.store import digest, file_name, hash_path, make_folder, write_table
from isthmus.table.reading import TextTable, read_frame

__all__ = ["COLUMNS", "ClickPen", "Drawn", "Job", "NetworkPen", "Pen", "draw_rows", "write_cases"]

log = logging.getLogger("isthmus")

COLUMNS = ("row", "patient", "image", "mask", "label", "origin", "method", "seen", "networks", "confidence", "agreement", "voxels",
           "volume_ml", "parts", "reason")  # fmt: skip
"""Of the rows that `draw_rows` gives; `reason` says why a row has no mask, or that it is empty."""


@dataclass(frozen=True)
class Job:
    """A row of the case table, whose patient it is, and the image to draw in, where the table names one."""

    row: str
    patient: str
    path: Path | None


@dataclass(frozen=True)
class Drawn:
    """A label map on its image's grid, which of its values is the lesion, how it was made; of a network perhaps the uncertainty."""

    labels: NDArray[np.uint8]
    geometry: Geometry
    label: int
    origin: MaskOrigin
    uncertainty: NDArray[np.int16] | None = None


class Pen(Protocol):
    """What draws a mask; `says` names it."""

    says: str

    def mark(self, job: Job) -> str:
        """Stands for everything a mask depends on but the image: with another mark it is drawn again."""

    def refuses(self, job: Job, image: Image) -> str | None:
        """Why this case would not be drawn, as far as that is known beforehand."""

    def draw(self, job: Job) -> Drawn:
        """Of a job with a path; raises `CaseError` where the case cannot be drawn."""


def draw_rows(
    jobs: Sequence[Job],
    pen: Pen,
    out: Path,
    *,
    resume: bool,
    done: Callable[[list[dict[str, Any]]], None] | None = None,
) -> list[dict[str, Any]]:
    """Draw every case into `out`: `<row>.nii.gz`, its origin beside it; one that fails has a reason and the others go on.

    Parameters
    ----------
    jobs : sequence of Job
    pen : Pen
    out : Path
        A folder.
    resume : bool
        Keep the masks that are there and were drawn alike, from the same image.
    done : callable, optional
        Given the rows so far after each case.

    Returns
    -------
    list of dict
        `COLUMNS`; a row that failed has its reason and no mask.
    """
    make_folder(out)
    rows: list[dict[str, Any]] = []
    for job in jobs:
        try:
            rows.append(_one(job, pen, out, resume=resume))
        except CaseError as error:
            rows.append(_failed(job, error.reason))
        except IsthmusError:
            raise  # no fault of the case: every other one would fail too
        except Exception as error:
            log.debug("unexpected error", exc_info=True)
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"unexpected {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            rows.append(_failed(job, f"{told}; please report this"))
        if done is not None:
            done(rows)
    return rows


def _failed(job: Job, reason: str) -> dict[str, Any]:
    log.warning("case %s: %s", job.row, reason)
    return {
        **dict.fromkeys(COLUMNS),
        "row": job.row,
        "patient": job.patient,
        "image": _text(job.path),
        "reason": reason,
    }


def _one(job: Job, pen: Pen, out: Path, *, resume: bool) -> dict[str, Any]:
    if job.path is None:
        raise CaseError("the table names no image")
    path = out / f"{file_name(job.row)}.nii.gz"
    try:
        mark = digest(job.patient, pen.mark(job), hash_path(job.path))
    except OSError as error:
        raise ImageReadError(f"cannot read {job.path}: {error.strerror or error}. Check the path") from error
    before = _before(path, mark) if resume else None
    if before is not None:
        return _row(job, path, before)
    origin_path(path).unlink(missing_ok=True)  # a mask without one is unfinished
    found = pen.draw(job)
    write_labels(LabelImage(found.labels, found.geometry), path)
    if found.uncertainty is not None:
        write_image(Image(found.uncertainty, found.geometry), out / f"{file_name(job.row)}.uncertainty.nii.gz")
    lesion = found.labels == found.label
    facts = {
        **found.origin.facts, "label": found.label, "voxels": int(lesion.sum()),
        "volume_ml": float(lesion.sum() * found.geometry.voxel_volume_mm3 / 1000), "parts": _parts(lesion), "mark": mark,
    }  # fmt: skip
    origin = dataclasses.replace(found.origin, facts=facts)
    write_origin(origin, path)
    return _row(job, path, origin)


def _before(path: Path, mark: str) -> MaskOrigin | None:
    """The origin of the mask that is there, if it was drawn alike."""
    try:
        origin = read_origin(path) if path.is_file() else None
    except MaskError:
        return None
    return origin if origin is not None and origin.facts.get("mark") == mark else None


def _row(job: Job, path: Path, origin: MaskOrigin) -> dict[str, Any]:
    facts = origin.facts
    said = {name: facts.get(name) for name in COLUMNS}
    networks = None if facts.get("networks") is None else len(facts["networks"])
    reason = "" if facts["volume_ml"] > 0 else "no lesion was found"
    return {
        **said, "row": job.row, "patient": job.patient, "image": _text(job.path), "mask": path.name, "origin": origin.kind,
        "networks": networks, "reason": reason,
    }  # fmt: skip


def _text(path: Path | None) -> str:
    return "" if path is None else str(path)


def _parts(mask: NDArray[np.bool_]) -> int:
    from scipy import ndimage

    return int(ndimage.label(mask, np.ones((3, 3, 3)))[1]) if mask.any() else 0


def write_cases(
    read: TextTable, name: str, rows: Sequence[Mapping[str, Any]], out: Path, *, root: Path | None,
    present: Mapping[str, Path] = MappingProxyType({}),
) -> None:  # fmt: skip
    """`cases.csv` in `out`: the case table with the masks it had (`present`) and the new ones, and `mask_origin`; rows with neither are
    left out, as a mask that is not there excludes its case. Images and other masks are named by whole paths, which hold from any folder."""
    good = {row["row"]: row for row in rows if not row["reason"]}
    ids = row_ids(read.frame, "patient")
    kept = read.frame[ids.isin([*good, *present])].copy()
    columns = [column for column in kept.columns if column.startswith(("image:", "mask:"))]
    kept[columns] = path_cells(kept, columns, root or read.path.resolve().parent)[columns]
    for column in (f"mask:{name}", f"label:{name}", "mask_origin"):
        kept[column] = kept[column].astype(object) if column in kept else None
    for place, row in zip(kept.index, ids[kept.index], strict=True):
        if row in present:
            if pd.isna(kept.loc[place, "mask_origin"]):
                kept.loc[place, "mask_origin"] = origin_kind(present[row])
            continue
        kept.loc[place, f"mask:{name}"] = good[row]["mask"]
        kept.loc[place, f"label:{name}"] = good[row]["label"]
        kept.loc[place, "mask_origin"] = good[row]["origin"]
    write_table(out / "cases.csv", kept)


# ---------------------------------------------------------------------- a trained network


class NetworkPen:
    """A trained model: a case that trained a network is drawn by those that never saw it, or, unless `seen`, not at all.

    Raises
    ------
    PlanError
        The folder is no model, or the structure to be near is none of its labels.
    """

    def __init__(self, folder: Path, settings: DrawSettings, *, seen: bool = False) -> None:
        load_torch("segmentation")
        self.model = SegmentationModel.open(folder)
        self.settings = settings
        self.seen = seen
        if settings.near is not None and settings.near not in self.model.configuration.labels:
            raise PlanError(f"near = {settings.near!r}: the model draws {', '.join(self.model.configuration.names)}")
        self.device = best_device() if settings.device == "auto" else settings.device
        self._modules: dict[int, Any] = {}

        self.method = f"{self.model.configuration.network}, model {self.model.fingerprint[:12]}"
        judged = self.model.lesion_dice
        worth = "never judged" if judged is None else f"lesion Dice {judged.mean:.2f} on {judged.cases} held-out cases"
        self.says = f"a network ({self.method}; {worth})"

    def refuses(self, job: Job, image: Image) -> str | None:
        if self.seen or self.model.unseen_by(job.patient, image.fingerprint)[1] != "seen":
            return None
        return (
            "every network of the model was trained on this case, so its mask would not be one of an unseen case. Its masks "
            f"drawn out of fold, if there are any, lie in {self.model.folder / FILES['out_of_fold']}; `segment predict --seen` draws it "
            "all the same and says so"
        )

    def mark(self, job: Job) -> str:
        how = self.settings.model_dump_json(include=set(DrawSettings.model_fields) - {"device", "missing"})
        return digest(self.model.fingerprint, self.model.largest, how, self.seen)

    def draw(self, job: Job) -> Drawn:
        model, configuration, settings = self.model, self.model.configuration, self.settings
        assert job.path is not None
        image = read_image(job.path)
        refused = self.refuses(job, image)
        if refused is not None:
            raise CaseError(refused)
        folds, seen = model.unseen_by(job.patient, image.fingerprint)
        folds = folds or model.folds
        largest = model.largest_without(folds[0]) if seen == "out_of_fold" else model.largest
        inner, grid = grid_of(image.values, image.geometry, configuration)
        values = prepare_image(inner, grid, configuration)
        geometry, source = image.geometry, image.source
        del inner, image  # the largest arrays but one
        with memory_advice(), one_torch_thread():
            pieces = predict_rows(
                [self._module(fold) for fold in folds], values, configuration, intensities=[fold.intensities for fold in folds],
                device=self.device, overlap=settings.overlap, mirror=settings.mirror,
            )  # fmt: skip
            found = draw(pieces, grid, configuration, uncertainty=settings.uncertainty)
        labels = _tidied(
            found.labels, configuration.labels, configuration.lesion, largest, geometry.spacing_mm, settings
        )
        label = configuration.labels[configuration.lesion]
        facts = {
            "method": self.method, "model": model.fingerprint, "seen": seen, "networks": [fold.number for fold in folds], "image": source,
            "confidence": found.confidence, "agreement": found.agreement, "labels": dict(configuration.labels), "largest": list(largest),
            "overlap": settings.overlap, "mirror": settings.mirror, "least_mm3": settings.least_mm3, "near": settings.near,
            "near_mm": settings.near_mm if settings.near else None, "device": self.device,
        }  # fmt: skip
        uncertainty = None if found.uncertainty is None else found.uncertainty.astype(np.int16)
        return Drawn(labels, geometry, label, MaskOrigin.of(labels == label, "network", **facts), uncertainty)

    def _module(self, fold: Fold) -> Any:
        if fold.number not in self._modules:
            self._modules[fold.number] = self.model.module(fold, self.device)
        return self._modules[fold.number]


def _tidied(
    labels: NDArray[np.uint8], values: Mapping[str, int], lesion_name: str, largest: Sequence[str], spacing_mm: tuple[float, float, float],
    settings: DrawSettings,
) -> NDArray[np.uint8]:  # fmt: skip
    """Largest parts where held-out cases had it, then what the user asked for; of the lesion only."""
    for name in largest:
        mask = labels == values[name]
        labels[mask & ~keep_largest(mask)] = 0
    lesion = values[lesion_name]
    if settings.least_mm3 > 0:
        mask = labels == lesion
        labels[mask & ~drop_small(mask, spacing_mm, settings.least_mm3)] = 0
    if settings.near is not None:
        mask = labels == lesion
        labels[mask & ~drop_far(mask, labels == values[settings.near], spacing_mm, settings.near_mm)] = 0
    return labels


# ---------------------------------------------------------------------- clicks


class ClickPen:
    """A method of `isthmus segment grow` and a table of clicks with a column `case`, the rows' names.

    Raises
    ------
    PlanError
        An unknown method or setting.
    TableError
        There is no such table, it cannot be read, or it has no column `case`.
    """

    def __init__(self, seeds: Path, method: str, settings: Mapping[str, Any], *, label: int = 1) -> None:
        grow_settings(method, settings)
        clicks = read_frame(seeds).frame.fillna("")
        if "case" not in clicks:
            raise TableError(f"seeds {seeds}: a column case is needed, the name of the row each click belongs to")
        self.seeds, self.method, self.settings, self.label = seeds, method, dict(settings), label
        self.says = f"{method} from the clicks of {seeds.name}"
        self._clicks = clicks.groupby("case")

    def mark(self, job: Job) -> str:
        clicks = self.clicks(job.row)
        return digest(self.method, sorted(self.settings.items()), clicks, self.label)

    def clicks(self, row: str) -> str:
        """The rows of the table that are this case's, as text; empty where there are none."""
        return self._clicks.get_group(row).to_csv(index=False) if row in self._clicks.groups else ""

    def refuses(self, job: Job, image: Image) -> str | None:
        return (
            None if self.clicks(job.row) else f"no seed of this case in {self.seeds}: click at least once in the lesion"
        )

    def draw(self, job: Job) -> Drawn:
        assert job.path is not None
        image = read_image(job.path)
        refused = self.refuses(job, image)
        if refused is not None:
            raise CaseError(refused)
        try:
            seeds = read_seeds(self.seeds, image.geometry, case=job.row)
            mask, origin = grow_recorded(image, seeds, method=self.method, **self.settings)
        except PlanError as error:  # of this image: the settings are sound
            raise CaseError(str(error)) from error
        return Drawn(mask.astype(np.uint8) * np.uint8(self.label), image.geometry, self.label, origin)
