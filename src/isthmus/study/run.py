"""The main job, in the order in which data flow; the only caller of `fit`."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd

from isthmus.deep.settings import DeepSettings
from isthmus.errors import LeakageError, OutputError, PlanError, TableError
from isthmus.models.settings import ModelSettings
from isthmus.stats.calibration import CalibrationLine, calibration_line
from isthmus.stats.seeds import child_seed
from isthmus.study import tables
from isthmus.study.audit import write_audit
from isthmus.study.biology_tables import biology_paths, check_biology, write_biology
from isthmus.study.card import model_card
from isthmus.study.categories import stability_table
from isthmus.study.compute import one_thread, worker_count
from isthmus.study.data import StudyData, draw_study, extract_shard, plan_blocks, prepare
from isthmus.study.deep_blocks import deep_facts
from isthmus.study.evaluate import BUILD, Candidate, Job, Tables, candidate_of, cross_validate, evaluate_jobs, rows_of
from isthmus.study.explanation import write_explanations
from isthmus.study.feature_maps import write_feature_maps
from isthmus.study.habitat_pictures import write_habitats
from isthmus.study.harmonisation import check_sites, write_harmonisation
from isthmus.study.inference import inference_tables
from isthmus.study.ited_added import write_ited_added
from isthmus.study.lasso_path import write_lasso_paths
from isthmus.study.learning_curves import write_learning_curves
from isthmus.study.manifest import make_manifest
from isthmus.study.model import make_model
from isthmus.study.network_pictures import write_network_maps
from isthmus.study.nomogram import with_points, write_nomograms
from isthmus.study.optimism import optimism_study
from isthmus.study.outcome_tables import outcome_tables
from isthmus.study.pathology_section import measure_slides
from isthmus.study.patient_map import check_embedding, write_patient_map
from isthmus.study.pictures import write_pictures
from isthmus.study.plan import Plan, with_default_steps
from isthmus.study.provenance import provenance, versions
from isthmus.study.random_splits import random_splits_study
from isthmus.study.recipes import Finished, study_recipe
from isthmus.study.recipes import outputs as recipe_outputs
from isthmus.study.reliability import put_repeats, repeat_paths, write_lesion_reliability, write_reliability
from isthmus.study.result import Result
from isthmus.study.sample_size import (
    count_parameters,
    sample_size_lines,
    sample_size_table,
    validation_table,
    with_selection,
)
from isthmus.study.sealed import sha256
from isthmus.study.segment_section import origins_table, segment_paths
from isthmus.study.site_strata import write_strata_effects
from isthmus.study.store import RunFolder, digest, hash_path, write_bytes
from isthmus.study.subgroups import subgroup_levels
from isthmus.study.volume import write_volume_dependence
from isthmus.table import Outcome
from isthmus.table.memory import Memory
from isthmus.table.paths import resolve_path
from isthmus.table.table_one import table_one_footnote
from isthmus.validate import judge
from isthmus.validate.centres import centre_splits, summarise_centres
from isthmus.validate.develop import collected
from isthmus.validate.nested import FittedModel, FoldResult, fit_final
from isthmus.validate.outcomes import for_outcome
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.subgroups import subgroups

__all__ = ["audit_run", "excluded_by_error", "run_shard", "run_study"]

log = logging.getLogger("isthmus")


def run_study(
    plan: Plan | str | Path,
    out: str | Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Result:
    """Carry out a plan and leave everything in the folder `out`; with `resume`, what is finished there is not done again.

    Parameters
    ----------
    plan : Plan or path
        A plan, or its file.
    out : path
        The run folder; it must be new, or hold the same run (`resume=True`).
    workers : int, optional
        Processes; by default what [compute] says, else one per core. It never changes a number.
    scheduler : str, optional
        Address of an existing Dask scheduler.

    Returns
    -------
    Result
        What the folder holds.

    Raises
    ------
    PlanError, TableError
        The plan or a table is wrong, or no case is left.
    """
    started = dt.datetime.now(dt.UTC)
    plan = plan if isinstance(plan, Plan) else Plan.read(plan)
    workers = worker_count(plan.compute.workers if workers is None else workers)
    with _run_in(plan, out, resume=resume) as store:
        if plan.report.recipe is not None:
            study_recipe(plan.report.recipe.name).check(plan)  # now, not after hours
        check_embedding(plan)
        check_biology(plan)
        measure_slides(plan, store.path, workers=workers)
        draw_study(plan, store.path)
        data = put_repeats(
            plan, prepare(plan, workers=workers, store=store, scheduler=scheduler), store, workers=workers
        )
        _write_data(store, data)
        _write_encoders(plan, store)
        if plan.segment is not None:
            store.write("tables/masks.csv", origins_table(plan, data.cases, data.outcome, store.path))
        _study(plan, data, store, workers, scheduler)
        write_bytes(
            store.path / "provenance.json",
            provenance(
                plan,
                {**data.hashes, **_other_hashes(plan)},
                started=started,
                workers=workers,
                model_sha256=sha256((store.path / "model.isthmus").read_bytes()),
            ),
        )
        store.tidy()
    return Result.load(store.path)


def run_shard(plan: Plan, out: str | Path, shard: str, *, workers: int | None = None) -> None:
    """Extract the features of the K-th of N parts of the cases ("K/N") into a run folder, for job arrays.

    A run with `resume` collects the shards.
    """
    with _run_in(plan, out, resume=True) as store:
        extract_shard(
            plan, shard, workers=worker_count(plan.compute.workers if workers is None else workers), store=store
        )


def excluded_by_error(result: Result) -> bool:
    """Did an error (and not a rule of the plan) take a case out?"""
    cases = result.cases
    return bool(((cases["status"] == "excluded") & cases["step"].isin(["files", "segment", "read", "features"])).any())


# ---------------------------------------------------------------------- the steps of a run


@contextmanager
def _run_in(plan: Plan, out: str | Path, *, resume: bool) -> Iterator[RunFolder]:
    """The run's folder, begun and logged to; a plan or table that turns out wrong leaves no run behind that stands in the way."""
    store = RunFolder(out)
    begun = store.begin(_fingerprint(plan), resume=resume)
    with _log_to(store.path / "run.log.jsonl"):
        try:
            write_bytes(store.path / "plan.lock.toml", plan.dump().encode())
            store.put("plan", "base", str(plan.base))
            yield store
        except (LeakageError, PlanError, TableError):
            if begun:
                store.abandon()
            raise


