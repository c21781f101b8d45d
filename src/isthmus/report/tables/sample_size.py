"""What the number of patients supports, beside what the models chose from."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "sample_size"
TITLE = "What this number of patients supports"


def view(result: Result) -> View | None:
    """One row a model; None where the outcome is not binary."""
    table = result.tables.get("sample_size", pd.DataFrame())
    if not len(table):
        return None
    rows = [
        [
            str(row["model"]),
            f"{row['candidates']:.0f}",
            number(row["events_per_candidate"], 2 if row["events_per_candidate"] < 10 else 0),
            f"{row['supported']:.0f}",
            f"{row['needed']:,.0f}",
            "–" if pd.isna(row["selected"]) else f"{row['selected']:.0f}",
            number(row["events_per_selected"], 1),
        ]
        for row in table.to_dict("records")
    ]
    columns = [
        "Model", "Candidate parameters", "Events each", "Supported by n", "Patients needed", "In the final model", "Events each there",
    ]  # fmt: skip
    first = table.iloc[0]
    caption = (
        f"{first['n']:.0f} development patients, {first['events']:.0f} in the smaller class. Riley's criteria for an anticipated AUC "
        f"of {number(first['expected_auc'])}, fixed in the plan: expected shrinkage of 0.9, optimism of R² of at most 0.05, overall risk "
        "known within 0.05. Candidates are counted before any selection: choosing few of many does not make the many free."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[1:]))
