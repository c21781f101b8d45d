"""Blocks of a network in a plan (kind deep), frozen or trained in the folds: settings, columns and values, steps, where weights lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from isthmus.deep import Crops, DeepSettings, Encoder, seen
from isthmus.deep.crop import crops
from isthmus.deep.encoder import crop_size, feature_layer, not_finite, one_torch_thread
from isthmus.deep.settings import WeightSettings
from isthmus.deep.step import feature_names, score_names
from isthmus.deep.weights import named
from isthmus.errors import CaseError, LeakageError, PlanError, WeightsError, did_you_mean, first_few
from isthmus.features.settings import PREPARE_KEYS, REGION_KEYS, FeatureBlock
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study.store import packed, unpacked
from isthmus.table import ColumnMeta

if TYPE_CHECKING:
    from isthmus.image import Image
    from isthmus.roi import Roi
    from isthmus.study.plan import Plan

__all__ = [
    "CROP_COLUMNS",
    "PARTS",
    "check_deep",
    "crops_from_json",
    "crops_to_json",
    "deep_columns",
    "deep_facts",
    "deep_settings",
    "deep_values",
    "encoder_of",
    "found_by_hash",
    "located",
    "refuse_seen",
    "step_of",
    "trained_columns",
]

PARTS = ("encoder", "crop", "train")
"""The parts of [deep]."""
CROP_COLUMNS = (ColumnMeta("crops", family="crops", feature="crops of the lesion"),)
"""What a block whose network is trained in the folds has in `RUN/features/`."""


def deep_settings(plan: Plan, block: FeatureBlock) -> DeepSettings:
    """[deep], then the block's own tables; layer, pooling and size of the crop resolved. What is wrong names the block and the key."""
    where = f"[[features]] {block.name!r}"
    for name in block.overrides:
        if name not in PARTS:
            known = [*PARTS, *FeatureBlock.model_fields, *PREPARE_KEYS, *REGION_KEYS]
            raise PlanError(f"{where}: unknown key {name!r}.{did_you_mean(name, known)}")
    shared = {} if plan.deep is None else plan.deep.model_dump(exclude_unset=True, exclude_none=True)
    document: dict[str, Any] = {}
    for part in PARTS:
        own = block.overrides.get(part, {})
        there = part in block.overrides or part in shared
        if part == "train" and isinstance(own, bool):
            if not own:
                continue
            own = {}
        if not isinstance(own, dict):
            raise PlanError(f"{where}: {part} = {own!r}; expected a table: {part} = {{ key = value }}")
        if there:
            document[part] = {**shared.get(part, {}), **own}
    try:
        settings = DeepSettings.model_validate(document)
    except ValidationError as exc:
        place_keys = partial(keys_of, DeepSettings)
        raise PlanError("\n".join(setting_messages(exc, document, known_keys=place_keys, where=where))) from exc
    encoder, crop = settings.encoder, settings.crop
    layer, _, pooling = feature_layer(encoder)
    size = crop_size(encoder.row, encoder.dims, crop)
    return settings.model_copy(
        update={
            "encoder": encoder.model_copy(update={"layer": layer, "pooling": pooling}),
            "crop": crop.model_copy(update={"size": size}),
        }
    )


def check_deep(plan: Plan, block: FeatureBlock) -> None:
    """What belongs to radiomics features says nothing of a network; a file of weights is named with its hash."""
    where = f"[[features]] {block.name!r}"
    for key in ("profile", "params"):
        if key in block.model_fields_set and getattr(block, key) is not None:
            raise PlanError(f'{where}: {key} belongs to kind = "radiomics", the kind is "deep". Take it out.')
    settings = deep_settings(plan, block)
    weights = settings.encoder.weights
    if settings.train is not None and "aggregate" in block.model_fields_set:
        how = block.aggregate
        if how in ("mean", "max") and how != settings.crop.combine:
            raise PlanError(
                f'{where}: aggregate = "{how}" and crop.combine = "{settings.crop.combine}": the crops of all images of a patient are '
                "combined at once. Say the same in both"
            )
    if weights.origin == "file" and weights.sha256 is None:
        path = plan.base / str(weights.path)
        its = f"; that of {path} is {hashlib.sha256(path.read_bytes()).hexdigest()}" if path.is_file() else ""
        raise PlanError(
            f"{where}: encoder.weights.sha256 is missing{its}. A study names its weights by their hash, so that a model finds the same ones"
        )


def located(settings: DeepSettings, base: Path) -> DeepSettings:
    """The same with the whole path of the weights file, a relative one of which starts at `base`."""
    weights = settings.encoder.weights
    return settings if weights.path is None else _at(settings, base / weights.path)


def _at(settings: DeepSettings, path: Path) -> DeepSettings:
    weights = settings.encoder.weights.model_copy(update={"path": str(path)})
    return settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"weights": weights})})


