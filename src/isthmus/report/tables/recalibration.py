"""Calibration of the out-of-fold risks before and after they were carried back and recalibrated."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "recalibration"
TITLE = "Risks before and after adjustment"

_COLUMNS = {
    "mean_probability": "Mean risk",
    "prevalence": "Events",
    "calibration_slope": "Slope",
    "calibration_in_the_large": "In the large",
    "brier": "Brier",
}


def view(result: Result) -> View | None:
    """Two rows a model; None where no model's risks were adjusted."""
    table = result.tables.get(NAME, pd.DataFrame())
    if not len(table):
        return None
    rows = []
    for (model, which), part in table.groupby(["model", "probability"], sort=False):
        found = part.set_index("metric")["estimate"]
        rows.append([str(model), str(which), *(number(float(found[key])) for key in _COLUMNS)])
    columns = ["Model", "Risk", *_COLUMNS.values()]
    caption = (
        "Out-of-fold risks as the estimator gives them and as they are reported: carried back to the training prevalence after class "
        "weights or resampling, and recalibrated on inner predictions where the plan says so. Mean over repeats; a slope of 1 "
        "and 0 in the large are ideal."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[2:]))
