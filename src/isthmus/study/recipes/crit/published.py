"""What the CRIT study's public description and code say, as numbers to put beside those of a run; no number of this package."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from isthmus.stats.classification import proportion_interval
from isthmus.study.recipes.facts import facts_of

__all__ = [
    "BASELINE",
    "COUNTS",
    "MODELS",
    "NOT_IN_README",
    "PRIMARY",
    "RATES",
    "SOURCE",
    "WEIGHTS_CODE",
    "WEIGHTS_README",
    "counts_that_fit",
    "external_rates",
    "fitting_negatives",
]

_FACTS = facts_of("crit")

SOURCE = "the THCA-ITH (CRIT) study"

COUNTS: Mapping[str, int] = MappingProxyType(
    {
        "patients A": 881,
        "manual masks A": 625,
        "patients B": 145,
        "events of the internal test set": 24,
        "others of it": 153,
    }
)

RATES: Mapping[str, float] = MappingProxyType({row.metric: row.value for row in _FACTS.printed})
"""At the external centre, as printed; with no interval and no counts."""

EVENTS_B, FOUND_B = 15, 14
"""Inferred: 14 of 15 events give the printed 93.3 %."""

_C, _R, _I, _T = "clinical", "radiomics", "iTED", "3D_ITHscore"
MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Clinical": (_C,),
        "Radiomics": (_R,),
        "iTED": (_I,),
        "3D_ITHscore": (_T,),
        "Clinical+Radiomics": (_C, _R),
        "Clinical+iTED": (_C, _I),
        "Clinical+3D_ITHscore": (_C, _T),
        "Radiomics+iTED": (_R, _I),
        "Radiomics+3D_ITHscore": (_R, _T),
        "iTED+3D_ITHscore": (_I, _T),
        "Clinical+Radiomics+iTED": (_C, _R, _I),
        "Clinical+Radiomics+3D_ITHscore": (_C, _R, _T),
        "Clinical+iTED+3D_ITHscore": (_C, _I, _T),
        "All_Imaging": (_R, _I, _T),
        "All_Features": (_C, _R, _I, _T),
    }
)
"""The 15 combinations of blocks in the study's code."""

NOT_IN_README = ("Clinical+Radiomics+3D_ITHscore", "All_Imaging")
"""The two that its description, which counts 13, leaves out."""

PRIMARY, BASELINE = "Clinical+Radiomics+iTED", "Clinical"

WEIGHTS_CODE: Mapping[str, float] = MappingProxyType(
    {
        "sensitivity": 0.30, "npv": 0.15, "f3": 0.10, "pr_auc": 0.12, "detection_rate": 0.08, "mcc": 0.05, "g_mean": 0.05,
        "brier": 0.05, "specificity": 0.05, "ppv": 0.03, "likelihood_ratio_negative": 0.02,
    }
)  # fmt: skip
"""Of the screening score, as the code has them: eleven components; stability stands beside them."""

WEIGHTS_README: Mapping[str, float] = MappingProxyType(
    {
        "sensitivity": 0.20, "npv": 0.20, "f3": 0.15, "pr_auc": 0.10, "detection_rate": 0.10, "mcc": 0.07, "g_mean": 0.05,
        "brier": 0.05, "specificity": 0.03, "ppv": 0.03, "likelihood_ratio_negative": 0.01, "stability": 0.01,
    }
)  # fmt: skip
"""As the description has them: twelve, with stability (which needs the external set) as the last."""


def counts_that_fit(rate: float, total: int, *, digits: int = 3) -> list[int]:
    """Which k of `total` print as `rate` when rounded to `digits`."""
    return [k for k in range(total + 1) if round(k / total, digits) == round(rate, digits)]


def fitting_negatives(*, patients: int, events: int, found: int) -> list[int]:
    """How many true negatives give the printed NPV, when `found` of `events` were found."""
    missed = events - found
    return [tn for tn in range(patients - events + 1) if tn + missed and round(tn / (tn + missed), 3) == RATES["npv"]]


def external_rates(models: pd.DataFrame, model: str, *, confidence: float) -> pd.DataFrame:
    """Sensitivity and NPV of a model at the external centre, with both kinds of interval, and as printed.

    Parameters
    ----------
    models : DataFrame
        Of `models.model_table`.
    model : str
    confidence : float

    Returns
    -------
    DataFrame
        source ("printed", "this run"), split, metric, part, whole, estimate, wilson_lower, wilson_upper, exact_lower, exact_upper. Of
        the printed NPV the counts are the smallest and the largest that fit; intervals of the printed sensitivity are those of 14 of 15.
    """
    negatives = fitting_negatives(patients=COUNTS["patients B"], events=EVENTS_B, found=FOUND_B)
    missed = EVENTS_B - FOUND_B
    rows: list[tuple[str, str, str, float, float, float]] = [
        ("printed", "external", "sensitivity", FOUND_B, EVENTS_B, RATES["sensitivity"]),
        *(("printed", "external", "npv", tn, tn + missed, RATES["npv"]) for tn in (negatives[0], negatives[-1])),
    ]
    for own in models[models["model"] == model].to_dict("records"):
        tp, fn, tn = (float(own[name]) for name in ("tp", "fn", "tn"))
        for metric, part, whole in (("sensitivity", tp, tp + fn), ("npv", tn, tn + fn)):
            rows.append(("this run", own["split"], metric, part, whole, part / whole if whole else np.nan))
    found = []
    for source, split, metric, part, whole, estimate in rows:
        wilson = proportion_interval(part, whole, confidence)
        exact = proportion_interval(part, whole, confidence, method="clopper-pearson")
        found.append(
            {
                "source": source, "split": split, "metric": metric, "part": part, "whole": whole, "estimate": estimate,
                "wilson_lower": wilson.lower, "wilson_upper": wilson.upper, "exact_lower": exact.lower, "exact_upper": exact.upper,
            }
        )  # fmt: skip
    return pd.DataFrame(found)
