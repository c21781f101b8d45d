"""Late fusion: models that take the risks of other models (`risks = ["radiomics", "deep"]`), in the words of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isthmus.errors import LeakageError, PlanError, did_you_mean, first_few
from isthmus.models.settings import ModelSettings
from isthmus.table.dictionary import TIMES
from isthmus.table.outcome import Outcome

if TYPE_CHECKING:
    from isthmus.study.plan import Plan

__all__ = ["RISK", "check_fusion", "is_member", "risk_names", "with_risk_steps"]

RISK = "risk:"
"""How the names of the columns begin."""

_CLINICAL = "clinical"


def risk_names(model: str, outcome: Outcome) -> tuple[str, ...]:
    """The columns of a model's risks: one, or one a class."""
    if outcome.task in ("multiclass", "ordinal"):
        return tuple(f"{RISK}{model}={name}" for name in outcome.classes)
    return (f"{RISK}{model}",)


def is_member(plan: Plan, name: str) -> bool:
    """Does a model of the plan take the risks of this one?"""
    return any(name in model.risks for model in plan.models)


def check_fusion(plan: Plan) -> None:
    """The models whose risks a model takes exist, none takes its own by a detour, and none knows more than it may."""
    known = [model.name for model in plan.models]
    for model in plan.models:
        where = f"[[models]] {model.name!r} risks"
        twice = sorted({name for name in model.risks if model.risks.count(name) > 1})
        if twice:
            raise PlanError(f"{where}: {first_few(twice)} stands there twice.")
        for name in model.risks:
            if name not in known:
                raise PlanError(f"{where}: no model {name!r}.{did_you_mean(name, known)}")
    for model in plan.models:
        _refuse_circle(plan, model, ())
    for model in plan.models:
        _check_time(plan, model)
        if model.estimator == "mean_risk" and (not model.risks or model.blocks):
            raise PlanError(
                f"[[models]] {model.name!r}: estimator 'mean_risk' is the mean of what other models say. Name them, and no blocks: "
                'risks = ["...", "..."]'
            )


def with_risk_steps(model: ModelSettings) -> ModelSettings:
    """The model with steps for risks where it names none: those its estimator needs, but none that leaves a risk out because it resembles
    another or hardly varies."""
    from isthmus.models.building import resolve

    if not model.risks or model.steps is not None:
        return model
    steps = [step for step in resolve(model) if step.name not in ("correlation", "variance")]
    return model.model_copy(update={"steps": steps})


def _refuse_circle(plan: Plan, model: ModelSettings, before: Sequence[str]) -> None:
    if model.name in before:
        way = " -> ".join([*before[list(before).index(model.name) :], model.name])
        raise PlanError(f"[[models]] {model.name!r} risks: it would take its own risk ({way}). Leave one of them out.")
    for name in model.risks:
        _refuse_circle(plan, plan.model(name), [*before, model.name])


def _check_time(plan: Plan, model: ModelSettings) -> None:
    """A pre-operative model takes no risk that was found with later columns."""
    if not model.risks or model.when is None or plan.clinical is None:
        return
    last = TIMES.index(model.when)
    for name in model.risks:
        member = plan.model(name)
        if _CLINICAL in plan.reads(member) and (member.when is None or TIMES.index(member.when) > last):
            raise LeakageError(
                f'[[models]] {model.name!r} when = "{model.when}": the model {name!r} may see clinical columns that are known later. '
                f'Give it when = "{model.when}", too.'
            )
