"""[segment] of a plan: the run draws masks before it measures anything, as `isthmus segment predict` and `grow` draw them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from isthmus.errors import PlanError, TableError, did_you_mean
from isthmus.roi.origin import origin_kind
from isthmus.study.store import make_folder, write_table
from isthmus.table.exclusion import exclusion_frame, exclusions
from isthmus.table.paths import resolve_path

if TYPE_CHECKING:
    from isthmus.cohort.cohort import Cohort
    from isthmus.study.drawing import Job, Pen
    from isthmus.study.plan import Plan
    from isthmus.table.outcome import Outcome

__all__ = [
    "COLUMNS",
    "FOLDER",
    "GIVEN",
    "ORIGIN",
    "STEP",
    "check_segment",
    "draw_masks",
    "drawn_names",
    "masks_of",
    "origins_table",
    "pen_of",
    "rows_to_draw",
    "rows_with_masks",
    "segment_paths",
    "with_masks",
]

FOLDER = "masks"
"""Of the run: the masks drawn, and `masks.csv`."""
ORIGIN = "mask_origin"
"""Column of the cases: manual, semi-automatic, network, edited, unknown; empty where a case has no mask."""
GIVEN = "case table"
"""The method of a mask that the table names."""
STEP = "segment"
"""Of exclusions: no mask could be drawn, or the network found no lesion."""
COLUMNS = (
    "row", "patient", "mask", "label", "origin", "method", "seen", "networks", "confidence", "agreement", "voxels", "volume_ml", "parts",
    "reason",
)  # fmt: skip
"""Of `masks/masks.csv`; what a mask of the case table is worth is not known to it."""


@dataclass(frozen=True)
class DrawnNames:
    """In which image which mask is drawn."""

    image: str
    mask: str


def drawn_names(plan: Plan) -> DrawnNames:
    """What [segment] draws; by default the only mask of the blocks, in the image of its name."""
    assert plan.segment is not None
    masks = list(dict.fromkeys(block.mask_name for block in plan.features))
    mask = plan.segment.mask
    if mask is None and len(masks) > 1:
        raise PlanError(
            f"[segment] the blocks use the masks {', '.join(masks)}; say which is drawn: mask = {masks[0]!r}"
        )
    mask = mask or masks[0]
    return DrawnNames(plan.segment.image or mask, mask)


def check_segment(plan: Plan) -> None:
    """[segment] draws a mask that a block uses, and its method exists; the network's folder is looked at by `check` and the run."""
    section = plan.segment
    if section is None:
        return
    if not plan.features:
        raise PlanError("[segment] has no effect: no [[features]] block measures anything. Remove the section.")
    used = sorted(
        {block.mask_name for block in plan.features}
        | {plan.region_settings(block).within or "" for block in plan.features}
    )
    mask = drawn_names(plan).mask
    if mask not in used:
        used = [name for name in used if name]
        raise PlanError(f"[segment] mask = {mask!r}: no block uses it.{did_you_mean(mask, used)}")
    if section.method is not None:
        from isthmus.segment.grow import grow_settings

        try:
            grow_settings(section.method, section.settings)
        except PlanError as exc:
            raise PlanError(f"[segment] {exc}") from exc


def segment_paths(plan: Plan) -> list[str]:
    """The files that say how masks are drawn: of a network's folder its records, which hold the checksums of the weights."""
    if plan.segment is None:
        return []
    if plan.segment.seeds is not None:
        return [plan.segment.seeds]
    from isthmus.segment.folder import FILES

    names = [f"{plan.segment.model}/{FILES[what]}" for what in ("record", "configuration", "tidy", "validation")]
    return [name for name in names if resolve_path(name, plan.base).is_file()]


def pen_of(plan: Plan) -> Pen:
    """What draws the masks of a plan.

    Raises
    ------
    PlanError, TableError
        The folder holds no trained model, or the table of clicks cannot be used.
    """
    from isthmus.study.drawing import ClickPen, NetworkPen

    section = plan.segment
    assert section is not None
    try:
        if section.method is not None:
            assert section.seeds is not None
            return ClickPen(resolve_path(section.seeds, plan.base), section.method, section.settings)
        return NetworkPen(resolve_path(str(section.model), plan.base), section)
    except (PlanError, TableError) as exc:
        raise type(exc)(f"[segment] {exc}") from exc


def rows_to_draw(plan: Plan, rows: pd.DataFrame) -> list[Job]:
    """The rows of the study, as the case table has them, whose masks are drawn."""
    from isthmus.study.drawing import Job

    names = drawn_names(plan)
    column = f"mask:{names.mask}"
    lacking = rows if column not in rows else rows[rows[column].isna()]
    parts = zip(lacking["row"], lacking["patient"], lacking[f"image:{names.image}"], strict=True)
    return [Job(row, patient, Path(path)) for row, patient, path in parts]


def masks_of(plan: Plan, rows: pd.DataFrame, run: Path) -> pd.DataFrame:
    """Draw the masks that these rows of the study lack into the run; `COLUMNS`, one row each. Those that are there are kept.

    Raises
    ------
    PlanError
        The run's folder of masks holds others.
    """
    from isthmus.study.drawing import draw_rows

    folder = run / FOLDER
    table = folder / "masks.csv"
    if not table.is_file() and folder.is_dir() and any(folder.iterdir()):
        raise PlanError(
            f"{folder} holds files that are not of this run, and nothing is overwritten. Choose another folder with --out."
        )
    make_folder(folder)
    if not table.is_file():
        write_table(table, pd.DataFrame(columns=list(COLUMNS)))
    jobs = rows_to_draw(plan, rows)
    drawn = draw_rows(jobs, pen_of(plan), folder, resume=True) if jobs else []
    lacking = {job.row for job in jobs}
    column = f"mask:{drawn_names(plan).mask}"
    kept = [
        {
            "row": row["row"],
            "patient": row["patient"],
            "mask": row[column],
            "origin": origin_kind(row[column]),
            "method": GIVEN,
            "reason": "",
        }
        for row in rows.to_dict("records")
        if row["row"] not in lacking
    ]
    return pd.DataFrame([*kept, *drawn], columns=list(COLUMNS)).sort_values("row", kind="stable", ignore_index=True)


