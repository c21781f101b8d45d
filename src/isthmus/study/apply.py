"""A model file on new patients: prediction, or validation where the outcome is known. Nothing is learned here."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.deep.settings import DeepSettings
from isthmus.errors import IsthmusWarning, PlanError, TableError, first_few
from isthmus.study.aggregate import aggregate_table
from isthmus.study.blocks import BlockData, join_blocks, restrict, with_context
from isthmus.study.compute import one_thread, worker_count
from isthmus.study.context import facts_of, gather_context, without_objects
from isthmus.study.data import block_data, case_files, image_names, mask_names, plan_blocks, scan_facts
from isthmus.study.deep_blocks import found_by_hash
from isthmus.study.drift import COLUMNS as DRIFT
from isthmus.study.drift import LEAST_ROWS, drift_table
from isthmus.study.extraction import Block, extract_cases
from isthmus.study.harmonisation import refusals, site_notes
from isthmus.study.model import NOVELTY, Model
from isthmus.study.plan import CLINICAL, TABLE, Plan
from isthmus.study.store import make_folder, write_table
from isthmus.table import Outcome
from isthmus.table.admission import admit
from isthmus.table.clinical import clinical_block, join_clinical, read_clinical
from isthmus.table.clinical_settings import ClinicalSettings
from isthmus.table.outcomes import derive_outcome
from isthmus.table.paths import resolve_path
from isthmus.table.reading import MISSING, TextTable, numeric, read_frame
from isthmus.table.steps import CONTEXT
from isthmus.validate.scoring import GROUPS, prediction_table

__all__ = ["Applied", "apply_model", "apply_to_file"]

log = logging.getLogger("isthmus")

_PREDICTIONS = ["patient", "model", "probability", "class", "reason"]


@dataclass(frozen=True, eq=False)
class Applied:
    """What applying a model gave.

    `predictions`: patient, model, probability, class, reason, and what `_words` adds (one row a patient; `reason` says why a
    probability is missing).
    `notes`: row, column, note: values that are missing (and imputed as in training) or outside what the model was trained on.
    `drift`: `study.drift.drift_table`; empty for a few rows.
    `outcome`: where the table has it. `inputs`: what the model was given, one row each, in its own columns.
    `without_outcome`: why there is none. `rows`: how many rows were predicted; more than patients where these have several.
    """

    predictions: pd.DataFrame
    notes: pd.DataFrame
    outcome: Outcome | None
    rows: int
    drift: pd.DataFrame
    inputs: pd.DataFrame
    without_outcome: str = ""

    @property
    def failed(self) -> int:
        return int(self.predictions["probability"].isna().sum())


def apply_to_file(
    model: Model,
    cases: Path,
    out: Path,
    *,
    root: str | None = None,
    aggregate_only: bool = False,
    workers: int = 0,
    weights: Sequence[Path] = (),
) -> int:
    """Apply a model to a table and write the predictions (or, with `aggregate_only`, totals without any patient)."""
    make_folder(out.parent)
    log.info("model %r, sha256 %s", model.name, model.fingerprint)
    applied = apply_model(model, cases, root=root, workers=workers, weights=weights)
    _say(applied, out, aggregate_only)
    if aggregate_only:
        metrics = totals(model, applied)
        assert applied.outcome is not None
        write_table(out, aggregate_table(model, applied.predictions, applied.outcome, metrics, applied.drift))
    else:
        write_table(out, applied.predictions)
        for name, table in (("notes", applied.notes), ("drift", applied.drift)):
            _beside(out, name).unlink(missing_ok=True)  # that of an earlier table under this name
            if len(table):
                write_table(_beside(out, name), table)
    if applied.failed == len(applied.predictions):
        raise TableError(f"no patient could be predicted; the first: {applied.predictions['reason'].iloc[0]}")
    return applied.failed


def _beside(out: Path, name: str) -> Path:
    return out.with_name(out.name.removesuffix(out.suffix) + f".{name}.csv")


def _say(applied: Applied, out: Path, aggregate_only: bool) -> None:
    """One line each on inputs that are missing or outside the training range, on patients unlike those of training, and on how
    the whole batch differs; the details are in tables beside the predictions."""
    unlike = applied.notes["column"] == NOVELTY
    of_inputs = applied.notes[(applied.notes["column"] != "") & ~unlike]
    if len(of_inputs):
        where = "not written with --aggregate-only" if aggregate_only else f"see {_beside(out, 'notes')}"
        log.warning(
            "%d of %d rows have inputs that are missing or that the model never saw the like of (%s)",
            of_inputs["row"].nunique(),
            applied.rows,
            where,
        )
    if unlike.any():
        log.warning(
            "%d of %d rows are unlike the training patients, all inputs taken together (by chance: about %d)",
            int(unlike.sum()), applied.rows, round(0.01 * applied.rows),
        )  # fmt: skip
    if len(applied.drift):
        apart = applied.drift[(applied.drift["p_adjusted"] < 0.05) | (applied.drift["missing_p_adjusted"] < 0.05)]
        log.log(
            logging.WARNING if len(apart) else logging.INFO,
            "%d of %d inputs are distributed or missing otherwise than in training (adjusted p < 0.05)%s",
            len(apart), len(applied.drift), f": {first_few(apart['input'])}" if len(apart) else "",
        )  # fmt: skip
    else:
        log.info("drift is not judged: fewer than %d rows", LEAST_ROWS)


def apply_model(
    model: Model,
    cases: str | Path | pd.DataFrame,
    *,
    root: str | None = None,
    workers: int = 0,
    weights: Sequence[Path] = (),
) -> Applied:
    """Predict every patient of a case table (or feature table) with the columns the model's plan names.

    Parameters
    ----------
    model : Model
    cases : path or DataFrame
        A table with the columns of the study's own: patient, image and mask paths, clinical columns, or ready features.
    root : str, optional
        Where relative image paths start; by default the table's folder.
    weights : sequence of Path
        Files among which the weights of the model's networks are, known by their hash; by default where its plan says.
    """
    plan = model.plan
    table = cases if isinstance(cases, pd.DataFrame) else None
    path = Path.cwd() / "cases.csv" if table is not None else Path(str(cases))
    read = TextTable(_as_text(table), "", path) if table is not None else read_frame(path)
    if read.frame.empty:
        raise TableError(f"{path}: a header but no row; expected one row a patient")
    blocks, reasons, patients, facts = (
        _from_features(model, plan, read)
        if plan.table is not None
        else _from_cases(model, plan, read, root, workers, weights)
    )
    predictions, notes, inputs, drift = _predict(model, plan, blocks, reasons, patients, facts)
    notes = pd.concat([notes, _ineligible(plan, read)], ignore_index=True)
    try:
        outcome, why = _outcome(model, plan, read), ""
    except (PlanError, TableError) as exc:
        outcome, why = None, str(exc)
    return Applied(predictions, notes, outcome, len(inputs), drift, inputs, why)


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """A DataFrame as a table file would give it: text, missing cells missing."""
    text = table.reset_index(drop=True).rename(columns=str)
    return text.map(lambda cell: pd.NA if pd.isna(cell) or str(cell).strip() in MISSING else str(cell).strip()).astype(
        "str"
    )


# ---------------------------------------------------------------------- the blocks of new patients


Facts = tuple[tuple[str, pd.DataFrame], ...]
Gathered = tuple[dict[str, BlockData], dict[str, str], pd.Index, Facts]


def _from_features(model: Model, plan: Plan, read: TextTable) -> Gathered:
    """A ready feature table: the model's columns as numbers."""
    assert plan.table is not None
    frame = read.frame
    if not {plan.table.id, "patient"} & set(frame.columns):
        raise TableError(
            f"{read.path}: no column {plan.table.id!r} with the patients. Its columns: {first_few(frame.columns)}"
        )
    ids = _unique(_patients(plan, frame), read.path)
    values = pd.DataFrame(
        {name: numeric(frame[name], name, patients=ids) for name in model.columns if name in frame.columns},
        index=frame.index,
    )
    values.index = pd.Index(ids, name="patient")
    return {TABLE: BlockData(values, _own(values.index), ())}, {}, values.index, _facts(frame, ids, plan.table.centre)


