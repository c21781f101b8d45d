"""The plan as JSON Schema, for editors: sections, keys, and what profiles, steps and estimators are called."""

from __future__ import annotations

from typing import Any

from isthmus.deep.settings import DeepSettings
from isthmus.habitat.settings import HabitatSection
from isthmus.image.prepare import PrepareSettings
from isthmus.roi.settings import RegionSettings
from isthmus.study.plan import Plan

__all__ = ["plan_schema"]


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a plan.

    The keys of the profiles stand among those of `[[features]]`, so an editor completes `bin_width` and marks `binwidth`;
    whether a key belongs to the profile chosen is for `isthmus check` to say.
    """
    from isthmus.features import PROFILES
    from isthmus.models import ESTIMATORS
    from isthmus.segment.grow import METHODS
    from isthmus.study.evaluate import STEPS

    schema = Plan.model_json_schema(by_alias=True)
    parts = schema["$defs"]
    block = parts["FeatureBlock"]
    keys: dict[str, list[dict[str, Any]]] = {}
    for section in (
        PrepareSettings,
        RegionSettings,
        HabitatSection,
        *(profile.Settings for profile in PROFILES.values()),
    ):
        settings = section.model_json_schema(by_alias=True)
        parts.update(settings.pop("$defs", {}))
        for key, schema_of_key in settings["properties"].items():
            _allow(keys.setdefault(key, []), schema_of_key)
    deep = DeepSettings.model_json_schema()["$defs"]
    for part, name in (
        ("encoder", "EncoderSettings"),
        ("crop", "CropSettings"),
    ):  # what a block leaves out, [deep] says
        keys[part] = [{key: value for key, value in deep[name].items() if key != "required"}]
    keys["train"] = [{"type": "boolean"}, deep["LearningSettings"]]
    parts.update(deep)
    block["properties"] = {
        **{key: kinds[0] if len(kinds) == 1 else {"anyOf": kinds} for key, kinds in keys.items()},
        **block["properties"],
    }
    block["additionalProperties"] = False
    block["properties"]["profile"]["enum"] = sorted(PROFILES)
    parts["StepSettings"]["properties"]["name"]["enum"] = sorted(STEPS)
    parts["SegmentSection"]["properties"]["method"]["anyOf"][0]["enum"] = sorted(METHODS)
    parts["ModelSettings"]["properties"]["estimator"]["enum"] = sorted(ESTIMATORS)
    parts["ModelSettings"]["properties"]["like"] = {
        "type": "string",
        "title": "Like",
    }  # written out when a plan is read
    for step in _texts(parts["ModelSettings"]["properties"]["steps"]) + _texts(
        parts["SelectSettings"]["properties"]["steps"]
    ):
        step["enum"] = sorted(STEPS)
    given = [{"required": [name], "properties": {name: {"type": "object"}}} for name in ("cohort", "table")]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "oneOf": given}


def _allow(kinds: list[dict[str, Any]], one: dict[str, Any]) -> None:
    """Add what a profile takes for a key to what others take for it, unless only its default is another."""
    bare = {name: value for name, value in one.items() if name != "default"}
    if not any({name: value for name, value in kind.items() if name != "default"} == bare for kind in kinds):
        kinds.append(one)


def _texts(schema: Any) -> list[dict[str, Any]]:
    """The parts of a schema that allow any text."""
    if isinstance(schema, list):
        return [found for part in schema for found in _texts(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "string" else []
    return own + [found for part in schema.values() if isinstance(part, (dict, list)) for found in _texts(part)]
