"""Which known site scans most like this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.table.steps import is_text

__all__ = ["describe_sites", "nearest_site"]


def describe_sites(labels: Mapping[str, NDArray[np.str_]], protocol: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The typical protocol of every site of every batch variable: median of numbers (in units of their sd over all rows), most
    frequent category."""
    scales = {
        name: float(protocol[name].std(ddof=0)) or 1.0 for name in protocol.columns if not is_text(protocol[name].dtype)
    }
    return {
        batch: {
            "scales": {name: scale if np.isfinite(scale) else 1.0 for name, scale in scales.items()},
            "sites": {str(site): _typical(protocol[of_rows == site], scales) for site in sorted(set(of_rows))},
        }
        for batch, of_rows in labels.items()
    }


def _typical(rows: pd.DataFrame, scales: Mapping[str, float]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in rows.columns:
        values = rows[name].dropna()
        if values.empty:
            found[str(name)] = None
        elif name in scales:
            found[str(name)] = float(values.median())
        else:
            found[str(name)] = str(values.astype(str).value_counts(sort=False).sort_index().idxmax())
    return found


def nearest_site(known: Mapping[str, Any], row: pd.Series[Any]) -> str:
    """The site with the smallest distance: the mean over facts of |difference| / sd, and 1 for another category; a fact that
    either does not say counts 1. Of equals the first in alphabetical order."""

    def distance(site: Mapping[str, Any]) -> float:
        parts = []
        for name, typical in site.items():
            value = row[name]
            if typical is None or pd.isna(value):
                parts.append(1.0)
            elif name in known["scales"]:
                parts.append(abs(float(value) - typical) / known["scales"][name])
            else:
                parts.append(float(str(value) != typical))
        return float(np.mean(parts))

    return min(sorted(known["sites"]), key=lambda site: distance(known["sites"][site]))
