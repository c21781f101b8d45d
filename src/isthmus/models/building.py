"""From what the plan says to a pipeline; everything a plan can get wrong about a model is said here."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from isthmus.errors import PlanError, did_you_mean
from isthmus.models.balance import Balance
from isthmus.models.ensemble import Ensemble
from isthmus.models.estimator import Estimator
from isthmus.models.pipeline import Pipeline, split_setting
from isthmus.models.registry import DEFAULT_STEPS, ESTIMATORS, estimators_of
from isthmus.models.settings import Distribution, ModelSettings, StepSettings
from isthmus.stats.seeds import child_seed
from isthmus.table.outcome import Task
from isthmus.table.steps import Step, check_order, step_labels, text_columns, without_context

__all__ = ["build", "check_model", "make_steps", "resolve"]

_OURS = frozenset({"random_state", "horizon"})  # seeds and the horizon of a survival study come from [validate]


def build(
    spec: ModelSettings, columns: pd.DataFrame | Sequence[str], *, seed: int, steps: Mapping[str, type[Step]]
) -> Pipeline:
    """The unfitted pipeline of a model: its steps in order, then its estimator (named "estimator").

    Parameters
    ----------
    spec : ModelSettings
    columns : DataFrame or list of names
        The predictors. A DataFrame also says which are text and need the step 'encode'.
    seed : int
        Children of it seed whatever draws random numbers.
    steps : mapping
        Name -> class of every step a plan may name (`models.STEPS | select.STEPS`; siblings do not import each other).

    Raises
    ------
    PlanError
        An unknown step, estimator or setting, a setting out of range, or steps in an order that cannot work.
    LeakageError
        A step that does not declare what it learns from.
    """
    where = f"[[models]] '{spec.name}'"
    estimator_class = _known(ESTIMATORS, spec.estimator, f"{where}: estimator")
    made = make_steps(spec, seed=seed, steps=steps)
    estimator: Estimator = _make(estimator_class, spec.settings, seed, f"{where}: estimator '{spec.estimator}'")
    _check_tuning(spec, estimator, made, where)
    _check_search(spec, estimator, where)
    _check_weights(spec, estimator, made, where)
    text = text_columns(without_context(columns)) if isinstance(columns, pd.DataFrame) else []
    blocks = spec.blocks if any(step.blocks is not None for step in made) else []
    try:
        check_order(made, text_columns=text, blocks=blocks, estimator=estimator)
        parts: list[Step | Estimator] = [*made, estimator]
        for part in parts:
            part.check_settings()
        estimator.check_threshold(spec.threshold)
    except PlanError as exc:
        raise PlanError(f"{where}: {exc}") from exc
    return Pipeline([*zip(step_labels(made), made, strict=True), ("estimator", estimator)], spec.class_weight)


def make_steps(spec: ModelSettings, *, seed: int, steps: Mapping[str, type[Step]]) -> list[Step]:
    """The unfitted steps of a model, in order."""
    where = f"[[models]] '{spec.name}'"
    made: list[Step] = []
    for entry in resolve(spec):
        step_class = _known(steps, entry.name, f"{where}: step")
        settings = entry.settings
        blocks = settings.pop("blocks", None)
        step: Step = _make(step_class, settings, seed, f"{where}: step '{entry.name}'")
        try:
            made.append(step.on_blocks(blocks))
        except PlanError as exc:
            raise PlanError(f"{where}: {exc}") from exc
    return made


def resolve(spec: ModelSettings) -> list[StepSettings]:
    """The steps of a model with the defaults of its estimator filled in."""
    if spec.steps is None:
        _known(ESTIMATORS, spec.estimator, f"[[models]] '{spec.name}': estimator")
        return [_step(entry) for entry in DEFAULT_STEPS[spec.estimator]]
    return [_step(entry) for entry in spec.steps]


def check_model(spec: ModelSettings, *, steps: Mapping[str, type[Step]], task: Task = "binary") -> None:
    """Raise `PlanError` where this model cannot be built, before any data are read."""
    _check_task(spec, steps, task)
    build(spec, [], seed=0, steps=steps)


def _check_task(spec: ModelSettings, steps: Mapping[str, type[Step]], task: Task) -> None:
    """The estimator, and every step that learns with the outcome, must know this kind of outcome."""
    where = f"[[models]] '{spec.name}'"
    estimator = _known(ESTIMATORS, spec.estimator, f"{where}: estimator")
    if task not in estimator.tasks:
        raise PlanError(
            f"{where}: the estimator '{spec.estimator}' does not learn a {task} outcome. "
            f"Estimators that do: {', '.join(sorted(estimators_of(task)))}"
        )
    for entry in resolve(spec):
        step = _known(steps, entry.name, f"{where}: step")
        if step.kind == "supervised" and task not in step.tasks:
            able = sorted(name for name, cls in steps.items() if cls.kind == "supervised" and task in cls.tasks)
            raise PlanError(
                f"{where}: the step '{entry.name}' learns with the outcome and does not know a {task} one. "
                f"Steps that do: {', '.join(able) or 'none'}; steps that do not look at the outcome all work"
            )


def _step(entry: str | StepSettings) -> StepSettings:
    return StepSettings(name=entry) if isinstance(entry, str) else entry


def _make(cls: Any, settings: Mapping[str, Any], seed: int, where: str) -> Any:
    known = list(inspect.signature(cls.__init__).parameters)[1:]
    decided: frozenset[str] = getattr(cls, "study_decides", frozenset())
    _refuse_decided(settings, decided, where)
    free = [key for key in known if key not in _OURS | decided]
    for key in settings:
        if key not in free:
            raise PlanError(_unknown(f"{where}: setting", key, free))
    seeded = {"random_state": child_seed(seed, cls.name)} if "random_state" in known else {}
    return cls(**settings, **seeded)


def _refuse_decided(settings: Iterable[str], decided: frozenset[str], where: str) -> None:
    """A setting that would change nothing is refused rather than ignored."""
    for key in settings:
        if key in decided:
            raise PlanError(f"{where}: setting '{key}' has no effect in a study; [validate] inner_{key} decides it")


def _check_tuning(spec: ModelSettings, estimator: Estimator, made: Sequence[Step], where: str) -> None:
    """`tuning` names settings of the estimator, of a step as `step.setting`, or of a member of an ensemble
    as `member.setting`, each with a list of values."""
    for key, values in spec.tuning.items():
        owner, setting = split_setting(key)
        members = estimator.make() if isinstance(estimator, Ensemble) else {}
        owners: dict[str, Any] = {"estimator": estimator, **dict(zip(step_labels(made), made, strict=True))}
        if owner in members and owner in owners:
            raise PlanError(
                f"{where}: tuning '{key}' may mean the step or the member '{owner}'; give the member a label of its own"
            )
        owners |= members
        if owner not in owners:
            raise PlanError(
                _unknown(f"{where}: tuning of step", owner, [name for name in owners if name != "estimator"])
            )
        target = owners[owner]
        decided: frozenset[str] = getattr(target, "study_decides", frozenset())
        _refuse_decided([setting], decided, f"{where}: tuning")
        free = [name for name in target.get_params(deep=False) if name not in _OURS | decided]
        if setting not in free:
            raise PlanError(_unknown(f"{where}: tuning", setting, free))
        if not values:
            raise PlanError(f"{where}: tuning '{key}' is an empty list; give the values to choose from")
        if isinstance(values, Distribution):
            values.check(f"{where}: tuning '{key}'")
        for value in (values.low, values.high) if isinstance(values, Distribution) else values:
            trial = type(target)(**{**target.get_params(deep=False), setting: value})
            try:
                trial.check_settings()
            except PlanError as exc:
                raise PlanError(f"{where}: tuning: {exc}") from exc


def _check_weights(spec: ModelSettings, estimator: Estimator, made: Sequence[Step], where: str) -> None:
    """Classes are weighed once, by an estimator that can."""
    balance = next((step for step in made if isinstance(step, Balance)), None)
    if balance is not None and spec.class_weight is not None:
        raise PlanError(f"{where}: class_weight and the step 'balance' would correct twice; leave one out.")
    tried = spec.tuning.get("balance.method", [])
    methods = [] if balance is None else [balance.method, *(tried if isinstance(tried, list) else [])]
    if (spec.class_weight is None and "weights" not in methods) or estimator.takes_weights:
        return
    said = "class_weight" if spec.class_weight is not None else "weights (step 'balance')"
    able = sorted(name for name, known in ESTIMATORS.items() if known.takes_weights)
    raise PlanError(
        f"{where}: estimator '{spec.estimator}' takes no {said}; {', '.join(able)} do. The steps 'over_sample' and "
        "'smote' work with every estimator."
    )


def _check_search(spec: ModelSettings, estimator: Estimator, where: str) -> None:
    """A search needs something to search, a grid lists of values, and the one-SE rule a notion of what is simpler."""
    if spec.search is None or spec.search.method == "grid":
        ranges = [key for key, values in spec.tuning.items() if isinstance(values, Distribution)]
        if ranges:
            raise PlanError(
                f"{where}: tuning '{ranges[0]}' is a range, and a grid needs a list of values. "
                "Add search = { method = 'random' }, or 'optuna'."
            )
    if spec.search is None:
        return
    if not spec.tuning:
        raise PlanError(f"{where}: search without tuning: name the settings to choose, tuning = {{ ... }}")
    own = [key for key in spec.tuning if split_setting(key)[0] == "estimator"]
    if spec.search.one_se and own and not estimator.complexity():
        raise PlanError(
            f"{where}: search one_se: the estimator '{spec.estimator}' does not say which of its settings is simpler; "
            "leave one_se out"
        )


def _known(registry: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in registry:
        raise PlanError(_unknown(what, name, registry))
    return registry[name]


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f"{what} {name!r} is not known.{did_you_mean(name, known)}"
