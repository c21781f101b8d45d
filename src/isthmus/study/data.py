"""From plan to data: who is in the study, their blocks side by side, and every case accounted for."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.cohort.cohort import KEYS, Cohort
from isthmus.cohort.reading import read_cohort
from isthmus.cohort.settings import CohortSettings
from isthmus.deep import CROPS
from isthmus.deep.settings import DeepSettings
from isthmus.errors import PlanError, TableError
from isthmus.features.settings import FeatureBlock
from isthmus.roi.disturb import Disturbance
from isthmus.settings import Section
from isthmus.study.blocks import (
    BlockData,
    families_of,
    join_blocks,
    leave_out,
    per_patient,
    qualified,
    restrict,
    with_context,
    with_objects,
)
from isthmus.study.context import facts_of, gather_context, without_objects
from isthmus.study.deep_blocks import located, refuse_seen, trained_columns
from isthmus.study.extraction import QUALITY_COLUMNS, Block, CaseFiles, Extraction, extract_cases
from isthmus.study.pictures import choose
from isthmus.study.plan import CLINICAL, TABLE, Plan
from isthmus.study.segment_section import ORIGIN, draw_masks, drawn_names, masks_of, rows_with_masks, with_masks
from isthmus.study.store import RunFolder, hash_path
from isthmus.study.supervoxels import made_columns, predictor_columns
from isthmus.table import FeatureTable, Outcome
from isthmus.table.duplicates import near_duplicates
from isthmus.table.exclusion import account
from isthmus.table.outcomes import check_classes
from isthmus.table.paths import resolve_path
from isthmus.table.reading import classify, number
from isthmus.table.ready import read_feature_table
from isthmus.table.table_one import table_one, table_one_within

__all__ = [
    "StudyData",
    "block_data",
    "case_files",
    "cohort_of",
    "cohort_request",
    "draw_study",
    "external",
    "extract_shard",
    "image_names",
    "label_of",
    "mask_names",
    "measure_again",
    "plan_blocks",
    "prepare",
    "scan_facts",
]

log = logging.getLogger("isthmus")


@dataclass(frozen=True, eq=False)
class StudyData:
    """Everything the statistical half needs, and the account of who is not in it.

    `outcome`, `centre` and `split` are indexed by the patients in the study, sorted. `facts` are what context columns are taken
    from: named tables with one row a patient. `repeats`: the tables of repeated measurements as models name them, and where they
    lie put together. `pictures`: of some lesions, for the report.
    """

    outcome: Outcome
    centre: pd.Series[Any]
    split: pd.Series[Any]
    blocks: dict[str, BlockData]
    features: dict[str, FeatureTable]
    cases: pd.DataFrame
    join: pd.DataFrame
    notes: pd.DataFrame
    acquisition: pd.DataFrame
    quality: pd.DataFrame
    table_one: dict[str, pd.DataFrame]
    hashes: dict[str, str]
    facts: tuple[tuple[str, pd.DataFrame], ...] = ()
    repeats: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[dict[str, Any], ...] = ()

    def has(self, split: str) -> bool:
        return bool((self.split == split).any())

    def patients(self, split: str) -> pd.Index[Any]:
        return self.split.index[self.split == split]

    def outcome_of(self, split: str) -> Outcome:
        return self.outcome.restricted(self.patients(split))

    def units(self, names: Sequence[str]) -> dict[str, str]:
        """The unit of each column of these blocks' design matrix, where it has one."""
        several = len(self.blocks) > 1
        return {
            qualified(name, meta.column, several=several): meta.unit
            for name in names
            for meta in self.blocks[name].columns
            if meta.unit
        }

    def made(self, names: Sequence[str]) -> list[str]:
        """The columns that the steps of these blocks may make, as a design matrix names them."""
        several = len(self.blocks) > 1
        blocks = {name: self.blocks[name] for name in names if self.blocks[name].objects is not None}
        return [qualified(name, m.column, several=several) for name, block in blocks.items() for m in block.columns]

    def families(self, names: Sequence[str]) -> dict[str, list[str]]:
        """The columns of these blocks' design matrix by family of features (`blocks.families_of`)."""
        return families_of(self.blocks, names)

    def matrix(
        self, names: Sequence[str], split: str, *, context: Sequence[str] = (), without: Collection[str] = ()
    ) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """The design matrix of these blocks for the patients of a split, with the context its steps read, and the patient of
        each row; `without` names clinical columns that are known too late for the model."""
        patients = self.patients(split)
        blocks = {name: restrict(self.blocks[name], patients) for name in names}
        if without and CLINICAL in blocks:
            blocks[CLINICAL] = leave_out(blocks[CLINICAL], without)
        X, who = join_blocks(blocks, names, several=len(self.blocks) > 1, context=context)
        said = without_objects(context)
        return with_context(X, who, gather_context(said, self.facts) if said else None), who

    def remeasured(self, blocks: dict[str, BlockData]) -> StudyData:
        """The same study with some blocks measured anew; patients whom a new block lacks are not in it."""
        kept = self.split.index
        for block in blocks.values():
            kept = kept[kept.isin(set(block.patients))]
        return replace(
            self,
            outcome=self.outcome.restricted(kept),
            centre=self.centre.loc[kept],
            split=self.split.loc[kept],
            blocks={**self.blocks, **blocks},
        )


