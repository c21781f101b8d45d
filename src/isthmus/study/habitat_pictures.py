"""Supervoxels, clusters and cohort habitats on the largest slice of a few lesions, and what habitats look like: kept for the report."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from isthmus.habitat.cohort import Habitats
from isthmus.habitat.ith3d import score_of
from isthmus.habitat.measure import SupervoxelTable, measure_supervoxels
from isthmus.habitat.profile import PROFILE_COLUMNS, habitat_profile
from isthmus.habitat.settings import HabitatSection
from isthmus.habitat.supervoxels import cut
from isthmus.image import Image
from isthmus.image.crop import grey_png, label_png, labels_over, lesion_crop, mask_png, read_label_png
from isthmus.image.orientation import orientation
from isthmus.roi import Roi
from isthmus.roi.settings import RegionSettings
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.seeds import child_seed
from isthmus.study.data import StudyData, case_files, cohort_of, plan_blocks
from isthmus.study.extraction import Block, CaseFiles
from isthmus.study.feature_maps import kept_map
from isthmus.study.pictures import FOLDER, shown_rows
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder, digest, file_name, write_bytes
from isthmus.study.supervoxels import Measured
from isthmus.validate.results import FittedModel

__all__ = ["COLUMNS", "SHARE_COLUMNS", "habitat_paths", "write_habitats"]

log = logging.getLogger("isthmus")

COLUMNS = [
    "row", "patient", "block", "region", "image", "quantity", "slice", "slices", "plane", "left", "top", "unit", "spacing_j_mm",
    "spacing_i_mm", "low", "high", "window_low", "window_high", "supervoxels", "clusters", "habitats", "note",
]  # fmt: skip
SHARE_COLUMNS = ["block", "habitat", "split", "outcome", "patients", "share", "lower", "upper", "method"]
KINDS = {"pixels": "+habitat-slice", "mask": "+habitat-mask", "supervoxels": "+supervoxels", "clusters": "+clusters",
         "habitats": "+habitats"}  # fmt: skip
TABLES = ("habitat_pictures", "habitats", "habitat_shares")

_PATIENTS, _GROUPS, _PIXELS, _MARGIN = 8, 2, 192, 1.3
_DRAWS = 2000


@dataclass(frozen=True)
class _Group:
    """Blocks that are made of the same supervoxels: what is drawn of them."""

    block: Block
    ith: Block | None
    habitats: Habitats | None


def write_habitats(plan: Plan, data: StudyData, finals: Mapping[str, FittedModel], store: RunFolder) -> None:
    """`tables/habitats.csv` (what the habitats look like), `habitat_shares.csv` (how much of a lesion they are, by class),
    `habitat_pictures.csv` and the pictures; nothing where the plan has no block of supervoxels. The habitats are those of the final model,
    or of the first model that has some. A case that cannot be drawn has a note."""
    for name in TABLES:
        (store.path / "tables" / f"{name}.csv").unlink(missing_ok=True)
    blocks = [block for block in plan_blocks(plan) if block.of_supervoxels]
    if not blocks:
        return
    model = _shown(plan)
    steps = _steps(plan, model, finals[model])
    profiles = [_profile(plan, data, model, block, step) for block, step in steps.items()]
    if profiles:
        store.write("tables/habitats.csv", pd.concat(profiles)[["block", *PROFILE_COLUMNS]])
        shares = [_shares(plan, data, model, block, step) for block, step in steps.items()]
        store.write("tables/habitat_shares.csv", pd.concat(shares)[SHARE_COLUMNS])
    if data.pictures:
        rows = [row for group in _groups(blocks, steps) for row in _pictures(plan, data, group, store)]
        store.write("tables/habitat_pictures.csv", pd.DataFrame(rows).reindex(columns=COLUMNS))


def habitat_paths(block: str, row: str) -> dict[str, str]:
    """Where the files of a lesion may lie in the run folder; maps it has not are not there."""
    return {kind: f"{FOLDER}/{file_name(block)}/{file_name(row)}{ending}.png" for kind, ending in KINDS.items()}


def _habitat_blocks(plan: Plan, model: str) -> list[str]:
    return [b.name for b in plan.features if b.kind == "habitat" and b.name in plan.blocks_of(plan.model(model))]


def _shown(plan: Plan) -> str:
    """The model whose habitats are shown."""
    models = [plan.final, *(model.name for model in plan.models)]
    return next((model for model in models if _habitat_blocks(plan, model)), plan.final)


def _steps(plan: Plan, model: str, final: FittedModel) -> dict[str, Habitats]:
    """Block -> the fitted step of a model that learned its habitats."""
    mine = _habitat_blocks(plan, model)
    found = {}
    for _, step in final.pipeline.makers:
        if isinstance(step, Habitats):
            found[step.block or mine[0]] = step
    return found


def _groups(blocks: Sequence[Block], steps: dict[str, Habitats]) -> list[_Group]:
    """The supervoxels that differ: those with habitats of the final model first, at most two."""
    found: dict[tuple[object, ...], list[Block]] = {}
    for block in blocks:
        settings = _settings(block)
        what = (*block.voxels, settings.supervoxels.model_dump_json(), settings.features.model_dump_json())
        found.setdefault(what, []).append(block)
    groups = []
    for alike in found.values():
        learned = next((block for block in alike if block.name in steps), None)
        scored = next((block for block in alike if block.kind == "ithscore"), None)
        groups.append(_Group(learned or alike[0], scored, steps[learned.name] if learned else None))
    return sorted(groups, key=lambda group: group.habitats is None)[:_GROUPS]


def _settings(block: Block) -> HabitatSection:
    assert isinstance(block.settings, HabitatSection)
    return block.settings


# ---------------------------------------------------------------------- what habitats look like


def _profile(plan: Plan, data: StudyData, model: str, block: str, step: Habitats) -> pd.DataFrame:
    X, _ = data.matrix(plan.blocks_of(plan.model(model)), "train", context=step.context)
    tables = [cell for cell in X[step.context[0]] if isinstance(cell, SupervoxelTable) and len(cell.voxels)]
    return habitat_profile(step, tables).assign(block=block)


def _shares(plan: Plan, data: StudyData, model: str, block: str, step: Habitats) -> pd.DataFrame:
    """The mean fraction of each habitat over patients with each outcome, in each split, with a bootstrap interval over patients."""
    count = len(step.centres_)
    names = [name for name in step.made_names() if name.endswith("_fraction")]
    rows = []
    for split in dict.fromkeys(data.split):
        X, who = data.matrix(plan.blocks_of(plan.model(model)), split, context=step.context)
        fractions = step.make(X[list(step.context)])[names].set_axis(range(1, count + 1), axis=1)
        fractions = fractions.groupby(who.to_numpy()).mean().dropna()
        codes = data.outcome.values.reindex(fractions.index)
        for code in sorted(codes.dropna().unique()):
            own = fractions[(codes == code).to_numpy()]
            draw = np.random.default_rng(child_seed(plan.validation.seed, "habitat shares", block, split, int(code)))
            drawn = draw.multinomial(len(own), np.full(len(own), 1 / len(own)), size=_DRAWS) / len(own)
            for habitat in own:
                values = own[habitat].to_numpy()
                found = percentile_interval(
                    float(values.mean()), drawn @ values, plan.validation.confidence, "bootstrap over patients"
                )
                rows.append(
                    (block, habitat, split, int(code), len(own), found.estimate, found.lower, found.upper, found.method)
                )
    return pd.DataFrame(rows, columns=SHARE_COLUMNS)


# ---------------------------------------------------------------------- pictures


def _pictures(plan: Plan, data: StudyData, group: _Group, store: RunFolder) -> list[dict[str, Any]]:
    """A row a patient; his files are written."""
    block = group.block
    cases = {case.row: case for case in case_files(cohort_of(plan, store.path).rows)}
    facts = {"block": block.name, "region": _region(block.region), "image": block.image}
    limits = _settings(block).supervoxels.window or (float("nan"), float("nan"))
    rows = []
    for row, patient in shown_rows(data, min(plan.report.pictures, _PATIENTS)):
        hashes = [data.hashes.get(f"{row} {kind}") for kind in (f"image:{block.image}", f"mask:{block.mask}")]
        piece = _piece(cases[row], block, hashes, store)
        if "note" in piece:
            log.warning("case %s: %s", row, piece["note"])
            rows.append({"row": row, "patient": patient, **facts, "note": piece["note"]})
            continue
        files, counts = _painted(piece, group, patient)
        for kind, path in habitat_paths(block.name, row).items():
            if kind in files:
                write_bytes(store.path / path, base64.b64decode(files[kind]))
        about = {key: value for key, value in piece.items() if key in COLUMNS and key not in files}
        rows.append(
            {
                "row": row,
                "patient": patient,
                **facts,
                **about,
                **counts,
                "window_low": limits[0],
                "window_high": limits[1],
            }
        )
    return rows


def _region(region: RegionSettings) -> str:
    if region.ring_mm is not None:
        return f"ring of {region.ring_mm[0]:g} to {region.ring_mm[1]:g} mm around the lesion"
    return f"lesion with a margin of {region.margin_mm:g} mm" if region.margin_mm else "lesion"


def _piece(case: CaseFiles, block: Block, hashes: list[str | None], store: RunFolder) -> dict[str, Any]:
    """Slice, labels and measurements of one case from the store, or made; a note where it cannot be. It never stops a run."""
    from isthmus import __version__

    settings = _settings(block)
    parts = (settings.supervoxels, settings.features, block.preparation, block.region)
    label = case.labels.get(block.mask, block.label)
    key = digest(__version__, "supervoxels", label, *hashes, *(part.model_dump_json() for part in parts))
    return kept_map(
        case, block, key, store, lambda image, roi: _slice(image, roi, settings), "no picture of its supervoxels"
    )


def _slice(image: Image, roi: Roi, settings: HabitatSection) -> dict[str, Any]:
    pieces = cut(image, roi, settings.supervoxels)
    table = measure_supervoxels(pieces, settings.features)
    crop = lesion_crop(image, roi.mask, _PIXELS, margin=_MARGIN, least_mm=8.0)
    pixels, low, high = grey_png(crop.values)
    lies = orientation(image.geometry)
    shown = labels_over(crop, image.geometry, pieces.labels, pieces.geometry, _PIXELS)
    return {
        "quantity": image.quantity, "slice": crop.slice, "slices": image.geometry.shape[0], "plane": lies.plane, "left": lies.left,
        "top": lies.top, "unit": image.geometry.unit, "spacing_j_mm": crop.spacing_mm[0], "spacing_i_mm": crop.spacing_mm[1],
        "low": low, "high": high, "pixels": pixels, "mask": mask_png(crop.mask), "labels": label_png(shown),
        "measured": Measured(table, pieces.count, pieces.volume_mm3, pieces.geometry.voxel_volume_mm3).to_json(),
    }  # fmt: skip


def _painted(piece: dict[str, Any], group: _Group, patient: str) -> tuple[dict[str, str], dict[str, int]]:
    """The pictures of one case (PNG, base64) by kind, and how many supervoxels, clusters and habitats there are."""
    labels = read_label_png(base64.b64decode(piece["labels"]))
    measured = Measured.from_json(piece["measured"], patient)
    assert measured.table is not None
    files = {"pixels": piece["pixels"], "mask": piece["mask"], "supervoxels": piece["labels"]}
    counts = {"supervoxels": measured.count}
    if group.ith is not None:
        quick = _settings(group.ith).ith3d.model_copy(update={"resamples": 0, "permutations": 0})
        clusters = score_of(measured.table, measured.voxel_mm3, quick).clusters
        files["clusters"] = label_png(measured.table.painted(clusters, labels))
        counts["clusters"] = int(clusters.max(initial=0))
    if group.habitats is not None:
        files["habitats"] = label_png(measured.table.painted(group.habitats.assign(measured.table), labels))
        counts["habitats"] = len(group.habitats.centres_)
    return files, counts
