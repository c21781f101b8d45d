"""The main job, in the order in which data flow; the only caller of `fit`."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.errors import TableError
from isthmus.models.settings import ModelSettings
from isthmus.stats.seeds import child_seed
from isthmus.study.compute import one_thread, worker_count
from isthmus.study.data import StudyData, extract_shard, prepare
from isthmus.study.evaluate import BUILD, Candidate, cross_validate, null_study
from isthmus.study.model import Model, make_manifest
from isthmus.study.plan import Plan, with_default_steps
from isthmus.study.provenance import provenance
from isthmus.study.result import Result
from isthmus.study.store import RunFolder, digest, hash_path, write_bytes
from isthmus.table import Outcome
from isthmus.table.paths import resolve_path
from isthmus.validate.compare import compare
from isthmus.validate.nested import FittedModel, FoldResult, fit_final
from isthmus.validate.performance import performance
from isthmus.validate.settings import ValidateSettings

__all__ = ["audit_run", "excluded_by_error", "run_study"]

log = logging.getLogger("isthmus")

_PREDICTIONS = ["patient", "model", "split", "repeat", "fold", "outcome", "probability"]


def run_study(
    plan: Plan, out: str | Path, *, resume: bool = False, workers: int | None = None, scheduler: str | None = None, shard: str | None = None
) -> Result | None:  # fmt: skip
    """Carry out a plan and leave everything in the folder `out`; with `resume`, what is finished there is not done again.

    Parameters
    ----------
    plan : Plan
    out : path
        The run folder; it must be new, or hold the same run (`resume=True`).
    workers : int, optional
        Processes; by default what [compute] says, else one per core. It never changes a number.
    scheduler : str, optional
        Address of an existing Dask scheduler.
    shard : str, optional
        "K/N": only extract the features of the K-th of N parts of the cases, for job arrays; a run with `resume` collects them.

    Returns
    -------
    Result
        What the folder holds (None for a shard).

    Raises
    ------
    PlanError, TableError
        The plan or a table is wrong, or no case is left.
    """
    started = dt.datetime.now(dt.UTC)
    workers = worker_count(plan.compute.workers if workers is None else workers)
    store = RunFolder(out)
    store.begin(_fingerprint(plan), resume=resume or shard is not None)
    with _log_to(store.path / "run.log.jsonl"):
        write_bytes(store.path / "plan.lock.toml", plan.dump().encode())
        store.put("plan", "base", str(plan.base))
        if shard is not None:
            extract_shard(plan, shard, workers=workers, store=store)
            return None
        data = prepare(plan, workers=workers, store=store, scheduler=scheduler)
        _write_data(store, data)
        _study(plan, data, store, workers, scheduler)
        write_bytes(store.path / "provenance.json", provenance(plan, data.hashes, started=started, workers=workers))
    return Result.load(store.path)


def excluded_by_error(result: Result) -> bool:
    """Did an error (and not a rule of the plan) take a case out?"""
    cases = result.cases
    return bool(((cases["status"] == "excluded") & cases["step"].isin(["files", "read", "features"])).any())


# ---------------------------------------------------------------------- the steps of a run


def _fingerprint(plan: Plan) -> str:
    """The plan and the table it names; the images are hashed case by case."""
    named = [plan.cohort.table] if plan.cohort else [plan.table.path] if plan.table else []
    if plan.clinical is not None and plan.clinical.table is not None:
        named.append(plan.clinical.table)
    paths = [resolve_path(name, plan.base) for name in named]
    content = [hash_path(path) if path.is_file() else "missing" for path in paths]
    document = {key: value for key, value in plan.document().items() if key not in ("compute", "report", "audit")}
    return digest(sorted(document.items(), key=str), content)


def _write_data(store: RunFolder, data: StudyData) -> None:
    store.write("cases.csv", data.cases)
    store.write("tables/join.csv", data.join)
    store.write("acquisition.csv", data.acquisition)
    if len(data.notes):
        store.write("tables/notes.csv", data.notes)
    if data.table_one is not None:
        store.write("tables/table1.csv", data.table_one)
        write_bytes(store.path / "tables" / "table1.txt", (data.table_one_footnote + "\n").encode())
    for name, table in data.features.items():
        table.write(store.path / "features" / f"{name}.parquet")


def _candidates(plan: Plan, data: StudyData) -> list[Candidate]:
    """Every model of the plan on the development rows."""
    found = []
    for model in plan.models:
        X, patients = data.matrix(plan.blocks_of(model), "train")
        found.append(Candidate(with_default_steps(plan, model), X, patients))
    return found


def _study(plan: Plan, data: StudyData, store: RunFolder, workers: int, scheduler: str | None) -> None:
    settings = plan.validation
    candidates = _candidates(plan, data)
    train = data.outcome_of("train")
    folds = cross_validate(candidates, train, settings, store=store, workers=workers, scheduler=scheduler)
    finals = {c.spec.name: _final(c, train, plan) for c in candidates}
    predictions = pd.concat(
        [_out_of_fold(folds), *(_final_predictions(c.spec, finals[c.spec.name], data, plan) for c in candidates)],
        ignore_index=True,
    )
    predictions = _sorted(predictions, [model.name for model in plan.models])
    thresholds = _thresholds(folds, finals)
    metrics = performance(predictions, thresholds, settings=settings, seed=child_seed(settings.seed, "metrics"))
    store.write("predictions.csv", predictions[_PREDICTIONS])
    store.write("tables/thresholds.csv", thresholds)
    store.write("metrics.csv", metrics)
    store.write(
        "comparisons.csv", compare(predictions, settings=settings, seed=child_seed(settings.seed, "comparisons"))
    )
    store.write("selected.csv", _selected(folds, finals))
    store.write("tables/tuning.csv", _tuning(folds, finals))
    store.write("tables/dropped.csv", _dropped(finals))
    store.write("tables/fold_warnings.csv", _fold_warnings(folds, finals))
    _write_odds_ratios(candidates, finals, train, settings, store)
    _write_model(plan, data, finals, candidates, metrics, store)
    if plan.audit.permutations:
        _write_null(plan, data, candidates, folds, plan.audit.permutations, store, workers, scheduler)


def _final(candidate: Candidate, outcome: Outcome, plan: Plan) -> FittedModel:
    """The whole procedure again on all development rows."""
    seed = child_seed(plan.validation.seed, candidate.spec.name, "final")

    def fit(candidate: Candidate) -> FittedModel:
        return fit_final(candidate.spec, candidate.design(outcome), build=BUILD, settings=plan.validation, seed=seed)

    return one_thread(fit, candidate)


def _out_of_fold(folds: dict[str, list[FoldResult]]) -> pd.DataFrame:
    rows = [
        pd.DataFrame(
            {
                "patient": result.patients, "model": model, "split": "cv", "repeat": result.repeat, "fold": result.fold,
                "outcome": result.outcome, "probability": result.probability,
            }
        )
        for model, results in folds.items()
        for result in results
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def _final_predictions(spec: ModelSettings, fitted: FittedModel, data: StudyData, plan: Plan) -> pd.DataFrame:
    """The final model on its own training rows (apparent), on the internal and on the external patients."""
    rows = []
    for split in ("train", "internal", "external"):
        if not data.has(split):
            continue
        X, patients = data.matrix(plan.blocks_of(spec), split)
        mean = fitted.predict(X, patients)
        outcome = data.outcome.values.loc[mean.index]
        rows.append(
            pd.DataFrame(
                {
                    "patient": mean.index, "model": spec.name, "split": split, "repeat": pd.NA, "fold": pd.NA,
                    "outcome": outcome.to_numpy(), "probability": mean.to_numpy(),
                }
            )
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True).astype({"repeat": "Int64", "fold": "Int64"})


def _sorted(predictions: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    order = {"train": 0, "cv": 1, "internal": 2, "external": 3}
    table = predictions.astype({"repeat": "Int64", "fold": "Int64", "outcome": "int64"})
    keys = table.assign(
        _model=table["model"].map({name: position for position, name in enumerate(models)}),
        _split=table["split"].map(order),
    )
    index = keys.sort_values(["_model", "_split", "repeat", "fold", "patient"], kind="stable").index
    return table.loc[index].reset_index(drop=True)


def _thresholds(folds: dict[str, list[FoldResult]], finals: dict[str, FittedModel]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for model, results in folds.items():
        rows += [{"model": model, "repeat": r.repeat, "fold": r.fold, "threshold": r.threshold} for r in results]
        rows.append({"model": model, "repeat": pd.NA, "fold": pd.NA, "threshold": finals[model].threshold})
    return pd.DataFrame(rows).astype({"repeat": "Int64", "fold": "Int64"})


def _selected(folds: dict[str, list[FoldResult]], finals: dict[str, FittedModel]) -> pd.DataFrame:
    """How often each feature was used over the folds, and its weight in the final model."""
    rows = []
    for model, results in folds.items():
        final = finals[model]
        kind = final.weight_kind
        counts: dict[str, int] = {}
        for result in results:
            for feature in result.selected:
                counts[feature] = counts.get(feature, 0) + 1
        for feature in dict.fromkeys([*final.selected, *sorted(counts)]):
            weight = final.selected.get(feature)
            rows.append(
                {
                    "model": model, "feature": feature, "frequency": counts.get(feature, 0) / len(results),
                    "coefficient": weight if kind == "coefficient" else None,
                    "importance": weight if kind == "importance" else None,
                }
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=["model", "feature", "frequency", "coefficient", "importance"])
    order = table.assign(
        _weight=table["coefficient"].astype(float).abs().fillna(table["importance"].astype(float)).fillna(0.0)
    )
    order["_model"] = order["model"].map({name: position for position, name in enumerate(folds)})
    index = order.sort_values(
        ["_model", "frequency", "_weight", "feature"], ascending=[True, False, False, True], kind="stable"
    ).index
    return table.loc[index].reset_index(drop=True)


def _tuning(folds: dict[str, list[FoldResult]], finals: dict[str, FittedModel]) -> pd.DataFrame:
    """What the inner cross-validation chose, fold by fold; the final model's row has no repeat and fold."""
    rows: list[dict[str, Any]] = []
    for model, results in folds.items():
        for result in results:
            rows += [
                {"model": model, "repeat": result.repeat, "fold": result.fold, "setting": key, "value": value}
                for key, value in result.tuned.items()
            ]
        rows += [
            {"model": model, "repeat": pd.NA, "fold": pd.NA, "setting": k, "value": v}
            for k, v in finals[model].tuned.items()
        ]
    return pd.DataFrame(rows, columns=["model", "repeat", "fold", "setting", "value"])