@dataclass(frozen=True, eq=False)
class _Source:
    """What [cohort] or [table] gave: everyone in the table, the outcome, blocks and losses so far."""

    everyone: pd.DataFrame
    outcome: Outcome
    exclusions: list[pd.DataFrame]
    blocks: dict[str, BlockData]
    features: dict[str, FeatureTable]
    extraction: Extraction | None
    described: pd.DataFrame | None
    problems: list[tuple[str, str]]
    tables: list[str]
    facts: tuple[tuple[str, pd.DataFrame], ...]
    origins: pd.Series[Any] | None = None


def prepare(plan: Plan, *, workers: int, store: RunFolder | None, scheduler: str | None = None) -> StudyData:
    """Read, extract and join; raises `TableError` when nobody is left, or one class only."""
    source = _from_cohort(plan, workers, store, scheduler) if plan.cohort is not None else _from_table(plan)
    return _account(plan, source)


def plan_blocks(plan: Plan) -> tuple[Block, ...]:
    """The plan's [[features]], resolved."""
    return tuple(
        Block(
            block.name,
            block.image,
            block.mask_name,
            block.profile if block.kind == "radiomics" else "",
            _with_weights(plan.block_settings(block), plan.base),
            plan.label_of(block),
            plan.prepare_settings(block),
            plan.region_settings(block),
            kind=block.kind,
        )
        for block in plan.features
    )


def _with_weights(settings: Section, base: Path) -> Section:
    """The settings with the whole path of the file of weights, where there is one."""
    return located(settings, base) if isinstance(settings, DeepSettings) else settings


def measure_again(
    plan: Plan, *, disturbance: Disturbance | None, workers: int, store: RunFolder, scheduler: str | None = None
) -> dict[str, BlockData]:
    """The feature blocks of a plan, of images as they are or disturbed; cases that fail are not in them."""
    blocks = [replace(block, disturbance=disturbance) for block in plan_blocks(plan)]
    cases = case_files(cohort_of(plan, store.path).rows)
    found = extract_cases(cases, blocks, workers=workers, store=store, scheduler=scheduler, say=False)
    return {block.name: block_data(plan, block, found) for block in plan.features}


def block_data(plan: Plan, block: FeatureBlock, extraction: Extraction) -> BlockData:
    """A block as models see it, from what was extracted: one row a patient, or several where the block keeps them."""
    table, volumes = extraction.tables[block.name], extraction.volumes[block.name]
    if block.kind == "deep" and (network := plan.deep_settings(block)).train is not None:
        objects, columns = extraction.objects[block.name], trained_columns(network, len(plan.source.order or ()))
        return with_objects(table, objects, columns, block.aggregate, volumes, CROPS)
    if not block.of_supervoxels:
        return per_patient(table, block.aggregate, volumes)
    settings = plan.habitat_settings(block)
    if block.learns:
        objects, columns = extraction.objects[block.name], made_columns(block.kind, settings)
        return with_objects(table, objects, columns, block.aggregate, volumes)
    names = block.scores or predictor_columns(block.kind, settings)
    kept = FeatureTable(table.values[names], table.rows, tuple(m for m in table.columns if m.column in names))
    return per_patient(kept, block.aggregate, volumes)


