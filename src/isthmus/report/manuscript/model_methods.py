"""Methods, second part: how many patients it takes, and how each model was made."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from isthmus.report.facts import measure_name, task
from isthmus.report.manuscript.draft import Draft, cite, listed, name
from isthmus.report.manuscript.phrases import ESTIMATORS, STEPS

__all__ = ["write"]


def write(d: Draft) -> None:
    """Sample size, and each model: its steps, its estimator, its tuning."""
    if d.rows("tables/sample_size.csv"):
        d.heading("Sample size")
        _sample_size(d)
    d.heading("Model development")
    _models(d)


# ---------------------------------------------------------------------- size


def _sample_size(d: Draft) -> None:
    d.paragraph(
        "The number of patients was given by the available data.",
        f"Before any model was fitted, the number of candidate parameters that it supports was computed by the "
        f"criteria of Riley and colleagues{cite('riley2019', 'riley2020')} "
        f"for an anticipated AUC of {d.setting('validate.expected_auc')}.",
        f"The precision that the unseen patients allow was computed alike{cite('riley2021')}."
        if d.rows("tables/validation_precision.csv")
        else "",
    )


# ---------------------------------------------------------------------- models


@lru_cache(maxsize=1)
def _classes_of_steps() -> dict[str, Any]:
    from isthmus import deep, habitat, harmonise, models, select

    return {**habitat.STEPS, **deep.STEPS, **models.STEPS, **harmonise.STEPS, **select.STEPS}


class _Said:
    """The settings of one step or estimator: those of the plan, else the defaults of the class."""

    def __init__(self, d: Draft, path: str, said: dict[str, Any], kind: str, which: str) -> None:
        from isthmus.models import ESTIMATORS as CLASSES

        self._d, self._path, self._said, self._kind, self._which = d, path, said, kind, which
        found = (_classes_of_steps() if kind == "step" else CLASSES)[which]
        self._defaults = {key: one.default for key, one in inspect.signature(found.__init__).parameters.items()}

    def raw(self, key: str) -> Any:
        return self._said.get(key, self._defaults.get(key))

    def __call__(self, key: str) -> str:
        if key in self._said:
            return self._d.setting(f"{self._path}.{key}")
        return self._d.default(self._kind, self._which, key, self._defaults[key])


def _models(d: Draft) -> None:
    models = d.said("models") or []
    d.paragraph(
        f"The plan of the analysis (plan.lock.toml) names {d.setting('models', 'items')} "
        f"{'model' if len(models) == 1 else 'models'}"
        + (
            f", of which {name(d.said('report.final') or models[0]['name'])} is the final one."
            if len(models) > 1
            else "."
        ),
        "Every step that learns from data (imputation, scaling, harmonisation, selection, resampling, tuning, "
        "calibration, threshold) was fitted on the "
        "training patients of the fold at hand only, and then applied unchanged to the patients held out.",
    )
    groups: dict[str, list[int]] = {}
    for i, model in enumerate(models):
        groups.setdefault(json.dumps(model.get("steps") or [], sort_keys=True), []).append(i)
    described: list[int] = []
    for numbers in groups.values():
        _group(d, models, numbers, described)
        described.append(numbers[0])


def _group(d: Draft, models: list[dict[str, Any]], numbers: list[int], described: list[int]) -> None:
    """Models that share their steps; where an earlier one has the same kinds of steps, only what differs."""
    first = numbers[0]
    steps = _steps(models[first])
    names = listed([name(models[i]["name"]) for i in numbers])
    subject = f"The model {names}" if len(numbers) == 1 else f"The models {names}"
    was = "was" if len(numbers) == 1 else "were"
    like = next((i for i in described if _names(_steps(models[i])) == _names(steps)), None)
    if not steps:
        texts = [f"{subject} {was} fitted to the predictors as they were."]
    elif like is not None:
        other = [j for j, (a, b) in enumerate(zip(_steps(models[like]), steps, strict=True)) if a != b]
        texts = [
            f"{subject} {was} preceded by the steps of {name(models[like]['name'])}, except "
            f"{_numbered(d, first, steps, other)}."
        ]
    else:
        everything = list(range(len(steps)))
        texts = [
            f"{subject} {was} preceded by these steps, in this order: {_numbered(d, first, steps, everything)}.",
            _kinds(steps),
        ]
    d.paragraph(*texts, *(_estimator(d, models, i) for i in numbers))


def _steps(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": step} if isinstance(step, str) else dict(step) for step in model.get("steps") or []]


def _names(steps: list[dict[str, Any]]) -> list[str]:
    return [step["name"] for step in steps]


def _numbered(d: Draft, model: int, steps: list[dict[str, Any]], which: list[int]) -> str:
    """`(a) ...; (c) ...`."""
    clauses = []
    for j in which:
        kind = steps[j]["name"]
        known = kind in STEPS and kind in _classes_of_steps()
        said = _Said(d, f"models.{model}.steps.{j}", steps[j], "step", kind) if known else None
        only = steps[j].get("blocks") if known else None
        of = (
            f" (only in {'block' if len(only) == 1 else 'blocks'} {listed([name(block) for block in only])})"
            if only
            else ""
        )
        clauses.append(f"({_letter(j)}) {STEPS[kind](said) if said else name(kind)}{of}")
    return "; ".join(clauses)


def _letter(j: int) -> str:
    return chr(97 + j) if j < 26 else f"a{chr(97 + j - 26)}"


def _kinds(steps: list[dict[str, Any]]) -> str:
    known = _classes_of_steps()
    supervised = [
        f"({_letter(j)})"
        for j, step in enumerate(steps)
        if (step["name"] in known and known[step["name"]].kind == "supervised")
        or step.get("protect_outcome", "never") != "never"
    ]
    if not supervised:
        return "None of these steps saw the outcome."
    if len(supervised) == len(steps):
        return (
            "They learned from the outcome of training patients."
            if len(steps) > 1
            else "It learned from the outcome of training patients."
        )
    word = "step" if len(supervised) == 1 else "steps"
    return (
        f"Of these, {word} {listed(supervised)} learned from the outcome of training patients; the others did "
        f"not see it."
    )


def _estimator(d: Draft, models: list[dict[str, Any]], i: int) -> str:
    model = models[i]
    which = str(model.get("estimator", "lasso"))
    if which not in ESTIMATORS:
        what = name(which)
    else:
        what = ESTIMATORS[which](_Said(d, f"models.{i}.settings", model.get("settings") or {}, "estimator", which))
    risks = [name(other) for other in model.get("risks") or []]
    own = model.get("blocks") or ([] if risks else d.result.blocks)
    blocks = [name(block) for block in own]
    of = (
        f" on the {'block' if len(blocks) == 1 else 'blocks'} {listed(blocks)}"
        if blocks and len(d.result.blocks) > 1
        else ""
    )
    files = [f"features/{block}.columns.csv" for block in own]
    makes = bool(risks) or any(step["name"] in ("network", "autoencoder", "joint_network") for step in _steps(model))
    one = len(files) == 1 and not makes and d.rows(files[0])
    size = f", with {d.number_of_rows(files[0])} candidate columns" if one else ""
    sentences = [f"The estimator of {name(model['name'])} was {what}{of}{size}."]
    if risks:
        sentences.append(
            f"It took the log odds of {listed(risks)} as predictors, of training patients from inner folds in which they had not been "
            f"fitted{cite('wolpert1992')}."
        )
    if model.get("tuning"):
        sentences.append(_tuning(d, i, model))
    if model.get("class_weight"):
        sentences.append(
            f"Classes were weighted equally in fitting, and risks were carried back to the prevalence of the "
            f"training patients{cite('saerens2002')}."
        )
    if model.get("calibration"):
        sentences.append(_CALIBRATED[model["calibration"]]())
    if model.get("threshold") is not None:
        sentences.append(f"Its threshold rule was {name(_rule(model['threshold']))}.")
    return " ".join(sentences)


_CALIBRATED: dict[str, Callable[[], str]] = {
    "logistic": lambda: (
        f"Its risks were recalibrated by logistic regression on inner out-of-fold risks of the training "
        f"patients{cite('platt1999')}."
    ),
    "intercept": lambda: "The intercept of its risks was updated on inner out-of-fold risks of the training patients.",
    "temperature": lambda: (
        f"Its risks were recalibrated by temperature scaling on inner out-of-fold risks of the training "
        f"patients{cite('guo2017')}."
    ),
    "isotonic": lambda: (
        f"Its risks were recalibrated by isotonic regression on inner out-of-fold risks of the training "
        f"patients{cite('zadrozny2002')}."
    ),
}
_SCORES = {
    "auc": "AUC",
    "pr_auc": "area under the precision-recall curve",
    "log_loss": "log loss",
    "brier": "Brier score",
}


def _tuning(d: Draft, i: int, model: dict[str, Any]) -> str:
    search = model.get("search") or {}
    tuned = listed([name(key) for key in model["tuning"]])
    how = {
        "grid": "an exhaustive grid search",
        "random": f"a random search{cite('bergstra2012')}",
        "optuna": f"a sequential search with Optuna{cite('akiba2019')}",
    }[search.get("method", "grid")]
    draws = (
        f" of {d.setting(f'models.{i}.search.draws')} draws"
        if search.get("method", "grid") != "grid" and "draws" in search
        else ""
    )
    score = _SCORES.get(search.get("score", "auc"), "AUC") if task(d.result) == "binary" else measure_name(d.result)
    simplest = " The simplest setting within one standard error of the best was taken." if search.get("one_se") else ""
    return (
        f"Its settings {tuned} were chosen by {how}{draws} inside the training patients, by the {score} over "
        f"{d.setting('validate.inner_folds')} inner folds."
        f"{simplest}"
    )


def _rule(rule: Any) -> str:
    if isinstance(rule, dict):
        return ", ".join(f"{str(key).replace('_', ' ')} {value}" for key, value in rule.items())
    return {"youden": "Youden's index", "prevalence": "the prevalence in training"}.get(str(rule), f"a risk of {rule}")