def _dropped(finals: dict[str, FittedModel]) -> pd.DataFrame:
    """Every column the final models left out, and why."""
    return pd.DataFrame(
        [
            {"model": model, "feature": feature, "reason": why}
            for model, final in finals.items()
            for feature, why in final.dropped.items()
        ],
        columns=["model", "feature", "reason"],
    )


def _fold_warnings(folds: dict[str, list[FoldResult]], finals: dict[str, FittedModel]) -> pd.DataFrame:
    """What fitting warned of, and in how many folds (the final model's own beside it)."""
    rows = []
    for model, results in folds.items():
        said = [text for result in results for text in result.warnings]
        for text in dict.fromkeys([*said, *finals[model].warnings]):
            rows.append(
                {
                    "model": model,
                    "warning": text,
                    "folds": said.count(text),
                    "of": len(results),
                    "final": text in finals[model].warnings,
                }
            )
    return pd.DataFrame(rows, columns=["model", "warning", "folds", "of", "final"])


def _write_odds_ratios(
    candidates: list[Candidate],
    finals: dict[str, FittedModel],
    outcome: Outcome,
    settings: ValidateSettings,
    store: RunFolder,
) -> None:
    """Odds ratios of every unpenalised logistic model, on the predictors' own scale and all development rows."""
    from isthmus.stats.logistic import logistic_regression

    for candidate in candidates:
        if candidate.spec.estimator != "logistic" or candidate.spec.settings.get("C") is not None:
            continue
        X = candidate.X
        for name, step in finals[candidate.spec.name].pipeline.steps[:-1]:
            if name in ("impute", "encode"):
                X = step.transform(X)
        used = [column for column in X.columns if column in finals[candidate.spec.name].selected]
        y = outcome.array(pd.Index(candidate.patients))
        try:
            fit = logistic_regression(X[used], y, confidence=settings.confidence)
        except TableError as exc:
            log.warning("model %r: no odds ratios: %s", candidate.spec.name, exc)
            continue
        if fit.note:
            log.warning("model %r: no odds ratios: %s", candidate.spec.name, fit.note)
        store.write(f"tables/odds_ratios_{candidate.spec.name}.csv", fit.table.assign(n=fit.n_used, note=fit.note))


