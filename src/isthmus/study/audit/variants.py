"""The same plan in another world: what remains of the AUC on the tumour's volume alone, on shuffled voxels, on another scanner's images,
under another bin width.

Each variant runs the model on the folds of the study's first repeat and is compared with the study itself on the same patients and folds.
Negative controls and sensitivity change what the model learns from; a shift changes only what its test patients look like.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from isthmus.errors import IsthmusError, OutputError
from isthmus.models.building import resolve
from isthmus.models.settings import ModelSettings
from isthmus.roi.disturb import Disturbance
from isthmus.stats.corrected import corrected_interval
from isthmus.study.blocks import BlockData
from isthmus.study.data import StudyData, measure_again
from isthmus.study.evaluate import Candidate, Job, candidate_of, evaluate_jobs
from isthmus.study.habitat_blocks import without_makers
from isthmus.study.plan import CLINICAL, Plan, with_default_steps
from isthmus.study.step_blocks import kept_to_blocks
from isthmus.study.store import RunFolder
from isthmus.study.volume import lesion_volume
from isthmus.table import ColumnMeta, Outcome
from isthmus.validate.nested import FoldResult
from isthmus.validate.outcomes import for_outcome
from isthmus.validate.settings import ShiftSettings
from isthmus.validate.splits import Split, outer_splits

__all__ = ["COLUMNS", "run_variants"]

log = logging.getLogger("isthmus")

COLUMNS = [
    "kind", "variant", "model", "patients", "auc", "lower", "upper", "auc_study", "difference", "difference_lower", "difference_upper",
    "flips", "note",
]  # fmt: skip
_VOLUME_CODES = ("RNU0", "YEKZ")  # IBSI: volume by mesh, by voxel counting
_VOLUME_NAMES = ("shape_MeshVolume", "shape_VoxelVolume", "shape_Volume")


@dataclass(frozen=True, eq=False)
class _Variant:
    """One changed world: its data, the model in it, and whether the model learns there or is only tested there."""

    kind: Literal["control", "shift", "sensitivity"]
    name: str
    spec: ModelSettings
    data: StudyData
    note: str = ""


@dataclass(frozen=True, eq=False)
class _Missing:
    """A variant that the data do not allow."""

    kind: str
    name: str
    model: str
    note: str


def run_variants(
    plan: Plan, data: StudyData, *, store: RunFolder, workers: int, scheduler: str | None = None
) -> pd.DataFrame:
    """Every control, shift and sensitivity of the plan: one row each.

    Returns
    -------
    DataFrame
        `kind` (control, shift, sensitivity), `variant`, `model`, `patients`, `auc` with `lower` and `upper` (mean over the folds,
        corrected resampled t), `auc_study` (the study on the same folds), `difference` with its limits, `flips` (share of test
        patients whose class changes; shifts only) and `note`. A variant that the data do not allow has a note and no numbers.
    """
    models = plan.audit.models or [plan.final]
    rows = []
    for name in models:
        for variant in _variants(plan, data, plan.model(name), store, workers, scheduler):
            if isinstance(variant, _Missing):
                rows.append(
                    {"kind": variant.kind, "variant": variant.name, "model": variant.model, "note": variant.note}
                )
                continue
            rows.append(_row(variant, plan, data, store, workers, scheduler))
    return pd.DataFrame(rows, columns=COLUMNS)


# ---------------------------------------------------------------------- which worlds


def _variants(
    plan: Plan, data: StudyData, model: ModelSettings, store: RunFolder, workers: int, scheduler: str | None
) -> Iterator[_Variant | _Missing]:
    spec = with_default_steps(plan, model)
    images = [block.name for block in plan.features if block.name in plan.reads(model)]

    def again(changed: Plan, disturbance: Disturbance | None) -> dict[str, BlockData]:
        found = measure_again(changed, disturbance=disturbance, workers=workers, store=store, scheduler=scheduler)
        return {name: found[name] for name in images}

    if "volume" in plan.audit.controls:
        yield _volume(plan, data, spec)
    if "clinical" in plan.audit.controls and CLINICAL in plan.reads(model) and len(plan.reads(model)) > 1:
        alone = spec.model_copy(update={"blocks": [CLINICAL], "risks": [], "steps": without_makers(spec)})
        yield _Variant("control", "clinical alone", kept_to_blocks(plan, alone), data)
    if "shuffled" in plan.audit.controls:
        if images:
            shuffled = again(plan, Disturbance("shuffle", seed=plan.validation.seed))
            yield _Variant("control", "shuffled voxels", spec, data.remeasured(shuffled))
        else:
            yield _Missing(
                "control", "shuffled voxels", model.name, "not possible: the model has no block measured on images"
            )
    for how in _disturbances(plan.audit.shift, plan.validation.seed):
        if images:
            yield _Variant("shift", how.name, spec, data.remeasured(again(plan, how)))
        else:
            yield _Missing("shift", how.name, model.name, "not possible: the model has no block measured on images")
    for key, values in plan.audit.sensitivity.items():
        for value in values:
            if images:
                measured = data.remeasured(again(plan.changed(key, value), None))
                yield _Variant("sensitivity", f"{key} = {value}", spec, measured)
            else:
                missing = "not possible: the model has no block measured on images"
                yield _Missing("sensitivity", f"{key} = {value}", model.name, missing)


def _disturbances(shift: ShiftSettings, seed: int) -> Iterator[Disturbance]:
    yield from (Disturbance("noise", amount, seed) for amount in shift.noise)
    yield from (Disturbance("smooth", amount) for amount in shift.smooth_mm)
    yield from (Disturbance("sharpen", amount) for amount in shift.sharpen_mm)
    yield from (Disturbance("thickness", amount) for amount in shift.thickness_mm)


def _volume(plan: Plan, data: StudyData, spec: ModelSettings) -> _Variant | _Missing:
    """The same estimator on the volume of the lesion in each block of the model, and nothing else."""
    found: dict[str, BlockData] = {}
    for name in plan.reads(spec):
        block = data.blocks[name]
        meta = next(
            filter(None, (_volume_column(block.columns, code) for code in (*_VOLUME_CODES, *_VOLUME_NAMES))), None
        )
        if meta is not None:
            found[name] = BlockData(block.values[[meta.column]], block.patients, (meta,))
        elif (volume := lesion_volume(data, name)) is not None and name != CLINICAL:
            meta = ColumnMeta("volume_ml", family="shape", feature="volume", unit="ml")
            values = volume.reindex(block.patients.astype("str")).set_axis(block.values.index).to_frame("volume_ml")
            found[name] = BlockData(values.astype("float64"), block.patients, (meta,))
    if not found:
        return _Missing(
            "control", "volume alone", spec.name, "not possible: no block of the model holds the lesion's volume"
        )
    steps = [step for step in resolve(spec) if step.name in _FOR_ONE_COLUMN]
    tuning = {key: values for key, values in spec.tuning.items() if "." not in key}  # that of steps goes with them
    search = spec.search if tuning else None
    plain = spec.model_copy(
        update={"blocks": list(found), "risks": [], "steps": steps or ["impute"], "tuning": tuning, "search": search}
    )
    plain = kept_to_blocks(plan, plain)
    columns = ", ".join(block.columns[0].column for block in found.values())
    return _Variant("control", "volume alone", plain, replace(data, blocks={**data.blocks, **found}), f"from {columns}")


_FOR_ONE_COLUMN = ("impute", "encode", "scale")


def _volume_column(columns: tuple[ColumnMeta, ...], mark: str) -> ColumnMeta | None:
    for meta in columns:
        unfiltered = meta.filter in ("", "original")
        if unfiltered and (meta.ibsi_code == mark or (not meta.ibsi_code and meta.column.endswith(mark))):
            return meta
    return None


# ---------------------------------------------------------------------- one world


def _row(
    variant: _Variant, plan: Plan, data: StudyData, store: RunFolder, workers: int, scheduler: str | None
) -> dict[str, Any]:
    """The variant beside the study on the same patients and folds."""
    facts = {"kind": variant.kind, "variant": variant.name, "model": variant.spec.name, "note": variant.note}
    patients = variant.data.patients("train")
    outcome = variant.data.outcome_of("train")
    lost = len(data.patients("train")) - len(patients)
    if lost:
        facts["note"] = "; ".join(filter(None, [variant.note, f"{lost} patients could not be measured"]))
    try:
        splits = _first_repeat(plan, outcome)
        same = replace(data, split=data.split.loc[variant.data.split.index])
        usual = candidate_of(plan, same, with_default_steps(plan, plan.model(variant.spec.name)))
        changed = candidate_of(plan, variant.data, variant.spec)
        if variant.kind == "shift":
            changed = replace(usual, shown=_shown(usual, changed))
        before, after = evaluate_jobs(
            f"{variant.kind}: {variant.name}",
            [Job(candidate, outcome, splits, for_outcome(plan.validation, outcome)) for candidate in (usual, changed)],
            store=store, workers=workers, scheduler=scheduler,
        )  # fmt: skip
    except OutputError:
        raise  # to be done again when there is room, not left out
    except IsthmusError as exc:
        log.warning("[audit] %s %s: %s", variant.kind, variant.name, exc)
        return {**facts, "note": f"not done: {exc}"}
    ratio = 1 / (plan.validation.folds - 1)
    confidence = plan.validation.confidence
    reached = np.array([result.auc for result in after])
    study = np.array([result.auc for result in before])
    area = corrected_interval(reached, test_train_ratio=ratio, confidence=confidence)
    change = corrected_interval(reached - study, test_train_ratio=ratio, confidence=confidence)
    return {
        **facts, "patients": len(patients), "auc": area.estimate, "lower": max(area.lower, 0.0), "upper": min(area.upper, 1.0),
        "auc_study": float(study.mean()), "difference": change.estimate, "difference_lower": change.lower,
        "difference_upper": change.upper, "flips": _flips(before, after) if variant.kind == "shift" else np.nan,
    }  # fmt: skip


def _first_repeat(plan: Plan, outcome: Outcome) -> list[Split]:
    """The folds of the study's first repeat."""
    return outer_splits(outcome, folds=plan.validation.folds, repeats=1, seed=plan.validation.seed)


def _shown(usual: Candidate, changed: Candidate) -> pd.DataFrame:
    """The disturbed rows in the place of the usual ones."""
    if list(usual.X.columns) != list(changed.X.columns) or not usual.X.index.equals(changed.X.index):
        raise IsthmusError("the disturbed images gave other rows or columns than the study's")
    return changed.X


def _flips(before: list[FoldResult], after: list[FoldResult]) -> float:
    """Share of test patients who are on the other side of the (unchanged) threshold."""
    flipped = [
        (np.asarray(one.probability) >= one.threshold) != (np.asarray(other.probability) >= one.threshold)
        for one, other in zip(before, after, strict=True)
    ]
    return float(np.concatenate(flipped).mean())