def _fingerprint(plan: Plan) -> str:
    """The plan and the table it names; the images are hashed case by case."""
    named = [plan.cohort.table] if plan.cohort else [plan.table.path] if plan.table else []
    if plan.clinical is not None and plan.clinical.table is not None:
        named.append(plan.clinical.table)
    paths = [resolve_path(name, plan.base) for name in [*named, *_other_paths(plan)]]
    content = [hash_path(path) if path.is_file() else "missing" for path in paths]
    document = {
        key: value for key, value in plan.document().items() if key not in ("compute", "report", "audit", "reading")
    }
    return digest(sorted(document.items(), key=str), content)


def _other_paths(plan: Plan) -> list[str]:
    """The files a plan reads beside its tables and images."""
    return [*repeat_paths(plan), *biology_paths(plan), *segment_paths(plan)]


def _other_hashes(plan: Plan) -> dict[str, str]:
    return {name: hash_path(resolve_path(name, plan.base)) for name in _other_paths(plan)}


def _write_data(store: RunFolder, data: StudyData) -> None:
    store.write("cases.csv", data.cases)
    store.write("tables/join.csv", data.join)
    store.write("acquisition.csv", data.acquisition)
    if len(data.quality):
        store.write("quality.csv", data.quality)
    if len(data.notes):
        store.write("tables/notes.csv", data.notes)
    for name, described in data.table_one.items():
        store.write(f"tables/{name}.csv", described)
        write_bytes(store.path / "tables" / f"{name}.txt", (table_one_footnote(described) + "\n").encode())
    for name, table in data.features.items():
        table.write(store.path / "features" / f"{name}.parquet")
    write_pictures(store, data.pictures, list(data.cases.loc[data.cases["status"] == "included", "row"]))


