"""What the model file says of the model: `manifest.json`, its fields and what may stand in them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from isthmus.deep import CROPS, Crops
from isthmus.errors import ModelFileError
from isthmus.features.settings import FeatureBlock
from isthmus.habitat.measure import NAMES, SupervoxelTable
from isthmus.habitat.step import SUPERVOXELS
from isthmus.models.json_text import read_json
from isthmus.stats.calibration import CalibrationLine
from isthmus.study.habitat_blocks import PARTS
from isthmus.study.plan import CLINICAL, TABLE, Plan

__all__ = ["BLOCK_KINDS", "FORMAT", "LEVELS", "make_manifest", "observed_of", "predictors_of", "read_manifest"]

FORMAT = 2
"""2: one seal over the whole file; shares beside the quantiles, novelty, card, blocks and the trial."""
BLOCK_KINDS = frozenset({"table", "clinical", "features", "ited", "ithscore", "habitat", "deep"})
"""What gives a block its columns: a ready table, clinical columns, the features of a region, its supervoxels, or a network."""
MOST_PLACES = 2**26
"""Of one crop that a network in a model file sees."""
LEVELS = (0.0, 0.01, *(round(0.05 * step, 2) for step in range(1, 20)), 0.99, 1.0)
"""The shares of training rows at which quantiles of a numeric input are kept."""


def _hex(text: str) -> str:
    try:
        value = float.fromhex(text)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} where a finite number belongs")
    return text


Hex = Annotated[str, Field(max_length=40), AfterValidator(_hex)]
Count = Annotated[int, Field(ge=0, lt=2**53)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Number(_Part):
    column: str
    kind: Literal["number"]
    unit: str = ""
    n: Count
    missing: Count
    quantiles: list[Hex]
    at_most: list[Hex]


class _Category(_Part):
    column: str
    kind: Literal["category"]
    unit: str = ""
    n: Count
    missing: Count
    categories: dict[str, Count]


class _Supervoxels(_Part):
    column: str
    kind: Literal["supervoxels"]
    unit: str = ""
    n: Count
    missing: Count
    quartiles: Annotated[list[Annotated[list[Hex], Field(min_length=3, max_length=3)]], Field(max_length=len(NAMES))]


class _Crops(_Part):
    column: str
    kind: Literal["crops"]
    unit: str = ""
    n: Count
    missing: Count
    shape: Annotated[list[Annotated[int, Field(ge=8, le=4096)]], Field(min_length=2, max_length=3)]
    quartiles: Annotated[list[Hex], Field(min_length=3, max_length=3)]


class _Outcome(_Part):
    name: str
    task: Literal["binary", "multiclass", "ordinal", "survival"]
    classes: Annotated[list[str], Field(min_length=2)]


class _Training(_Part):
    patients: Count
    events: Count
    prevalence: float
    classes: dict[str, Count]
    centres: list[str]


class _Line(_Part):
    intercept: Hex
    slope: Hex
    covariance: Annotated[list[Hex], Field(min_length=3, max_length=3)]
    n: Count
    events: Count


class _Points(_Part):
    scale: Hex
    starts: dict[str, Hex]


class _Block(_Part):
    name: str
    kind: str
    state: dict[str, Any] | None = None


class _Manifest(_Part):
    format: int
    isthmus: str
    model: str
    plan: dict[str, Any]
    outcome: _Outcome
    training: _Training
    threshold: Hex | Literal["nan"]
    cuts: list[Hex] = []
    horizon: float | None = None
    edges: list[Hex] = []
    observed: _Line | None = None
    nomogram: _Points | None = None
    blocks: list[_Block]
    inputs: Annotated[list[_Number | _Category | _Supervoxels | _Crops], Field(min_length=1)]
    made: list[_Number] = []
    performance: list[dict[str, str | float | int | None]]
    trial: list[list[Hex]]
    use: str
    checksums: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


def make_manifest(
    *, plan: Plan, model: str, X: pd.DataFrame, outcome: Mapping[str, Any], training: Mapping[str, Any], threshold: float,
    performance: pd.DataFrame, version: str, cuts: Sequence[float] = (), horizon: float | None = None,
    units: Mapping[str, str] | None = None, risks: Any = (), observed: CalibrationLine | None = None, made: pd.DataFrame | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What the file says of the model.

    `X` are the training rows (only quantiles and categories of them are kept), `made` the columns that the model's first steps make of
    their supervoxels, `risks` the out-of-fold risks of two classes (where bands of risk may be parted: `stats.bands`), `observed` how
    often the event came by the out-of-fold risk.
    """
    units = units or {}
    return {
        "format": FORMAT,
        "isthmus": version,
        "model": model,
        "plan": plan.document(),
        "outcome": dict(outcome),
        "training": dict(training),
        "threshold": float(threshold).hex(),
        **({"cuts": [float(cut).hex() for cut in cuts], "horizon": horizon} if outcome["task"] == "survival" else {}),
        "edges": [edge.hex() for edge in _edges(risks)] if outcome["task"] == "binary" else [],
        **({} if observed is None else {"observed": _line(observed)}),
        "blocks": [_block(plan, name) for name in plan.reads(plan.model(model))],
        "inputs": [_input(X[column], units.get(str(column), "")) for column in X.columns],
        "made": [] if made is None else [_input(made[column], units.get(str(column), "")) for column in made.columns],
        "performance": json.loads(
            performance[performance["model"] == model].to_json(orient="records", double_precision=15)
        ),
        "trial": [],
        "use": "Research use only. Not a medical device.",
    }


