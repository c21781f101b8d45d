"""Leave one centre out: does the procedure travel to a centre it has not seen, and how much do centres differ?

Internal-external validation (Steyerberg and Harrell, J Clin Epidemiol 2016;69:245): each centre in turn is the test part, the
whole procedure is repeated on the others, and the AUCs are summarised on the logit scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from isthmus.errors import PlanError, TableError
from isthmus.stats import roc
from isthmus.stats.interval import Interval
from isthmus.stats.meta import random_effects
from isthmus.table import Outcome
from isthmus.validate.results import FoldResult
from isthmus.validate.splits import Split

__all__ = ["COLUMNS", "centre_splits", "summarise_centres"]

COLUMNS = ["model", "centre", "n", "n_events", "auc", "lower", "upper", "method"]
SUMMARY, NEW = "all centres", "a new centre"
_LEAST = 3
_NAN = float("nan")


def centre_splits(outcome: Outcome, centres: pd.Series[Any]) -> tuple[list[str], list[Split]]:
    """The centres in order, and the split that leaves each of them out.

    Raises
    ------
    PlanError
        Fewer than three centres, or a patient without one.
    """
    of = centres.loc[outcome.patients].astype(str)
    names = sorted(set(of))
    if len(names) < _LEAST or "" in names:
        found = ", ".join(name or "(none)" for name in names[:8])
        raise PlanError(
            f'[validate] scheme = "leave-one-centre-out" needs at least {_LEAST} development centres, one for every patient; '
            f'found {found}. Name the column ([cohort] centre), or use scheme = "repeated"'
        )
    splits = []
    for number, name in enumerate(names, start=1):
        test = tuple(str(p) for p in outcome.patients[(of == name).to_numpy()])
        train = tuple(str(p) for p in outcome.patients[(of != name).to_numpy()])
        splits.append(Split(1, number, train, test))
    return names, splits


def summarise_centres(
    model: str, names: Sequence[str], results: Sequence[FoldResult], *, confidence: float = 0.95
) -> pd.DataFrame:
    """The AUC in each centre, their random-effects mean, and what to expect in a new centre.

    Returns
    -------
    DataFrame
        `COLUMNS`; the last two rows are the summary (REML on logit AUC, Hartung-Knapp) and the prediction interval. A centre
        without both classes has no AUC and takes no part.
    """
    rows: list[tuple[Any, ...]] = []
    logits, variances = [], []
    for name, result in zip(names, results, strict=True):
        y, p = np.array(result.outcome), np.array(result.probability)
        interval = roc.delong_interval(y, p, confidence, form="logit")
        rows.append(
            (model, name, y.size, int(y.sum()), interval.estimate, interval.lower, interval.upper, interval.method)
        )
        area, variance = interval.estimate, float(roc.delong_covariance(y, p)[1][0, 0])
        inside = 0 < area < 1
        logits.append(special.logit(area) if inside else _NAN)
        variances.append(variance / (area * (1 - area)) ** 2 if inside else _NAN)
    n, events = sum(row[2] for row in rows), sum(row[3] for row in rows)
    for name, value in zip((SUMMARY, NEW), _summary(logits, variances, confidence), strict=True):
        rows.append((model, name, n, events, value.estimate, value.lower, value.upper, value.method))
    return pd.DataFrame(rows, columns=COLUMNS)


def _summary(logits: list[float], variances: list[float], confidence: float) -> tuple[Interval, Interval]:
    """Mean and prediction on the scale of the AUC."""
    try:
        found = random_effects(logits, variances, confidence=confidence)
    except TableError as exc:
        nothing = Interval(_NAN, _NAN, _NAN, f"not computed: {exc}")
        return nothing, nothing
    left_out = len(logits) - found.n
    note = f"; {left_out} centres without an interval left out" if left_out else ""
    spread = f"; on the logit scale tau2 = {found.tau2:.3g}, I2 = {100 * found.i2:.0f} %, Q p = {found.p_heterogeneity:.2g}{note}"
    return _back(found.mean, spread), _back(found.prediction, note)


def _back(value: Interval, note: str) -> Interval:
    estimate, lower, upper = special.expit([value.estimate, value.lower, value.upper])
    return Interval(float(estimate), float(lower), float(upper), f"{value.method}{note}")
