"""Whether the patients a model is applied to are, input by input, those it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.drift import Shift, category_shift, missing_p, number_shift, two_samples
from isthmus.stats.groups import adjust_p
from isthmus.study.model import NOVELTY, Model

__all__ = ["COLUMNS", "LEAST_ROWS", "drift_table"]

COLUMNS = [
    "input", "kind", "n_training", "n", "missing_training", "missing", "missing_p", "missing_p_adjusted",
    "psi", "test", "statistic", "p", "p_adjusted",
]  # fmt: skip
LEAST_ROWS = 10
"""With fewer rows nothing can be said about a distribution."""


def drift_table(model: Model, X: pd.DataFrame) -> pd.DataFrame:
    """One row per input that plays a part in the model, and one for all together; empty for fewer than `LEAST_ROWS` rows.

    Parameters
    ----------
    model : Model
    X : DataFrame
        The rows that were predicted, with the model's columns.

    Returns
    -------
    DataFrame
        `COLUMNS`: how many values there were in training and are now, shares that are missing (with Fisher's exact p), PSI and the
        test of the distribution. p-values are adjusted over the inputs by Benjamini and Hochberg.
    """
    if len(X) < LEAST_ROWS:
        return pd.DataFrame(columns=COLUMNS)
    used = model.used
    made = model.made(X)
    rows = [_row(item, made[item["column"]]) for item in model.predictors if item["column"] in used]
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("missing_p", "p"):
        table[f"{name}_adjusted"] = adjust_p(table[name].to_numpy(dtype=np.float64), "benjamini-hochberg")
    if model.novelty is not None:
        distance = model.novelty_of(X)["distance"].to_numpy()
        together = _facts(NOVELTY, "distance", two_samples(model.novelty.distances, distance))
        together |= {"n_training": len(model.novelty.distances), "n": len(distance), "p_adjusted": together["p"]}
        table = pd.concat([table, pd.DataFrame([together], columns=COLUMNS)], ignore_index=True)
    return table


def _row(item: dict[str, Any], values: pd.Series[Any]) -> dict[str, Any]:
    known = values.dropna()
    if item["kind"] == "number":
        points, shares = (np.array([float.fromhex(q) for q in item[key]]) for key in ("quantiles", "at_most"))
        shift = number_shift(points, shares, item["n"], pd.to_numeric(known).to_numpy(dtype=np.float64))
    else:
        shift = category_shift(dict(item["categories"]), {str(k): int(v) for k, v in known.value_counts().items()})
    absent = len(values) - len(known)
    return _facts(item["column"], item["kind"], shift) | {
        "n_training": item["n"], "n": len(known),
        "missing_training": item["missing"] / max(item["missing"] + item["n"], 1), "missing": absent / len(values),
        "missing_p": missing_p((item["missing"], item["n"]), (absent, len(known))),
    }  # fmt: skip


def _facts(name: str, kind: str, shift: Shift) -> dict[str, Any]:
    return {
        "input": name, "kind": kind, "psi": shift.psi, "test": shift.test, "statistic": shift.statistic, "p": shift.p,
    }  # fmt: skip
