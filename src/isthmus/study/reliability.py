"""The repeats a study judges its features by: read, named as in the design matrix, and marked by who is in the study."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.cohort.rows import path_cells
from isthmus.deep.settings import DeepSettings
from isthmus.errors import PlanError, TableError, first_few
from isthmus.models.building import resolve
from isthmus.models.settings import ModelSettings, StepSettings
from isthmus.select.reliability import Reliability
from isthmus.select.repeats import KEYS, read_repeats
from isthmus.select.settings import IN_RUN
from isthmus.study.blocks import qualified
from isthmus.study.data import StudyData, case_files, plan_blocks
from isthmus.study.deep_repeats import COSINE, lesion_cosine
from isthmus.study.extraction import extract_cases
from isthmus.study.plan import Plan, repeated_blocks, with_default_steps
from isthmus.study.store import RunFolder, write_bytes
from isthmus.table.expression import unknown_column
from isthmus.table.paths import resolve_path
from isthmus.table.reading import read_frame
from isthmus.validate.results import FittedModel

__all__ = [
    "is_case_table",
    "put_repeats",
    "repeat_paths",
    "with_repeats",
    "write_lesion_reliability",
    "write_reliability",
]

log = logging.getLogger("isthmus")


def repeat_paths(plan: Plan) -> list[str]:
    """Every table of repeats the plan names, as it names it."""
    return list(dict.fromkeys(path for said in _tables(plan).values() for path in said.values()))


def _tables(plan: Plan) -> dict[str, dict[str, str]]:
    """What a step calls its table -> block -> the file. `IN_RUN` is that of [select]; a model may name one of its own."""
    found: dict[str, dict[str, str]] = {}
    if plan.select.reliability is not None:
        found[IN_RUN] = repeated_blocks(plan, plan.select.reliability.repeats)
    for model in plan.models:
        for step in resolve(with_default_steps(plan, model)):
            said = step.settings.get("repeats", IN_RUN)
            if step.name == Reliability.name and said != IN_RUN:
                found[said] = repeated_blocks(plan, said)
    return found


def put_repeats(plan: Plan, data: StudyData, store: RunFolder, *, workers: int = 1) -> StudyData:
    """The study with its tables of repeats put together: named as in the design matrix, who is in the study marked; they lie under
    the run's `.work`, named by content. Masks drawn again are measured first."""
    found = {name: str(_put_together(plan, tables, data, store, workers)) for name, tables in _tables(plan).items()}
    return replace(data, repeats=found)


def is_case_table(path: Path) -> bool:
    """Does a table of repeats name images and masks to be measured, instead of features?"""
    return (
        path.suffix != ".parquet"
        and path.is_file()
        and any(str(name).startswith("mask:") for name in read_frame(path).frame.columns)
    )


def _measured(plan: Plan, name: str, path: Path, store: RunFolder, workers: int) -> pd.DataFrame:
    """A block's features of images and masks drawn again: patient, row (`patient#repeat`), and the features.

    Raises
    ------
    PlanError
        The block learns in the folds, so it has no features before them; or a column is missing.
    TableError
        A case cannot be measured.
    """
    block = next((one for one in plan_blocks(plan) if one.name == name), None)
    if block is None or block.trained or block.of_supervoxels:
        raise PlanError(
            f"[select] reliability: {path} names images, and block {name!r} has no features of images outside the folds. "
            "Name a block of radiomics or of a frozen network."
        )
    frame = read_frame(path).frame
    columns = [f"image:{block.image}", f"mask:{block.mask}"]
    for column in ("patient", "repeat", *columns):
        if column not in frame.columns:
            raise unknown_column(column, frame.columns, where=f"{path}, masks drawn again")
    patient = frame["patient"].astype("str")
    subject = patient + "/" + frame["lesion"].astype("str") if "lesion" in frame.columns else patient
    rows = pd.DataFrame({"row": subject + "#" + frame["repeat"].astype("str"), "patient": patient})
    files = case_files(pd.concat([rows, path_cells(frame, columns, path.resolve().parent)], axis=1))
    found = extract_cases(files, [block], workers=min(workers, len(files)), store=store, say=False)
    if len(found.exclusions):
        failed = found.exclusions.iloc[0]
        raise TableError(
            f"{path}: {failed['row']} cannot be measured: {failed['reason']} ({len(found.exclusions)} in all)"
        )
    values = found.tables[name].values
    return pd.concat([rows.set_index("row").loc[values.index].reset_index(), values.reset_index(drop=True)], axis=1)


