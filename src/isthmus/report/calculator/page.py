"""`calculator.html` from a stored result and its model file: a form, a script that computes, and what a reader must know."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.errors import ModelFileError, TableError
from isthmus.report import inline
from isthmus.report.answer import answer
from isthmus.report.facts import final_model
from isthmus.stats.nomogram import pretty
from isthmus.study.calculator import Calculation, calculation
from isthmus.study.manifest import LEVELS
from isthmus.study.model import Model
from isthmus.study.nomogram import Points, dictionary, points_of
from isthmus.study.plan import CLINICAL
from isthmus.study.result import Result
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.reading import MISSING
from isthmus.validate.scoring import GROUPS

__all__ = ["Calculator", "write_calculator"]

MANY = 12
"""With more inputs, or with image features, a row of a table is pasted rather than typed."""


@dataclass(frozen=True)
class Calculator:
    """What came of it: the name of the page beside the report, or why there is none (both empty: the run keeps no model file)."""

    page: str = ""
    reason: str = ""


def write_calculator(result: Result, folder: Path) -> Calculator:
    """Write `calculator.html` into `folder` if the final model can be computed in a page; the same result gives the same bytes.

    An earlier page is removed where there is none now.
    """
    path, file = folder / "calculator.html", result.folder / "model.isthmus"
    path.unlink(missing_ok=True)
    if not file.is_file():
        return Calculator()
    try:
        text = render(result, Model.load(file))
    except (ModelFileError, TableError) as exc:
        return Calculator(reason=str(exc).removeprefix(f"{file}: "))  # the report is the same wherever it lies
    path.write_text(text, encoding="utf-8", newline="\n")
    return Calculator(page=path.name)


def render(result: Result, model: Model) -> str:
    """The page as text.

    Raises
    ------
    TableError
        The model is no arithmetic on single values, is not the one the report speaks of, or speaks of rows that are no patients.
    """
    from markupsafe import Markup

    if model.name != final_model(result):
        raise TableError(f"the model file holds '{model.name}', the report's final model is '{final_model(result)}'")
    training = model.manifest["training"]
    if any(item["n"] + item["missing"] != training["patients"] for item in model.manifest["inputs"]):
        raise TableError("a patient's risk is the mean over several rows of the table")
    made = calculation(model)
    inputs = _inputs(result, model, made)
    table = result.tables.get(f"nomogram_{model.name}", pd.DataFrame())
    points = points_of(table, made, {item["column"]: item["kind"] for item in model.manifest["inputs"]})
    # JSON that holds no character of HTML: the only text that is not escaped
    return inline.filled(
        "isthmus.report.calculator", "calculator",
        data=Markup(_data(model, made, inputs, points)), groups=_groups(inputs), paste=_pastes(inputs), n_inputs=len(inputs),
        inputs=inputs, model=model, event=_event(model), training=training, answer=answer(result),
        title=result.plan.get("report", {}).get("title") or f"Prediction of {model.manifest['outcome']['name']}",
        points=points is not None, use=model.manifest["use"],
        horizon="" if model.horizon is None else f"{model.horizon:g}",
    )  # fmt: skip


def _event(model: Model) -> str:
    """What the risk is of, in words: the class, or the outcome where the class is only called yes or 1."""
    name = model.classes[1]
    plain = model.task == "survival" or name.casefold() in ("1", "yes", "true", "y", "event")
    return str(model.manifest["outcome"]["name"]) if plain else name


def _data(model: Model, made: Calculation, inputs: list[dict[str, Any]], points: Points | None) -> str:
    """All numbers the script needs, each with every digit it has, and no character that could end the element."""
    document = {
        "calculation": asdict(made),
        "inputs": inputs,
        "missing": sorted(MISSING),
        "event": _event(model),
        "classes": model.classes,
        "threshold": model.threshold if model.task == "binary" else None,
        "cuts": model.cuts,
        "groups": GROUPS[len(model.cuts) + 1] if model.cuts else (),
        "points": None if points is None else asdict(points),
    }
    return inline.safe_json(document)


# ---------------------------------------------------------------------- the inputs


def _inputs(result: Result, model: Model, made: Calculation) -> list[dict[str, Any]]:
    """What a field needs: name, kind, choices, training range, what a gap becomes."""
    known = dictionary(model.plan)
    trained = {item["column"]: item for item in model.manifest["inputs"]}
    fills = {term.input: term.operations for term in made.terms}
    found = []
    for name in sorted(made.inputs, key=model.columns.index):
        facts, item = known.get(name, ColumnSettings()), trained[name]
        block, _, rest = name.partition(".")
        inside = rest and (block == CLINICAL or block in result.blocks)
        one = {
            "name": name,
            "label": facts.label or (rest if inside else name),
            "unit": facts.unit,
            "group": block if inside else "",
            "required": name in made.complete,
            "possible": None if facts.range is None else [float(limit) for limit in facts.range],
            **(_number(item, facts) if item["kind"] == "number" else _category(item, facts)),
        }
        one["fill"] = _fill(one, next((op[1] for op in fills[name] if op[0] == "fill"), None))
        found.append(one)
    return found


def _number(item: Mapping[str, Any], facts: ColumnSettings) -> dict[str, Any]:
    """A number: where the training patients lie, and a plausible step; the levels behind a coded one."""
    kept = dict(zip(LEVELS, map(float.fromhex, item["quantiles"]), strict=True))
    low, q05, q25, middle, q75, q95, high = (kept[share] for share in (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0))
    levels = facts.levels or (["no", "yes"] if facts.type == "yes/no" else [])
    coded = facts.type in ("yes/no", "ordinal") and len(levels) > 0
    whole = all(value == round(value) for value in (low, q05, q25, q75, q95, high))
    spread = (q95 - q05) or (high - low)
    step = 1.0 if whole or not spread else 10.0 ** math.floor(math.log10(spread / 20))
    return {
        "kind": "choice" if coded else "number",
        "choices": [{"value": float(code), "text": text} for code, text in enumerate(levels)] if coded else [],
        "low": low, "high": high, "usual": [q05, q25, middle, q75, q95], "step": step,
        "track": _track(low, high),
    }  # fmt: skip


def _track(low: float, high: float) -> list[float]:
    """Round ends of the scale under a field, a little beyond what training patients had."""
    ends = pretty(low, high, 5)
    return [float(ends[0]), float(ends[-1])]


def _category(item: Mapping[str, Any], facts: ColumnSettings) -> dict[str, Any]:
    """A text: the categories of the training patients, in declared order."""
    place = {level: position for position, level in enumerate(facts.levels)}
    names = sorted(item["categories"], key=lambda name: (place.get(name, len(place)), name))
    return {"kind": "category", "choices": [{"value": name, "text": name} for name in names], "step": None}


def _fill(one: Mapping[str, Any], fill: float | str | None) -> str:
    """In words, what a gap becomes; empty where it has no value of its own."""
    if fill is None:
        return ""
    if one["kind"] == "choice":
        return next((c["text"] for c in one["choices"] if c["value"] == fill), f"{fill:.4g}")
    return fill if isinstance(fill, str) else f"{fill:.4g}"


# ---------------------------------------------------------------------- how the form is laid out


def _groups(inputs: list[dict[str, Any]]) -> list[tuple[str, list[tuple[int, dict[str, Any]]]]]:
    """Title and fields of each part of the form: what is typed first, image features behind."""
    order = sorted({item["group"] for item in inputs}, key=lambda name: (name not in (CLINICAL, ""), name))
    titles = {"": "Predictors" if order == [""] else "Other predictors", CLINICAL: "Patient"}
    numbered = list(enumerate(inputs))
    return [
        (titles.get(name, f"Image features: {name}"), [(i, item) for i, item in numbered if item["group"] == name])
        for name in order
    ]


def _pastes(inputs: list[dict[str, Any]]) -> bool:
    """Is a row of a table easier than typing?"""
    return len(inputs) > MANY or any(item["group"] not in ("", CLINICAL) for item in inputs)