def _write_encoders(plan: Plan, store: RunFolder) -> None:
    """The record of each network and its weights, beside its features."""
    for block in plan_blocks(plan):
        if isinstance(block.settings, DeepSettings) and not block.trained:
            path = store.path / "features" / f"{block.name}.encoder.json"
            write_bytes(path, deep_facts(block.settings).encode())


def _candidates(plan: Plan, data: StudyData) -> list[Candidate]:
    """Every model of the plan on the development rows."""
    shared: Tables = {}
    return [candidate_of(plan, data, with_default_steps(plan, model), shared) for model in plan.models]


def _study(plan: Plan, data: StudyData, store: RunFolder, workers: int, scheduler: str | None) -> None:
    train = data.outcome_of("train")
    settings = for_outcome(plan.validation, train)
    candidates = _candidates(plan, data)
    check_sites(candidates, data)
    sizes = _say_sample_size(data, candidates, train, settings, store)
    levels = subgroup_levels(settings.subgroups, data.facts)
    if settings.scheme == "leave-one-centre-out":
        _leave_centres_out(candidates, data, store, settings, workers, scheduler)
    folds = cross_validate(
        candidates, train, settings, store=store, workers=workers, scheduler=scheduler, explain=plan.explaining
    )
    finals = _finals(candidates, train, settings)
    predictions = pd.concat(
        [
            tables.out_of_fold(folds, train),
            *(_final_predictions(c.spec, finals[c.spec.name], data, plan) for c in candidates),
        ],
        ignore_index=True,
    )
    predictions = tables.in_order(predictions, [model.name for model in plan.models])
    thresholds = tables.thresholds(folds, finals)
    metrics = judge.metrics(
        predictions, thresholds, train, settings=settings, seed=child_seed(settings.seed, "metrics")
    )
    store.write("predictions.csv", predictions[tables.prediction_columns(train)])
    store.write("tables/thresholds.csv", thresholds)
    store.write("metrics.csv", metrics)
    comparisons = judge.comparisons(
        predictions, thresholds, train, settings=settings, seed=child_seed(settings.seed, "comparisons")
    )
    store.write("comparisons.csv", comparisons)
    if len(levels.columns):
        found = subgroups(predictions, thresholds, levels, settings=settings, seed=settings.seed)
        store.write("tables/subgroups.csv", found)
    again = _write_random_splits(plan, data, settings, store, workers, scheduler)
    if settings.optimism:
        found = optimism_study(candidates, train, settings, store=store, workers=workers, scheduler=scheduler)
        store.write("tables/optimism.csv", found)
    if len(sizes):
        store.write("tables/sample_size.csv", with_selection(sizes, {m: len(f.selected) for m, f in finals.items()}))
    store.write("selected.csv", tables.selected(folds, finals))
    _write_stability(candidates, folds, finals, settings, store)
    _write_choices(folds, finals, store)
    _write_coefficients(plan, candidates, finals, train, settings, store)
    write_explanations(plan, data, candidates, folds, finals, store)
    inference = inference_tables(plan, data, predictions)
    if inference is not None:
        for name, ratio_table in zip(("logistic_univariable", "logistic_multivariable"), inference, strict=True):
            store.write(f"tables/{name}.csv", ratio_table)
    blocks = {model.name: plan.blocks_of(model) for model in plan.models}
    _write_features(plan, data, finals, settings, store)
    write_learning_curves(folds, finals, store)
    _write_maps(plan, data, finals, store, workers)
    write_harmonisation(candidates, finals, data, train, settings, store, blocks)
    within = write_strata_effects(plan, candidates, data, train, settings, store)
    _write_recipe(
        Finished(
            plan, data, predictions, thresholds, _write_groups(finals, store), metrics, comparisons, again, within
        ),
        store,
    )
    write_biology(plan, data, predictions, thresholds, finals, store)
    for name, table in outcome_tables(predictions, train, settings, candidates, finals).items():
        store.write(f"tables/{name}.csv", table)
    write_audit(plan, data, candidates, folds, store, workers=workers, scheduler=scheduler)
    _write_model(plan, data, finals, candidates, predictions, metrics, store, settings)