def _from_cases(
    model: Model, plan: Plan, read: TextTable, root: str | None, workers: int, weights: Sequence[Path]
) -> Gathered:
    """A case table: images through the study's own extraction, clinical columns as the study's plan says."""
    from isthmus.cohort.rows import case_rows

    assert plan.cohort is not None
    used = plan.reads(plan.model(model.name))
    wanted = [_with_weights(block, weights) for block in plan_blocks(plan) if block.name in used]
    folder = resolve_path(root, Path.cwd()) if root is not None else None
    said = [block for block in plan.features if block.name in used]
    rows = case_rows(
        read, patient=plan.cohort.patient, root=folder, images=image_names(plan, said), masks=mask_names(plan, said)
    )
    patients = pd.Index(sorted(set(rows["patient"])), name="patient")
    reasons: dict[str, str] = {}
    blocks: dict[str, BlockData] = {}
    scans: Facts = ()
    if wanted:
        extraction = extract_cases(case_files(rows), wanted, workers=min(worker_count(workers), max(len(rows), 1)))
        scans = scan_facts(extraction)
        good = set(extraction.tables[wanted[0].name].rows["patient"])
        for case in extraction.exclusions.to_dict("records"):
            if case["patient"] not in good:
                reasons[case["patient"]] = case["reason"]
        for block in said:
            blocks[block.name] = block_data(plan, block, extraction)
    if CLINICAL in used:
        blocks[CLINICAL], absent = _clinical(model, plan, read)
        reasons.update({patient: "not in the clinical table" for patient in absent if patient not in reasons})
        if plan.clinical is not None and plan.clinical.missing == "exclude":
            lacking = blocks[CLINICAL].values.isna()
            for patient, row in lacking[lacking.any(axis=1)].iterrows():
                reasons.setdefault(
                    str(patient), f"missing: {', '.join(row.index[row])}; the model was built on complete cases"
                )
    facts = _facts(read.frame, _patients(plan, read.frame), plan.cohort.centre)
    return {name: blocks[name] for name in used}, reasons, patients, (*facts, *scans)


