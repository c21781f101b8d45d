"""Which counts can stand behind the rates that the study printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.study.recipes.facts import Facts

__all__ = ["COLUMNS", "counts_behind", "fitting_counts", "smallest_fit"]

COLUMNS = [
    "published_model", "split", "patients", "events", "fits_patients", "cases", "positive", "tp", "fp", "fn", "tn", "npv", "npv_printed",
]  # fmt: skip
_RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1")
_MOST, _HALF = 450, 0.0005 + 1e-9

Counts = tuple[int, int, int, int]


def counts_behind(facts: Facts) -> pd.DataFrame:
    """Each printed set of rates: do they fit the patients of Table 1, and if not, which cases are the fewest that they fit?

    A printed negative predictive value that repeats the sensitivity is left out of the search; `npv` is what the counts give.

    Returns
    -------
    DataFrame
        published_model, split, patients and events of the set, fits_patients, cases (as few as fit), positive, tp, fp, fn, tn, npv,
        npv_printed. Counts are missing where nothing up to 450 cases fits.
    """
    sets = {one.split: one for one in facts.sets}
    printed: dict[tuple[str, str], dict[str, float]] = {}
    for row in facts.printed:
        printed.setdefault((row.model, row.split), {})[row.metric] = row.value
    rows = []
    for (model, split), said in printed.items():
        rates = {name: said[name] for name in _RATES if name in said}
        if rates.get("npv") == rates.get("sensitivity"):
            rates.pop("npv", None)
        one = sets[split]  # type: ignore[index]
        assert one.patients is not None
        assert one.events is not None
        there = any(True for _ in fitting_counts(rates, one.events, one.patients - one.events))
        found = (np.nan,) * 4 if (best := smallest_fit(rates)) is None else best
        tp, _, fn, tn = found
        rows.append(
            (
                model,
                split,
                one.patients,
                one.events,
                there,
                sum(found),
                tp + fn,
                *found,
                tn / (tn + fn),
                said.get("npv"),
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def smallest_fit(rates: Mapping[str, float], most: int = _MOST) -> Counts | None:
    """tp, fp, fn, tn of the fewest cases that print as these rates; None where nothing up to `most` does."""
    for cases in range(2, most + 1):
        for positive in range(1, cases):
            for found in fitting_counts(rates, positive, cases - positive):
                return found
    return None


def fitting_counts(rates: Mapping[str, float], positive: int, negative: int) -> Iterator[Counts]:
    """tp, fp, fn, tn of so many cases that print as these rates, to three digits, whichever way a half is rounded."""
    for tp in _near(rates["sensitivity"], positive):
        for tn in _near(rates["specificity"], negative):
            fp, fn = negative - tn, positive - tp
            made: dict[str, Any] = {
                "accuracy": (tp + tn) / (positive + negative),
                "ppv": tp / (tp + fp) if tp + fp else np.nan,
                "npv": tn / (tn + fn) if tn + fn else np.nan,
                "f1": 2 * tp / (2 * tp + fp + fn),
            }
            if all(abs(made[name] - rates[name]) <= _HALF for name in made if name in rates):
                yield tp, fp, fn, tn


def _near(rate: float, total: int) -> range:
    """The counts of a total that print as a rate."""
    return range(int(np.ceil((rate - _HALF) * total)), int(np.floor((rate + _HALF) * total)) + 1)
