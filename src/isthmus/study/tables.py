"""The tables of a run, from what the folds and the final models gave."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.stats import calibration
from isthmus.stats import odds_ratios as ratios
from isthmus.stats.stability import stability_index
from isthmus.study.evaluate import Candidate
from isthmus.table import Outcome
from isthmus.validate.nested import FittedModel, FoldResult
from isthmus.validate.performance_classes import probability_columns
from isthmus.validate.scoring import GROUPS

__all__ = [
    "PREDICTIONS",
    "dropped",
    "fold_warnings",
    "importance_of_groups",
    "in_order",
    "odds_ratios",
    "out_of_fold",
    "predicted",
    "prediction_columns",
    "recalibration",
    "selected",
    "stability",
    "thresholds",
    "trials",
    "tuning",
]

log = logging.getLogger("isthmus")

Folds = dict[str, list[FoldResult]]
Finals = dict[str, FittedModel]

PREDICTIONS = ["patient", "model", "split", "repeat", "fold", "outcome", "probability"]
"""What predictions.csv holds of any outcome; `prediction_columns` adds what an outcome needs besides."""


def prediction_columns(outcome: Outcome) -> list[str]:
    """The columns of predictions.csv: of classes their probabilities and the one called, of a time to event the time, the
    risk and its group."""
    if outcome.task == "binary":
        return PREDICTIONS
    if outcome.task == "survival":
        return [*PREDICTIONS, "time", "risk", "group"]
    return [*PREDICTIONS, *probability_columns(outcome.classes), "class"]


def out_of_fold(folds: Folds, outcome: Outcome) -> pd.DataFrame:
    rows = [
        predicted(
            result.table, outcome, n_groups=len(result.cuts) + 1,
            model=model, split="cv", repeat=result.repeat, fold=result.fold,
        )
        for model, results in folds.items()
        for result in results
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def predicted(table: pd.DataFrame, outcome: Outcome, *, n_groups: int, **facts: Any) -> pd.DataFrame:
    """Rows of predictions.csv from what `validate.scoring.prediction_table` gives, in words instead of codes."""
    names = pd.Index([str(patient) for patient in outcome.patients])
    place = names.get_indexer(pd.Index(table.index.astype(str)))
    found = pd.DataFrame({"patient": table.index, **facts})
    found["outcome"] = outcome.values.to_numpy()[place]
    found["probability"] = table["probability"].to_numpy()
    if outcome.task == "survival":
        assert outcome.time is not None
        found["time"] = outcome.time.to_numpy()[place]
        found["risk"] = table["risk"].to_numpy()
        found["group"] = [GROUPS[n_groups][int(code)] for code in table["group"]]
    elif outcome.task != "binary":
        for code, column in enumerate(probability_columns(outcome.classes)):
            found[column] = table[str(code)].to_numpy()
        found["class"] = [outcome.classes[int(code)] for code in table["class"]]
    return found


def in_order(predictions: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    order = {"train": 0, "cv": 1, "internal": 2, "external": 3}
    table = predictions.astype({"repeat": "Int64", "fold": "Int64", "outcome": "int64"})
    keys = table.assign(
        _model=table["model"].map({name: position for position, name in enumerate(models)}),
        _split=table["split"].map(order),
    )
    index = keys.sort_values(["_model", "_split", "repeat", "fold", "patient"], kind="stable").index
    return table.loc[index].reset_index(drop=True)


def thresholds(folds: Folds, finals: Finals) -> pd.DataFrame:
    """The threshold of every fold and of the final model, and what two rules give on the same training predictions."""
    rows: list[dict[str, Any]] = []
    for model, results in folds.items():
        rows += [{"model": model, "repeat": r.repeat, "fold": r.fold, **_limits(r)} for r in results]
        rows.append({"model": model, "repeat": pd.NA, "fold": pd.NA, **_limits(finals[model])})
    return pd.DataFrame(rows).astype({"repeat": "Int64", "fold": "Int64"})


def _limits(result: FoldResult | FittedModel) -> dict[str, float]:
    """The threshold; of a time to event the cuts between risk groups."""
    if result.task != "survival":
        return {"threshold": result.threshold, **result.rules}
    return {f"cut_{number}": cut for number, cut in enumerate(result.cuts, start=1)}


def selected(folds: Folds, finals: Finals) -> pd.DataFrame:
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


def stability(folds: Folds, candidates: Sequence[Candidate], *, confidence: float) -> pd.DataFrame:
    """How much the selections of a model's folds agree beyond chance (Nogueira's index), out of its columns."""
    rows = []
    for candidate in candidates:
        chosen = [set(result.selected) for result in folds[candidate.spec.name]]
        columns = sorted({*candidate.predictors, *set().union(*chosen)})
        index = stability_index([[column in one for column in columns] for one in chosen], confidence=confidence)
        sizes = [len(one) for one in chosen]
        rows.append(
            {
                "model": candidate.spec.name, "stability": index.estimate, "lower": index.lower, "upper": index.upper,
                "selections": len(chosen), "columns": len(columns), "smallest": min(sizes), "mean": sum(sizes) / len(sizes),
                "largest": max(sizes), "method": index.method,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def importance_of_groups(finals: Finals) -> pd.DataFrame:
    """Importance of every group of columns in the final models whose estimator was told groups, most important first."""
    rows: list[dict[str, Any]] = []
    for model, final in finals.items():
        estimator = final.pipeline.estimator
        if not hasattr(estimator, "group_contributions"):
            continue
        blocks, whole = estimator.group_contributions(), estimator.group_contributions(block="all")
        for name in sorted(blocks, key=lambda one: (-blocks[one], one)):
            rows.append(
                {"model": model, "group": name, "importance": blocks[name], "importance_whole_forest": whole[name]}
            )
    return pd.DataFrame(rows, columns=["model", "group", "importance", "importance_whole_forest"])


def tuning(folds: Folds, finals: Finals) -> pd.DataFrame:
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


def trials(folds: Folds, finals: Finals) -> pd.DataFrame:
    """Every combination of settings that was tried in every fold, and its score; the final model's have no repeat and fold."""
    rows: list[dict[str, Any]] = []
    for model, results in folds.items():
        every = [(r.repeat, r.fold, r.trials) for r in results] + [(pd.NA, pd.NA, finals[model].trials)]
        rows += [
            {
                "model": model, "repeat": repeat, "fold": fold, "trial": number, "settings": json.dumps(trial["settings"]),
                "measure": trial["measure"], "score": trial["score"],
            }
            for repeat, fold, tried in every
            for number, trial in enumerate(tried, start=1)
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["model", "repeat", "fold", "trial", "settings", "measure", "score"])


