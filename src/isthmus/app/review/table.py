"""From the log to tables: decisions, agreement between and within readers, and the case table with the masks to go on with."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.app.review.log import Read
from isthmus.app.review.study import METRICS, Review, agreement

__all__ = ["tables", "write_tables"]

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


def write_tables(review: Review) -> list[Path]:
    """Write the three tables beside the log (.csv); where."""
    paths = []
    for name, frame in tables(review).items():
        path = review.folder / f"{name}.csv"
        frame.to_csv(path, index=False)
        paths.append(path)
    return paths
