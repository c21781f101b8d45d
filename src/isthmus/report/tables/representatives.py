"""Whether the UMAP value of each category is a property of the patient."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "representatives"
TITLE = "Stability of the UMAP representatives"


def view(result: Result) -> View | None:
    """One row a model and category; None where no model represents categories by UMAP."""
    table = result.tables.get("representatives", pd.DataFrame())
    if not len(table):
        return None
    rows = [
        [
            str(row["model"]),
            str(row["category"]),
            f"{row['columns']:.0f}",
            number(row["stability"]),
            number(row["spearman_pca"]),
            str(row["verdict"]),
        ]
        for row in table.to_dict("records")
    ]
    columns = ["Model", "Category", "Features", "Stability", "With PC1", "Verdict"]
    caption = (
        "Stability: median |Spearman| of the value with that of ten other seeds and orders of the rows, on the development "
        "patients; below 0.9 the value is not a property of the patient. With PC1: Spearman with the first principal component, the "
        'stable alternative (method = "pca").'
    )
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[2:5]))
