"""Where risk groups are cut: on predictions of training patients, never again on those who are tested."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.survival.maximally_selected import maximally_selected

__all__ = ["RiskGroups", "choose_cuts"]

RiskGroups = Literal["median", "tertiles", "maximal"]


def choose_cuts(rule: RiskGroups, risk: Array, event: NDArray[np.bool_], time: Array) -> tuple[float, ...]:
    """Risk scores that separate the groups, rising.

    "median" makes two groups, "tertiles" three, "maximal" two at the cut with the largest log-rank statistic (whose
    corrected p-value belongs to the training patients and is not evidence).

    Parameters
    ----------
    rule : {"median", "tertiles", "maximal"}
    risk, event, time : arrays, shape (n,)
        Of training patients; risks from models that had not seen them.
    """
    if rule == "median":
        return (float(np.quantile(risk, 0.5)),)
    if rule == "tertiles":
        low, high = np.quantile(risk, [1 / 3, 2 / 3])
        return (float(low), float(high))
    try:
        found = maximally_selected(time, event, risk).cut
    except TableError:
        return (float(np.quantile(risk, 0.5)),)
    return (float(np.nextafter(found, np.inf)),)
