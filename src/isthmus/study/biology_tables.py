"""[biology] of a plan: tables of slides, proteins and stains beside the risk groups and features of the run."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace

import pandas as pd

from isthmus.biology.association import Association, associate
from isthmus.biology.patients import graded_columns, number_columns, read_patients
from isthmus.biology.risk_groups import UNSEEN, risk_groups
from isthmus.biology.settings import BiologySection, BiologyTable
from isthmus.biology.stains import StainAnalysis, analyse_stains
from isthmus.errors import PlanError, TableError, did_you_mean
from isthmus.study.context import context_names
from isthmus.study.data import StudyData
from isthmus.study.evaluate import STEPS
from isthmus.study.pathology_section import nuclei_table_of, slide_paths, slides_said
from isthmus.study.plan import CLINICAL, Plan
from isthmus.study.store import RunFolder
from isthmus.table.paths import resolve_path
from isthmus.validate.results import FittedModel

__all__ = ["biology_paths", "check_biology", "joined_patients", "write_biology"]

log = logging.getLogger("isthmus")


def biology_paths(plan: Plan) -> list[str]:
    """The tables that [biology] names, and the slides of [pathology]."""
    return [*([] if plan.biology is None else [table.path for table in plan.biology.tables]), *slide_paths(plan)]


def _section(plan: Plan) -> BiologySection | None:
    """[biology], or the default one where only [pathology] is there."""
    return BiologySection() if plan.biology is None and plan.pathology is not None else plan.biology


def check_biology(plan: Plan) -> None:
    """Read the tables now, not after hours.

    Raises
    ------
    PlanError, TableError
        The outcome has no two classes, a model is unknown, two tables have one name, a table cannot be read.
    """
    section = _section(plan)
    if section is None:
        return
    if not section.tables and plan.pathology is None:
        raise PlanError("[biology] names no table: add [[biology.tables]], or [pathology] for slides")
    task = plan.source.task
    if task != "binary":
        raise PlanError(
            f"[biology] compares a low and a high risk group of a yes-or-no outcome; this outcome is {task}. Leave the section out"
        )
    names = [model.name for model in plan.models]
    if section.model is not None and section.model not in names:
        raise PlanError(f"[biology] model = {section.model!r}: no such model.{did_you_mean(section.model, names)}")
    tables = [table.name for table in section.tables] + (["pathology"] if plan.pathology is not None else [])
    if len(set(tables)) < len(tables) or not all(name.isidentifier() for name in tables):
        raise PlanError(
            f"[[biology.tables]] names {', '.join(tables)}: expected different ones of letters, digits and _"
        )
    for table in section.tables:
        columns = _columns(plan, table).columns
        unknown = [name for name in table.hypotheses if name not in columns]
        if unknown:
            raise PlanError(
                f"[[biology.tables]] {table.name!r}: hypotheses name {unknown[0]!r}.{did_you_mean(unknown[0], columns)}"
            )


def joined_patients(plan: Plan, patients: Collection[str]) -> dict[str, tuple[int, int]]:
    """Of each table of [biology] how many patients are in the study, and how many there are."""
    known, found = set(map(str, patients)), {}
    for table in plan.biology.tables if plan.biology is not None else ():
        index = _columns(plan, table).index
        found[table.name] = (sum(who in known for who in index), len(index))
    return found


def _columns(plan: Plan, table: BiologyTable) -> pd.DataFrame:
    read = read_patients(resolve_path(table.path, plan.base), table.id)
    return (
        graded_columns(read, table.levels, table.columns)
        if table.kind == "stains"
        else number_columns(read, table.columns)
    )


def write_biology(
    plan: Plan,
    data: StudyData,
    predictions: pd.DataFrame,
    thresholds: pd.DataFrame,
    finals: Mapping[str, FittedModel],
    store: RunFolder,
) -> None:
    """`tables/biology.csv` (table, sentence) and `tables/biology_<table>_<name>.csv`."""
    section = _section(plan)
    if section is None:
        return
    slides = nuclei_table_of(plan, store.path)
    model = section.model or plan.final
    unseen = predictions[(predictions["model"] == model) & predictions["split"].isin(UNSEEN)]
    known = pd.Index(unseen["patient"].astype("str").unique())
    sentences = []
    for table in [*section.tables, *([slides] if slides is not None else [])]:
        values = _columns(plan, table)
        shared = [who for who in values.index if who in known]
        lines = [
            f"{len(shared)} of {len(values)} patients of the table have a risk by a model that had not seen them (model {model}); the "
            "others take no part."
        ]
        if table is slides:
            lines = [*slides_said(store.path), *lines]
        try:
            placed = risk_groups(predictions.astype({"patient": "str"}), thresholds, model, shared)
            group = placed["group"]
            if section.groups == "median":
                middle = float(placed["risk"].median())
                group = pd.Series("low", index=placed.index).where(placed["risk"] < middle, "high")
                lines.append(f"High is a risk of at least {middle:.3g}, the median of these patients.")
            found = _found(section, table, values.loc[shared], group, _features(plan, data, finals[model], model), plan)
            lines += found.sentences
            for name, frame in found.tables.items():
                store.write(f"tables/biology_{table.name}_{name}.csv", frame)
        except TableError as error:
            log.warning("[biology] %s: %s", table.name, error)
            lines.append(f"Not compared: {error}")
        sentences += [(table.name, line) for line in lines]
    store.write("tables/biology.csv", pd.DataFrame(sentences, columns=["table", "sentence"]))


def _found(
    section: BiologySection,
    table: BiologyTable,
    values: pd.DataFrame,
    group: pd.Series[str],
    image: pd.DataFrame,
    plan: Plan,
) -> Association | StainAnalysis:
    seed = plan.validation.seed
    if table.kind == "stains":
        return analyse_stains(values, group, table.levels, low="low", high="high", fdr=section.fdr, seed=seed)
    absent = [name for name in table.given if name not in image.columns]
    if absent:
        raise TableError(
            f"given = {absent[0]!r} is none of the model's selected features.{did_you_mean(absent[0], image.columns)}"
        )
    beside = _beside(image, table, section)
    found = associate(
        values, group=group, image=beside, given=table.given if beside is not None else (), hypotheses=table.hypotheses, fdr=section.fdr,
        seed=seed,
    )  # fmt: skip
    if beside is None and section.features:
        return replace(found, sentences=(*found.sentences, "No correlations: the final model uses no image feature."))
    return found


def _beside(image: pd.DataFrame, table: BiologyTable, section: BiologySection) -> pd.DataFrame | None:
    """The strongest image features, and what correlations are freed of; nothing where there is no such feature."""
    own = [name for name in image.columns if not name.startswith(f"{CLINICAL}.") and name not in table.given]
    return image[[*own[: section.features], *table.given]] if own and section.features else None


def _features(plan: Plan, data: StudyData, final: FittedModel, model: str) -> pd.DataFrame:
    """All selected features of the model, clinical ones too, by patient: numbers of every split, the strongest first."""
    spec = next(one for one in plan.models if one.name == model)
    parts = []
    for split in ("train", "internal", "external"):
        if data.has(split):
            columns, who = data.matrix(
                plan.blocks_of(spec), split, context=context_names(spec, STEPS), without=plan.left_out(spec)
            )
            numbers = columns.select_dtypes("number")
            parts.append(numbers.set_axis(pd.Index(who.astype("str"), name="patient"), axis=0).groupby(level=0).mean())
    table = pd.concat(parts)
    strength = pd.Series(final.selected, dtype="float64").abs().sort_values(ascending=False, kind="stable")
    return table[[name for name in strength.index if name in table.columns]]
