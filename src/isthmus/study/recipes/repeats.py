"""Features of a demo's synthetic patients measured again, where a recipe keeps only those that come out again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from isthmus.study.plan import Plan
from isthmus.study.recipes.facts import Repeats
from isthmus.table.paths import resolve_path

__all__ = ["measure_repeats"]


def measure_repeats(plan: Plan, wanted: Sequence[Repeats], *, workers: int) -> None:
    """What `isthmus extract --cases ... --perturb ...` does with the settings of a block, into the file that the plan names.

    Parameters
    ----------
    plan : Plan
        With a case table of images.
    wanted : sequence of Repeats
    workers : int
        0: one per core.
    """
    from isthmus.study.extract import extract_to_file

    assert plan.cohort is not None
    for one in wanted:
        block = next(block for block in plan.features if block.name == one.block)
        shared = {
            **plan.image.model_dump(mode="json", exclude_unset=True, by_alias=True),
            **plan.roi.model_dump(mode="json", exclude_unset=True),
        }
        said = {**shared, **block.overrides, **block.preparation, **block.region}
        file = resolve_path(one.file, plan.base)
        file.parent.mkdir(parents=True, exist_ok=True)
        extract_to_file(
            file,
            cases=resolve_path(plan.cohort.table, plan.base),
            profile=block.profile,
            settings=[f"{key}={json.dumps(value)}" for key, value in said.items()],
            perturb=one.perturb,
            workers=workers,
        )