def _with_weights(block: Block, files: Sequence[Path]) -> Block:
    """The block with the file of weights that its network needs."""
    settings = block.settings
    if not isinstance(settings, DeepSettings) or block.trained:  # what was trained in the study is in the model file
        return block
    return replace(block, settings=found_by_hash(settings, files))


def _facts(frame: pd.DataFrame, patients: pd.Series[Any], centre: str | None) -> Facts:
    """What the table says of each patient; the column with the centre under that name."""
    named = frame.rename(columns={centre: "centre"}) if centre is not None and centre != "centre" else frame
    return (("the table", facts_of(named, patients)),)


def _clinical(model: Model, plan: Plan, read: TextTable) -> tuple[BlockData, tuple[str, ...]]:
    """The clinical predictors, and the patients whom a second clinical table does not hold.

    A few new patients do not tell what kind a column is, so the kinds are those the model was trained on.
    """
    assert plan.clinical is not None
    assert plan.cohort is not None
    frame = read.frame
    patients = frame[plan.cohort.patient]
    kinds = {str(item["column"]).removeprefix(f"{CLINICAL}."): item["kind"] for item in model.manifest["inputs"]}
    settings = plan.clinical.only(kinds)  # a post-operative column is not asked for by a pre-operative model
    absent: tuple[str, ...] = ()
    known = None
    if settings.table is not None and (elsewhere := _elsewhere(settings, frame)):
        try:
            beside = read_clinical(settings, base=read.path.parent)
            assert beside is not None
            frame, loss = join_clinical(frame, patients, beside, settings)
        except TableError as exc:
            raise TableError(
                f"{read.path.name} lacks the columns {first_few(elsewhere)}, and the table the study had them in does not help: {exc}. "
                f"Add these columns to {read.path.name}."
            ) from exc
        log.info("%s", loss)
        absent, known = loss.only_in_cases, frozenset(loss.matched)
    settings = settings.model_copy(update={"missing": "impute", **_kinds(kinds, settings)})
    block = clinical_block(frame, settings, frozenset(), patients, known=known, few=True)
    return BlockData(block.values, _own(block.values.index), block.columns), absent


def _kinds(kinds: Mapping[str, str], settings: ClinicalSettings) -> dict[str, list[str]]:
    """Which clinical columns the model takes as numbers and which as categories, where the plan does not declare it."""
    undeclared = [name for name, column in settings.columns.items() if column.kind is None]
    return {
        "numeric": [name for name in undeclared if kinds.get(name) == "number"],
        "categorical": [name for name in undeclared if kinds.get(name) == "category"],
    }


