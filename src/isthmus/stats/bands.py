"""Performance told by counts in bands of predicted risk, none of which is about fewer than a few patients.

Bands part [0, 1]. Everything that can be counted from them (a point of the ROC or precision-recall curve, of calibration, of
net benefit) is a sum over whole bands, so whoever combines published numbers finds no group smaller than a band.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from isthmus.stats.classification import proportion_interval

__all__ = ["band_calibration", "band_net_benefit", "band_pr", "band_roc", "risk_bands"]

Array = NDArray[np.float64]


def risk_bands(
    y: ArrayLike, probability: ArrayLike, edges: ArrayLike, *, first: float | None = None, least: int = 5
) -> pd.DataFrame:
    """Bands with at least `least` patients with the event and as many without in each; none where all together have fewer.

    Where bands may be parted is fixed beforehand: at `first`, then again and again at the middle one of the `edges` between. A band
    is parted if both parts are large enough, else it stays whole. (Edges moved until the numbers fit would tell where
    the last patient lies.)

    Parameters
    ----------
    y, probability : arrays, shape (n,)
    edges : array
        Risks at which bands may be parted; they must not come from these patients.
    first : float, optional
        The edge to try before the others (a threshold).
    least : int

    Returns
    -------
    DataFrame
        lower, upper (the risk p of a band is lower <= p < upper, of the last also 1), n, events, predicted (mean risk).
    """
    event, risk = np.asarray(y).astype(bool), np.asarray(probability, dtype=np.float64)
    inside = np.unique(np.asarray(edges, dtype=np.float64))

    def enough(lower: float, upper: float) -> bool:
        here = _inside(risk, lower, upper)
        return int((here & event).sum()) >= least and int((here & ~event).sum()) >= least

    def parted(lower: float, upper: float, at: float | None = None) -> list[tuple[float, float]]:
        between = inside[(inside > lower) & (inside < upper)]
        if at is None and len(between):
            at = float(between[len(between) // 2])
        if at is not None and lower < at < upper and enough(lower, at) and enough(at, upper):
            return [*parted(lower, at), *parted(at, upper)]
        return [(lower, upper)]

    limits = parted(0.0, 1.0, first) if enough(0.0, 1.0) else []
    if len(limits) == 1 and first is not None:
        limits = parted(0.0, 1.0)
    rows = []
    for lower, upper in limits:
        here = _inside(risk, lower, upper)
        rows.append((lower, upper, int(here.sum()), int((here & event).sum()), float(risk[here].mean())))
    return pd.DataFrame(rows, columns=["lower", "upper", "n", "events", "predicted"])


def _inside(risk: Array, lower: float, upper: float) -> NDArray[np.bool_]:
    return np.asarray((risk >= lower) & ((risk < upper) | (upper >= 1.0)))


def _above(bands: pd.DataFrame) -> tuple[Array, Array, Array]:
    """Threshold, true and false positives where a patient at or above it is called, from nobody to everybody."""
    down = bands.sort_values("lower", ascending=False)
    true = np.concatenate([[0.0], np.cumsum(down["events"])])
    false = np.concatenate([[0.0], np.cumsum(down["n"] - down["events"])])
    return np.concatenate([[np.inf], down["lower"]]), true, false


def band_roc(bands: pd.DataFrame) -> pd.DataFrame:
    """threshold, fpr, tpr: exact at the edges of the bands."""
    threshold, true, false = _above(bands)
    return pd.DataFrame({"threshold": threshold, "fpr": false / false[-1], "tpr": true / true[-1]})


def band_pr(bands: pd.DataFrame) -> pd.DataFrame:
    """threshold, recall, precision at the edges of the bands."""
    threshold, true, false = (part[1:] for part in _above(bands))
    return pd.DataFrame({"threshold": threshold, "recall": true / true[-1], "precision": true / (true + false)})


def band_calibration(bands: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """predicted (mean risk), observed (share with the event), lower, upper (Wilson), n, of each band."""
    found = [
        proportion_interval(float(events), float(n), confidence)
        for events, n in zip(bands["events"].to_numpy(), bands["n"].to_numpy(), strict=True)
    ]
    return pd.DataFrame(
        {
            "predicted": bands["predicted"].to_numpy(),
            "observed": [one.estimate for one in found],
            "lower": [one.lower for one in found],
            "upper": [one.upper for one in found],
            "n": bands["n"].to_numpy(),
        }
    )


def band_net_benefit(bands: pd.DataFrame) -> pd.DataFrame:
    """The columns of `stats.decision_curve.net_benefit`, at the edges of the bands."""
    threshold, true, false = (part[1:] for part in _above(bands))
    n, odds = true[-1] + false[-1], threshold / (1 - threshold)
    model, everybody = (true - false * odds) / n, (true[-1] - false[-1] * odds) / n
    avoided = np.divide(model - everybody, odds, out=np.full(len(odds), np.nan), where=odds > 0) * 100
    table = pd.DataFrame(
        {
            "threshold": threshold,
            "model": model,
            "treat_all": everybody,
            "treat_none": 0.0,
            "interventions_avoided": avoided,
        }
    )
    return table.sort_values("threshold", ignore_index=True)