def draw_masks(plan: Plan, cohort: Cohort, run: Path) -> None:
    """`masks_of` a study whose masks are not drawn yet, written to `masks/masks.csv`. Where a mask of the case table comes from, the table
    says (`mask_origin:<mask>`, `mask_origin`), or else the file beside the mask."""
    masks = masks_of(plan, cohort.rows, run)
    kept = masks["label"].isna() & masks["reason"].eq("")
    for column in (ORIGIN, f"{ORIGIN}:{drawn_names(plan).mask}"):
        if column in cohort.clinical:
            said = masks["row"].map(cohort.clinical[column].set_axis(cohort.rows["row"]))
            masks["origin"] = masks["origin"].mask(kept & said.notna(), said)
    write_table(run / FOLDER / "masks.csv", masks)


def origins_table(plan: Plan, cases: pd.DataFrame, outcome: Outcome, run: Path) -> pd.DataFrame:
    """`tables/masks.csv`: where the masks of the cases in the study come from.

    Returns
    -------
    DataFrame
        origin, method, masks, `unseen_out_of_fold` (of internal and external patients, how many trained other networks of the model),
        `held_out_cases`, `held_out_dice` (of the network, by its own training), and for each class of the outcome how many masks.
    """
    masks = _read_masks(run).set_index("row")
    inside = cases[cases["status"] == "included"].set_index("row")
    known = masks.reindex(inside.index)
    judged = None
    if plan.segment is not None and plan.segment.model is not None:
        from isthmus.segment.folder import SegmentationModel

        judged = SegmentationModel.open(resolve_path(plan.segment.model, plan.base)).lesion_dice
    rows = []
    for (origin, method), part in known.groupby(["origin", "method"], sort=True):
        beside = inside.loc[part.index]
        worth = judged if origin == "network" and method != GIVEN else None
        tested = part["seen"].eq("out_of_fold") & beside["split"].ne("train")
        said = {
            "origin": origin, "method": method, "masks": len(part), "unseen_out_of_fold": int(tested.sum()),
            "held_out_cases": worth and worth.cases, "held_out_dice": worth and worth.mean,
        }  # fmt: skip
        counts = {
            f"{outcome.name} = {name}": int((beside["outcome"] == code).sum())
            for code, name in enumerate(outcome.classes)
        }
        rows.append({**said, **counts})
    return pd.DataFrame(rows)


def rows_with_masks(plan: Plan, rows: pd.DataFrame, masks: pd.DataFrame, run: Path) -> pd.DataFrame:
    """The rows that have a mask, with its path and label."""
    name = drawn_names(plan).mask
    known = masks.set_index("row").reindex(rows["row"])
    found = rows.copy()
    for column in (f"mask:{name}", f"label:{name}"):
        found[column] = found[column].astype(object) if column in found else None
    drawn = (known["label"].notna() & known["reason"].eq("")).to_numpy()
    found.loc[drawn, f"mask:{name}"] = [str((run / FOLDER / file).resolve()) for file in known.loc[drawn, "mask"]]
    found.loc[drawn, f"label:{name}"] = [str(int(label)) for label in known.loc[drawn, "label"]]
    return found[known["reason"].eq("").to_numpy()]


def with_masks(plan: Plan, cohort: Cohort, run: Path | None) -> Cohort:
    """The cohort with the masks of `draw_masks`; a case that has none is excluded with the reason. Where they come from stands in its
    clinical column `mask_origin`.

    Raises
    ------
    TableError
        The run holds no masks of these cases, or none could be drawn.
    """
    if plan.segment is None:
        return cohort
    assert run is not None
    masks = _read_masks(run)
    known = masks.set_index("row")
    if not set(cohort.rows["row"]) <= set(known.index):
        raise TableError(f"{run / FOLDER}: not the masks of these cases; run the plan again with --resume")
    rows = rows_with_masks(plan, cohort.rows, masks, run)
    gone = cohort.rows[~cohort.rows["row"].isin(rows["row"])]
    if rows.empty:
        raise TableError(f"[segment] no case has a mask; the first reason: {known.loc[gone['row'].iloc[0], 'reason']}")
    out = exclusions(gone["row"], gone["patient"], STEP, known.loc[gone["row"], "reason"])
    clinical = cohort.clinical.loc[rows.index].assign(**{ORIGIN: known.loc[rows["row"], "origin"].to_numpy()})
    return replace(
        cohort, rows=rows.reset_index(drop=True), clinical=clinical.reset_index(drop=True),
        exclusions=exclusion_frame([cohort.exclusions, out]),
    )  # fmt: skip


def _read_masks(run: Path) -> pd.DataFrame:
    """`masks/masks.csv`."""
    path = run / FOLDER / "masks.csv"
    texts = dict.fromkeys(("row", "patient", "mask", "origin", "method", "seen", "reason"), "str")
    try:
        return pd.read_csv(path, dtype=texts).fillna({"reason": ""})
    except OSError as exc:
        raise TableError(f"{path}: cannot be read ({exc}); run the plan again with --resume") from exc
