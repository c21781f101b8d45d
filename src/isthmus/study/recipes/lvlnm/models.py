"""Every model of the plan on unseen patients, as the study's tables have them, and each against the final one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from isthmus.study.recipes.crit.added_value import added_value

if TYPE_CHECKING:
    from isthmus.study.plan import Plan

__all__ = ["METRICS", "against_final", "learned_from", "model_table"]

METRICS = ("auc", "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa")
_SPLITS = ("cv", "internal", "external")
_TESTS = ("AUC difference, DeLong", "AUC difference, corrected resampled t")


def model_table(plan: Plan, metrics: pd.DataFrame) -> pd.DataFrame:
    """model, network (of a model that reads one: how it came by its weights), split, n, n_events, and each of `METRICS` with `_lower` and
    `_upper`: at the threshold fixed on training predictions."""
    numbers = ["estimate", "lower", "upper"]
    of = {
        (row["model"], row["split"], row["metric"]): [float(row[name]) for name in numbers]
        for row in metrics.to_dict("records")
    }
    rows = []
    for model in plan.models:
        for split in _SPLITS:
            if (model.name, split, "n") not in of:
                continue
            row: dict[str, Any] = {"model": model.name, "network": learned_from(plan, model.name), "split": split}
            row |= {name: int(of[model.name, split, name][0]) for name in ("n", "n_events")}
            for metric in METRICS:
                columns = (metric, f"{metric}_lower", f"{metric}_upper")
                row |= dict(zip(columns, of[model.name, split, metric], strict=True))
            rows.append(row)
    return pd.DataFrame(rows)


def learned_from(plan: Plan, model: str) -> str:
    """How the networks of a model came by their weights, in words; empty where it reads none."""
    blocks = {block.name: block for block in plan.features if block.kind == "deep"}
    words = []
    for name in plan.blocks_of(plan.model(model)):
        if name not in blocks:
            continue
        settings = plan.deep_settings(blocks[name])
        start = "random numbers" if settings.encoder.weights.origin == "random" else "a file"
        if settings.train is None:
            words.append(f"{settings.encoder.network}, {start}, not trained")
        else:
            words.append(f"{settings.encoder.network}, trained in the folds from {start}")
    return "; ".join(words)


def against_final(comparisons: pd.DataFrame, final: str) -> pd.DataFrame:
    """Each other model's AUC minus that of the final one: DeLong on single test sets, the corrected resampled t in cross-validation.

    Columns as in `crit.added_value`; `p_holm` is corrected over the pairs with the final model, of one split and test.
    """
    table = added_value(comparisons, against=final)
    wanted = (table["test"] == _TESTS[0]) & (table["split"] != "cv") | (table["test"] == _TESTS[1])
    return table[wanted].reset_index(drop=True)
