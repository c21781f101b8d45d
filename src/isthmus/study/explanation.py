"""[explain] in a run: held-out rows explained in their folds, and the curves of the final models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from isthmus.explain import summary
from isthmus.explain.clusters import correlated_groups
from isthmus.explain.fold import explain_fold
from isthmus.explain.partial_dependence import accumulated_local_effects, grid_of, partial_dependence
from isthmus.explain.settings import ExplainSettings
from isthmus.explain.shap_values import SCALES, output
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder
from isthmus.table.memory import Rows
from isthmus.table.steps import without_context
from isthmus.validate.nested import FittedModel, FoldResult

if TYPE_CHECKING:
    from isthmus.study.data import StudyData
    from isthmus.study.evaluate import Candidate

__all__ = ["explain_rows", "write_explanations"]


def explain_rows(
    pipeline: Any, train: Rows, test: Rows, seed: int, *, settings: ExplainSettings, task: str = "binary"
) -> dict[str, Any]:
    """The held-out rows of a fold, explained against its training rows, as the estimator sees both."""
    before, after = (without_context(pipeline.transform(rows.X)) for rows in (train, test))
    return explain_fold(
        pipeline.estimator,
        [str(column) for column in after.columns],
        np.ascontiguousarray(after.to_numpy(dtype=np.float64)),
        np.ascontiguousarray(before.to_numpy(dtype=np.float64)),
        test.events,
        test.patients,
        task=task,
        settings=settings,
        seed=seed,
    )


def write_explanations(
    plan: Plan,
    data: StudyData,
    candidates: Sequence[Candidate],
    folds: dict[str, list[FoldResult]],
    finals: dict[str, FittedModel],
    store: RunFolder,
) -> None:
    """The tables of every model that was explained."""
    settings = plan.explain
    if settings is None:
        return
    lines = []
    for candidate in candidates:
        name = candidate.spec.name
        explained = [result for result in folds[name] if result.explanation]
        if not explained:
            continue
        parts = [result.explanation for result in explained]
        lines.append(summary.overview(name, parts))
        used = list(dict.fromkeys(feature for part in parts for feature in part["features"]))
        pipeline = finals[name].pipeline
        rows = pipeline.made(candidate.X, training=True)
        numeric = [column for column in used if column in rows and _is_number(rows[column])]
        clusters = correlated_groups(rows[numeric], settings.correlated) if numeric else {}
        families = data.families(plan.blocks_of(candidate.spec))
        ratio = 1.0 / (plan.validation.folds - 1)
        table = summary.features(parts, clusters, ratio=ratio, confidence=plan.validation.confidence)
        store.write(f"tables/explanation_{name}.csv", table)
        store.write(f"tables/explanation_groups_{name}.csv", summary.groups(parts, clusters, families))
        places = [(result.repeat, result.fold) for result in explained]
        store.write(f"tables/shap_{name}.csv", summary.values(parts, places))
        top = [feature for feature in table["feature"] if feature in numeric][: settings.curves]
        store.write(f"tables/curves_{name}.csv", _curves(pipeline.rest, rows, top, SCALES[plan.source.task]))
    store.write("tables/explanation.csv", pd.DataFrame(lines))


def _curves(pipeline: Any, X: pd.DataFrame, features: Sequence[str], scale: str) -> pd.DataFrame:
    """Partial dependence with the middle four fifths of the individual curves, and local effects, of the final model on its own
    training rows: a picture of the model, not of its performance. feature, kind, x, estimate, lower, upper."""
    rows = []
    for feature in features:
        part = X[X[feature].notna()]
        column = part[[feature]].to_numpy(dtype=np.float64)

        def risk(values: Any, part: pd.DataFrame = part, feature: str = feature) -> Any:
            changed = part.assign(**{feature: values[:, 0]})
            return output(pipeline.predict_proba(changed), scale)

        curve = partial_dependence(risk, column, 0, grid_of(column[:, 0]))
        low, high = np.quantile(curve.individual, [0.1, 0.9], axis=0)
        for x, estimate, lower, upper in zip(curve.grid, curve.mean, low, high, strict=True):
            rows.append((feature, "partial dependence", x, estimate, lower, upper))
        local = accumulated_local_effects(risk, column, 0)
        for x, estimate in zip(local.edges, local.effect, strict=True):
            rows.append((feature, "local effects", x, estimate, np.nan, np.nan))
    return pd.DataFrame(rows, columns=["feature", "kind", "x", "estimate", "lower", "upper"])


def _is_number(column: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))