def _write_random_splits(
    plan: Plan, data: StudyData, settings: ValidateSettings, store: RunFolder, workers: int, scheduler: str | None
) -> pd.DataFrame | None:
    """Every model on other patients again, where the plan asks for it."""
    if settings.scheme != "random-splits":
        return None
    specs = [with_default_steps(plan, model) for model in plan.models]
    found = random_splits_study(plan, specs, data, settings, store=store, workers=workers, scheduler=scheduler)
    store.write("tables/random_splits.csv", found)
    return found


def _write_choices(folds: dict[str, list[FoldResult]], finals: dict[str, FittedModel], store: RunFolder) -> None:
    """What the training rows chose, and what was said on the way."""
    store.write("tables/tuning.csv", tables.tuning(folds, finals))
    store.write("tables/trials.csv", tables.trials(folds, finals))
    adjusted = tables.recalibration(folds)
    if len(adjusted):
        store.write("tables/recalibration.csv", adjusted)
    store.write("tables/dropped.csv", tables.dropped(finals))
    store.write("tables/fold_warnings.csv", tables.fold_warnings(folds, finals))


def _write_maps(plan: Plan, data: StudyData, finals: dict[str, FittedModel], store: RunFolder, workers: int) -> None:
    """Patients in the space of their features; textures and habitats of the final model in lesions, and where its network looks."""
    final = finals[plan.final]
    write_patient_map(plan, data, store, final)
    write_feature_maps(plan, data, final, store, workers)
    write_habitats(plan, data, finals, store)
    write_network_maps(plan, data, finals, store)


def _write_coefficients(
    plan: Plan,
    candidates: list[Candidate],
    finals: dict[str, FittedModel],
    train: Outcome,
    settings: ValidateSettings,
    store: RunFolder,
) -> None:
    """What the coefficients of final models say: odds ratios, and the nomogram."""
    for candidate in candidates:
        name = candidate.spec.name
        ratios = tables.odds_ratios(candidate, finals[name], train, confidence=settings.confidence)
        if ratios is not None:
            store.write(f"tables/odds_ratios_{name}.csv", ratios)
    write_nomograms(plan, candidates, finals, store)
    write_lasso_paths(candidates, finals, train, store)


def _write_features(
    plan: Plan, data: StudyData, finals: dict[str, FittedModel], settings: ValidateSettings, store: RunFolder
) -> None:
    """Whether features come out again, how far they are the lesion's volume, and what iTED adds to simpler ones."""
    write_reliability(finals, store)
    write_lesion_reliability(plan, data, store)
    write_volume_dependence(data, store, confidence=settings.confidence)
    write_ited_added(data, finals, store, confidence=settings.confidence)


def _write_groups(finals: dict[str, FittedModel], store: RunFolder) -> pd.DataFrame:
    """Importance of groups of columns."""
    importance = tables.importance_of_groups(finals)
    if len(importance):
        store.write("tables/importance_of_groups.csv", importance)
    return importance


def _write_recipe(run: Finished, store: RunFolder) -> None:
    """The tables of the published study the plan names, as `tables/<recipe>_<name>.csv`."""
    for name, content in recipe_outputs(run).items():
        store.write(f"tables/{name}.csv", content)


def _leave_centres_out(
    candidates: list[Candidate], data: StudyData, store: RunFolder, settings: ValidateSettings, workers: int,
    scheduler: str | None,
) -> None:  # fmt: skip
    """Every model with each development centre left out in turn."""
    train = data.outcome_of("train")
    names, splits = centre_splits(train, data.centre)
    quick = settings.model_copy(update={"threshold": 0.5})
    plain = [c.plain() for c in candidates]
    jobs = [Job(candidate, train, splits, quick) for candidate in plain]
    found = evaluate_jobs("centres", jobs, store=store, workers=workers, scheduler=scheduler)
    parts = [
        summarise_centres(c.spec.name, names, results, confidence=settings.confidence)
        for c, results in zip(plain, found, strict=True)
    ]
    store.write("tables/centres.csv", pd.concat(parts, ignore_index=True))