def extract_shard(plan: Plan, shard: str, *, workers: int, store: RunFolder) -> None:
    """Extract the K-th of N parts of the cases into the run folder's store."""
    part, total = _shard(shard)
    if plan.cohort is None or not plan.features:
        raise PlanError("--shard splits the extraction of features; this plan extracts none.")
    cohort = read_cohort(plan.cohort, **cohort_request(plan))
    shown = choose(cohort, plan.report.pictures)
    rows = cohort.rows.iloc[part - 1 :: total]
    if plan.segment is not None:
        rows = rows_with_masks(plan, rows, masks_of(plan, rows, store.path), store.path)
    cases = case_files(rows)
    extract_cases(cases, plan_blocks(plan), workers=workers, store=store, quality=True, pictures=shown)


def _shard(text: str) -> tuple[int, int]:
    part, _, total = text.partition("/")
    if not (part.isdigit() and total.isdigit() and 1 <= int(part) <= int(total)):
        raise PlanError(f"--shard {text!r}: expected K/N with 1 <= K <= N, for example 3/40.")
    return int(part), int(total)


# ---------------------------------------------------------------------- [cohort]


def cohort_request(plan: Plan) -> dict[str, Any]:
    """What `read_cohort` and `check_cohort` are asked for by a plan; masks that [segment] will draw may be missing."""
    images, masks = image_names(plan, plan.features), mask_names(plan, plan.features)
    optional = []
    if plan.segment is not None:
        drawn = drawn_names(plan)
        images = sorted({*images, drawn.image})
        optional = [drawn.mask] if plan.segment.missing else []
        masks = [name for name in masks if plan.segment.missing or name != drawn.mask]
    return {
        "base": plan.base, "clinical": plan.clinical, "images": images, "masks": masks, "optional": optional, "external": external(plan),
    }  # fmt: skip


def draw_study(plan: Plan, run: Path) -> None:
    """The masks of [segment], where a plan has it, into the run's folder."""
    if plan.segment is not None:
        assert plan.cohort is not None
        draw_masks(plan, read_cohort(plan.cohort, **cohort_request(plan)), run)


def cohort_of(plan: Plan, run: Path | None) -> Cohort:
    """The cohort of a plan with [cohort], with the masks that `draw_masks` left in the run's folder."""
    assert plan.cohort is not None
    return with_masks(plan, read_cohort(plan.cohort, **cohort_request(plan)), run)


def image_names(plan: Plan, blocks: Sequence[FeatureBlock]) -> list[str]:
    """The images that blocks need: their own, and those their masks were drawn on where they are registered to them."""
    registered = {block.mask_name for block in blocks if plan.prepare_settings(block).register_ is not None}
    return sorted({block.image for block in blocks} | registered)


def mask_names(plan: Plan, blocks: Sequence[FeatureBlock]) -> list[str]:
    """The masks that blocks need; not always those of the images' names, and those of organs that rings are clipped to."""
    organs = {plan.region_settings(block).within for block in blocks} - {None}
    return sorted({block.mask_name for block in blocks} | {str(organ) for organ in organs})


def external(plan: Plan) -> list[str]:
    """The centres no choice may touch."""
    return list(plan.validation.external.centre) if plan.validation.external else []


def case_files(rows: pd.DataFrame) -> list[CaseFiles]:
    """The files of every case of `Cohort.rows`."""
    found = []
    for facts in rows.to_dict("records"):
        files: dict[str, dict[str, Any]] = {"image": {}, "mask": {}, "label": {}}
        for column, value in facts.items():
            kind, _, name = str(column).partition(":")
            if kind in files and isinstance(value, str):
                files[kind][name] = label_of(value) if kind == "label" else Path(value)
        found.append(CaseFiles(facts["row"], facts["patient"], files["image"], files["mask"], files["label"]))
    return found