def _write_model(
    plan: Plan,
    data: StudyData,
    finals: dict[str, FittedModel],
    candidates: list[Candidate],
    metrics: pd.DataFrame,
    store: RunFolder,
) -> None:
    from isthmus import __version__

    candidate = next(c for c in candidates if c.spec.name == plan.final)
    outcome = data.outcome_of("train")
    manifest = make_manifest(
        plan=plan,
        model=plan.final,
        X=candidate.X,
        outcome={"name": outcome.name, "task": outcome.task, "classes": list(outcome.classes)},
        training={
            "patients": len(outcome.values), "events": outcome.n_events, "prevalence": outcome.n_events / len(outcome.values),
            "centres": sorted(set(data.centre[outcome.patients])),
        },
        threshold=finals[plan.final].threshold,
        performance=metrics,
        version=__version__,
    )  # fmt: skip
    Model(manifest, finals[plan.final].pipeline).save(store.path / "model.isthmus")


def _write_null(
    plan: Plan, data: StudyData, candidates: list[Candidate], folds: dict[str, list[FoldResult]], permutations: int, store: RunFolder,
    workers: int, scheduler: str | None = None,
) -> None:  # fmt: skip
    outcome = data.outcome_of("train")
    observed = pd.DataFrame(
        [{"model": model, "auc": pd.Series([r.auc for r in results]).mean()} for model, results in folds.items()]
    )
    table = null_study(
        candidates, outcome, data.centre[outcome.patients], plan.validation, permutations=permutations, observed=observed,
        store=store, workers=workers, scheduler=scheduler,
    )  # fmt: skip
    store.write("tables/null_study.csv", table)


def audit_run(folder: str | Path, *, permutations: int, workers: int | None = None) -> Result:
    """The null study of a finished run with more permutations; what is finished is not done again."""
    result = Result.load(folder)
    store = RunFolder(folder)
    base = store.get("plan", "base")
    if base is None:
        raise TableError(f"{folder}: its .work folder is gone, and with it the way to the data; run the plan again")
    plan = Plan.parse(result.plan, base=base)
    workers = worker_count(workers or plan.compute.workers)
    data = prepare(plan, workers=workers, store=store)
    candidates = _candidates(plan, data)
    folds = cross_validate(candidates, data.outcome_of("train"), plan.validation, store=store, workers=workers)
    _write_null(plan, data, candidates, folds, permutations, store, workers)
    return Result.load(folder)


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

    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(Lines())
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
