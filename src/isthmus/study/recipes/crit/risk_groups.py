"""Groups of risk of the final model, cut on development patients by the risks of models that had not seen them.

The study scored all patients of its first centre, those it trained on included, with the final model: groups of risks a model has fitted
look better separated than they are. Here a development patient has his out-of-fold risk (the mean over repeats), an external one that of
the frozen model; limits come from the former.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.classification import proportion_interval
from isthmus.validate.sample import prepare, sample_of

__all__ = ["FIXED", "TERTILES", "patient_risks", "risk_groups"]

TERTILES = (0.33, 0.67)
"""Quantiles, as the study has them."""
FIXED = (0.2, 0.5)
"""Limits of the code (its description says 0.3 and 0.7)."""
_NAMES = {"tertile": ("low", "middle", "high"), "fixed": ("low", "middle", "high"), "threshold": ("low", "high")}


def patient_risks(predictions: pd.DataFrame, thresholds: pd.DataFrame, model: str) -> pd.DataFrame:
    """patient, split, outcome, risk and the group of each by three rules: tertile, fixed, threshold (the model's own, frozen).

    With several repeats a development patient is high by the threshold where at least half of the repeats say so.
    """
    frame = prepare(predictions[predictions["model"] == model])
    parts = []
    for split in ("cv", "internal", "external"):
        part = frame[frame["split"] == split]
        if not len(part):
            continue
        sample = sample_of(part, thresholds, model, split)
        patients = part[part["probability"].notna()].groupby("patient", sort=True)["outcome"].first()
        parts.append(
            pd.DataFrame(
                {
                    "patient": patients.index, "split": split, "outcome": patients.to_numpy().astype(int),
                    "risk": sample.mean_per_patient(sample.probability),
                    "threshold": np.where(sample.mean_per_patient(sample.called) >= 0.5, "high", "low"),
                }
            )
        )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    for rule, limits in (("tertile", _tertiles(table)), ("fixed", FIXED)):
        place = np.searchsorted(
            np.asarray(limits), table["risk"].to_numpy(), side="left"
        )  # a limit belongs to the group below it
        table[rule] = np.asarray(_NAMES[rule], dtype=object)[place]
    return table[["patient", "split", "outcome", "risk", "tertile", "fixed", "threshold"]]


def _tertiles(table: pd.DataFrame) -> tuple[float, float]:
    low, high = np.quantile(table.loc[table["split"] == "cv", "risk"], TERTILES)
    return float(low), float(high)


def risk_groups(patients: pd.DataFrame, *, threshold: float, confidence: float) -> pd.DataFrame:
    """How many of each group had the event.

    Parameters
    ----------
    patients : DataFrame
        Of `patient_risks`.
    threshold : float
        Of the final model (out-of-fold patients were called by those of their folds).
    confidence : float

    Returns
    -------
    DataFrame
        rule, group, from, to (risks; the group reaches from just above `from` to `to`), split, n, events, share, lower, upper (Wilson).
    """
    limits = {"tertile": _tertiles(patients), "fixed": FIXED, "threshold": (threshold,)}
    rows: list[dict[str, Any]] = []
    for rule, names in _NAMES.items():
        edges = [0.0, *limits[rule], 1.0]
        for split in dict.fromkeys(patients["split"]):
            for place, group in enumerate(names):
                here = patients[(patients["split"] == split) & (patients[rule] == group)]
                events = int(here["outcome"].sum())
                interval = proportion_interval(events, len(here), confidence)
                rows.append(
                    {
                        "rule": rule, "group": group, "from": edges[place], "to": edges[place + 1], "split": split, "n": len(here),
                        "events": events, "share": interval.estimate, "lower": interval.lower, "upper": interval.upper,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)