def found_by_hash(settings: DeepSettings, files: Sequence[Path]) -> DeepSettings:
    """The same with the one of `files` that has the hash of the weights; without files, as it is.

    Raises
    ------
    WeightsError
        None of them has it, or there is none and no file lies where the plan says.
    """
    weights = settings.encoder.weights
    if weights.path is None:
        return settings
    for path in files:
        if hashlib.sha256(path.read_bytes()).hexdigest() == weights.sha256:
            return _at(settings, path)
    if not files and Path(weights.path).is_file():
        return settings  # its hash is looked at when it is read
    about = f" ({weights.source})" if weights.source else ""
    looked = (
        f"none of the files given with --weights has it: {', '.join(map(str, files))}" if files else "it is not here"
    )
    raise WeightsError(
        f"the model needs the weights of {settings.encoder.network!r} with SHA-256 {weights.sha256}{about}, and {looked}. Give the file "
        "with --weights"
    )


def refuse_seen(settings: DeepSettings, block: str, patients: Iterable[str]) -> None:
    """A network that was trained on patients of the study has seen their outcome, or their images: none of them is unseen any more.

    Raises
    ------
    LeakageError
    """
    trained_on = set(encoder_of(settings).record.trained_on)
    known = sorted({patient for patient in patients if named(patient) in trained_on})
    if known:
        raise LeakageError(
            f"[[features]] {block!r}: the weights were trained on {len(known)} patients of this study ({first_few(known)}), so the folds "
            "could not be judged on patients the network has not seen. Use weights trained on other patients"
        )


# ---------------------------------------------------------------------- measuring


@lru_cache(maxsize=8)
def encoder_of(settings: DeepSettings) -> Encoder:
    """The encoder of this process: weights are read once."""
    return Encoder(settings)


def deep_columns(settings: DeepSettings) -> tuple[ColumnMeta, ...]:
    """The facts of a block's columns."""
    with one_torch_thread():
        return encoder_of(settings).columns()


def deep_facts(settings: DeepSettings) -> str:
    """The record of network, weights and crop, as JSON."""
    with one_torch_thread():
        return json.dumps(encoder_of(settings).facts(), indent=1, ensure_ascii=False) + "\n"


def deep_values(image: Image, roi: Roi, settings: DeepSettings) -> list[float]:
    """Features of one lesion.

    Raises
    ------
    CaseError
        It cannot be cropped, or the network overflows on it.
    """
    with one_torch_thread():
        row = encoder_of(settings).describe([seen(image, roi, settings)])[0]
    if reason := not_finite(row):
        raise CaseError(reason)
    return [float(value) for value in row]


# ---------------------------------------------------------------------- trained inside the folds


def step_of(settings: DeepSettings, block: str) -> dict[str, Any]:
    """The step that trains the network of a block; `block` is empty where the study has one."""
    assert settings.train is not None
    encoder = settings.encoder
    return {
        "name": "autoencoder" if encoder.row.reconstructs else "network",
        "encoder": encoder.model_dump(mode="json", exclude_none=True),
        "train": settings.train.model_dump(mode="json", exclude_none=True),
        "combine": settings.crop.combine,
        **({"block": block} if block else {}),
    }


@lru_cache(maxsize=16)
def trained_columns(settings: DeepSettings, classes: int = 2) -> tuple[ColumnMeta, ...]:
    """The facts of the columns that the step of a block may make: those of its layer, and what the whole network says of the classes."""
    encoder = settings.encoder
    untrained = WeightSettings(origin="random", input=encoder.weights.input)
    as_built = settings.model_copy(update={"encoder": encoder.model_copy(update={"weights": untrained})})
    network = encoder.row
    with one_torch_thread():
        built = Encoder(as_built)
        names = feature_names(network.name, built.width)
        whole = [] if network.reconstructs else score_names(network.name, classes)
    starts = {"random": "its own random numbers", "pretrain": "its own random numbers, then masked training crops"}
    start = starts.get(encoder.weights.origin, encoder.weights.path)
    how = f"trained in the folds from {start}" + (", with attention" if encoder.attention else "")
    where = f"{built.layer}, {built.pooling}" if built.pooling else built.layer
    of_layer = [
        ColumnMeta(column, family="deep", feature=f"{network.name} {encoder.dims}-D, {where}, {number}", parameter=how)
        for number, column in enumerate(names, 1)
    ]
    of_all = [
        ColumnMeta(column, family="deep", feature=f"{network.name} {encoder.dims}-D, score", parameter=how)
        for column in whole
    ]
    return (*of_layer, *of_all)


def crops_to_json(image: Image, roi: Roi, settings: DeepSettings) -> dict[str, Any]:
    """The crops of one lesion as JSON can hold them, half as precise as single numbers.

    Raises
    ------
    CaseError
        It cannot be cropped, or its range is beyond half precision.
    """
    encoder, size = settings.encoder, settings.crop.size
    assert size is not None  # resolved
    found = crops(image, roi, settings.crop, dims=encoder.dims, size=size, limits=encoder.weights.input.range)
    half = found.astype(np.float16)
    if not np.isfinite(half).all():
        raise CaseError(
            "the crop's values are too large to be kept in half precision; use a smaller weights.input.range"
        )
    return {"shape": list(half.shape), "values": packed(half)}


def crops_from_json(said: Mapping[str, Any], patient: str, settings: DeepSettings) -> Crops:
    """What `crops_to_json` gave."""
    values = unpacked(said["values"], np.float16).reshape(said["shape"])
    return Crops(patient, values, settings.encoder.weights.path)