def label_of(text: str) -> int | str | tuple[int | str, ...]:
    """A label as a plan or a cell says it: a whole number (also as a spreadsheet writes it, 1.0) is the mask's value, anything
    else the name of an RTSTRUCT's ROI; 1+2 are two values as one lesion."""
    parts = text.split("+")
    if len(parts) > 1 and all(part.strip().isdigit() for part in parts):
        return tuple(int(part) for part in parts)
    value = number(text)
    return int(value) if value is not None and value.is_integer() else text


def _from_cohort(plan: Plan, workers: int, store: RunFolder | None, scheduler: str | None) -> _Source:
    assert plan.cohort is not None
    cohort = cohort_of(plan, None if store is None else store.path)
    for problem in cohort.problems:
        (log.warning if problem.severity == "case" else log.info)("%s", problem)
    blocks: dict[str, BlockData] = {}
    if cohort.block is not None:
        values = cohort.block.values
        blocks[CLINICAL] = BlockData(
            values, pd.Series(values.index, index=values.index, dtype="str"), cohort.block.columns
        )
    extraction = None
    features: dict[str, FeatureTable] = {}
    if plan.features:
        for one in plan_blocks(plan):
            if isinstance(one.settings, DeepSettings):
                refuse_seen(one.settings, one.name, cohort.rows["patient"])
        extraction = extract_cases(
            case_files(cohort.rows),
            plan_blocks(plan),
            workers=workers,
            store=store,
            scheduler=scheduler,
            quality=True,
            pictures=choose(cohort, plan.report.pictures),
        )
        features = extraction.tables
        for block in plan.features:
            blocks[block.name] = block_data(plan, block, extraction)
    return _Source(
        everyone=cohort.everyone,
        outcome=cohort.outcome,
        exclusions=[cohort.exclusions, *([extraction.exclusions] if extraction else [])],
        blocks={name: blocks[name] for name in plan.blocks},
        features=features,
        extraction=extraction,
        described=_described(plan.cohort, cohort),
        problems=[(problem.where, str(problem)) for problem in cohort.problems],
        tables=[plan.cohort.table],
        facts=(
            (plan.cohort.table, facts_of(_without_paths(cohort), cohort.rows["patient"])),
            *scan_facts(extraction),
        ),
        origins=None if plan.segment is None else cohort.clinical[ORIGIN].set_axis(cohort.rows["row"]),
    )


def _without_paths(cohort: Cohort) -> pd.DataFrame:
    """The columns of the case table that say something of a patient."""
    return cohort.clinical.drop(columns=[*cohort.barred], errors="ignore")


def scan_facts(extraction: Extraction | None) -> tuple[tuple[str, pd.DataFrame], ...]:
    """What acquisition.csv says of a patient's scans, and how large his lesion is."""
    if extraction is None:
        return ()
    measured = (("the masks", lesion_volumes(extraction)),)
    if extraction.acquisition.empty:
        return measured
    seen = extraction.acquisition
    return (("acquisition.csv", facts_of(seen.drop(columns=["row", "patient", "image"]), seen["patient"])), *measured)


def lesion_volumes(extraction: Extraction) -> pd.DataFrame:
    """The volume of the region that every block measured, in ml, as `lesion_ml:BLOCK`; and as `lesion_ml` where it is the same in all of
    them. Of several rows of a patient the largest counts."""
    found = {}
    for name, volumes in extraction.volumes.items():
        owners = extraction.tables[name].rows["patient"].loc[volumes.index]
        found[f"lesion_ml:{name}"] = (volumes / 1000).groupby(owners.to_numpy()).max()
    table = pd.DataFrame(found)
    table.index = pd.Index([str(patient) for patient in table.index], name="patient")
    if len(table.columns) and table.eq(table.iloc[:, 0], axis=0).all(axis=None):
        table.insert(0, "lesion_ml", table.iloc[:, 0])
    return table


