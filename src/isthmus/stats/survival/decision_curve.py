"""Would acting on a predicted probability of the event by a time do more good than harm? (Vickers et al. 2008)"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from isthmus.errors import TableError
from isthmus.stats.survival.follow_up import check_risk
from isthmus.stats.survival.kaplan_meier import kaplan_meier

__all__ = ["net_benefit_at"]


def net_benefit_at(
    time: ArrayLike, event: ArrayLike, probability: ArrayLike, thresholds: ArrayLike, at: float
) -> pd.DataFrame:
    """Net benefit of treating by the model, treating all and treating none, at each threshold probability.

    Censoring is handled as Vickers et al. (BMC Med Inform Decis Mak 2008;8:53): the share with the event among those treated
    is their Kaplan-Meier probability by the time `at`. A patient is treated when probability >= threshold.

    Returns
    -------
    DataFrame
        threshold, model, treat_all, treat_none, interventions_avoided (per 100 patients, against treating all; NaN at
        0). The model's benefit is NaN where nobody who would be treated was followed that far.
    """
    when, happened, p = check_risk(time, event, probability)
    limits = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((limits >= 0) & (limits < 1)).all():
        raise TableError(f"threshold probabilities must lie in [0, 1); got {limits.min()} to {limits.max()}")
    if not when.size:
        raise TableError("no patients: a decision curve needs at least one")
    overall = 1.0 - float(kaplan_meier(when, happened).at(at))
    odds = limits / (1 - limits)
    model = np.empty(limits.size)
    for k, limit in enumerate(limits):
        treated = p >= limit
        share = float(treated.mean())
        if not treated.any():
            model[k] = 0.0
            continue
        if when[treated].max() < at and not (happened[treated] & (when[treated] == when[treated].max())).any():
            model[k] = np.nan
            continue
        risk = 1.0 - float(kaplan_meier(when[treated], happened[treated]).at(at))
        model[k] = share * risk - share * (1 - risk) * odds[k]
    treat_all = overall - (1 - overall) * odds
    avoided = np.divide(model - treat_all, odds, out=np.full(limits.size, np.nan), where=odds > 0) * 100
    return pd.DataFrame(
        {
            "threshold": limits,
            "model": model,
            "treat_all": treat_all,
            "treat_none": 0.0,
            "interventions_avoided": avoided,
        }
    )