def _elsewhere(settings: ClinicalSettings, frame: pd.DataFrame) -> list[str]:
    """The clinical columns that this table does not hold; the study may keep them in a second one."""
    return [name for name in settings.columns if name not in settings.expressions and name not in frame.columns]


# ---------------------------------------------------------------------- prediction


def _predict(
    model: Model,
    plan: Plan,
    blocks: dict[str, BlockData],
    reasons: dict[str, str],
    patients: pd.Index[Any],
    facts: Facts,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Predictions, notes, the rows as the model took them, drift."""
    whole = set(patients) - set(reasons)
    for name, block in blocks.items():
        for patient in sorted(whole - set(block.patients)):
            reasons[str(patient)] = f"no values in block {name!r}"
        whole &= set(block.patients)
    keep = pd.Index([patient for patient in patients if patient in whole], name="patient")
    found = pd.DataFrame(index=patients)
    notes, inputs = pd.DataFrame(columns=["row", "column", "note"]), pd.DataFrame(columns=model.columns)
    drift = pd.DataFrame(columns=DRIFT)
    if len(keep):
        several = len(plan.blocks) > 1
        X, who = join_blocks(
            {name: restrict(block, keep) for name, block in blocks.items()},
            list(blocks),
            several=several,
            context=model.columns,
        )
        X = _complete(model, with_context(X, who, _context(model, facts)))
        why = refusals(model.pipeline, X)
        for patient, reason in zip(who[why != ""], why[why != ""], strict=True):
            reasons.setdefault(str(patient), reason)
        possible = ~who.isin(list(reasons)).to_numpy()
        keep, X, who = keep[~keep.isin(list(reasons))], X[possible], who[possible]
    if len(keep):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IsthmusWarning)  # what the model never saw is said in the notes, row by row
            risk = one_thread(model.predict_rows, X)
        columns = np.column_stack([1.0 - risk, risk]) if risk.ndim == 1 else risk
        found = prediction_table(model.task, who.to_numpy(), columns, model.cuts).reindex(patients)
        notes, inputs = pd.concat([model.unusual(X), site_notes(model.pipeline, X)], ignore_index=True), X
        drift = drift_table(model, X)
    table = pd.DataFrame({"patient": patients, "model": model.name})
    table["reason"] = [reasons.get(str(patient), "") for patient in patients]
    more = _words(model, found)
    for name in more.columns:
        table[name] = more[name].to_numpy()
    return table[[*_PREDICTIONS, *(name for name in more.columns if name not in _PREDICTIONS)]], notes, inputs, drift


def _words(model: Model, found: pd.DataFrame) -> pd.DataFrame:
    """What each patient gets, NaN and "" without a prediction: `probability` and `class`; of more than two classes the
    probability of each; of a time to event `class` is the risk group, and `risk` stands beside."""
    if "probability" not in found.columns:
        found = found.assign(probability=np.nan)
    told = pd.DataFrame({"probability": found["probability"].to_numpy(dtype=np.float64)}, index=found.index)
    there = told["probability"].notna().to_numpy()
    if model.task == "binary":
        negative, positive = model.classes
        called = [positive if p >= model.threshold else negative for p in told["probability"]]
    elif model.task == "survival":
        names = GROUPS[len(model.cuts) + 1]
        called = [names[int(code)] if known else "" for code, known in zip(_column(found, "group"), there, strict=True)]
        told["risk"] = _column(found, "risk")
    else:
        called = [
            model.classes[int(code)] if known else ""
            for code, known in zip(_column(found, "class"), there, strict=True)
        ]
        for code, name in enumerate(model.classes):
            told[f"probability:{name}"] = _column(found, str(code))
    told["class"] = [label if known else "" for label, known in zip(called, there, strict=True)]
    return told


def _column(found: pd.DataFrame, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    if name not in found.columns:
        return np.full(len(found), np.nan)
    return found[name].to_numpy(dtype=np.float64)


def _context(model: Model, facts: Facts) -> pd.DataFrame | None:
    """What the model's steps read of each patient besides the predictors."""
    names = without_objects([column for column in model.columns if column.startswith(CONTEXT)])
    if not names:
        return None
    try:
        return gather_context(names, facts)
    except PlanError as exc:
        raise TableError(
            f"the model needs to know of each patient: {first_few([n.removeprefix(CONTEXT) for n in names])}. {exc}"
        ) from exc


def _complete(model: Model, X: pd.DataFrame) -> pd.DataFrame:
    """The model's columns in its order; one that is not there at all is an error, not a guess."""
    missing = [column for column in model.columns if column not in X.columns]
    if missing:
        raise TableError(
            f"the table lacks {len(missing)} of the model's {len(model.columns)} columns: {first_few(missing)}. "
            "Give them the names they had in the study; an empty cell is allowed, an absent column is not."
        )
    return X[model.columns]


def _patients(plan: Plan, frame: pd.DataFrame) -> pd.Series[Any]:
    """The column with the patients; a feature table may call it `patient` whatever the study's was called."""
    identity = plan.table.id if plan.table is not None else plan.source.patient  # type: ignore[attr-defined]
    return frame[identity if identity in frame.columns else "patient"]


def _outcome(model: Model, plan: Plan, read: TextTable) -> Outcome:
    """The outcome; a table without it is for prediction only."""
    source = plan.source
    if model.task in ("multiclass", "ordinal"):  # the codes of the study, whatever classes occur here
        source = source.model_copy(update={"order": list(model.classes)})
    return derive_outcome(read.frame, source, _patients(plan, read.frame)).outcome


def _ineligible(plan: Plan, read: TextTable) -> pd.DataFrame:
    """Notes on the patients whom the study's rules would have left out: predicted, but the model was not built for them."""
    empty = pd.DataFrame(columns=["row", "column", "note"])
    if not plan.source.include and not plan.source.exclude:
        return empty
    patients = _patients(plan, read.frame)
    try:
        out = admit(read.frame, plan.source, patients, patients)
    except (PlanError, TableError) as exc:
        log.warning("whether the patients meet the study's rules of inclusion could not be checked: %s", exc)
        return empty
    if out.empty:
        return empty
    log.warning(
        "%d of %d patients would not have entered the study (%s); the model was not built for such patients",
        out["patient"].nunique(),
        patients.nunique(),
        ", ".join(f"{reason}: {count}" for reason, count in out["reason"].value_counts(sort=False).items()),
    )
    note = "would not have entered the study: " + out["reason"]
    return pd.DataFrame({"row": out["patient"], "column": "", "note": note})[["row", "column", "note"]]


def totals(model: Model, applied: Applied) -> pd.DataFrame:
    """Performance on these patients, and nothing about any one of them."""
    from isthmus.validate import judge

    known = applied.predictions.dropna(subset=["probability"])
    if applied.outcome is None:
        raise TableError(
            f"--aggregate-only needs the outcome of the study for every patient it counts: {applied.without_outcome}"
        )
    known = known[known["patient"].isin(applied.outcome.patients)]
    table = known.assign(split="external", repeat=None, fold=None).astype({"repeat": "Int64", "fold": "Int64"})
    table["outcome"] = applied.outcome.values.loc[known["patient"]].to_numpy()
    if applied.outcome.time is not None:
        table["time"] = applied.outcome.time.loc[known["patient"]].to_numpy()
        table["group"] = known["class"]
    threshold = pd.DataFrame(
        {"model": [model.name], "repeat": [pd.NA], "fold": [pd.NA], "threshold": [model.threshold]}
    )
    settings = model.plan.validation.model_copy(update={"horizon": model.horizon})
    return judge.metrics(
        table,
        threshold.astype({"repeat": "Int64", "fold": "Int64"}),
        applied.outcome,
        settings=settings,
        seed=settings.seed,
    )


def _own(index: pd.Index[Any]) -> pd.Series[Any]:
    return pd.Series(index, index=index, dtype="str")


def _unique(ids: pd.Series[Any], path: Path) -> pd.Series[Any]:
    twice = sorted(set(ids[ids.duplicated()].dropna()))
    if twice or ids.isna().any():
        what = f"patient {twice[0]} occurs more than once" if twice else "a row has no patient"
        raise TableError(f"{path}: {what}; expected one row a patient.")
    return ids
