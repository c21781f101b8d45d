"""The repeats a study judges its features by: read, named as in the design matrix, and marked by who is in the study."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.models.building import resolve
from isthmus.models.settings import ModelSettings, StepSettings
from isthmus.select.reliability import Reliability
from isthmus.select.repeats import KEYS, read_repeats
from isthmus.select.settings import IN_RUN
from isthmus.study.blocks import qualified
from isthmus.study.data import StudyData
from isthmus.study.plan import Plan, repeated_blocks
from isthmus.study.store import RunFolder, write_bytes
from isthmus.table.paths import resolve_path
from isthmus.validate.results import FittedModel

__all__ = ["repeat_paths", "with_repeats", "write_reliability"]


def repeat_paths(plan: Plan) -> list[str]:
    """Every table of repeats the plan names, as it names it."""
    found = [path for said in _tables(plan) for path in said.values()]
    return list(dict.fromkeys(found))


def _tables(plan: Plan) -> list[dict[str, str]]:
    said = [plan.select.reliability.repeats] if plan.select.reliability is not None else []
    for model in plan.models:
        said += [step.settings["repeats"] for step in resolve(model) if _own(step)]
    return [repeated_blocks(plan, one) for one in said]


def _own(step: StepSettings) -> bool:
    """Does a model name the step with a table of its own?"""
    return step.name == Reliability.name and step.settings.get("repeats", IN_RUN) != IN_RUN


def with_repeats(plan: Plan, model: ModelSettings, data: StudyData, store: RunFolder) -> ModelSettings:
    """The model with the table of repeats that its step `reliability` reads: written under the run's `.work`, named by content."""
    if not any(step.name == Reliability.name for step in resolve(model)):
        return model
    steps: list[str | StepSettings] = []
    for step in resolve(model):
        if step.name == Reliability.name:
            said = step.settings["repeats"] if _own(step) else None
            if said is None and plan.select.reliability is not None:
                said = plan.select.reliability.repeats
            if said is not None:
                path = _put_together(plan, repeated_blocks(plan, said), data, store)
                steps.append(StepSettings.model_validate({"name": step.name, **step.settings, "repeats": str(path)}))
                continue
        steps.append(step)
    return model.model_copy(update={"steps": steps})


def _put_together(plan: Plan, tables: Mapping[str, str], data: StudyData, store: RunFolder) -> Path:
    parts = []
    included = set(data.outcome.patients)
    for block, name in tables.items():
        table = read_repeats(resolve_path(name, plan.base))
        values = table.drop(columns=list(KEYS))
        named = {column: qualified(block, str(column), several=len(plan.blocks) > 1) for column in values.columns}
        # who is in the study counts as a test patient wherever he does not train, whatever the table says of him
        outside = ~table["patient"].isin(list(included))
        parts.append(pd.concat([table[list(KEYS)].assign(outside=outside), values.rename(columns=named)], axis=1))
    whole = pd.concat(parts, ignore_index=True)
    content = _parquet(whole)
    path = store.path.resolve() / ".work" / f"repeats-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    if not path.is_file():
        write_bytes(path, content)
    return path


def _parquet(table: pd.DataFrame) -> bytes:
    import io

    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def write_reliability(finals: Mapping[str, FittedModel], store: RunFolder) -> None:
    """`tables/reliability.csv`: every judged feature of the final models (those of equal filters once, under all their names)."""
    seen: dict[str, tuple[list[str], Any]] = {}
    for name, final in finals.items():
        for _, step in final.pipeline.chain:
            if isinstance(step, Reliability):
                state = step.to_state()
                key = repr((state["learned"], state["dropped"], state["settings"]))
                seen.setdefault(key, ([], step))[0].append(name)
    if seen:
        parts = [
            step.table().assign(models=", ".join(names), form=step.form, rule=f"{step.on} >= {step.at_least:g}")
            for names, step in seen.values()
        ]
        table = pd.concat(parts, ignore_index=True)
        first = ["models", "form", "rule"]
        store.write("tables/reliability.csv", table[[*first, *table.columns.drop(first)]])
