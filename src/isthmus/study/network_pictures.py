"""Where the final model's network looks in a few lesions (Grad-CAM), kept for the report, and whether that depends on what it learned."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from isthmus.deep import DeepSettings
from isthmus.deep.crop import normalised, on_image
from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.explain import explain, randomisation_check
from isthmus.deep.step import NetworkStep
from isthmus.errors import TableError
from isthmus.image import Image
from isthmus.image.crop import Crop, grey_png, lesion_crop, mask_png
from isthmus.image.orientation import orientation
from isthmus.roi import Roi
from isthmus.study.compute import one_thread
from isthmus.study.data import StudyData, case_files, cohort_of, plan_blocks
from isthmus.study.deep_blocks import crops_from_json, crops_to_json
from isthmus.study.extraction import Block, CaseFiles
from isthmus.study.feature_maps import kept_map
from isthmus.study.pictures import FOLDER, shown_rows
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder, digest, file_name, write_bytes
from isthmus.validate.results import FittedModel

__all__ = ["COLUMNS", "crop_of_map", "network_paths", "on_crop", "shares", "write_network_maps"]

log = logging.getLogger("isthmus")

COLUMNS = [
    "row", "patient", "model", "block", "network", "trained", "unseen", "method", "layer", "target", "probability", "image", "quantity",
    "slice", "slices", "plane", "left", "top", "unit", "spacing_j_mm", "spacing_i_mm", "low", "high", "map_low", "map_high", "gradient",
    "share_in_lesion", "lesion_share", "spearman", "ssim", "note",
]  # fmt: skip
KINDS = {"pixels": "+network-slice", "mask": "+network-mask", "map": "+network"}

_PATIENTS, _PIXELS = 8, 192


@dataclass(frozen=True)
class _Drawn:
    """A trained network, and whether the patient was among those it learned from."""

    step: NetworkStep
    trained: str
    unseen: bool


def write_network_maps(plan: Plan, data: StudyData, finals: Mapping[str, FittedModel], store: RunFolder) -> None:
    """`tables/network_maps.csv` and the maps beside the pictures, of the final model's network, or of the first model's that has one;
    nothing where no network was trained with the outcome, the plan wants no maps, or there are no pictures.

    A training patient's map is of a network that was trained again, as the final one, without any of the training patients shown: none is
    explained by a network that had seen him. Where too few patients are left for that, it is of the final network, and the table says so.
    """
    (store.path / "tables" / "network_maps.csv").unlink(missing_ok=True)
    chosen = _network(plan, finals) if plan.report.maps and data.pictures else None
    if chosen is None:
        return
    model, step = chosen
    block = next(one for one in plan_blocks(plan) if one.name == _block_name(plan, model, step))
    cases = {case.row: case for case in case_files(cohort_of(plan, store.path).rows)}
    shown = list(shown_rows(data, min(plan.report.pictures, _PATIENTS)))
    training = {patient for _, patient in shown if data.split[patient] == "train"}
    final = _Drawn(step, "on all training patients", unseen=True)
    other = _without(plan, data, model, step, training) if training else final
    target = 1 if data.outcome.task == "binary" else None
    rows = []
    for row, patient in shown:
        by = other if patient in training else final
        piece = _kept(cases[row], patient, block, by.step, target, data, store)
        if "note" in piece:
            log.warning("case %s: %s", row, piece["note"])
        else:
            for kind, path in network_paths(block.name, row).items():
                write_bytes(store.path / path, base64.b64decode(piece[kind]))
        facts = {"row": row, "patient": patient, "model": model, "block": block.name, "image": block.image,
                 "network": step.encoder_settings().network, "trained": by.trained, "unseen": by.unseen}  # fmt: skip
        rows.append({**facts, **piece})
    store.write("tables/network_maps.csv", pd.DataFrame(rows).reindex(columns=COLUMNS))


def _kept(
    case: CaseFiles,
    patient: str,
    block: Block,
    step: NetworkStep,
    target: int | None,
    data: StudyData,
    store: RunFolder,
) -> dict[str, Any]:
    """The map of one case from the store, or made; a note where it cannot be."""
    settings = _deep(block)
    hashes = [data.hashes.get(f"{case.row} {kind}") for kind in (f"image:{block.image}", f"mask:{block.mask}")]
    parts = [part.model_dump_json() for part in (block.preparation, block.region, settings)]
    label = case.labels.get(block.mask, block.label)
    key = digest("network", hashlib.sha256(step.network_.encode()).hexdigest(), target, label, *hashes, *parts)

    def make(image: Image, roi: Roi) -> dict[str, Any]:
        return _piece(image, roi, patient, settings, step, target)

    return kept_map(case, block, key, store, make, "no map of the network")


def network_paths(block: str, row: str) -> dict[str, str]:
    """Where the files of a lesion lie in the run folder."""
    return {kind: f"{FOLDER}/{file_name(block)}/{file_name(row)}{ending}.png" for kind, ending in KINDS.items()}


def _network(plan: Plan, finals: Mapping[str, FittedModel]) -> tuple[str, NetworkStep] | None:
    """The first network that learned with the outcome, of the final model or else of the others in their order."""
    for model in dict.fromkeys([plan.final, *finals]):
        for _, step in finals[model].pipeline.makers:
            if isinstance(step, NetworkStep):
                return model, step
    return None


def _block_name(plan: Plan, model: str, step: NetworkStep) -> str:
    mine = set(plan.blocks_of(plan.model(model)))
    return step.block or next(block.name for block in plan_blocks(plan) if block.trained and block.name in mine)


def _deep(block: Block) -> DeepSettings:
    assert isinstance(block.settings, DeepSettings)
    return block.settings


def _without(plan: Plan, data: StudyData, model: str, step: NetworkStep, shown: set[str]) -> _Drawn:
    """The network trained again without the training patients that are shown."""
    X, who = data.matrix(plan.blocks_of(plan.model(model)), "train", context=step.context)
    rest = ~who.isin(shown).to_numpy()
    codes = data.outcome.array(pd.Index(who))[rest]
    again = clone(step).set_params(makes="features")  # the same network, without the inner folds of scores
    try:
        if len(np.unique(codes)) < len(np.unique(data.outcome.array(pd.Index(who)))):
            raise TableError("a class has no other patients")
        one_thread(lambda fit: fit.fit(X[rest], codes, groups=who.to_numpy()[rest]), again)
    except TableError as error:
        log.warning("maps of the network: it cannot be trained without the %d patients shown (%s); theirs are of one that has seen them",
                    len(shown), error)  # fmt: skip
        return _Drawn(step, "on all training patients", unseen=False)
    return _Drawn(again, "without the training patients shown", unseen=True)


def _piece(
    image: Image, roi: Roi, patient: str, settings: DeepSettings, step: NetworkStep, target: int | None
) -> dict[str, Any]:
    """The map over one lesion, as plain values that JSON can hold."""
    encoder = settings.encoder
    cell = crops_from_json(
        crops_to_json(image, roi, settings), patient, settings
    )  # with the bits the network was trained on
    crops = normalised(cell.values.astype(np.float32), encoder.weights.input)
    network = step.trained_network()
    with one_torch_thread():
        module = step.module()
        found = explain(module, network, crops, target=target)
        check = randomisation_check(module, network, crops, target=found.target, steps=1).iloc[-1]
    volume = on_image(found.map, roi, settings.crop, dims=encoder.dims)
    crop = crop_of_map(image, roi.mask, volume, _PIXELS)
    pixels, low, high = grey_png(crop.values)
    mapped, map_low, map_high = grey_png(on_crop(volume, crop))
    lies = orientation(image.geometry)
    inside, lesion = shares(volume, roi.mask)
    return {
        "method": found.method, "layer": found.layer, "target": found.target, "probability": float(np.mean(found.probability)),
        "quantity": image.quantity, "slice": crop.slice, "slices": image.geometry.shape[0], "plane": lies.plane, "left": lies.left,
        "top": lies.top, "unit": image.geometry.unit, "spacing_j_mm": crop.spacing_mm[0], "spacing_i_mm": crop.spacing_mm[1], "low": low,
        "high": high, "map_low": map_low, "map_high": map_high, "gradient": found.high, "share_in_lesion": _known(inside),
        "lesion_share": _known(lesion), "spearman": _known(check["spearman"]), "ssim": _known(check["ssim"]), "pixels": pixels,
        "mask": mask_png(crop.mask), "map": mapped,
    }  # fmt: skip


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


# ---------------------------------------------------------------------- a map in the plane


def crop_of_map(image: Image, mask: NDArray[np.bool_], volume: NDArray[np.float32], most: int) -> Crop:
    """The slice in which the lesion is largest, around what the network saw of it; around the lesion where it saw nothing of that slice."""
    k = int(np.argmax(mask.sum(axis=(1, 2))))
    seen = np.isfinite(volume[k])
    if not seen.any():
        return lesion_crop(image, mask, most)
    only = np.zeros_like(mask)
    only[k] = seen | mask[k]
    around = lesion_crop(image, only, most, margin=1.05, least_mm=0)
    j, i = (slice(at, at + n * around.factor) for at, n in zip(around.start, around.values.shape, strict=True))
    step = around.factor
    shown = mask[k, j, i][::step, ::step][: around.values.shape[0], : around.values.shape[1]]
    return Crop(around.values, shown, around.spacing_mm, k, around.start, step)


def on_crop(volume: NDArray[np.float32], crop: Crop) -> NDArray[np.float64]:
    """A map where a crop lies, a value for each of its pixels."""
    j, i = (slice(at, at + n * crop.factor) for at, n in zip(crop.start, crop.values.shape, strict=True))
    plane = volume[crop.slice, j, i].astype(np.float64)[:: crop.factor, :: crop.factor]
    return plane[: crop.values.shape[0], : crop.values.shape[1]]


def shares(volume: NDArray[np.float32], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Of what lies where the network saw: how much of the map is in the lesion, and of the places. NaN where the map is flat."""
    there = np.isfinite(volume)
    inside = there & mask
    total = float(volume[there].sum())
    share = float(volume[inside].sum()) / total if total > 0 else float("nan")
    return share, float(inside.sum() / there.sum()) if there.any() else float("nan")
