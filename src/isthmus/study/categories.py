"""Which columns the step 'representatives' puts together where the plan does not say: the families of the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.models.settings import ModelSettings
from isthmus.select.representatives import RepresentativeStep
from isthmus.settings import StepSettings
from isthmus.study.blocks import BlockData, qualified

__all__ = ["with_categories"]


def with_categories(spec: ModelSettings, blocks: Mapping[str, BlockData], names: Sequence[str]) -> ModelSettings:
    """The model with the categories of its columns written into the step 'representatives', if it has it without them.

    Parameters
    ----------
    spec : ModelSettings
    blocks : mapping
        Every block of the study.
    names : sequence of str
        The blocks of this model. Columns without a family (clinical ones, those of a ready table) are in no category.
    """
    if spec.steps is None:
        return spec
    steps: list[str | StepSettings] = []
    for entry in spec.steps:
        step = StepSettings(name=entry) if isinstance(entry, str) else entry
        found = _categories(blocks, names) if step.name == RepresentativeStep.name else {}
        if found and "categories" not in step.settings:
            steps.append(StepSettings.model_validate({"name": step.name, **step.settings, "categories": found}))
        else:
            steps.append(entry)
    return spec.model_copy(update={"steps": steps})


def _categories(blocks: Mapping[str, BlockData], names: Sequence[str]) -> dict[str, list[str]]:
    """Columns by block, filter and family; of these three the names hold those that differ."""
    keys = {
        qualified(name, meta.column, several=len(blocks) > 1): (name, meta.filter, meta.family)
        for name in names
        for meta in blocks[name].columns
        if meta.family and meta.family != "clinical"
    }
    differs = [len({key[part] for key in keys.values()}) > 1 for part in range(2)] + [True]
    found: dict[str, list[str]] = {}
    for column, key in keys.items():
        category = " ".join(word for word, use in zip(key, differs, strict=True) if use and word)
        found.setdefault(category, []).append(column)
    return found