def _line(line: CalibrationLine) -> dict[str, Any]:
    return {
        "intercept": line.intercept.hex(), "slope": line.slope.hex(), "covariance": [v.hex() for v in line.covariance],
        "n": line.n, "events": line.events,
    }  # fmt: skip


def observed_of(manifest: Mapping[str, Any]) -> CalibrationLine | None:
    """How often the event came by the out-of-fold risk; None where the file does not say."""
    said = manifest.get("observed")
    if said is None:
        return None
    intercept, slope, v0, v01, v1 = map(float.fromhex, (said["intercept"], said["slope"], *said["covariance"]))
    return CalibrationLine(intercept, slope, (v0, v01, v1), int(said["n"]), int(said["events"]))


def predictors_of(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is known of each predictor: the inputs, but supervoxels and crops as the columns made of them."""
    inputs = [item for item in manifest["inputs"] if item["kind"] not in ("supervoxels", "crops")]
    return [*inputs, *manifest.get("made", [])]


def _edges(risks: Any) -> list[float]:
    known = np.asarray(risks, dtype=np.float64)
    known = known[np.isfinite(known)]
    found = np.quantile(known, np.arange(1, 32) / 32) if len(known) else np.arange(1, 20) / 20
    return [float(edge) for edge in np.unique(np.round(found, 3)) if 0 < edge < 1]


def _block(plan: Plan, name: str) -> dict[str, Any]:
    """Name and kind of a block, and of one of supervoxels or of a network the settings it is measured with, as the plan in the file says
    them too. What its step learned is kept with the other steps of the pipeline."""
    block = next((one for one in plan.features if one.name == name), None)
    if block is None or block.kind == "radiomics":
        return {"name": name, "kind": {TABLE: "table", CLINICAL: "clinical"}.get(name, "features"), "state": None}
    return {"name": name, "kind": block.kind, "state": _settings(plan, block)}


def _settings(plan: Plan, block: FeatureBlock) -> dict[str, Any]:
    if block.kind == "deep":  # with the hash of the weights, which whoever applies the model needs
        return plan.deep_settings(block).model_dump(mode="json", exclude_none=True)
    settings = plan.habitat_settings(block)
    return settings.model_dump(mode="json", exclude_none=True, include=set(PARTS[block.kind]))


def _input(values: pd.Series[Any], unit: str) -> dict[str, Any]:
    """Name, kind and reference distribution of one input."""
    known = values.dropna()
    said = {
        "column": str(values.name), "kind": "number", "unit": unit, "n": len(known), "missing": int(values.isna().sum()),
    }  # fmt: skip
    reads = str(values.name).partition(":")[0]
    if any(isinstance(cell, Crops) for cell in known) or reads == CROPS:
        return {**said, "kind": "crops", **_crops(list(known))}
    if any(isinstance(cell, SupervoxelTable) for cell in known) or reads == SUPERVOXELS:
        return {**said, "kind": "supervoxels", "quartiles": _quartiles(list(known))}
    if pd.api.types.is_numeric_dtype(values):
        numbers = known.to_numpy(dtype=np.float64)
        quantiles = np.quantile(numbers, LEVELS) if len(numbers) else np.empty(0)
        at_most = [float(np.mean(numbers <= q)) for q in quantiles]
        return {**said, "quantiles": [float(q).hex() for q in quantiles], "at_most": [q.hex() for q in at_most]}
    return {**said, "kind": "category", "categories": known.astype("str").value_counts().sort_index().to_dict()}


def _quartiles(tables: Sequence[SupervoxelTable]) -> list[list[str]]:
    """Of each feature over the supervoxels of all training rows: what a supervoxel is like, and nothing of any one of them."""
    pooled = np.concatenate([table.values for table in tables]) if tables else np.empty((0, len(NAMES)))
    found = []
    for column in pooled.T:
        known = column[np.isfinite(column)]
        quartiles = np.quantile(known, [0.25, 0.5, 0.75]) if len(known) else np.zeros(3)
        found.append([float(q).hex() for q in quartiles])
    return found


def _crops(cells: Sequence[Crops]) -> dict[str, Any]:
    """Sides of a crop, and quartiles of the grey of all training rows together; nothing of any one of them."""
    pooled = np.concatenate([cell.values.ravel() for cell in cells]).astype(np.float64)
    quartiles = np.quantile(pooled, [0.25, 0.5, 0.75])
    return {"shape": list(cells[0].values.shape[1:]), "quartiles": [float(q).hex() for q in quartiles]}


def _risks(manifest: Mapping[str, Any]) -> list[str]:
    """The models whose risks the model takes, as its plan says."""
    models = Plan.parse(manifest["plan"]).models
    return [name for model in models if model.name == manifest["model"] for name in model.risks]


def read_manifest(content: bytes, name: str) -> dict[str, Any]:
    """The manifest, every field of the kind it must be.

    Raises
    ------
    ModelFileError
        Another format, a field that is missing, unknown or of the wrong kind, or a block this version does not know.
    """
    manifest = read_json(content, name)
    if manifest.get("format") != FORMAT:
        raise ModelFileError(
            f"{name}: format {str(manifest.get('format'))[:40]}; this version reads format {FORMAT}. "
            "Use the version that wrote it."
        )
    try:
        checked = _Manifest.model_validate(manifest)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelFileError(f"{name}: {where}: {first['msg']}. The file is damaged.") from exc
    for block in checked.blocks:
        if block.kind not in BLOCK_KINDS:
            raise ModelFileError(
                f"{name}: block {block.name!r} is of the kind {block.kind!r}, which this version does not know "
                f"(it knows {', '.join(sorted(BLOCK_KINDS))}). Use the version that wrote it."
            )
        if block.state is not None and block.kind not in {*PARTS, "deep"}:
            raise ModelFileError(
                f"{name}: block {block.name!r} has learned something, which its kind does not. Refused."
            )
    numbers = [*checked.made, *(one for one in checked.inputs if isinstance(one, _Number))]
    lengths = [(len(one.quantiles), len(one.at_most)) for one in numbers]
    tables = [one for one in checked.inputs if isinstance(one, _Supervoxels)]
    crops = [one for one in checked.inputs if isinstance(one, _Crops)]
    if any(math.prod(one.shape) > MOST_PLACES for one in crops):
        raise ModelFileError(f"{name}: crops of more than {MOST_PLACES} places. The file is damaged.")
    if any(len(one.quartiles) != len(NAMES) for one in tables) or bool([*tables, *crops, *_risks(manifest)]) < bool(
        checked.made
    ):
        raise ModelFileError(f"{name}: supervoxels without the quartiles of their features. The file is damaged.")
    if any(pair not in ((0, 0), (len(LEVELS), len(LEVELS))) for pair in lengths):
        raise ModelFileError(f"{name}: an input without its {len(LEVELS)} quantiles. The file is damaged.")
    plan = Plan.parse(manifest["plan"])
    spec = next((one for one in plan.models if one.name == checked.model), None)
    if spec is None or list(plan.reads(spec)) != [block.name for block in checked.blocks]:
        raise ModelFileError(f"{name}: its plan has no model of this name with these blocks. Refused.")
    of_kind = {block.name: _block(plan, block.name) for block in checked.blocks}
    if any(
        of_kind[block.name] != block.model_dump()
        for block in checked.blocks
        if {block.kind, of_kind[block.name]["kind"]} & {*PARTS, "deep"}
    ):
        raise ModelFileError(f"{name}: its blocks are not those of its plan. Refused.")
    if checked.outcome.task == "binary" and (checked.threshold == "nan" or len(checked.outcome.classes) != 2):
        raise ModelFileError(f"{name}: two classes need two names and a threshold. The file is damaged.")
    columns = [one.column for one in (*checked.inputs, *checked.made)]
    if len(set(columns)) != len(columns):
        raise ModelFileError(f"{name}: an input occurs twice. The file is damaged.")
    return manifest
