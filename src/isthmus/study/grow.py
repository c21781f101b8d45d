"""`isthmus segment grow`: a mask from a few clicks, with its origin beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.cohort.rows import case_rows
from isthmus.errors import CaseError, PlanError, TableError
from isthmus.image.box import Box
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.image.io import read_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.origin import write_origin
from isthmus.segment.grow import Seeds, grow_recorded, read_seeds
from isthmus.segment.grow.seeds import to_voxels
from isthmus.study.data import case_files
from isthmus.study.drawing import ClickPen, Job, draw_rows, write_cases
from isthmus.study.extract import key_value, without_ending
from isthmus.study.store import make_folder, write_table
from isthmus.table.paths import resolve_path
from isthmus.table.reading import read_frame

__all__ = ["grow_cases", "grow_to_file"]

_SEED, _BOX = 3, 6


def grow_to_file(
    image: Path,
    out: Path,
    *,
    inside: Sequence[str] = (),
    outside: Sequence[str] = (),
    seeds: Path | None = None,
    voxels: bool = False,
    box: str | None = None,
    method: str = "growcut",
    settings: Sequence[str] = (),
    label: int = 1,
) -> Path:
    """Write the mask on the image's grid, and `<mask>.origin.json` beside it; where that is.

    Parameters
    ----------
    image, out : path
    inside, outside : sequence of str
        "x,y,z" in LPS mm, or "k,j,i" where `voxels`.
    seeds : path, optional
        A CSV file instead (`read_seeds`); of its rows those whose column `case`, if there is one, has the image's name.
    box : str, optional
        Two opposite corners, six numbers, as seeds are given.
    method, settings : str, sequence of "KEY=VALUE"
    label : int
        What the mask's voxels hold.

    Raises
    ------
    PlanError
        Arguments that do not fit together, an unknown method or setting, a click outside the image, or nothing was found.
    CaseError
        The image cannot be read.
    """
    if not 1 <= label <= 255:
        raise PlanError(f"--label {label}: a whole number from 1 to 255")
    given = dict(key_value(text) for text in settings)
    case = without_ending(image.resolve().name)
    try:
        found = read_image(image)
        clicked = _seeds(found, case, inside, outside, seeds, voxels)
        where = None if box is None else _box(box, found.geometry, voxels)
        mask, origin = grow_recorded(found, clicked, method=method, box=where, **given)
    except CaseError as error:
        raise CaseError(error.reason, case=case) from error
    make_folder(out.parent)
    write_labels(LabelImage(mask.astype(np.uint8) * np.uint8(label), found.geometry), out)
    return write_origin(origin, out)


def grow_cases(
    cases: Path,
    seeds: Path,
    out: Path,
    *,
    use: str | None = None,
    root: str | None = None,
    method: str = "growcut",
    settings: Sequence[str] = (),
    label: int = 1,
) -> int:
    """Masks of every row of a case table, in a folder, `grown.csv` (row, patient, mask, voxels, volume, reason), and `cases.csv`, the table
    with the new masks; how many failed.

    Parameters
    ----------
    cases : path
        With `patient` and `image:<name>`; `use` says which image, where there are several.
    seeds : path
        `read_seeds`, with a column `case`: the row's name (the patient, or patient/lesion where the table has several rows of one).
    out : path
        A folder.

    Raises
    ------
    PlanError, TableError
        As `grow_to_file`; the tables do not fit; or every case failed.
    """
    read = read_frame(cases)
    names = [name.removeprefix("image:") for name in read.frame.columns if name.startswith("image:")]
    if use is None and len(names) != 1:
        raise PlanError(f"{cases}: images {', '.join(names) or 'none'}; say with --use which one is meant")
    name = use or names[0]
    start = None if root is None else resolve_path(root, Path.cwd())
    rows = case_rows(read, root=start, images=[name], masks=[])
    pen = ClickPen(seeds, method, dict(key_value(text) for text in settings), label=label)
    jobs = [Job(case.row, case.patient, case.images.get(name)) for case in case_files(rows)]
    found = draw_rows(jobs, pen, out, resume=False)
    table = pd.DataFrame(found, columns=["row", "patient", "mask", "voxels", "volume_ml", "reason"])
    write_table(out / "grown.csv", table)
    failed = int((table["reason"] != "").sum())
    if failed == len(table):
        raise TableError(
            f"every case failed; the reasons are in {out / 'grown.csv'}. The first: {table['reason'].iloc[0]}"
        )
    write_cases(read, name, found, out, root=start)
    return failed


def _seeds(
    image: Image, case: str, inside: Sequence[str], outside: Sequence[str], seeds: Path | None, voxels: bool
) -> Seeds:
    if seeds is not None:
        if inside or outside:
            raise PlanError("give either --seeds or --inside and --outside, not both")
        if not seeds.is_file():
            raise TableError(f"--seeds {seeds}: no such file")
        return read_seeds(seeds, image.geometry, case=case)
    parts = [
        [_numbers(text, _SEED, name) for text in some] for name, some in (("inside", inside), ("outside", outside))
    ]
    return Seeds.at_voxels(*parts) if voxels else Seeds.at_points(*parts, geometry=image.geometry)


def _numbers(text: str, count: int, name: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not np.isfinite(found).all():
        raise PlanError(f"--{name} {text!r}: {count} numbers with commas between were expected")
    return found


def _box(text: str, geometry: Geometry, voxels: bool) -> Box:
    """Both corners belong to the box; what lies beyond the image is cut."""
    numbers = _numbers(text, _BOX, "box")
    corners = [numbers[:3], numbers[3:]]
    ends = Seeds.at_voxels(corners).inside if voxels else to_voxels(corners, geometry)
    low = np.maximum(ends.min(axis=0), 0)
    high = np.minimum(ends.max(axis=0) + 1, geometry.shape)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return k, j, i
