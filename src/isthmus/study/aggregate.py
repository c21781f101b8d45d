"""What one hospital may send another about a model on its patients: numbers of which none is about fewer than five of them.

The file is one long table. Everything in it that is a count, or follows from counts, is a sum over the bands of risk (or
classes, or risk groups) listed in it, each with at least `LEAST` patients with and as many without the event; what cannot be
told so is withheld, and so is what it could be reckoned from. Other numbers are about all patients together and are rounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.stats.bands import risk_bands
from isthmus.stats.survival.kaplan_meier import kaplan_meier, step_value
from isthmus.study.model import Model
from isthmus.study.store import digest
from isthmus.table import Outcome

__all__ = ["COLUMNS", "FORMAT", "LEAST", "aggregate_table", "outcome_key"]

FORMAT = 2
"""1 had metrics only."""
COLUMNS = ["part", "name", "estimate", "lower", "upper", "n", "events", "text"]
LEAST = 5
DIGITS = 4
"""Decimals of every number that is not a count."""

_OF_ALL = frozenset({
    "auc", "pr_auc", "prevalence", "brier", "scaled_brier", "log_loss", "calibration_slope", "calibration_intercept",
    "calibration_in_the_large", "o_e", "ici", "hosmer_lemeshow_p", "n", "n_events", "threshold",
    "macro_auc", "weighted_auc", "micro_auc", "hand_till_m", "ordinal_c",
    "c_index", "uno_c", "horizon",
})  # fmt: skip
"""Metrics of all patients together, none of which follows from a few counts. What is not named here hangs on a table of counts."""
_OF_ONE = frozenset({"median_follow_up"})
_OF_ALL_OF_A_KIND = ("auc:", "brier:", "ipa:", "n:", "calibration_slope:", "calibration_intercept:")


def outcome_key(model: Model) -> str:
    """The definition of the outcome as the plan gives it, in short: two files with the same key counted the same thing."""
    document = model.plan.document()
    source = document.get("table") or document.get("cohort") or {}
    names = ("outcome", "task", "positive", "order", "time", "contrasts", "include", "exclude")
    return digest(json.dumps({name: source.get(name) for name in names}, sort_keys=True), model.classes, model.horizon)


def aggregate_table(
    model: Model, predictions: pd.DataFrame, outcome: Outcome, metrics: pd.DataFrame, drift: pd.DataFrame
) -> pd.DataFrame:
    """The table that is sent.

    Parameters
    ----------
    model : Model
    predictions : DataFrame
        What `apply_model` gave.
    outcome : Outcome
        Of the patients who have one.
    metrics : DataFrame
        metric, estimate, lower, upper, method.
    drift : DataFrame
        `study.drift.drift_table`.

    Raises
    ------
    TableError
        Fewer than `LEAST` patients with the outcome or without (of any class) have a prediction.
    """
    known = predictions.dropna(subset=["probability"])
    known = known[known["patient"].isin(outcome.patients)]
    codes = outcome.values.loc[known["patient"]].to_numpy(dtype=np.int64)
    _check_enough(model, codes)
    cells, whole = _cells(model, known, codes, outcome)
    rows = [
        *_about(model, len(predictions) - len(known), drift),
        *cells,
        *_metrics(metrics, counted=whole),
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64", "events": "Int64"})


def _check_enough(model: Model, codes: np.ndarray[Any, Any]) -> None:
    counts = np.bincount(codes, minlength=len(model.classes))
    if (counts < LEAST).any():
        few = ", ".join(str(model.classes[k]) for k in np.flatnonzero(counts < LEAST))
        raise TableError(
            f"--aggregate-only: fewer than {LEAST} patients with a prediction have the outcome {few}, and numbers of so few could "
            "be about one of them. Nothing is written; wait for more patients."
        )


def _about(model: Model, without: int, drift: pd.DataFrame) -> Iterable[dict[str, Any]]:
    said = {
        "format": str(FORMAT), "model": model.name, "model_sha256": model.fingerprint, "isthmus": str(model.manifest["isthmus"]),
        "task": model.task, "outcome": str(model.manifest["outcome"]["name"]), "outcome_key": outcome_key(model),
        "without_prediction_or_outcome": "0" if not without else str(without) if without >= LEAST else f"fewer than {LEAST}",
    }  # fmt: skip
    for name, text in said.items():
        yield _row("about", name, text=text)
    if len(drift):
        tested = drift[drift["p"].notna() & (drift["kind"] != "distance")]
        yield _row("drift", "inputs", n=len(tested), text="inputs compared with training")
        apart = int((tested["p_adjusted"] < 0.05).sum())
        yield _row("drift", "inputs_apart", n=apart, text="inputs distributed otherwise, adjusted p < 0.05")


def _row(part: str, name: str, **values: Any) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        key: round(float(values[key]), DIGITS) for key in ("estimate", "lower", "upper") if key in values
    }
    return {"part": part, "name": name, "text": "", **values, **numbers}


# ---------------------------------------------------------------------- counts


def _cells(
    model: Model, known: pd.DataFrame, codes: np.ndarray[Any, Any], outcome: Outcome
) -> tuple[list[dict[str, Any]], bool]:
    """Rows with counts, and whether the table of calls and truth may be told: then so may what follows from it."""
    if model.task == "binary":
        return _bands(model, known, codes)
    if model.task == "survival":
        return _groups(model, known, codes, outcome)
    return _confusion(model, known, codes)


def _bands(model: Model, known: pd.DataFrame, codes: np.ndarray[Any, Any]) -> tuple[list[dict[str, Any]], bool]:
    risk = known["probability"].to_numpy(dtype=np.float64)
    edges = [float.fromhex(edge) for edge in model.manifest["edges"]]
    bands = risk_bands(codes, risk, edges, first=model.threshold, least=LEAST)
    rows = []
    for one in bands.to_dict("records"):
        row = _row("band", "risk", estimate=one["predicted"], n=one["n"], events=one["events"])
        rows.append({**row, "lower": one["lower"], "upper": one["upper"]})
    return rows, bool((bands["lower"] == model.threshold).any())


def _confusion(model: Model, known: pd.DataFrame, codes: np.ndarray[Any, Any]) -> tuple[list[dict[str, Any]], bool]:
    place = {name: code for code, name in enumerate(model.classes)}
    called = known["class"].map(place).to_numpy(dtype=np.int64)
    counts = np.zeros((len(place), len(place)), dtype=np.int64)
    np.add.at(counts, (codes, called), 1)
    rows = [_row("class", name, n=int(counts[code].sum())) for name, code in place.items()]
    whole = bool((counts >= LEAST).all())
    if whole:
        rows += [_row("called", a, n=int(counts[i, j]), text=b) for a, i in place.items() for b, j in place.items()]
    return rows, whole


def _groups(
    model: Model, known: pd.DataFrame, codes: np.ndarray[Any, Any], outcome: Outcome
) -> tuple[list[dict[str, Any]], bool]:
    """Risk groups with events and Kaplan-Meier at the horizon; all of them or none, for one is the rest of the others."""
    assert outcome.time is not None
    time = outcome.time.loc[known["patient"]].to_numpy(dtype=np.float64)
    rows = []
    for group in dict.fromkeys(known["class"]):
        here = (known["class"] == group).to_numpy()
        n, events = int(here.sum()), int(codes[here].sum())
        if events < LEAST or n - events < LEAST:
            return [], False
        curve = kaplan_meier(time[here], codes[here])
        free, lower, upper = (
            float(step_value(curve.time, side, float(model.horizon or np.nan), start=1.0))
            for side in (curve.survival, curve.lower, curve.upper)
        )
        rows.append(_row("group", str(group), estimate=free, lower=lower, upper=upper, n=n, events=events))
    return rows, True


# ---------------------------------------------------------------------- metrics


def _metrics(metrics: pd.DataFrame, *, counted: bool) -> Iterable[dict[str, Any]]:
    for one in metrics.to_dict("records"):
        name = str(one["metric"])
        if name in _OF_ONE:
            yield _row("withheld", name, text="it is the time of one patient")
        elif not (counted or name in _OF_ALL or name.startswith(_OF_ALL_OF_A_KIND)):
            yield _row("withheld", name, text=f"it would tell a count of fewer than {LEAST} patients")
        elif np.isfinite(one["estimate"]):
            text = (
                str(one["method"]) if np.isfinite(one["lower"]) else ""
            )  # what is said of a bare number may hold a count
            yield _row("metric", name, estimate=one["estimate"], lower=one["lower"], upper=one["upper"], text=text)