def _described(settings: CohortSettings, cohort: Cohort) -> pd.DataFrame:
    """What Table 1 is of, one row a patient: the columns of [clinical], or every column of the case table that may be shown."""
    if cohort.block is not None:
        return cohort.block.described
    kept = cohort.clinical.drop(
        columns=[settings.patient, settings.centre, settings.split, *cohort.barred], errors="ignore"
    )
    return kept.set_axis(pd.Index(cohort.rows["patient"], name="patient"), axis=0)[
        ~cohort.rows["patient"].duplicated().to_numpy()
    ]


# ---------------------------------------------------------------------- [table]


def _from_table(plan: Plan) -> _Source:
    assert plan.table is not None
    read = read_feature_table(plan.table, base=plan.base, external=external(plan))
    for problem in read.problems:
        log.info("%s", problem)
    blocks = {TABLE: per_patient(read.table, "mean")}
    if plan.clinical is not None:
        raise PlanError(
            "[clinical] belongs to a case table: use [cohort]. The columns of a [table] are all predictors already."
        )
    return _Source(
        everyone=read.rows,
        outcome=read.outcome,
        exclusions=[read.exclusions],
        blocks=blocks,
        features={TABLE: read.table},
        extraction=None,
        described=None,
        problems=[(problem.where, str(problem)) for problem in read.problems],
        tables=[plan.table.path],
        facts=(
            (plan.table.path, facts_of(read.beside, read.table.rows["patient"])),
            ("features", facts_of(read.table.values, read.table.rows["patient"])),
        ),
    )


# ---------------------------------------------------------------------- together


def _account(plan: Plan, source: _Source) -> StudyData:
    """Keep the patients every block has, and give every row of the table its place in the flow of cases."""
    exclusions = pd.concat(source.exclusions, ignore_index=True).drop_duplicates("row")
    everyone = source.everyone
    inside = everyone[~everyone["row"].isin(exclusions["row"])]
    patients = set(inside["patient"])
    lost = []
    for name, block in source.blocks.items():
        missing = sorted(patients - set(block.patients))
        lost.append({"block": name, "patients": len(patients) - len(missing), "missing": len(missing)})
        absent = inside[inside["patient"].isin(missing)]
        reason = f"no values in block {name!r}"
        exclusions = pd.concat(
            [exclusions, absent[["row", "patient"]].assign(step="join", reason=reason)], ignore_index=True
        ).drop_duplicates("row")
    cases = account(everyone, exclusions, source.outcome)
    if source.origins is not None:
        cases[ORIGIN] = cases["row"].map(source.origins).fillna("")
    kept = cases[cases["status"] == "included"].drop_duplicates("patient").set_index("patient").sort_index()
    if kept.empty:
        reasons = exclusions["reason"].value_counts()
        raise TableError(
            f"every case is excluded; most often: {reasons.index[0]} ({reasons.iloc[0]} of {len(everyone)})"
        )
    outcome = source.outcome.restricted(kept.index)
    _check_development(plan, outcome, kept["split"])
    return StudyData(
        outcome=outcome,
        centre=kept["centre"],
        split=kept["split"],
        blocks={name: restrict(block, kept.index) for name, block in source.blocks.items()},
        features={**source.features, **_clinical_table(source)},
        cases=cases,
        join=pd.DataFrame(lost, columns=["block", "patients", "missing"]),
        notes=_notes(source),
        acquisition=source.extraction.acquisition
        if source.extraction
        else pd.DataFrame(columns=["row", "patient", "image"]),
        quality=source.extraction.quality if source.extraction else pd.DataFrame(columns=QUALITY_COLUMNS),
        table_one=_table_one(plan, source, outcome, kept) if source.described is not None else {},
        hashes=_hashes(plan, source),
        facts=(("the study", kept[["centre"]]), *source.facts),
        pictures=source.extraction.pictures if source.extraction else (),
    )


