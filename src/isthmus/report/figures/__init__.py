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