def _say_sample_size(
    data: StudyData, candidates: list[Candidate], train: Outcome, settings: ValidateSettings, store: RunFolder
) -> pd.DataFrame:
    """What these patients support, said and written before anything is fitted."""
    counts = {c.spec.name: count_parameters(c.own) + len(c.made) for c in candidates}
    sizes = sample_size_table(counts, train, expected_auc=settings.expected_auc)
    unseen = {split: data.outcome_of(split) for split in ("internal", "external") if data.has(split)}
    precision = validation_table(unseen, expected_auc=settings.expected_auc, confidence=settings.confidence)
    for line in sample_size_lines(sizes, precision):
        log.info("%s", line)
    if len(sizes):
        store.write("tables/sample_size.csv", sizes)
    if len(precision):
        store.write("tables/validation_precision.csv", precision)
    return sizes


def _write_stability(
    candidates: list[Candidate],
    folds: dict[str, list[FoldResult]],
    finals: dict[str, FittedModel],
    settings: ValidateSettings,
    store: RunFolder,
) -> None:
    """How far the folds chose the same columns, and whether UMAP representatives are a property of the patients."""
    store.write("tables/stability.csv", tables.stability(folds, candidates, confidence=settings.confidence))
    representatives = stability_table(candidates, finals, seed=settings.seed)
    if len(representatives):
        store.write("tables/representatives.csv", representatives)


def _finals(candidates: list[Candidate], outcome: Outcome, settings: ValidateSettings) -> dict[str, FittedModel]:
    """The whole procedure of every model again on all development rows; what models do alike is done once."""
    memory = Memory()

    def fit(candidate: Candidate) -> FittedModel:
        seed = child_seed(settings.seed, candidate.spec.name, "final")
        design = candidate.design(outcome)
        return fit_final(candidate.spec, design, build=BUILD, settings=settings, seed=seed, memory=memory)

    return {candidate.spec.name: one_thread(fit, candidate) for candidate in candidates}


def _final_predictions(spec: ModelSettings, fitted: FittedModel, data: StudyData, plan: Plan) -> pd.DataFrame:
    """The final model on its own training rows (apparent), on the internal and on the external patients."""
    rows = []
    for split in ("train", "internal", "external"):
        if not data.has(split):
            continue
        X, patients = rows_of(plan, data, spec, split)
        said: list[str] = []
        with collected(said):
            mean = fitted.predict(X, patients)
        for message in dict.fromkeys(said):
            log.warning("model %r, %s patients: %s", spec.name, split, message)
        rows.append(
            tables.predicted(
                mean, data.outcome, n_groups=len(fitted.cuts) + 1,
                model=spec.name, split=split, repeat=pd.NA, fold=pd.NA,
            )
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True).astype({"repeat": "Int64", "fold": "Int64"})


def _write_model(
    plan: Plan,
    data: StudyData,
    finals: dict[str, FittedModel],
    candidates: list[Candidate],
    predictions: pd.DataFrame,
    metrics: pd.DataFrame,
    store: RunFolder,
    settings: ValidateSettings,
) -> None:
    """The model file, last of all: its card says what everything before it found."""
    from isthmus import __version__

    unseen = predictions[(predictions["model"] == plan.final) & (predictions["split"] == "cv")]

    candidate = next(c for c in candidates if c.spec.name == plan.final)
    outcome = data.outcome_of("train")
    made = finals[plan.final].pipeline.made(candidate.X, training=True)
    manifest = make_manifest(
        plan=plan,
        model=plan.final,
        X=candidate.X,
        outcome={"name": outcome.name, "task": outcome.task, "classes": list(outcome.classes)},
        training={
            "patients": len(outcome.values), "events": outcome.n_events, "prevalence": outcome.n_events / len(outcome.values),
            "classes": {name: int((outcome.values == code).sum()) for code, name in enumerate(outcome.classes)},
            "centres": sorted(set(data.centre[outcome.patients])),
        },
        threshold=finals[plan.final].threshold,
        cuts=finals[plan.final].cuts,
        horizon=settings.horizon,
        performance=metrics,
        version=__version__,
        risks=unseen["probability"], observed=_observed(unseen, outcome), units=data.units(plan.reads(candidate.spec)),
        made=made.drop(columns=[name for name in made.columns if name in candidate.X.columns]),
    )  # fmt: skip
    model = with_points(make_model(manifest, finals[plan.final].pipeline, candidate.X, candidate.patients), store)
    names = ("sample_size", "subgroups", "null_study")
    found = {name: store.path / "tables" / f"{name}.csv" for name in names}
    written = {name: pd.read_csv(path) for name, path in found.items() if path.is_file()}
    model = replace(model, card=model_card(model.manifest, written, model.used, versions()))
    model.save(store.path / "model.isthmus")
    log.info("model.isthmus: sha256 %s", sha256((store.path / "model.isthmus").read_bytes()))


