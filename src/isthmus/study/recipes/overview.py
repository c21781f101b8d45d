"""Every recipe of a published study in one table: its blocks, steps and models, as its plan has them.

`python -m isthmus.study.recipes.overview` prints docs/reference/recipes.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable

from isthmus.models.building import resolve
from isthmus.study.plan import CLINICAL, Plan, with_default_steps
from isthmus.study.recipes import STUDIES, facts_of, recipe_text

__all__ = ["overview", "row_of"]

_HEAD = """# Recipes

What each [recipe of a published study](../how-to/neighbouring-recipes.md) does, as its plan has it; what was printed, what is as published
and what was corrected and why: `isthmus recipes NAME`. Numbers after a block are its features, where the study counts them. The table is
made by `python -m isthmus.study.recipes.overview`; a test holds it against the plans, and another holds the plans against
the facts of the studies.

| recipe | patients of the study | blocks | steps, in the order they come in | models | judged on |
| --- | --- | --- | --- | --- | --- |
"""
_OWN = frozenset({"impute", "variance", "scale", "encode"})  # what every model has, study or not


def row_of(name: str) -> str:
    """The recipe's row of the table."""
    plan, facts = Plan.parse(tomllib.loads(recipe_text(name))), facts_of(name)
    counts = facts.requires.columns
    blocks = [CLINICAL] if plan.clinical is not None else []
    blocks += [
        f"{block.name} ({counts[block.name]:,})" if block.name in counts else block.name for block in plan.features
    ]
    steps = _once(step.name for model in plan.models for step in resolve(with_default_steps(plan, model)))
    estimators = _once(model.estimator for model in plan.models)
    said = plan.validation
    named: list[str | None] = [*(one.split for one in facts.sets), *(row.split for row in facts.printed)]
    splits = [split for split in ("internal", "external") if split in named]
    splits += ["external"] if said.external is not None and "external" not in splits else []
    judged = [f"{said.folds} folds" + (f" x {said.repeats}" if said.repeats > 1 else ""), *splits]
    judged += [f"{said.splits} random splits"] if said.scheme == "random-splits" else []
    cells = [
        f"`{name}`",
        "; ".join(_patients(one.patients, one.images, one.name) for one in facts.sets),
        ", ".join(blocks),
        ", ".join(f"`{step}`" for step in steps if step not in _OWN),
        f"{len(plan.models)}: " + ", ".join(f"`{estimator}`" for estimator in estimators),
        ", ".join(judged),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def overview() -> str:
    """The page."""
    return _HEAD + "".join(f"{row_of(name)}\n" for name in STUDIES)


def _patients(patients: int | None, images: int | None, name: str) -> str:
    if patients is not None:
        return f"{patients:,} {name}"
    return f"{name} not counted" if images is None else f"{images:,} images, {name}"


def _once(words: Iterable[str | None]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word]


if __name__ == "__main__":
    print(overview(), end="")
