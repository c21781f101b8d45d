"""`isthmus check`: read plan and data, run nothing; every problem with its case, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from isthmus.cohort.cohort import Cohort
from isthmus.cohort.reading import check_cohort
from isthmus.cohort.rows import case_rows
from isthmus.deep.settings import DeepSettings
from isthmus.errors import CaseError, IsthmusError, LeakageError, PlanError, WeightsError, first_few
from isthmus.habitat.settings import HabitatSection
from isthmus.harmonise.combat import unseen_message
from isthmus.image.quality import CHECKS
from isthmus.select.repeats import read_repeats
from isthmus.study.biology_tables import check_biology, joined_patients
from isthmus.study.compute import worker_count
from isthmus.study.data import case_files, cohort_request, external, plan_blocks
from isthmus.study.deep_blocks import refuse_seen, trained_columns
from isthmus.study.extraction import Block, block_columns, extract_cases
from isthmus.study.grey_levels import BlockLevels, block_levels, odd_cases
from isthmus.study.harmonisation import ENOUGH
from isthmus.study.notes import said_once
from isthmus.study.plan import CLINICAL, TABLE, Plan
from isthmus.study.recipes import study_recipe
from isthmus.study.reliability import is_case_table, repeat_paths
from isthmus.study.sample_size import count_parameters, parameters_of, sample_size_lines, sample_size_table
from isthmus.study.segment_section import pen_of, rows_to_draw
from isthmus.study.supervoxels import made_columns, predictor_columns
from isthmus.table import Outcome
from isthmus.table.paths import resolve_path
from isthmus.table.problem import Problem
from isthmus.table.reading import read_frame
from isthmus.table.ready import read_feature_table

if TYPE_CHECKING:
    from isthmus.study.drawing import Job

__all__ = ["Checked", "check_plan"]


@dataclass(frozen=True)
class Checked:
    """What was found. `exit_code`: 0 nothing wrong, 1 some cases would be excluded by an error, 2 nothing could run."""

    plan: str
    problems: tuple[Problem, ...]
    summary: str
    grey_levels: tuple[BlockLevels, ...] = ()

    @property
    def exit_code(self) -> int:
        severities = {problem.severity for problem in self.problems}
        return 2 if "error" in severities else 1 if "case" in severities else 0

    def as_text(self) -> str:
        lines = [f"{_WORD[problem.severity]:8}{problem}" for problem in self.problems]
        return "\n".join([*lines, *(block.as_text() for block in self.grey_levels), self.summary])

    def as_dict(self) -> dict[str, Any]:
        problems = [asdict(problem) for problem in self.problems]
        levels = [block.as_dict() for block in self.grey_levels]
        return {
            "plan": self.plan,
            "exit_code": self.exit_code,
            "summary": self.summary,
            "grey_levels": levels,
            "problems": problems,
        }


_MANY_CASES = 5  # one line each up to here
_WORD = {"error": "ERROR", "case": "CASE", "note": "note"}


def check_plan(path: Path, *, workers: int = 0) -> Checked:
    """Everything that is wrong with a plan, its tables, images and masks."""
    try:
        plan = Plan.read(path)
    except IsthmusError as exc:
        wrong = tuple(Problem("", line) for line in str(exc).splitlines())
        return Checked(str(path), wrong, f"{path}: the plan cannot be used; data were not looked at.")
    if plan.table is not None:
        return _check_table(path, plan)
    assert plan.cohort is not None
    cohort, problems_found = check_cohort(plan.cohort, **cohort_request(plan))
    patients = () if cohort is None else cohort.rows["patient"]
    problems = [*problems_found, *_check_recipe(plan), *_check_biology(plan, patients)]
    rows = _rows(plan, cohort)
    if plan.segment is not None:
        rows, undrawn = _without_masks(plan, rows)
        problems += _check_segment(plan, undrawn, len(rows) + len(undrawn))
    named = _broken(problems)
    blocks = plan_blocks(plan)
    wrong_weights = _check_weights(blocks, patients)
    if wrong_weights:
        problems, blocks = [*problems, *wrong_weights], ()
    found, levels, widths = _check_files(rows, blocks, worker_count(workers))
    problems += [problem for problem in found if problem.case not in named]
    if cohort is not None:
        problems += _check_left_out(cohort)
        inside = cohort.rows[~cohort.rows["row"].isin(_broken(problems))]
        problems += [*_check_splits(inside, cohort.outcome, plan), *_check_centres(inside, plan), *_check_repeats(plan)]
        if cohort.block is not None:
            widths[CLINICAL] = count_parameters(cohort.block.values)
        problems += _check_size(inside, cohort.outcome, plan, widths)
    return Checked(str(path), tuple(problems), _summary(path, cohort, problems), tuple(levels))


def _check_table(path: Path, plan: Plan) -> Checked:
    assert plan.table is not None
    try:
        read = read_feature_table(plan.table, base=plan.base, external=external(plan))
    except IsthmusError as exc:
        return Checked(str(path), (Problem("[table]", str(exc)),), f"{path}: the table cannot be used.")
    patients, features = len(read.outcome.values), len(read.table.columns)
    rows = read.table.rows
    problems = [*read.problems, *_check_splits(rows, read.outcome, plan), *_check_centres(rows, plan)]
    problems += [*_check_repeats(plan), *_check_recipe(plan), *_check_biology(plan, rows["patient"])]
    problems += _check_size(read.table.rows, read.outcome, plan, {TABLE: features})
    summary = f"{path}: {patients} patients, {features} features; outcome {_classes(read.outcome)}."
    return Checked(str(path), tuple(problems), summary)


def _check_left_out(cohort: Cohort) -> list[Problem]:
    """Who leaves by a rule or for want of an outcome; files that cannot be read are told case by case."""
    told = cohort.exclusions[cohort.exclusions["step"] != "files"]
    return [
        Problem(
            "cases",
            f"{len(part)} of {len(cohort.everyone)} left out: {reason} ({first_few(part['row'])})",
            severity="note",
        )
        for reason, part in told.groupby("reason", sort=False)
    ]


def _check_recipe(plan: Plan) -> list[Problem]:
    """Does the case table hold what the tables of the published study need?"""
    if plan.report.recipe is None:
        return []
    try:
        study_recipe(plan.report.recipe.name).check(plan)
    except IsthmusError as exc:
        return [Problem("[report] recipe", str(exc))]
    return []


def _check_centres(rows: pd.DataFrame, plan: Plan) -> list[Problem]:
    """Would harmonisation by centre meet a centre it knows nothing of?"""
    said = plan.harmonise
    if (
        said is None
        or said.unseen != "refuse"
        or "centre" not in ([said.batch] if isinstance(said.batch, str) else said.batch)
    ):
        return []
    counts = rows[rows["split"] == "train"].drop_duplicates("patient")["centre"].value_counts().sort_index()
    strange = sorted(set(rows["centre"]) - set(counts.index))
    found = [Problem("[harmonise]", unseen_message("centre", strange, list(counts.index)))] if strange else []
    return [
        *found,
        *(
            Problem(
                "[harmonise]",
                f"centre {centre!r} has {count} development patients; some folds would have none to learn from",
                f"{ENOUGH} or more",
                "merge or exclude small centres, or choose unseen = 'reference' or 'nearest'",
            )
            for centre, count in counts.items()
            if count < ENOUGH
        ),
    ]


def _check_repeats(plan: Plan) -> list[Problem]:
    """Can the tables of repeats be read?"""
    found = []
    for name in repeat_paths(plan):
        try:
            path = resolve_path(name, plan.base)
            if not is_case_table(path):  # else it names images, and is measured when the study runs
                read_repeats(path)
        except IsthmusError as exc:
            found.append(Problem("[select] reliability", str(exc)))
    return found


def _check_biology(plan: Plan, patients: Iterable[str]) -> list[Problem]:
    """Can the tables of [biology] be read, and whose are they?"""
    who = set(map(str, patients))
    try:
        check_biology(plan)
        joined = joined_patients(plan, who)
    except IsthmusError as exc:
        return [Problem("[biology]", str(exc))]
    found = []
    for name, (shared, n) in joined.items() if who else ():
        what = f"{shared} of {n} patients of the table are in the study"
        do = "" if shared else "name the table's column of patients (id)"
        found.append(
            Problem(f"[biology] {name}", what, "the names of the case table" if not shared else "", do, severity="note")
        )
    return found


def _check_weights(blocks: Sequence[Block], patients: Iterable[str]) -> list[Problem]:
    """Are the weights of every network those that were named, and trained on nobody of the study?"""
    found = []
    for block in blocks:
        if isinstance(block.settings, DeepSettings):
            try:
                refuse_seen(block.settings, block.name, patients)
            except (LeakageError, PlanError, WeightsError) as exc:
                found.append(Problem(f"[[features]] {block.name!r}", str(exc)))
    return found


def _rows(plan: Plan, cohort: Cohort | None) -> pd.DataFrame:
    """The rows whose files are opened: those of the study, or of the bare table where the study cannot be made out."""
    assert plan.cohort is not None
    if cohort is not None:
        return cohort.rows
    try:
        root = resolve_path(plan.cohort.root, plan.base) if plan.cohort.root is not None else None
        read = read_frame(resolve_path(plan.cohort.table, plan.base), encoding=plan.cohort.encoding)
        asked = cohort_request(plan)
        there = [name for name in asked["masks"] if name not in asked["optional"] or f"mask:{name}" in read.frame]
        return case_rows(read, patient=plan.cohort.patient, root=root, images=asked["images"], masks=there)
    except IsthmusError:
        return pd.DataFrame(columns=["row", "patient"])  # the table itself is the problem, and that is said already


def _without_masks(plan: Plan, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Job]]:
    """The rows that have a mask, and those whose masks the run would draw."""
    undrawn = rows_to_draw(plan, rows)
    return rows[~rows["row"].isin([job.row for job in undrawn])], undrawn


def _check_segment(plan: Plan, undrawn: Sequence[Job], total: int) -> list[Problem]:
    """Could the run draw the masks that are missing, and for how many cases would it?"""
    from isthmus.image.io import read_image

    try:
        pen = pen_of(plan)
    except IsthmusError as exc:
        return [Problem("[segment]", str(exc).removeprefix("[segment] "))]
    found = [
        Problem("[segment]", f"masks of {len(undrawn)} of {total} cases would be drawn by {pen.says}", severity="note")
    ]
    for job in undrawn:
        try:
            assert job.path is not None
            reason = pen.refuses(job, read_image(job.path))
        except CaseError as exc:
            reason = exc.reason
        if reason is not None:
            found.append(Problem(f"case {job.row}", reason, severity="case", case=job.row))
    return found


def _check_files(
    rows: pd.DataFrame, blocks: Sequence[Block], workers: int
) -> tuple[list[Problem], list[BlockLevels], dict[str, int]]:
    """Open every image and mask by the readers and rules of the run itself; features take milliseconds, so they are tried too."""
    if not blocks or rows.empty:
        return [], [], {}
    cases = case_files(rows)
    processes = min(workers, len(cases))
    tried = extract_cases(cases, blocks, workers=processes, say=False, quality=True, grey_levels=True)
    broken = [
        Problem(f"case {c['row']}", c["reason"], severity="case", case=c["row"])
        for c in tried.exclusions.to_dict("records")
    ]
    odd = [
        Problem(
            f"{said.cases}, {said.block}", said.note, severity="note", case=said.rows[0] if len(said.rows) == 1 else ""
        )
        for said in said_once(tried.notes, cases)
    ]
    widths = {block.name: _width(block) for block in blocks}
    return (
        [*broken, *odd, *_poor(tried.quality), *odd_cases(tried.grey_levels)],
        block_levels(tried.grey_levels),
        widths,
    )


def _width(block: Block) -> int:
    """The columns that a model may choose from."""
    if isinstance(block.settings, DeepSettings) and block.trained:
        return len(trained_columns(block.settings))
    if not isinstance(block.settings, HabitatSection):
        return len(block_columns(block))
    return len(predictor_columns(block.kind, block.settings)) + len(made_columns(block.kind, block.settings))


def _poor(quality: pd.DataFrame) -> list[Problem]:
    """What the quality checks found: a note a case, or one for all cases where many share it."""
    found = []
    poor = quality[quality["passed"].eq(False)]
    for (block, check, unit, limit), rows in poor.groupby(["block", "check", "unit", "limit"], sort=False):
        says = CHECKS[str(check)].failing
        if len(rows) > _MANY_CASES:
            cases = f"{len(rows)} of {quality['row'].nunique()} cases"
            values = f"{rows['value'].min():.4g} to {rows['value'].max():.4g}"
            what = f"{says} ({check} {values} {unit}".rstrip() + f"): {first_few(rows['row'])}"
            found.append(Problem(f"{cases}, {block}", what, f"{limit}", severity="note"))
            continue
        for row, value in zip(rows["row"], rows["value"], strict=True):
            what = f"{says} ({check} {value:.4g} {unit}".rstrip() + ")"
            found.append(Problem(f"case {row}, {block}", what, f"{limit}", severity="note", case=row))
    return found


def _broken(problems: Sequence[Problem]) -> set[str]:
    """The cases that would be left out by an error."""
    return {problem.case for problem in problems if problem.severity == "case"}


def _check_splits(rows: pd.DataFrame, outcome: Outcome, plan: Plan) -> list[Problem]:
    """Are there enough patients of both classes to learn from, and can the other splits be judged?"""
    counts = {}
    for split in ("train", "internal", "external"):
        patients = sorted(set(rows.loc[rows["split"] == split, "patient"]))
        counts[split] = [int((outcome.values.loc[patients] == code).sum()) for code in range(len(outcome.classes))]
    if not sum(counts["train"]):
        what = "no patient is left to learn from: all are external or internal"
        return [Problem("[validate]", what, do="name fewer external centres")]
    found = []
    survival = outcome.task == "survival"
    smallest = counts["train"][1] if survival else min(counts["train"])
    if smallest < plan.validation.folds:
        where = "with the event" if survival else f"in the small{'er' if len(outcome.classes) == 2 else 'est'} class"
        what = f"{smallest} development patients {where}, fewer than folds = {plan.validation.folds}"
        found.append(Problem("[validate]", what, "at least one a fold", "use fewer folds, or gather more patients"))
    for split in ("internal", "external"):
        if len(outcome.classes) == 2 and sum(counts[split]) > 0 and not min(counts[split]):
            only = next(name for name, count in zip(outcome.classes, counts[split], strict=True) if count)
            what = f"all {sum(counts[split])} patients are {only!r}; an AUC needs both classes, so it will be missing there"
            found.append(Problem(f"split {split}", what, severity="note"))
    return found


def _check_size(rows: pd.DataFrame, outcome: Outcome, plan: Plan, widths: dict[str, int]) -> list[Problem]:
    """What the development patients support, against what the models may choose from."""
    patients = pd.Index(sorted(set(rows.loc[rows["split"] == "train", "patient"])))
    train = outcome.restricted(patients)
    if outcome.task != "binary" or not 0 < train.n_events < len(patients):
        return []
    counts = parameters_of({model.name: plan.blocks_of(model) for model in plan.models}, widths)
    table = sample_size_table(counts, train, expected_auc=plan.validation.expected_auc)
    return [Problem("sample size", line.strip(), severity="note") for line in sample_size_lines(table)]


def _summary(path: Path, cohort: Cohort | None, problems: list[Problem]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    cases = len(_broken(problems))
    if cohort is None or errors:
        return f"{path}: {errors} error(s); the study cannot run until they are corrected."
    text = f"{path}: {len(cohort.patients)} patients; outcome {cohort.outcome.name}: {_classes(cohort.outcome)}"
    return f"{text}; {cases} case(s) would be excluded by an error." if cases else f"{text}; nothing stands in the way."


def _classes(outcome: Outcome) -> str:
    values = outcome.values.to_numpy()
    return ", ".join(f"{label}: {int((values == code).sum())}" for code, label in enumerate(outcome.classes))