def _observed(unseen: pd.DataFrame, outcome: Outcome) -> CalibrationLine | None:
    """How often the event came by the risk of patients while they were left out; of several repeats a patient's mean risk."""
    if outcome.task != "binary":
        return None
    known = unseen.dropna(subset=["probability"]).groupby("patient")["probability"].mean()
    line = calibration_line(outcome.values.loc[known.index], known) if len(known) else ""
    return None if isinstance(line, str) else line


def audit_run(
    folder: str | Path, *, permutations: int | None = None, power: Sequence[float] = (), workers: int | None = None
) -> Result:
    """The audit of a finished run again, with more permutations or with signals planted; what is finished is not done again.

    Parameters
    ----------
    folder : path
        `RUN/`, with its `.work` folder.
    permutations : int, optional
        Of the null study (default: what the plan says).
    power : sequence of float
        AUCs to plant in the study's own predictors.
    workers : int, optional

    Raises
    ------
    TableError
        The data have changed since the run, or its `.work` folder is gone.
    """
    result = Result.load(folder)
    store = RunFolder(folder)
    base = store.get("plan", "base")
    if base is None:
        raise TableError(f"{folder}: its .work folder is gone, and with it the way to the data; run the plan again")
    document = {**result.plan, "audit": {**result.plan.get("audit", {})}}
    if permutations is not None:
        document["audit"]["permutations"] = permutations
    if power:
        document["audit"]["power"] = {**document["audit"].get("power", {}), "auc": list(power)}
    plan = Plan.parse(document, base=base)
    workers = worker_count(workers or plan.compute.workers)
    data = put_repeats(plan, prepare(plan, workers=workers, store=store), store, workers=workers)
    _check_unchanged({**data.hashes, **_other_hashes(plan)}, result)
    candidates = _candidates(plan, data)
    train = data.outcome_of("train")
    folds = cross_validate(
        candidates,
        train,
        for_outcome(plan.validation, train),
        store=store,
        workers=workers,
        explain=plan.explaining,
    )
    write_audit(plan, data, candidates, folds, store, workers=workers)
    return Result.load(folder)


def _check_unchanged(hashes: dict[str, str], result: Result) -> None:
    """A null study beside results of other data would mean nothing."""
    then = result.provenance.get("inputs", {})
    changed = sorted(name for name in {**then, **hashes} if then.get(name) != hashes.get(name))
    if changed:
        named = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        raise TableError(
            f"{result.folder}: changed since the run: {named}. The null study belongs to the data of the run; "
            "put them back, or run the plan again into another folder."
        )


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """One JSON line per event of the run, beside the human stream."""
    import json

    class Lines(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            when = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
            return json.dumps(
                {"time": when, "level": record.levelname, "message": record.getMessage()}, ensure_ascii=False
            )

    class Log(logging.FileHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            """A line that cannot be written stops nothing: the same disk says so where results are written."""

        def close(self) -> None:
            with suppress(OSError):  # what could not be written before cannot be written now
                super().close()

    try:
        handler = Log(path, encoding="utf-8")
    except OSError as exc:
        raise OutputError(f"{path}: cannot be written ({exc.strerror or exc}); --resume continues a run.") from exc
    handler.setFormatter(Lines())
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
