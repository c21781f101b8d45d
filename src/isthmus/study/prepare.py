"""`isthmus prepare` and `isthmus landmarks`: preparation of one case to look at, and the standard scale of many images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from isthmus.errors import CaseError, PlanError, TableError, did_you_mean
from isthmus.features.settings import PREPARE_KEYS
from isthmus.image.prepare import PrepareSettings, fit_standard_scale, write_scale
from isthmus.settings.messages import setting_messages
from isthmus.study.data import case_files, label_of
from isthmus.study.preparation import prepare_case
from isthmus.study.store import make_folder, write_table

__all__ = ["learn_landmarks", "prepare_settings", "prepare_to_folder"]

log = logging.getLogger("isthmus")


def prepare_settings(given: dict[str, Any]) -> PrepareSettings:
    """The settings from KEY=VALUE pairs; what is wrong with them is a PlanError."""
    for key in given:
        if key not in PREPARE_KEYS:
            raise PlanError(f"--set {key}: no such key of [image].{did_you_mean(key, PREPARE_KEYS)}")
    try:
        return PrepareSettings.model_validate(given)
    except ValidationError as exc:
        said = setting_messages(exc, given, known_keys=lambda _: sorted(PREPARE_KEYS), where="--set")
        raise PlanError("\n".join(said)) from exc


def prepare_to_folder(
    out: Path,
    *,
    image: Path,
    mask: Path,
    label: str | None = None,
    reference: Path | None = None,
    settings: PrepareSettings,
) -> list[Path]:
    """Write `image.nii.gz`, `mask.nii.gz`, `quality.csv` and, where a step was asked for, `before_after.png`.

    Raises
    ------
    CaseError
        The case cannot be read or prepared.
    """
    from isthmus.image import LabelImage
    from isthmus.image.io import write_image, write_labels

    make_folder(out)
    picture = out / "before_after.png"
    prepared = prepare_case(
        image,
        mask,
        label_of(label) if label is not None else None,
        settings,
        reference=reference,
        picture=picture,
    )
    for note in prepared.roi.notes:
        log.warning("%s", note)
    write_image(prepared.image, out / "image.nii.gz")
    write_labels(LabelImage(prepared.roi.mask.astype("uint8"), prepared.roi.geometry), out / "mask.nii.gz")
    write_table(out / "quality.csv", pd.DataFrame(prepared.quality))
    written = [out / "image.nii.gz", out / "mask.nii.gz", out / "quality.csv"]
    return [*written, picture] if settings.changes and settings.pictures else written


def learn_landmarks(
    cases: Path, image: str, out: Path, *, root: str | None = None, splits: Sequence[str] = ("train",)
) -> int:
    """Learn the standard scale of the images of one column and write it; how many images it was learned from.

    Rows whose `split` is another are left out: a scale learned from test images would be transductive.

    Raises
    ------
    TableError
        The table has no such image, or no row is left.
    CaseError
        An image cannot be read.
    """
    from isthmus.cohort.rows import case_rows, row_ids
    from isthmus.image.io import read_image
    from isthmus.table.paths import resolve_path
    from isthmus.table.reading import read_frame

    read = read_frame(cases)
    rows = case_rows(read, root=resolve_path(root, Path.cwd()) if root is not None else None, images=[image], masks=[])
    if "split" in read.frame.columns:
        split = dict(zip(row_ids(read.frame, "patient"), read.frame["split"].fillna("train"), strict=True))
        rows = rows[rows["row"].map(split).isin(splits)]
    paths = [case.images[image] for case in case_files(rows) if image in case.images]
    if not paths:
        raise TableError(f"{cases}: no image:{image} of split {' or '.join(splits)} to learn from")
    try:
        scale = fit_standard_scale(read_image(path) for path in paths)
    except CaseError as error:
        raise CaseError(f"while learning the standard scale: {error.reason}") from error
    write_scale(scale, out, len(paths))
    return len(paths)
