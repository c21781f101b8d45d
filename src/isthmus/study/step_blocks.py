"""Steps that keep to the columns of some blocks (`blocks = ["deep"]`), in the words of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isthmus.errors import PlanError, did_you_mean
from isthmus.models.settings import ModelSettings
from isthmus.settings import StepSettings

if TYPE_CHECKING:
    from isthmus.study.plan import Plan

__all__ = ["kept_to_blocks"]


def kept_to_blocks(plan: Plan, model: ModelSettings) -> ModelSettings:
    """The model with the blocks of its steps as the columns name them.

    A step keeps to those of its blocks that the model uses; one whose blocks it does not use is left out. In a study of one block,
    whose columns do not say it, the step works on all of them.

    Raises
    ------
    PlanError
        A step names a block that the plan has not.
    """
    if model.steps is None or not any(_blocks(step) for step in model.steps):
        return model
    own = plan.blocks_of(model)
    kept: list[str | StepSettings] = []
    for step in model.steps:
        said = _blocks(step)
        if said is None or isinstance(step, str):
            kept.append(step)
            continue
        for block in said:
            if block not in plan.blocks:
                raise PlanError(
                    f"[[models]] {model.name!r}: step {step.name!r}: unknown block {block!r}.{did_you_mean(block, plan.blocks)}"
                )
        used = [block for block in said if block in own]
        rest = {key: value for key, value in step.settings.items() if key != "blocks"}
        limited = {"blocks": used} if len(plan.blocks) > 1 else {}
        if used:
            kept.append(StepSettings.model_validate({"name": step.name, **rest, **limited}))
    return model.model_copy(update={"steps": kept, "blocks": list(own)})


def _blocks(step: str | StepSettings) -> Sequence[str] | None:
    """What a step says of blocks; anything but a list of names is refused when the step is made."""
    said = None if isinstance(step, str) else step.settings.get("blocks")
    return said if isinstance(said, list) and all(isinstance(name, str) for name in said) else None
