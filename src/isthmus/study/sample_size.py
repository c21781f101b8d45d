"""What the patients at hand support, said before anything is fitted: Riley's criteria for every model of the plan.

Candidate parameters are counted before any selection: every column a model may choose from, a category as one less than its
levels. That is the honest count, and for radiomics it is sobering.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from isthmus.stats.sample_size import (
    SHRINKAGE,
    patients_for_binary,
    r2_from_auc,
    supported_parameters,
    validation_precision,
)
from isthmus.table import Outcome
from isthmus.table.steps import CONTEXT

__all__ = [
    "COLUMNS",
    "count_parameters",
    "parameters_of",
    "sample_size_lines",
    "sample_size_table",
    "validation_table",
    "with_selection",
]

COLUMNS = [
    "model", "n", "events", "prevalence", "expected_auc", "r2", "candidates", "events_per_candidate", "supported",
    "needed_shrinkage", "needed_optimism", "needed_overall_risk", "needed", "selected", "events_per_selected",
]  # fmt: skip


def count_parameters(X: pd.DataFrame) -> int:
    """Coefficients a model could give to these columns: one a number, levels minus one a category."""
    columns = [name for name in X.columns if not str(name).startswith(CONTEXT)]
    return sum(1 if pd.api.types.is_numeric_dtype(X[name]) else max(1, int(X[name].nunique()) - 1) for name in columns)


def sample_size_table(candidates: Mapping[str, int], outcome: Outcome, *, expected_auc: float) -> pd.DataFrame:
    """One row a model: what it may choose from, what these patients support, and what its choice would need.

    Parameters
    ----------
    candidates : mapping of model to candidate parameters
    outcome : Outcome
        Of the development patients; binary, else the table is empty.
    expected_auc : float
        Anticipated before the study.

    Returns
    -------
    DataFrame
        `COLUMNS`; events is the number in the smaller class; selected and events_per_selected are filled after the run.
    """
    if outcome.task != "binary":
        return pd.DataFrame(columns=COLUMNS)
    n, events = len(outcome.values), outcome.n_events
    prevalence, smaller = events / n, min(events, n - events)
    r2 = r2_from_auc(expected_auc, prevalence)
    rows = []
    for model, count in candidates.items():
        size = patients_for_binary(r2, prevalence, max(count, 1))
        rows.append(
            (model, n, smaller, prevalence, expected_auc, r2, count, smaller / max(count, 1),
             supported_parameters(n, prevalence, expected_auc), size.shrinkage, size.optimism, size.overall_risk,
             size.patients, pd.NA, float("nan"))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS).astype({"selected": "Int64"})


def with_selection(table: pd.DataFrame, selected: Mapping[str, int]) -> pd.DataFrame:
    """The table after the run: how many columns play a part in each final model."""
    counts = table["model"].map(selected).astype("Int64")
    return table.assign(
        selected=counts, events_per_selected=table["events"] / counts.where(counts > 0).astype("float64")
    )


def validation_table(outcomes: Mapping[str, Outcome], *, expected_auc: float, confidence: float) -> pd.DataFrame:
    """How wide the intervals on each unseen split will be if the model is as good as anticipated.

    Returns
    -------
    DataFrame
        split, n, events, auc_width, slope_width (whole width of the interval), o_e_ratio (upper over lower limit).
    """
    columns = ["split", "n", "events", "auc_width", "slope_width", "o_e_ratio"]
    rows = []
    for split, outcome in outcomes.items():
        n, events = len(outcome.values), outcome.n_events if outcome.task == "binary" else 0
        if 0 < events < n:
            found = validation_precision(expected_auc, events, n - events, confidence)
            rows.append((split, n, events, found["auc"], found["slope"], found["o_e"]))
    return pd.DataFrame(rows, columns=columns)


def sample_size_lines(table: pd.DataFrame, validation: pd.DataFrame | None = None) -> list[str]:
    """The same in sentences, for the terminal."""
    if table.empty:
        return []
    first = table.iloc[0]
    lines = [
        f"what n supports: {first['n']} development patients, {first['events']} in the smaller class; at an anticipated AUC of "
        f"{first['expected_auc']:g} ([validate] expected_auc) they support {_about(int(first['supported']))} "
        f"(Riley 2020, shrinkage {SHRINKAGE:g})"
    ]
    groups: dict[tuple[int, int, float], list[str]] = {}
    for row in table.to_dict("records"):
        key = int(row["candidates"]), int(row["needed"]), float(row["events_per_candidate"])
        groups.setdefault(key, []).append(str(row["model"]))
    for (count, needed, ratio), models in groups.items():
        enough = "enough" if count <= first["supported"] else f"{needed:,} patients would be needed"
        lines.append(
            f"  {', '.join(models)}: {count:,} candidate parameter{'' if count == 1 else 's'} before selection, {ratio:.2g} events "
            f"each; {enough}"
        )
    for seen in [] if validation is None else validation.to_dict("records"):
        lines.append(
            f"  {seen['split']}: {seen['n']} patients, {seen['events']} events; interval of the AUC about {seen['auc_width']:.2f} wide, "
            f"that of the calibration slope {seen['slope_width']:.2f}"
        )
    return lines


def _about(count: int) -> str:
    return "no parameter" if count == 0 else f"about {count} parameter{'' if count == 1 else 's'}"


def parameters_of(models: Mapping[str, Sequence[str]], widths: Mapping[str, int]) -> dict[str, int]:
    """Candidate parameters of each model from the widths of its blocks."""
    return {model: sum(widths.get(block, 0) for block in blocks) for model, blocks in models.items()}
