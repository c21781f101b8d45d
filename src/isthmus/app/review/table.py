"""From the log to tables: decisions, agreement between and within readers, and the case table with the masks to go on with."""

from __future__ import annotations

import io
import os
import zipfile
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.app.review.log import Read
from isthmus.app.review.masks import replace_file
from isthmus.app.review.study import METRICS, Review, agreement
from isthmus.app.settings import AppSettings
from isthmus.cohort.rows import absolute_path, row_ids
from isthmus.errors import PlanError
from isthmus.study.store import make_folder
from isthmus.table.reading import read_frame

__all__ = ["case_table", "export_review", "tables", "tables_zip", "write_tables"]

FACTS = ("case", "patient", "image", "structure", "label", "reader", "role", "pass", "origin", "decision")
STANDS = ("accepted", "edited")


def decisions(held: Read) -> pd.DataFrame:
    """One row a case, reader and time seen: the last decision; the seconds of all of them."""
    rows: dict[tuple[str, str, int], dict[str, Any]] = {}
    for line in held.lines:
        key = (line["case"], line["reader"], line["pass"])
        before = rows.get(key, {"seconds": 0.0, "decisions": 0})
        rows[key] = {
            **{name: line[name] for name in FACTS},
            "modification": line["modification"],
            "acceptable": line["acceptable"],
            **{name: line["metrics"][name] for name in METRICS},
            "seconds": round(before["seconds"] + line["seconds"], 1),
            "decisions": before["decisions"] + 1,
            "time": line["time"],
            "reasons": ";".join(line["reasons"]),
            "comment": line["comment"],
            "mask_file": line["mask_file"] or "",
        }  # fmt: skip
    return pd.DataFrame(list(rows.values()))


def agreements(review: Review, held: Read) -> pd.DataFrame:
    """One row a pair of masks of one case: of two readers (inter), or of one reader seen twice (intra)."""
    rows = []
    for case in review.cases:
        last: dict[tuple[str, int], dict[str, Any]] = {}
        for line in held.lines:
            if line["case"] == case.name and line["role"] == "reader":
                last[line["reader"], line["pass"]] = line
        left = {key: line for key, line in last.items() if line["decision"] in STANDS}
        for one, two in combinations(sorted(left), 2):
            kind = "intra" if one[0] == two[0] else "inter" if one[1] == two[1] == 1 else ""
            if not kind:
                continue
            opened = review.opened(case)
            a, b = (review.mask_of(left[key], opened) == opened.label for key in (one, two))
            found = agreement(a, b, opened)
            rows.append(
                {
                    "case": case.name,
                    "kind": kind,
                    "reader_a": one[0],
                    "reader_b": two[0],
                    **{name: found[name] for name in METRICS},
                }
            )
    return pd.DataFrame(rows, columns=["case", "kind", "reader_a", "reader_b", *METRICS])


def final_masks(review: Review, held: Read) -> pd.DataFrame:
    """One row a case: its status, and the mask to go on with (adjudicated, else the last reader's that stands, else none)."""
    rows = []
    for case in review.cases:
        lines = [line for line in held.lines if line["case"] == case.name and line["pass"] == 1]
        judged = [line for line in lines if line["role"] == "adjudicator"]
        last = next(reversed(judged or lines), None)
        readers = {line["reader"]: line for line in lines if line["role"] == "reader"}
        prints = {line["mask_after"] for line in readers.values() if line["decision"] in STANDS}
        status = "undecided" if last is None else last["decision"]
        if not judged and len(prints) > 1:
            status = "to adjudicate"
        file = ""
        if last is not None and status in STANDS:
            file = str(review.folder / last["mask_file"]) if last["mask_file"] else str(case.mask or "")
        rows.append({"case": case.name, "image": case.image_name, "status": status, "mask": file})
    return pd.DataFrame(rows, columns=["case", "image", "status", "mask"])


def tables(review: Review) -> dict[str, pd.DataFrame]:
    """`decisions`, `agreement`, `masks`."""
    held = review.log.read()
    return {"decisions": decisions(held), "agreement": agreements(review, held), "masks": final_masks(review, held)}


def case_table(review: Review, masks: pd.DataFrame, out: Path) -> pd.DataFrame:
    """The case table, its masks replaced by those to go on with; paths relative to `out`, so that a plan there reads it as it is.

    A case that is rejected, undecided or still to adjudicate has an empty cell: a plan names and excludes it. Where the mask is a
    reader's, `label:` is the lesion's number in it and `mask_origin` is "edited" (accepted ones stay what they were).
    """
    read = read_frame(review.table)
    start = review.root
    frame = read.frame.copy()
    for column in [name for name in frame.columns if name.startswith(("image:", "mask:"))]:
        frame[column] = frame[column].map(lambda cell: _beside(absolute_path(cell, start), out), na_action="ignore")
    names = dict(zip(row_ids(read.frame, "patient"), frame.index, strict=True))
    labels = {line["case"]: line["label"] for line in review.log.read().lines}
    cases = {case.name: case for case in review.cases}
    for found in masks.to_dict("records"):
        case = cases[found["case"]]
        image = case.image_name
        row = names[case.name if case.name in names else case.name.removesuffix(f"/{image}")]
        frame.loc[row, f"mask:{image}"] = _beside(Path(found["mask"]), out) if found["mask"] else None
        frame.loc[row, f"review:{image}"] = found["status"]
        if found["mask"] and Path(found["mask"]) != case.mask:
            frame.loc[row, f"label:{image}"] = str(labels[case.name])
            frame.loc[row, f"mask_origin:{image}"] = "edited" if found["status"] == "edited" else case.origin
    return frame


def _beside(path: Path, out: Path) -> str:
    """The path as a table in `out` names it; absolute where no relative one leads there (another drive)."""
    try:
        return Path(os.path.relpath(path, out.resolve())).as_posix()
    except ValueError:
        return str(path)


def write_tables(review: Review, out: Path | None = None) -> list[Path]:
    """Write `decisions.csv`, `agreement.csv`, `masks.csv`, and `cases.csv` to go on with; where. Without `out`, beside the log."""
    folder = out or review.folder
    make_folder(folder)
    made = tables(review)
    made["cases"] = case_table(review, made["masks"], folder)
    paths = []
    for name, frame in made.items():
        path = folder / f"{name}.csv"
        replace_file(path, frame.to_csv(index=False).encode())
        paths.append(path)
    return paths


def tables_zip(review: Review) -> bytes:
    """The tables, written beside the log, as one archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in write_tables(review):
            archive.write(path, path.name)
    return packed.getvalue()


def export_review(cases: Path, out: Path, *, study: Path | None = None, root: Path | None = None) -> list[str]:
    """`isthmus review export`: the tables of a review that was done in the application; the lines to show the user.

    Raises
    ------
    PlanError
        Nothing was reviewed yet.
    """
    folder = study or cases.parent
    if not (folder / "review" / "log.jsonl").is_file():
        raise PlanError(
            f"{folder / 'review'}: no decision yet; review the masks with `isthmus app --cases {cases}`, or name the folder with --study"
        )
    review = Review(AppSettings(study=folder, cases=cases, root=root))
    paths = write_tables(review, out)
    counts = final_masks(review, review.log.read())["status"].value_counts()
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    return [*map(str, paths), f"{len(review.cases)} masks: {said}"]
