"""Blocks of supervoxels in a plan (kinds ited, ithscore, habitat): their settings, the steps they bring, what cannot be said of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from isthmus.errors import PlanError, did_you_mean, first_few
from isthmus.features.settings import PREPARE_KEYS, REGION_KEYS, FeatureBlock
from isthmus.habitat.settings import HabitatSection, shared_keys
from isthmus.models.settings import ModelSettings, StepSettings
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study.deep_blocks import step_of

if TYPE_CHECKING:
    from isthmus.study.plan import Plan

__all__ = [
    "PARTS",
    "check_block",
    "check_steps",
    "habitat_settings",
    "with_steps",
    "with_value",
    "without_makers",
]

PARTS: dict[str, tuple[str, ...]] = {
    "ited": ("supervoxels", "features", "ited"),
    "ithscore": ("supervoxels", "features", "ith2d", "ith3d"),
    "habitat": ("supervoxels", "features", "cohort"),
}
"""The parts of [habitat] that a block of each kind reads."""
_OF_NETWORKS = ("network", "autoencoder", "joint_network")
_MAKERS = ("ited", "habitat", *_OF_NETWORKS)


def habitat_settings(plan: Plan, block: FeatureBlock) -> HabitatSection:
    """See `Plan.habitat_settings`; what is wrong names the block, the part and the key."""
    where = f"[[features]] {block.name!r}"
    parts = PARTS[block.kind]
    for name, value in block.overrides.items():
        if name not in HabitatSection.model_fields:
            known = [*parts, *FeatureBlock.model_fields, *PREPARE_KEYS, *REGION_KEYS]
            raise PlanError(f"{where}: unknown key {name!r}.{did_you_mean(name, known)}")
        if name not in parts:
            raise PlanError(
                f'{where}: {name} does not concern kind = "{block.kind}"; its parts are {", ".join(parts)}.'
            )
        if not isinstance(value, Mapping):
            raise PlanError(f"{where}: {name} = {value!r}; expected a table: {name} = {{ key = value }}")
    shared = {} if plan.habitat is None else plan.habitat.model_dump(exclude_unset=True)
    said = {part: {**shared.get(part, {}), **block.overrides.get(part, {})} for part in HabitatSection.model_fields}
    document = shared_keys({part: keys for part, keys in said.items() if keys})
    try:
        return HabitatSection.model_validate(document)
    except ValidationError as exc:
        raise PlanError(
            "\n".join(setting_messages(exc, document, known_keys=partial(keys_of, HabitatSection), where=where))
        ) from exc


def with_value(block: FeatureBlock, key: str, value: Any) -> FeatureBlock:
    """A block with another value of one setting; as it is, where its kind has no such setting."""
    said = block.model_dump(exclude_unset=True)
    part, dot, inner = key.partition(".")
    if dot:
        if part not in (("encoder", "crop") if block.kind == "deep" else PARTS.get(block.kind, ())):
            return block
        return FeatureBlock.model_validate({**said, part: {**said.get(part, {}), inner: value}})
    if block.kind != "radiomics" and key not in PREPARE_KEYS | REGION_KEYS:
        return block
    return FeatureBlock.model_validate({**said, key: value})


def with_steps(plan: Plan, model: ModelSettings) -> ModelSettings:
    """The model with the step of each of its blocks that learns (`ited`, `habitat`, `network`, `autoencoder`) in front, unless it names
    that step itself. What a named step of a network does not say, its block says."""
    from isthmus.models.building import resolve

    made = _steps_of(plan, model)
    if not made:
        return model
    steps = resolve(model)
    named = {_place(step) for step in steps}
    filled = [
        StepSettings.model_validate({**made[_place(step)], "name": step.name, **step.settings})
        if step.name in _OF_NETWORKS and _place(step) in made
        else step
        for step in steps
    ]
    missing = [StepSettings.model_validate(step) for place, step in made.items() if place not in named]
    return model.model_copy(update={"steps": [*missing, *filled]})


def _place(step: StepSettings) -> tuple[str, str]:
    name = "network" if step.name == "joint_network" else step.name  # it trains the network of the block
    return name, str(step.settings.get("block", ""))


def _steps_of(plan: Plan, model: ModelSettings) -> dict[tuple[str, str], dict[str, Any]]:
    """The steps of a model's blocks that learn, by name and block."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for block in plan.features:
        if block.name not in plan.blocks_of(model):
            continue
        whose = _whose(plan, block)
        if block.learns:
            found[block.kind, whose] = _step_of(plan, block)
        elif block.kind == "deep" and (network := plan.deep_settings(block)).train is not None:
            step = step_of(network, whose)
            found[step["name"], whose] = step
    return found


def without_makers(model: ModelSettings) -> list[str | StepSettings] | None:
    """The steps of a model without those that read supervoxels or crops."""
    if model.steps is None:
        return None
    return [step for step in model.steps if (step if isinstance(step, str) else step.name) not in _MAKERS]


def _whose(plan: Plan, block: FeatureBlock) -> str:
    """How a step names a block: not at all where the study has one."""
    return block.name if len(plan.blocks) > 1 else ""


def _step_of(plan: Plan, block: FeatureBlock) -> dict[str, Any]:
    """The step of a block that learns, with the settings of [habitat]."""
    settings = plan.habitat_settings(block)
    part = settings.cohort if block.kind == "habitat" else settings.ited
    said = part.model_dump(mode="json", exclude_none=True, exclude={"resamples"})
    whose = _whose(plan, block)
    return {"name": block.kind, **said, **({"block": whose} if whose else {})}


def check_block(plan: Plan, block: FeatureBlock) -> None:
    """What belongs to radiomics features says nothing of supervoxels."""
    where = f"[[features]] {block.name!r}"
    if block.scores:
        _check_scores(plan, block, where)
    for key in ("profile", "params"):
        if key in block.model_fields_set and getattr(block, key) is not None:
            raise PlanError(
                f'{where}: {key} belongs to kind = "radiomics", the kind is "{block.kind}". Take it out; the features of supervoxels are '
                "set in [habitat.features]."
            )
    if "filters" in block.overrides:
        raise PlanError(f'{where}: filters belong to kind = "radiomics", the kind is "{block.kind}". Take them out.')


def _check_scores(plan: Plan, block: FeatureBlock, where: str) -> None:
    from isthmus.study.supervoxels import predictor_columns

    if block.kind != "ithscore":
        raise PlanError(f'{where}: scores belong to kind = "ithscore", the kind is "{block.kind}". Take them out.')
    known = predictor_columns(block.kind, plan.habitat_settings(block))
    for name in block.scores:
        if name not in known:
            raise PlanError(f"{where} scores: no score {name!r}.{did_you_mean(name, known)}")


def check_steps(plan: Plan, model: ModelSettings) -> None:
    """A step of a model (its steps resolved) reads the supervoxels or crops of one of its blocks."""
    from isthmus.models.building import resolve

    blocks = set(_steps_of(plan, model))
    for step in resolve(model):
        whose = str(step.settings.get("block", ""))
        if step.name in _MAKERS and _place(step) not in blocks:
            named = f" of the block {whose!r}" if whose else ""
            able = [f"{kind} {name!r}" if name else kind for kind, name in sorted(blocks)]
            kind = 'kind = "deep" with train' if step.name in _OF_NETWORKS else f'kind = "{step.name}"'
            raise PlanError(
                f"[[models]] {model.name!r}: step '{step.name}'{named} has nothing to read. Blocks of this model with such a step: "
                f"{first_few(able) or 'none'}. Add a [[features]] block of {kind}"
                + (', or say which one is meant: block = "NAME".' if able else ".")
            )
