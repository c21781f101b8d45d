"""One module per figure: `data(result)`, the numbers behind it; `draw(data, ax)`, the drawing; `size(data)`, in inches.

To add a figure, write its module and name it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.report.figures import (
    calibration,
    decision_curve,
    flow,
    harmonisation,
    null_study,
    odds_ratios,
    precision_recall,
    predictions,
    roc,
    selected,
    subgroups,
)

__all__ = ["FIGURES"]

FIGURES: Mapping[str, ModuleType] = MappingProxyType(
    {
        m.NAME: m
        for m in (
            flow,
            odds_ratios,
            roc,
            precision_recall,
            calibration,
            decision_curve,
            predictions,
            subgroups,
            selected,
            harmonisation,
            null_study,
        )
    }
)
"""Name -> module, in the order of the report."""
