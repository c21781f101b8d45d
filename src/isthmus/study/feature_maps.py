"""One texture of the final model as a map over the largest slice of a few lesions, kept for the report."""

from __future__ import annotations

import base64
import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import IsthmusWarning
from isthmus.features.maps import FAMILIES, KernelSettings, feature_maps
from isthmus.filters import filter_labels
from isthmus.image import Image
from isthmus.image.crop import grey_png, lesion_crop, mask_png
from isthmus.roi import Roi
from isthmus.study.blocks import qualified
from isthmus.study.compute import one_thread
from isthmus.study.data import StudyData, case_files, cohort_of, plan_blocks
from isthmus.study.extraction import Block, CaseFiles, image_and_region
from isthmus.study.pictures import FOLDER, shown_rows
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder, digest, file_name, write_bytes
from isthmus.table import ColumnMeta
from isthmus.validate.results import FittedModel

__all__ = ["COLUMNS", "kept_map", "map_paths", "mapped_column", "write_feature_maps"]

log = logging.getLogger("isthmus")

COLUMNS = [
    "row", "patient", "block", "image", "column", "family", "feature", "filter", "weight", "weight_kind", "kernel_radius", "slice",
    "spacing_j_mm", "spacing_i_mm", "low", "high", "map_low", "map_high", "note",
]  # fmt: skip
KINDS = {"pixels": "+map-slice", "mask": "+map-mask", "map": "+map"}
_PIXELS = 192


def write_feature_maps(plan: Plan, data: StudyData, final: FittedModel, store: RunFolder, workers: int) -> None:
    """`tables/feature_maps.csv` and the maps beside the pictures; nothing where the final model uses no texture that can be mapped, the
    plan wants none, or there are no pictures. A case that cannot be mapped has a note instead."""
    (store.path / "tables" / "feature_maps.csv").unlink(missing_ok=True)
    chosen = mapped_column(plan, data, final) if plan.report.maps and data.pictures else None
    if chosen is None:
        return
    name, meta, weight = chosen
    block = next(one for one in plan_blocks(plan) if one.name == name)
    cases = {case.row: case for case in case_files(cohort_of(plan, store.path).rows)}
    facts = {
        "block": name, "image": meta.image, "column": meta.column, "family": meta.family, "feature": meta.feature,
        "filter": meta.filter, "weight": weight, "weight_kind": final.weight_kind,
    }  # fmt: skip
    rows = []
    for row, patient in shown_rows(data, plan.report.maps):
        hashes = [data.hashes.get(f"{row} {kind}") for kind in (f"image:{block.image}", f"mask:{block.mask}")]
        piece = _piece(cases[row], block, meta, hashes, store, workers)
        if "note" in piece:
            log.warning("case %s: %s", row, piece["note"])
        else:
            for kind, path in map_paths(name, row).items():
                write_bytes(store.path / path, base64.b64decode(piece[kind]))
        rows.append({"row": row, "patient": patient, **facts, **piece})
    store.write("tables/feature_maps.csv", pd.DataFrame(rows).reindex(columns=COLUMNS))


def mapped_column(plan: Plan, data: StudyData, final: FittedModel) -> tuple[str, ColumnMeta, float] | None:
    """Block, column and weight of the texture with the most weight in the final model; a first-order feature where there is no texture."""
    profiles = {block.name: block.profile for block in plan.features if block.kind == "radiomics"}
    known = {
        qualified(name, meta.column, several=len(data.blocks) > 1): (name, meta)
        for name in plan.blocks_of(plan.model(plan.final))
        if profiles.get(name) == "pyradiomics"
        for meta in data.blocks[name].columns
        if meta.family in FAMILIES
    }
    used = sorted(
        ((column, float(weight)) for column, weight in final.selected.items() if column in known and weight),
        key=lambda one: (known[one[0]][1].family == "firstorder", -abs(one[1]), one[0]),
    )
    return (*known[used[0][0]], used[0][1]) if used else None


def _piece(
    case: CaseFiles, block: Block, meta: ColumnMeta, hashes: list[str | None], store: RunFolder, workers: int
) -> dict[str, Any]:
    """The map of one case from the store, or made; a note where it cannot be. It never stops a run."""
    from isthmus import __version__

    parts = (block.settings, block.preparation, block.region)
    label = case.labels.get(block.mask, block.label)
    key = digest(__version__, "map", meta, label, *hashes, *(part.model_dump_json() for part in parts))
    return kept_map(
        case, block, key, store, lambda image, roi: _map(image, roi, _only(block.settings, meta), meta, workers),
        f"no map of {meta.column}",
    )  # fmt: skip


def kept_map(
    case: CaseFiles,
    block: Block,
    key: str,
    store: RunFolder,
    make: Callable[[Image, Roi], dict[str, Any]],
    without: str,
) -> dict[str, Any]:
    """What was made of one case's image and region from the store, or made; where it cannot be, a note that starts with `without`."""
    piece: dict[str, Any] | None = store.get("maps", key)
    if piece is None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", IsthmusWarning)  # the features have said it
                piece = make(*one_thread(lambda one: image_and_region(one, block), case))
        except Exception as exc:
            log.debug("%s", without, exc_info=True)
            piece = {"note": f"{without} ({type(exc).__name__}: {exc})"}
        store.put("maps", key, piece)
    return piece


def _only(settings: Any, meta: ColumnMeta) -> Any:
    """The block's settings for one column: its filter, its feature."""
    filters = tuple(one for one in settings.filters if meta.filter in filter_labels(one.filter))
    given = {name: getattr(settings, name) for name in type(settings).model_fields}
    return type(settings)(**{**given, "filters": filters, "features": (f"{meta.family}_{meta.feature}",)})


def _map(image: Image, roi: Any, settings: Any, meta: ColumnMeta, workers: int) -> dict[str, Any]:
    kernel = KernelSettings(initial_value=float("nan"))
    maps = feature_maps(image, roi, settings, kernel, largest_slice=True, workers=workers)
    made = next(found for name, found in maps if name == meta.column)
    mask = np.zeros(made.whole.values.shape, dtype=bool)
    mask[made.box] = made.at
    values = np.full(mask.shape, np.nan)
    values[made.box] = made.region.values
    crop = lesion_crop(made.whole, mask, _PIXELS)
    over = lesion_crop(Image(values, made.whole.geometry), mask, _PIXELS)
    pixels, low, high = grey_png(crop.values)
    mapped, map_low, map_high = grey_png(over.values)
    return {
        "kernel_radius": kernel.kernel_radius, "slice": crop.slice, "spacing_j_mm": crop.spacing_mm[0],
        "spacing_i_mm": crop.spacing_mm[1], "low": low, "high": high, "map_low": map_low, "map_high": map_high, "pixels": pixels,
        "mask": mask_png(crop.mask), "map": mapped,
    }  # fmt: skip


def map_paths(block: str, row: str) -> dict[str, str]:
    """Where the files of a map lie in the run folder."""
    return {kind: f"{FOLDER}/{file_name(block)}/{file_name(row)}{ending}.png" for kind, ending in KINDS.items()}
