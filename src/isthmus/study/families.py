"""Which columns belong together where the plan says `groups = "family"`: the families of the profile's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.models.settings import ModelSettings

__all__ = ["with_families"]


def with_families(spec: ModelSettings, families: Mapping[str, Sequence[str]]) -> ModelSettings:
    """The model with the columns of each family written into the estimator's `groups`, if it says "family"."""
    if spec.settings.get("groups") != "family":
        return spec
    named = {name: list(columns) for name, columns in families.items()}
    return spec.model_copy(update={"settings": {**spec.settings, "groups": named}})
