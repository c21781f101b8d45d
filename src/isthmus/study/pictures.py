"""Small pictures of lesions that a run keeps, so that its report can show them without the images."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.image import Image
from isthmus.image.crop import grey_png, lesion_crop, mask_png
from isthmus.study.store import RunFolder, file_name, write_bytes

if TYPE_CHECKING:
    from isthmus.cohort.cohort import Cohort
    from isthmus.study.data import StudyData
    from isthmus.study.extraction import Block

__all__ = [
    "COLUMNS",
    "FOLDER",
    "choose",
    "lesion_picture",
    "picture_blocks",
    "picture_paths",
    "read_pictures",
    "shown_rows",
    "write_pictures",
]

FOLDER = "pictures"
COLUMNS = [
    "row", "patient", "block", "image", "quantity", "slice", "spacing_j_mm", "spacing_i_mm", "low", "high",
]  # fmt: skip
_MOST_BLOCKS = 3


def choose(cohort: Cohort, count: int) -> list[str]:
    """The rows of the case table that get a picture: of each class of the outcome as many, in turn of each centre the first, in the
    order of the table; one row a patient."""
    rows = cohort.rows.drop_duplicates("patient")
    codes = cohort.outcome.values.reindex(rows["patient"]).to_numpy()
    queues: dict[Any, list[str]] = {}
    for code, part in rows.groupby(codes, sort=True):
        turn = part.groupby("centre", sort=False).cumcount()
        queues[code] = list(part.assign(_turn=turn).sort_values("_turn", kind="stable")["row"])
    found: list[str] = []
    place = 0
    while len(found) < count and any(place < len(queue) for queue in queues.values()):
        found += [queue[place] for queue in queues.values() if place < len(queue)]
        place += 1
    return found[:count]


def picture_blocks(blocks: Sequence[Block]) -> tuple[str, ...]:
    """The blocks that look different: of those with one image, mask, preparation and region the first; at most three."""
    seen: dict[tuple[object, ...], str] = {}
    for block in blocks:
        seen.setdefault(block.voxels, block.name)
    return tuple(seen.values())[:_MOST_BLOCKS]


def lesion_picture(image: Image, mask: NDArray[np.bool_]) -> dict[str, Any]:
    """The picture of one lesion as plain values that JSON can hold."""
    crop = lesion_crop(image, mask)
    pixels, low, high = grey_png(crop.values)
    return {
        "quantity": image.quantity,
        "slice": crop.slice,
        "spacing_j_mm": crop.spacing_mm[0],
        "spacing_i_mm": crop.spacing_mm[1],
        "low": low,
        "high": high,
        "pixels": pixels,
        "mask": mask_png(crop.mask),
    }


def picture_paths(block: str, row: str) -> dict[str, str]:
    """Where the files of a picture lie in the run folder; no row is called by a name with a plus there."""
    stem = f"{FOLDER}/{file_name(block)}/{file_name(row)}"
    return {"pixels": f"{stem}.png", "mask": f"{stem}+mask.png"}


def shown_rows(data: StudyData, count: int) -> Iterator[tuple[str, str]]:
    """Rows that have a picture: the first of each class of the outcome, then the second of each."""
    included = set(data.cases.loc[data.cases["status"] == "included", "row"])
    shown = {one["row"]: one["patient"] for one in data.pictures if one["row"] in included}
    table = pd.DataFrame({"row": list(shown), "patient": list(shown.values())}, dtype="str")
    table = table[table["patient"].isin(data.outcome.values.index)]
    codes = data.outcome.values.loc[table["patient"]].to_numpy()
    turn = table.groupby(codes).cumcount().to_numpy()
    order = np.lexsort((codes, turn))[:count]
    yield from table.iloc[order][["row", "patient"]].itertuples(index=False, name=None)


def write_pictures(store: RunFolder, pictures: Sequence[Mapping[str, Any]], included: Sequence[str]) -> None:
    """`pictures/<block>/<row>.png` and `+mask.png` of the included rows, and `tables/pictures.csv`; what was there before goes."""
    kept = [one for one in pictures if one["row"] in set(included)]
    wanted = set()
    for one in kept:
        for kind, name in picture_paths(one["block"], one["row"]).items():
            wanted.add(store.path / name)
            write_bytes(store.path / name, base64.b64decode(one[kind]))
    for path in sorted((store.path / FOLDER).rglob("*.png")):
        if path not in wanted:
            path.unlink()
    if kept:
        store.write("tables/pictures.csv", pd.DataFrame(kept).reindex(columns=COLUMNS))
    else:
        (store.path / "tables" / "pictures.csv").unlink(missing_ok=True)


def read_pictures(folder: Path, names: Mapping[str, str]) -> dict[str, str] | None:
    """Files of the run folder as base64, by kind (of `picture_paths`), or None where it no longer holds all of them."""
    paths = {kind: folder / name for kind, name in names.items()}
    if not all(path.is_file() for path in paths.values()):
        return None
    return {kind: base64.b64encode(path.read_bytes()).decode("ascii") for kind, path in paths.items()}
