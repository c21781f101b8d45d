"""One patient and a model file: what must be entered, and the risk that follows, by the very steps of `isthmus apply`.

Nothing is learned and nothing kept. The number is that of `apply_model` on a table of one row; what stands around it says how much it is
worth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from isthmus.errors import IsthmusError, TableError, first_few
from isthmus.stats.interval import Interval
from isthmus.study.apply import Applied, apply_model
from isthmus.study.calculator import calculation
from isthmus.study.context import without_objects
from isthmus.study.data import image_names, mask_names, plan_blocks
from isthmus.study.manifest import LEVELS, observed_of
from isthmus.study.model import NOVELTY, Model
from isthmus.study.nomogram import stored_points
from isthmus.study.plan import CLINICAL, Plan
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.steps import CONTEXT

__all__ = ["Effect", "Input", "PatientForm", "PatientRisk", "patient_form", "patient_risk"]

PATIENT = "patient"
_USUAL = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Input:
    """One value to enter.

    Parameters
    ----------
    name : str
        Its column in a table for `isthmus apply`.
    label, unit, group : str
    kind : {"number", "choice", "text"}
    choices : tuple of str
        Words that may be chosen.
    usual : tuple of float
        5, 25, 50, 75 and 95 % of the training patients; empty where unknown.
    low, high : float or None
        Smallest and largest training value.
    possible : tuple or None
        The data dictionary's range: anything else is refused.
    used : bool
        Whether it plays a part in the model; what plays none may stay empty.
    """

    name: str
    label: str
    unit: str = ""
    group: str = ""
    kind: Literal["number", "choice", "text"] = "number"
    choices: tuple[str, ...] = ()
    usual: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    possible: tuple[float, float] | None = None
    used: bool = True


@dataclass(frozen=True)
class PatientForm:
    """What a model needs of one patient: values, and the names of images and of masks (`image:<name>`, `mask:<name>`).

    `refused` says why the model cannot be applied to one patient here; empty where it can.
    """

    inputs: tuple[Input, ...]
    images: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Effect:
    """What one input adds to the log odds (or log hazard), compared with the median training patient."""

    name: str
    change: float


@dataclass(frozen=True)
class Earned:
    """Points of one input in the nomogram; of a measured feature, too. `value` is empty where it was missing."""

    name: str
    value: str
    points: float


@dataclass(frozen=True, eq=False)
class PatientRisk:
    """The risk of one patient.

    Parameters
    ----------
    probability : float
        NaN where there is none; `reason` says why.
    called : str
        The class (binary: from the threshold on; survival: the risk group).
    classes : mapping
        Probability of each class, where there are more than two.
    observed : Interval or None
        Share of training patients of this risk in whom the event came, when they were left out of the training.
    notes : tuple of str
        Missing values, values the model never saw the like of.
    unlike : str
        Where the patient is unlike the training patients, all inputs taken together; else empty.
    effects : tuple of Effect
        Largest first; empty where the model is no sum of its inputs.
    points : tuple of Earned
        Of the model's nomogram, in the order of its inputs; empty where the file holds none. Their sum is the total.
    """

    probability: float
    called: str
    reason: str = ""
    classes: Mapping[str, float] = field(default_factory=dict)
    observed: Interval | None = None
    notes: tuple[str, ...] = ()
    unlike: str = ""
    effects: tuple[Effect, ...] = ()
    points: tuple[Earned, ...] = ()


# ---------------------------------------------------------------------- what must be entered


def patient_form(model: Model) -> PatientForm:
    """What a model needs of one patient."""
    plan = model.plan
    trained = {str(item["column"]): item for item in model.manifest["inputs"]}
    used = model.used
    if plan.table is not None:
        inputs = [
            _input(name, name, trained[name], _facts(plan, name), name in used)
            for name in model.columns
            if not name.startswith(CONTEXT)
        ]
        return PatientForm((*inputs, *_context(model)))
    wanted = plan.reads(plan.model(model.name))
    said = [block for block in plan.features if block.name in wanted]
    clinical = _clinical(model, plan, trained, used) if CLINICAL in wanted else []
    refused = _refused(model, plan, wanted)
    return PatientForm(
        (*clinical, *_context(model)), tuple(image_names(plan, said)), tuple(mask_names(plan, said)), refused
    )


def _refused(model: Model, plan: Plan, wanted: Sequence[str]) -> str:
    """Why the model cannot be applied to one patient with nothing but this file."""
    from isthmus.deep.settings import DeepSettings

    for block in plan_blocks(plan):
        settings = block.settings
        if (
            block.name in wanted
            and isinstance(settings, DeepSettings)
            and not block.trained
            and settings.encoder.weights.origin == "file"
        ):
            return (
                f"the block {block.name!r} needs the file of weights of its network ({settings.encoder.network}), which the model file "
                "does not hold. Use the command: isthmus apply MODEL --cases cases.csv --weights FILE --out predictions.csv"
            )
    return ""


def _context(model: Model) -> list[Input]:
    """What the steps read of a patient besides the predictors (the centre, for harmonisation)."""
    names = without_objects([name for name in model.columns if name.startswith(CONTEXT)])
    plain = [name.removeprefix(CONTEXT) for name in names]
    centres = tuple(model.manifest["training"]["centres"])
    return [
        Input(name, name.capitalize(), group="About the patient", kind="choice" if name == "centre" and centres else "text",
              choices=centres if name == "centre" else ())
        for name in plain
    ]  # fmt: skip


def _facts(plan: Plan, name: str) -> ColumnSettings:
    declared = plan.clinical.columns if plan.clinical is not None else {}
    return declared.get(name.removeprefix(f"{CLINICAL}."), ColumnSettings())


def _clinical(model: Model, plan: Plan, trained: Mapping[str, Any], used: frozenset[str]) -> list[Input]:
    """The columns of the clinical table that the predictors are made of."""
    assert plan.clinical is not None
    kinds = {name.removeprefix(f"{CLINICAL}."): item for name, item in trained.items()}
    settings = plan.clinical.only(kinds)
    found = []
    for name, facts in settings.columns.items():
        if name in settings.expressions:
            continue
        full = name if name in trained else f"{CLINICAL}.{name}"
        part = full in used or any(f"{CLINICAL}.{made}" in used or made in used for made in settings.expressions)
        found.append(_input(name, name, kinds.get(name), facts, part, group="About the patient"))
    return found


def _input(
    name: str, label: str, item: Mapping[str, Any] | None, facts: ColumnSettings, used: bool, group: str = ""
) -> Input:
    words = facts.levels or (["no", "yes"] if facts.type == "yes/no" else [])
    shared: dict[str, Any] = {"label": facts.label or label, "unit": facts.unit, "group": group, "used": used}
    if words:
        return Input(name, kind="choice", choices=tuple(words), **shared)
    if item is not None and item["kind"] == "category":
        return Input(name, kind="choice", choices=tuple(sorted(item["categories"])), **shared)
    if item is None or item["kind"] != "number":
        return Input(name, kind="number" if facts.kind == "number" else "text", possible=facts.range, **shared)
    kept = dict(zip(LEVELS, map(float.fromhex, item["quantiles"]), strict=True)) if item["quantiles"] else {}
    if not kept:
        return Input(name, possible=facts.range, **shared)
    return Input(
        name, usual=tuple(kept[q] for q in _USUAL), low=kept[0.0], high=kept[1.0], possible=facts.range, **shared
    )


# ---------------------------------------------------------------------- the risk


def patient_risk(
    model: Model, values: Mapping[str, str], files: Mapping[str, Path] | None = None, *, label: str = ""
) -> PatientRisk:
    """The risk of one patient.

    Parameters
    ----------
    model : Model
    values : mapping
        Input -> what was entered, as text; an empty one is missing and filled in as in training.
    files : mapping
        `image:<name>` and `mask:<name>` -> file.
    label : str
        Of the lesion in the masks, where they hold several.

    Raises
    ------
    TableError
        A value that cannot be, an input the model does not have, or an image that is lacking.
    """
    form = patient_form(model)
    if form.refused:
        raise TableError(form.refused)
    known = {one.name for one in form.inputs}
    strange = sorted(set(values) - known)
    if strange:
        raise TableError(
            f"the model takes no {first_few(strange)}; it takes {first_few(sorted(known)) or 'images only'}"
        )
    needed = [*(f"image:{name}" for name in form.images), *(f"mask:{name}" for name in form.masks)]
    given = files or {}
    lacking = [name for name in needed if name not in given]
    if lacking:
        raise TableError(f"the model measures images; {first_few(lacking)} is lacking. Choose the file")
    row: dict[str, Any] = {
        _patient_column(model.plan): "patient",
        **{one.name: values.get(one.name, "") for one in form.inputs},
    }
    row |= {name: str(path.resolve()) for name, path in given.items() if name in needed}
    if label:
        row |= {f"label:{name}": label for name in form.masks}
    applied = apply_model(model, pd.DataFrame([row]), workers=1)
    return _told(model, applied, values)


def _patient_column(plan: Plan) -> str:
    return plan.table.id if plan.table is not None else plan.source.patient  # type: ignore[attr-defined]


def _told(model: Model, applied: Applied, values: Mapping[str, str]) -> PatientRisk:
    one = {str(name): value for name, value in applied.predictions.iloc[0].items()}
    probability = float(one["probability"])
    told = math.isfinite(probability)
    prefix = "probability:"
    classes = {name.removeprefix(prefix): float(one[name]) for name in one if name.startswith(prefix)}
    notes = applied.notes
    unlike = notes.loc[notes["column"] == NOVELTY, "note"]
    line = observed_of(model.manifest) if told else None
    return PatientRisk(
        probability, str(one["class"]), str(one["reason"]), classes, None if line is None else line.at(probability),
        tuple(notes.loc[notes["column"] != NOVELTY, "note"].astype("str")), unlike.iloc[0] if len(unlike) else "",
        _effects(model, values) if told else (), _points(model, applied.inputs) if told else (),
    )  # fmt: skip


def _effects(model: Model, values: Mapping[str, str]) -> tuple[Effect, ...]:
    """What each entered value adds, of a model that is a sum; image features have no entered value and are left out."""
    try:
        made = calculation(model)
    except TableError:
        return ()
    trained = {str(item["column"]): item for item in model.manifest["inputs"]}
    plan = model.plan
    found = []
    for name in made.inputs:
        plain = name if name in values else name.removeprefix(f"{CLINICAL}.")
        text = values.get(plain, "").strip()
        middle = _middle(trained[name])
        if not text or middle is None:
            continue
        try:
            change = made.effect(name, _coded(text, trained[name], _facts(plan, name))) - made.effect(name, middle)
        except (IsthmusError, ValueError):
            continue  # a unit in the cell, a comma: the risk has it right, the bar is left out
        found.append(Effect(plain, change))
    return tuple(sorted(found, key=lambda one: -abs(one.change)))


def _points(model: Model, inputs: pd.DataFrame) -> tuple[Earned, ...]:
    """The nomogram's points of what the model was given."""
    stored = stored_points(model.manifest)
    if stored is None or len(inputs) != 1:
        return ()
    made, row = calculation(model), inputs.iloc[0]
    found = []
    for name in sorted(made.inputs, key=model.columns.index):
        value = None if pd.isna(row[name]) else row[name]
        plain, facts = name.removeprefix(f"{CLINICAL}."), _facts(model.plan, name)
        text = "" if value is None else value if isinstance(value, str) else _word(float(value), facts)
        found.append(
            Earned(
                plain, text, stored.of(made, name, value if value is None or isinstance(value, str) else float(value))
            )
        )
    return tuple(found)


def _word(value: float, facts: ColumnSettings) -> str:
    """A number, or the level behind a coded one."""
    words = facts.levels or (["no", "yes"] if facts.type == "yes/no" else [])
    coded = facts.type in ("yes/no", "ordinal") and value.is_integer() and 0 <= value < len(words)
    return words[int(value)] if coded else f"{value:.6g}"


def _middle(item: Mapping[str, Any]) -> float | str | None:
    """The median, or the most frequent category."""
    if item["kind"] == "number":
        return float.fromhex(item["quantiles"][LEVELS.index(0.5)]) if item["quantiles"] else None
    return max(item["categories"], key=lambda name: item["categories"][name]) if item.get("categories") else None


def _coded(text: str, item: Mapping[str, Any], facts: ColumnSettings) -> float | str:
    words = facts.levels or (["no", "yes"] if facts.type == "yes/no" else [])
    if facts.type in ("yes/no", "ordinal") and text in words:
        return float(words.index(text))
    return float(text) if item["kind"] == "number" else text