def with_repeats(model: ModelSettings, repeats: Mapping[str, str]) -> ModelSettings:
    """The model whose step `reliability` reads the table that was put together."""
    if not repeats or not any(step.name == Reliability.name for step in resolve(model)):
        return model
    steps = [
        StepSettings.model_validate({"name": step.name, **step.settings, "repeats": repeats[step.settings["repeats"]]})
        if step.name == Reliability.name and step.settings["repeats"] in repeats
        else step
        for step in resolve(model)
    ]
    return model.model_copy(update={"steps": steps})


def _put_together(plan: Plan, tables: Mapping[str, str], data: StudyData, store: RunFolder, workers: int) -> Path:
    parts = []
    included = set(data.outcome.patients)
    for block, name in tables.items():
        path = resolve_path(name, plan.base)
        if is_case_table(path):
            again = _parquet(_measured(plan, block, path, store, workers))
            path = store.path.resolve() / ".work" / f"drawn-again-{hashlib.sha256(again).hexdigest()[:16]}.parquet"
            write_bytes(path, again)
        table = read_repeats(path)
        values = table.drop(columns=list(KEYS))
        named = {column: qualified(block, str(column), several=len(plan.blocks) > 1) for column in values.columns}
        # who is in the study counts as a test patient wherever he does not train, whatever the table says of him
        outside = ~table["patient"].isin(list(included))
        parts.append(pd.concat([table[list(KEYS)].assign(outside=outside), values.rename(columns=named)], axis=1))
    whole = parts[0]
    for part in parts[1:]:  # the same patients measured again in several blocks are one row each
        whole = whole.merge(part, on=list(KEYS), how="outer")
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
            step.table().assign(models=", ".join(names), form=step.form, rule=_rule(step))
            for names, step in seen.values()
        ]
        table = pd.concat(parts, ignore_index=True)
        first = ["models", "form", "rule"]
        store.write("tables/reliability.csv", table[[*first, *table.columns.drop(first)]])


def _rule(step: Reliability) -> str:
    """What a feature must reach."""
    also = "" if step.cosine_at_least is None else f", cosine >= {step.cosine_at_least:g}"
    return f"{step.on} >= {step.at_least:g}{also}"


def write_lesion_reliability(plan: Plan, data: StudyData, store: RunFolder) -> None:
    """`tables/lesion_reliability.csv`: of each lesion with repeats, how alike the features of a frozen network are when it is measured
    again; nothing where no such block has repeats. It describes, and decides nothing, so it may look at every patient's repeats."""
    said = plan.select.reliability
    if said is None:
        return
    table, parts = read_repeats(data.repeats[IN_RUN]), []
    several = len(plan.blocks) > 1
    repeated = repeated_blocks(plan, said.repeats)
    for block in plan_blocks(plan):
        if block.name not in repeated or not isinstance(block.settings, DeepSettings):
            continue
        start = qualified(block.name, "", several=several)
        names = [name for name in table.columns if name not in KEYS and str(name).startswith(start)]
        rows = table.dropna(subset=names)
        drawn = rows["repeat"] == rows.groupby("subject")["repeat"].transform("min")  # "0", or who comes first by name
        values = rows[names].to_numpy(np.float64)
        lesions, patients = (rows[key].astype("str").to_numpy() for key in ("subject", "patient"))
        parts.append(lesion_cosine(lesions, patients, drawn.to_numpy(), values).assign(block=block.name))
    if not parts:
        return
    found = pd.concat(parts, ignore_index=True).rename(columns={"row": "lesion", "perturbations": "repeats"})
    found["low"] = found["centred_mean"] < (-np.inf if said.lesion_cosine is None else said.lesion_cosine)
    if found["low"].any():
        log.warning(
            "reliability: %d of %d lesions have a mean centred cosine below %g between their features and those measured again (%s); "
            "nothing was left out",
            found["low"].sum(), len(found), said.lesion_cosine, first_few(found.loc[found["low"], "lesion"]),
        )  # fmt: skip
    order = ["block", "lesion", "patient", "repeats", *COSINE[3:], "low"]
    store.write("tables/lesion_reliability.csv", found[order].sort_values(["centred_mean", "block", "lesion"]))