def _check_development(plan: Plan, outcome: Outcome, split: pd.Series[Any]) -> None:
    """Both classes must be there to learn from, with enough patients for the folds."""
    train = split.index[split == "train"]
    if len(train) == 0:
        raise TableError("no patient is left to learn from: all are external or internal. Name fewer external centres.")
    check_classes(outcome.restricted(train))
    counts = outcome.values.loc[train].value_counts()
    survival = outcome.task == "survival"
    smallest = int(counts.get(1, 0)) if survival else int(counts.min())
    if smallest < plan.validation.folds:
        who = "only" if survival else "the smallest class has" if len(outcome.classes) > 2 else "the smaller class has"
        what = f"{who} {smallest} development patients{' have the event' if survival else ''}"
        raise TableError(
            f"{what}, fewer than the {plan.validation.folds} folds of [validate]. "
            f"Use folds = {max(smallest, 2)}, or gather more patients."
        )


def _table_one(plan: Plan, source: _Source, outcome: Outcome, kept: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Table 1 of the patients in the study: the columns of [clinical], or every describable column of the case table; by outcome and
    split, by centre, and by outcome within each centre and split where there are several."""
    assert source.described is not None
    frame = source.described.loc[kept.index]
    dictionary = plan.clinical.columns if plan.clinical is not None else {}
    frame = frame.drop(columns=[name for name in frame.columns if name in KEYS or _too_many_texts(frame[name])])
    if frame.empty or not len(frame.columns):
        return {}
    labels = outcome.values.map(dict(enumerate(outcome.classes))).rename(outcome.name)
    several = {name: kept[name] for name in ("centre", "split") if kept[name].nunique() > 1}
    said: dict[str, Any] = {"seed": plan.validation.seed, "dictionary": dictionary}
    tables = {"table1": table_one(frame, groups=labels, cohort=several.get("split"), **said)}
    if "centre" in several:
        centres = several["centre"].where(several["centre"] != "", "no centre")
        tables["table1_centre"] = table_one(frame, groups=centres, missing_rows=True, **said)
        tables["table1_outcome_by_centre"] = table_one_within(frame, labels, centres, **said)
    if "split" in several:
        tables["table1_outcome_by_split"] = table_one_within(frame, labels, several["split"], **said)
    return tables


def _clinical_table(source: _Source) -> dict[str, FeatureTable]:
    """The clinical block beside the others in `RUN/features/`; categories stay text."""
    block = source.blocks.get(CLINICAL)
    if block is None:
        return {}
    return {CLINICAL: FeatureTable(block.values, block.patients.to_frame("patient"), block.columns)}


def _too_many_texts(values: pd.Series[Any]) -> bool:
    return not pd.api.types.is_numeric_dtype(values) and classify(values) in ("text", "empty")


def _notes(source: _Source) -> pd.DataFrame:
    """What does not exclude a case but should be known."""
    columns = ["row", "patient", "block", "note"]
    table = pd.DataFrame(
        [{"row": "", "patient": "", "block": where, "note": text} for where, text in source.problems], columns=columns
    )
    table = pd.concat([table, _lookalikes(source)], ignore_index=True)
    return pd.concat([table, source.extraction.notes], ignore_index=True) if source.extraction is not None else table


def _lookalikes(source: _Source) -> pd.DataFrame:
    """Patients who may be one person under two names (rule L11): said loudly, decided by the user."""
    rows = []
    for name, block in source.blocks.items():
        if not len(block.values.columns):
            continue  # its columns are made by a step
        for one, other, cosine in near_duplicates(block.values, block.patients):
            note = (
                f"patients {one} and {other} have almost the same features (cosine {cosine:.6f}): the same person or scan under two "
                "names? If so, give both rows one patient, or exclude one"
            )
            log.warning("block %s: %s", name, note)
            rows.append({"row": "", "patient": f"{one}, {other}", "block": name, "note": note})
    return pd.DataFrame(rows, columns=["row", "patient", "block", "note"])


def _hashes(plan: Plan, source: _Source) -> dict[str, str]:
    """SHA-256 of every input, tables first."""
    named = [*source.tables, *([plan.clinical.table] if plan.clinical and plan.clinical.table else [])]
    tables = {name: hash_path(resolve_path(name, plan.base)) for name in named}
    return {**tables, **(source.extraction.hashes if source.extraction else {})}
