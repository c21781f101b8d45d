"""`isthmus segment predict`: masks of a trained model, with what they are worth.

A case that trained a network is drawn by the networks that never saw it, or not at all unless asked for by name; what was done stands in
the row's `seen` column.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.library import best_device, load_torch
from isthmus.errors import CaseError, PlanError, TableError, first_few
from isthmus.image import Image
from isthmus.image.io import read_image, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.origin import MaskOrigin, read_origin, write_origin
from isthmus.segment.folder import FILES, Fold, SegmentationModel
from isthmus.segment.infer import draw, predict_rows
from isthmus.segment.prepare import grid_of, prepare_image
from isthmus.segment.tidy import drop_far, drop_small, keep_largest
from isthmus.segment.train import memory_advice
from isthmus.study.extract import without_ending
from isthmus.study.segmentation import image_name, only_image
from isthmus.study.store import make_folder, write_table

__all__ = ["COLUMNS", "PredictSettings", "segment_predict"]

log = logging.getLogger("isthmus")

COLUMNS = (
    "row",
    "patient",
    "image",
    "mask",
    "label",
    "seen",
    "networks",
    "confidence",
    "agreement",
    "volume_ml",
    "parts",
    "reason",
)
"""Of `predictions.csv`; `reason` says why a row has no mask, or that it is empty."""


@dataclass(frozen=True)
class PredictSettings:
    """How masks are drawn: window overlap, mirroring, the smallest part in mm3, parts farther than so many mm from an organ dropped, an
    uncertainty map beside each mask, whether a case that every network has seen is drawn all the same, and whether only rows without a mask
    are drawn, the others keeping theirs."""

    overlap: float = 0.5
    mirror: bool = True
    least_mm3: float = 0.0
    near: str | None = None
    near_mm: float = 15.0
    uncertainty: bool = False
    seen: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    missing: bool = False


@dataclass(frozen=True)
class _Job:
    row: str
    patient: str
    path: Path


def segment_predict(
    model: Path,
    out: Path,
    settings: PredictSettings,
    *,
    image: Path | None = None,
    cases: Path | None = None,
    use: str | None = None,
    root: str | None = None,
    resume: bool = False,
) -> int:
    """Write masks (`<row>.nii.gz` with their origin beside them) and `predictions.csv` into a folder; how many cases failed.

    With a case table, also `cases.csv`: the same table with its mask: and label: columns pointing at the new masks (`settings.missing`: at
    those the table has, and at new ones in the other rows).

    Raises
    ------
    PlanError
        The folder is no model, or the arguments do not fit together.
    CaseError
        The one image asked for cannot be segmented.
    TableError
        Every case failed; only rows without a mask are asked for, and there are none, or a mask that a row names is not there.
    """
    load_torch("segmentation")
    opened = SegmentationModel.open(model)
    if settings.near is not None and settings.near not in opened.configuration.labels:
        raise PlanError(f"--near {settings.near!r}: the model draws {', '.join(opened.configuration.names)}")
    jobs, name, frame = _jobs(image, cases, use, root)
    present: dict[str, Path] = {}
    if settings.missing:
        present = _present(frame, name, cases, root)
        jobs = [job for job in jobs if job.row not in present]
        if not jobs:
            raise TableError(
                f"{cases}: every row names a mask:{name}, so there is none to draw; without --missing all are drawn"
            )
    make_folder(out)
    device = best_device() if settings.device == "auto" else settings.device
    modules: dict[int, Any] = {}
    rows: list[dict[str, Any]] = []
    table = out / "predictions.csv"
    done = _done(table, out) if resume else {}
    for job in jobs:
        if job.row in done:
            rows.append(done[job.row])
            continue
        try:
            rows.append(_draw_one(job, opened, modules, out, settings, device))
        except CaseError as error:
            if cases is None:
                raise CaseError(error.reason, case=job.row) from error
            log.warning("case %s: %s", job.row, error.reason)
            rows.append({"row": job.row, "patient": job.patient, "image": str(job.path), "reason": error.reason})
        write_table(table, pd.DataFrame(rows, columns=list(COLUMNS)))
    failed = sum("mask" not in row or not isinstance(row["mask"], str) for row in rows)
    if failed == len(rows):
        raise TableError(f"every case failed; the first: {rows[0]['reason']}")
    if frame is not None:
        _write_cases(frame, name, rows, present, out, opened)
    return failed


def _jobs(
    image: Path | None, cases: Path | None, use: str | None, root: str | None
) -> tuple[list[_Job], str, pd.DataFrame | None]:
    if (image is None) == (cases is None):
        raise PlanError("give either --image (one case) or --cases (many)")
    if image is not None:
        row = without_ending(image.resolve().name)
        return [_Job(row, row, image)], "image", None
    from isthmus.cohort.rows import case_rows
    from isthmus.study.data import case_files
    from isthmus.table.paths import resolve_path
    from isthmus.table.reading import read_frame

    assert cases is not None
    read = read_frame(cases)
    names = [column.removeprefix("image:") for column in read.frame.columns if column.startswith("image:")]
    folder = resolve_path(root, Path.cwd()) if root is not None else None
    files = case_files(case_rows(read, root=folder, images=names, masks=[]))
    name = only_image(files, use)
    return [_Job(case.row, case.patient, case.images[name]) for case in files if name in case.images], name, read.frame


def _present(frame: pd.DataFrame | None, name: str, cases: Path | None, root: str | None) -> dict[str, Path]:
    """The masks that rows of the table name. A name without a file is an error: it is likelier to be misspelt than to mean "draw it"."""
    from isthmus.cohort.rows import path_cells, row_ids
    from isthmus.table.paths import resolve_path

    if frame is None or cases is None:
        raise PlanError("--missing looks for rows without a mask in a case table: give --cases")
    column = f"mask:{name}"
    if column not in frame.columns:
        return {}
    start = resolve_path(root, Path.cwd()) if root is not None else cases.resolve().parent
    cells = path_cells(frame, [column], start)[column].set_axis(row_ids(frame, "patient")).dropna()
    found = {str(row): Path(cell) for row, cell in cells.items()}
    lost = [f"{row} ({path})" for row, path in found.items() if not path.exists()]
    if lost:
        raise TableError(
            f"{cases}: {column} names files that are not there: {first_few(lost)}. Correct or empty the cells"
        )
    return found


def _done(table: Path, out: Path) -> dict[str, dict[str, Any]]:
    """Rows of an earlier call whose masks are there."""
    if not table.exists():
        return {}
    frame = pd.read_csv(table, dtype={"row": str, "patient": str})
    return {
        str(row["row"]): {str(key): value for key, value in row.items()}
        for row in frame.to_dict("records")
        if isinstance(row["mask"], str) and (out / row["mask"]).exists()
    }


def _draw_one(
    job: _Job, model: SegmentationModel, modules: dict[int, Any], out: Path, settings: PredictSettings, device: str
) -> dict[str, Any]:
    """Draw one case and write its files; its row."""
    configuration = model.configuration
    image = read_image(job.path)
    folds, seen = model.unseen_by(job.patient, image.fingerprint)
    if seen == "seen":
        if not settings.seen:
            raise CaseError(
                "every network of the model was trained on this case, so its mask would not be one of an unseen case. Its masks drawn out "
                f"of fold, if there are any, lie in {model.folder / FILES['out_of_fold']}; --seen draws it all the same and says so"
            )
        folds = model.folds
    inner, grid = grid_of(image.values, image.geometry, configuration)
    values = prepare_image(inner, grid, configuration)
    geometry, quantity_source = image.geometry, image.source
    del inner, image  # the largest arrays but one
    with memory_advice(), one_torch_thread():
        pieces = predict_rows(
            [_module(model, fold, modules, device) for fold in folds], values, configuration,
            intensities=[fold.intensities for fold in folds], device=device, overlap=settings.overlap, mirror=settings.mirror,
        )  # fmt: skip
        found = draw(pieces, grid, configuration, uncertainty=settings.uncertainty)
    labels = _tidied(found.labels, model, geometry.spacing_mm, settings)
    lesion = labels == configuration.labels[configuration.lesion]
    path = out / f"{image_name(job.row)}.nii.gz"
    write_labels(LabelImage(labels, geometry), path)
    facts = {
        "method": f"{configuration.network}, model {model.fingerprint[:12]}", "model": model.fingerprint, "seen": seen,
        "networks": [fold.number for fold in folds], "image": quantity_source, "confidence": found.confidence,
        "labels": dict(configuration.labels), "largest": list(model.largest), "overlap": settings.overlap, "mirror": settings.mirror,
        "least_mm3": settings.least_mm3, "near": settings.near, "near_mm": settings.near_mm if settings.near else None, "device": device,
    }  # fmt: skip
    write_origin(MaskOrigin.of(lesion, "network", **facts), path)
    if found.uncertainty is not None:
        write_image(
            Image(found.uncertainty.astype(np.int16), geometry), out / f"{image_name(job.row)}.uncertainty.nii.gz"
        )
    return {
        "row": job.row, "patient": job.patient, "image": str(job.path), "mask": path.name,
        "label": configuration.labels[configuration.lesion], "seen": seen, "networks": len(folds), "confidence": found.confidence,
        "agreement": found.agreement, "volume_ml": float(lesion.sum() * geometry.voxel_volume_mm3 / 1000), "parts": _parts(lesion),
        "reason": "" if lesion.any() else "no lesion was found",
    }  # fmt: skip


def _module(model: SegmentationModel, fold: Fold, modules: dict[int, Any], device: str) -> Any:
    if fold.number not in modules:
        modules[fold.number] = model.module(fold, device)
    return modules[fold.number]


def _tidied(
    labels: NDArray[np.uint8],
    model: SegmentationModel,
    spacing_mm: tuple[float, float, float],
    settings: PredictSettings,
) -> NDArray[np.uint8]:
    """Largest parts where held-out cases had it, then what the user asked for; of the lesion only."""
    values = model.configuration.labels
    for name in model.largest:
        mask = labels == values[name]
        labels[mask & ~keep_largest(mask)] = 0
    lesion = values[model.configuration.lesion]
    if settings.least_mm3 > 0:
        mask = labels == lesion
        labels[mask & ~drop_small(mask, spacing_mm, settings.least_mm3)] = 0
    if settings.near is not None:
        mask = labels == lesion
        labels[mask & ~drop_far(mask, labels == values[settings.near], spacing_mm, settings.near_mm)] = 0
    return labels


def _parts(mask: NDArray[np.bool_]) -> int:
    from scipy import ndimage

    return int(ndimage.label(mask, np.ones((3, 3, 3)))[1]) if mask.any() else 0


def _write_cases(
    frame: pd.DataFrame,
    name: str,
    rows: list[dict[str, Any]],
    present: Mapping[str, Path],
    out: Path,
    model: SegmentationModel,
) -> None:
    """The case table with the masks it had (`present`) and the new ones; rows with neither are left out, as a mask that is not there
    excludes its case."""
    from isthmus.cohort.rows import row_ids

    good = {row["row"]: row for row in rows if isinstance(row.get("mask"), str) and row.get("volume_ml", 0) > 0}
    ids = row_ids(frame, "patient")
    kept = frame[ids.isin([*good, *present])].copy()
    for column in (f"mask:{name}", f"label:{name}", "mask_origin"):
        kept[column] = kept[column].astype(object) if column in kept else None
    for place, row in zip(kept.index, ids[kept.index], strict=True):
        if row in present:
            kept.loc[place, f"mask:{name}"] = str(present[row])
            if pd.isna(kept.loc[place, "mask_origin"]):
                origin = read_origin(present[row])
                kept.loc[place, "mask_origin"] = "unknown" if origin is None else origin.kind
            continue
        kept.loc[place, f"image:{name}"] = str(Path(good[row]["image"]).resolve())
        kept.loc[place, f"mask:{name}"] = good[row]["mask"]
        kept.loc[place, f"label:{name}"] = model.configuration.labels[model.configuration.lesion]
        kept.loc[place, "mask_origin"] = "network"
    write_table(out / "cases.csv", kept)
