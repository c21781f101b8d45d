"""Would acting on the model do more good than harm? Decision curves.

Vickers and Elkin, Med Decis Making 2006;26:565.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_probabilities
from isthmus.stats.bootstrap import patient_multiplicities

__all__ = ["net_benefit", "net_benefit_band"]


def _check(thresholds: ArrayLike) -> Array:
    """Threshold probabilities, each at least 0 and below 1."""
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((at >= 0) & (at < 1)).all():
        raise TableError(f"threshold probabilities must lie in [0, 1); got {at.min()} to {at.max()}")
    return at


def net_benefit(y: ArrayLike, probability: ArrayLike, thresholds: ArrayLike) -> pd.DataFrame:
    """Net benefit of treating by the model, treating all and treating none, at each threshold probability.

    Net benefit is TP/n - FP/n x t/(1 - t), a patient being treated when probability >= t. Over the pooled rows of
    several repeats this is the mean over the repeats.

    Returns
    -------
    DataFrame
        threshold, model, treat_all, treat_none, interventions_avoided (per 100 patients, against treating all; NaN
        at 0).
    """
    event, p = check_probabilities(y, probability)
    at = _check(thresholds)
    if not p.size:
        raise TableError("no patients: a decision curve needs at least one")
    odds = at / (1 - at)
    treated = p[:, None] >= at
    model = (treated & event[:, None]).mean(axis=0) - (treated & ~event[:, None]).mean(axis=0) * odds
    share = float(event.mean())
    treat_all = share - (1 - share) * odds
    avoided = np.divide(model - treat_all, odds, out=np.full(at.size, np.nan), where=odds > 0) * 100
    return pd.DataFrame(
        {
            "threshold": at,
            "model": model,
            "treat_all": treat_all,
            "treat_none": 0.0,
            "interventions_avoided": avoided,
        }
    )


def net_benefit_band(
    y: ArrayLike,
    probability: ArrayLike,
    thresholds: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    draws: int = 1000,
    seed: int,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """`net_benefit` with a pointwise bootstrap band (`lower`, `upper`) of the model's curve.

    Events and non-events are drawn together, since the prevalence is part of the benefit. Where every patient has a row
    in each of several repeats (in the order of the rows), the draws take the repeats in turns, so the band holds the noise
    of the partition.
    """
    event, p = check_probabilities(y, probability)
    table = net_benefit(y, probability, thresholds)
    at = _check(thresholds)
    weights = patient_multiplicities(event, patients, draws=draws, rng=np.random.default_rng(seed), stratified=False)
    treated = p[:, None] >= at
    gain = np.where(event[:, None], treated * 1.0, -(treated * (at / (1 - at))))
    weights = weights * _turns(patients, event.size, draws)
    drawn = weights @ gain / weights.sum(axis=1, keepdims=True)
    lower, upper = np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2], axis=0)
    return table.assign(lower=lower, upper=upper)


def _turns(patients: ArrayLike | None, rows: int, draws: int) -> Array:
    """1 for the rows of the repeat a draw looks at, else 0; shape (draws, rows)."""
    if patients is None:
        return np.ones((draws, rows))
    repeat = pd.Series(np.asarray(patients)).groupby(np.asarray(patients), sort=False).cumcount().to_numpy()
    count = int(repeat.max()) + 1
    if (np.bincount(repeat) * count != rows).any():
        return np.ones((draws, rows))  # not repeats of one cohort: several rows of some patients
    return np.asarray(np.arange(draws)[:, None] % count == repeat, dtype=np.float64)
