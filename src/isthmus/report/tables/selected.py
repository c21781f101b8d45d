"""The variables of the final model, with how often they were chosen and with what effect."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "selected"
TITLE = "Selected features"

TOP = 20


def view(result: Result) -> View | None:
    """The variables of the final model that were chosen most often; selected.csv has all of every model."""
    table = result.selected
    if not len(table):
        return None
    final = final_model(result)
    part = table[table["model"] == final].sort_values(["frequency", "feature"], ascending=[False, True], kind="stable")
    rows = [
        [
            str(row["feature"]),
            "–" if pd.isna(row["frequency"]) else f"{100 * row['frequency']:.0f} %",
            number(row["coefficient"], 3),
            number(row["importance"], 3),
        ]
        for row in part.head(TOP).to_dict("records")
    ]
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["Feature", "Chosen in folds", "Coefficient", "Importance"])
    # a model has coefficients or importances: the other column would hold dashes only
    frame = frame.loc[:, [not (frame[name] == "–").all() for name in frame.columns]]
    more = f"The first {TOP} of {len(part)}. " if len(part) > TOP else ""
    caption = (
        f"{final}. {more}The whole list, of every model, is in selected.csv. Coefficient (on the scale the model uses) or "
        "importance in the final fit: they describe the model, they are not effects with intervals."
    )
    return View(frame, caption, None, tuple(frame.columns[1:]))
