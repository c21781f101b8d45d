"""`isthmus segment predict`: masks of a trained model, with what they are worth.

A case that trained a network is drawn by the networks that never saw it, or not at all unless asked for by name; what was done stands in
the row's `seen` column.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.deep.library import load_torch
from isthmus.errors import CaseError, PlanError, TableError, first_few
from isthmus.segment.settings import DrawSettings
from isthmus.study.drawing import Job, NetworkPen, draw_rows, write_cases
from isthmus.study.extract import without_ending
from isthmus.study.segmentation import only_image
from isthmus.study.store import make_folder, write_table
from isthmus.table.reading import TextTable

__all__ = ["COLUMNS", "PredictSettings", "segment_predict"]

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


class PredictSettings(DrawSettings):
    """How masks are drawn, and whether a case that every network has seen is drawn all the same."""

    seen: bool = False


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
    pen = NetworkPen(model, settings, seen=settings.seen)
    jobs, name, read = _jobs(image, cases, use, root)
    present: dict[str, Path] = {}
    if settings.missing:
        present = _present(read, name, root)
        jobs = [job for job in jobs if job.row not in present]
        if not jobs:
            raise TableError(
                f"{cases}: every row names a mask:{name}, so there is none to draw; without --missing all are drawn"
            )
    make_folder(out)

    def write(rows: list[dict[str, Any]]) -> None:
        write_table(out / "predictions.csv", pd.DataFrame(rows, columns=list(COLUMNS)))

    rows = draw_rows(jobs, pen, out, resume=resume, done=write)
    failed = sum(row["mask"] is None for row in rows)
    if failed and cases is None:
        raise CaseError(rows[0]["reason"], case=rows[0]["row"])
    if failed == len(rows):
        raise TableError(f"every case failed; the first: {rows[0]['reason']}")
    if read is not None:
        write_cases(read, name, rows, out, root=_root(root), present=present)
    return failed


def _jobs(
    image: Path | None, cases: Path | None, use: str | None, root: str | None
) -> tuple[list[Job], str, TextTable | None]:
    if (image is None) == (cases is None):
        raise PlanError("give either --image (one case) or --cases (many)")
    if image is not None:
        row = without_ending(image.resolve().name)
        return [Job(row, row, image)], "image", None
    from isthmus.cohort.rows import case_rows
    from isthmus.study.data import case_files
    from isthmus.table.reading import read_frame

    assert cases is not None
    read = read_frame(cases)
    names = [column.removeprefix("image:") for column in read.frame.columns if column.startswith("image:")]
    files = case_files(case_rows(read, root=_root(root), images=names, masks=[]))
    name = only_image(files, use)
    return [Job(case.row, case.patient, case.images.get(name)) for case in files], name, read


def _root(root: str | None) -> Path | None:
    from isthmus.table.paths import resolve_path

    return None if root is None else resolve_path(root, Path.cwd())


def _present(read: TextTable | None, name: str, root: str | None) -> dict[str, Path]:
    """The masks that rows of the table name. A name without a file is an error: it is likelier to be misspelt than to mean "draw it"."""
    from isthmus.cohort.rows import path_cells, row_ids

    if read is None:
        raise PlanError("--missing looks for rows without a mask in a case table: give --cases")
    column, frame = f"mask:{name}", read.frame
    if column not in frame.columns:
        return {}
    start = _root(root) or read.path.resolve().parent
    cells = path_cells(frame, [column], start)[column].set_axis(row_ids(frame, "patient")).dropna()
    found = {str(row): Path(cell) for row, cell in cells.items()}
    lost = [f"{row} ({path})" for row, path in found.items() if not path.exists()]
    if lost:
        raise TableError(
            f"{read.path}: {column} names files that are not there: {first_few(lost)}. Correct or empty the cells"
        )
    return found
