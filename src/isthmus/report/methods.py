"""How it was done: the plan as it was carried out, with what each step was allowed to see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from isthmus.report.facts import final_model, horizon_text, outcome_name, task, threshold_origin, threshold_rule
from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["KINDS", "model_view", "sentences", "step_kinds"]

KINDS = {"row-wise": "R", "unsupervised": "U", "supervised": "S"}
"""What a step may see: the patient's own row; training rows; training rows with their outcome."""


def step_kinds() -> Mapping[str, str]:
    """Name of a step in a plan -> R, U or S, as the steps themselves declare it."""
    from isthmus import deep, habitat, harmonise, models, select

    return {
        name: KINDS[step.kind]
        for name, step in {**habitat.STEPS, **deep.STEPS, **models.STEPS, **harmonise.STEPS, **select.STEPS}.items()
    }


def model_view(result: Result) -> View | None:
    """One row per model: blocks, steps in order with their kind, estimator, tuning."""
    models = result.plan.get("models", [])
    if not models:
        return None
    kinds = step_kinds()
    rows = []
    for model in models:
        settings = ", ".join(
            f"{key} = {value}" for key, value in {**model.get("settings", {}), **model.get("tuning", {})}.items()
        )
        estimator = str(model.get("estimator", "")) + (f" ({settings})" if settings else "")
        name = str(model["name"]) + (" (final)" if model["name"] == final_model(result) else "")
        steps = " → ".join(_step(step, kinds) for step in _steps(result, model)) or "none"
        risks = [f"risk of {other}" for other in model.get("risks") or []]
        rows.append([name, ", ".join([*(model.get("blocks") or ([] if risks else ["all"])), *risks]), steps, estimator])
    caption = (
        "[R] uses only the patient's own row; [U] learns from training patients without their outcome; "
        "[S] learns with the outcome. [U] and [S] are fitted anew inside every fold, on its training patients only."
    )
    return View(pd.DataFrame(rows, columns=["Model", "Blocks", "Steps, in order", "Estimator"]), caption)


def sentences(result: Result) -> list[str]:
    """How the study was validated, from the resolved plan."""
    validate = result.plan.get("validate", {})
    folds, repeats = validate.get("folds", "?"), validate.get("repeats", "?")
    texts = [
        f"Outcome: {outcome_name(result)}.",
        f"Cross-validation: {folds} folds{f', repeated {repeats} times' if repeats != 1 else ''}, stratified by outcome; all rows of a "
        "patient stay in one fold.",
        f"Every choice (selection, tuning, threshold) was made by {validate.get('inner_folds', '?')} "
        "inner folds inside the training part.",
        _decisions(result),
    ]
    external = (validate.get("external") or {}).get("centre")
    if external:
        texts.append(f"External patients: {', '.join(map(str, external))}. They took part in no choice.")
    permutations = result.plan.get("audit", {}).get("permutations")
    if permutations:
        texts.append(f"Null study: the whole procedure again on {permutations} shuffled outcomes.")
    return texts


def _decisions(result: Result) -> str:
    """How risks become calls, in words."""
    if task(result) == "binary":
        return f"Threshold: {threshold_rule(result)}, {threshold_origin(result)} and carried over unchanged."
    if task(result) == "survival":
        rule = result.plan.get("validate", {}).get("risk_groups", "median")
        return (
            f"Risk groups: {_CUTS[rule]} of out-of-fold predictions of training patients, carried over unchanged. "
            f"Probabilities are of the event by time {horizon_text(result)}."
        )
    return "Every patient is called the class that is most probable for him; no threshold is chosen."


_CUTS = {
    "median": "cut at the median",
    "tertiles": "cut at the tertiles",
    "maximal": "cut where the log-rank statistic is largest",
}


def _steps(result: Result, model: dict[str, Any]) -> list[Any]:
    """The steps of a model: its own, else those of [select], else what its estimator needs."""
    steps = model.get("steps") or result.plan.get("select", {}).get("steps")
    if steps:
        return list(steps)
    from isthmus.models import DEFAULT_STEPS

    steps = DEFAULT_STEPS.get(str(model.get("estimator", "")), ())
    return [step if isinstance(step, str) else step.model_dump() for step in steps]


def _step(step: Any, kinds: Mapping[str, str]) -> str:
    if isinstance(step, str):
        step = {"name": step}
    said = {key: value for key, value in step.items() if key != "name"}
    settings = ", ".join([*_network(said), *(f"{key} = {_words(value)}" for key, value in said.items())])
    kind = "S" if step.get("protect_outcome") == "training-only" else kinds.get(step["name"], "?")
    return f"{step['name']}{f' ({settings})' if settings else ''} [{kind}]"


def _network(said: dict[str, Any]) -> list[str]:
    """The network of a step and how it learns, taken out of its settings; every one of them is in the lock file."""
    encoder, train = said.pop("encoder", None), said.pop("train", None)
    if encoder is None:
        return []
    weights = encoder.get("weights", {})
    starts = {"random": "random numbers", "pretrain": "masked training crops"}
    words = [
        f"{encoder['network']} in {encoder.get('dims', 2)}-D",
        f"starts from {starts.get(weights.get('origin')) or weights.get('path') or 'a file'}",
    ]
    if encoder.get("layer"):
        words.insert(1, f"layer {encoder['layer']}" + (f" ({encoder['pooling']})" if encoder.get("pooling") else ""))
    if encoder.get("attention"):
        words.append("attention over places")
    if train:
        words += [f"at most {train['epochs']} epochs"] if "epochs" in train else []
        words += [
            f"{key.replace('_', ' ')} {_words(train[key])}"
            for key in ("patience", "batch", "learning_rate")
            if key in train
        ]
        words += ["only its head learns"] if train.get("trains") == "head" else []
    return words


def _words(value: Any) -> str:
    """A setting without the marks of a program."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key} {_words(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