def recalibration(folds: Folds) -> pd.DataFrame:
    """How well calibrated the out-of-fold probabilities are before and after they were adjusted, mean over repeats; no rows
    where no model is adjusted."""
    rows = []
    for model, results in folds.items():
        if not all(result.unadjusted for result in results):
            continue
        for which in ("before", "after"):
            per_repeat = [
                _calibration([r for r in results if r.repeat == repeat], which)
                for repeat in dict.fromkeys(r.repeat for r in results)
            ]
            for metric in per_repeat[0]:
                value = sum(found[metric] for found in per_repeat) / len(per_repeat)
                rows.append({"model": model, "probability": which, "metric": metric, "estimate": value})
    return pd.DataFrame(rows, columns=["model", "probability", "metric", "estimate"])


def _calibration(results: list[FoldResult], which: str) -> dict[str, float]:
    y = np.concatenate([r.outcome for r in results])
    p = np.concatenate([r.unadjusted if which == "before" else r.probability for r in results])
    slope, intercept = calibration.calibration_slope(y, p)
    return {
        "mean_probability": float(p.mean()),
        "prevalence": float(y.mean()),
        "calibration_slope": slope.estimate,
        "calibration_intercept": intercept.estimate,
        "calibration_in_the_large": calibration.calibration_in_the_large(y, p).estimate,
        "brier": float(((p - y) ** 2).mean()),
    }


def dropped(finals: Finals) -> pd.DataFrame:
    """Every column the final models left out, and why."""
    return pd.DataFrame(
        [
            {"model": model, "feature": feature, "reason": why}
            for model, final in finals.items()
            for feature, why in final.dropped.items()
        ],
        columns=["model", "feature", "reason"],
    )


def fold_warnings(folds: Folds, finals: Finals) -> pd.DataFrame:
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


def odds_ratios(
    candidate: Candidate, final: FittedModel, outcome: Outcome, *, confidence: float
) -> pd.DataFrame | None:
    """Odds ratios of an unpenalised logistic model, on the predictors' own scale and all development rows; None for others.

    Where a patient has several rows they are not independent, and the intervals would be too narrow: none are given.
    """
    if candidate.spec.estimator != "logistic" or final.pipeline.steps[-1][1].C is not None:
        return None
    if candidate.patients.duplicated().any():
        log.warning("model %r: no odds ratios: several rows of one patient are not independent", candidate.spec.name)
        return None
    X = final.pipeline.in_own_units(candidate.X, training=True)
    used = [column for column in X.columns if column in final.selected]
    if len(used) < len(final.selected):  # behind principal components a predictor has no odds ratio of its own
        return None
    try:
        return ratios.odds_ratios(X[used], outcome.array(pd.Index(candidate.patients)), confidence=confidence)
    except TableError as exc:
        log.warning("model %r: no odds ratios: %s", candidate.spec.name, exc)
        return None
