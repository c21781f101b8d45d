"""What the scanners say, case by case: batches for harmonisation, rows of Table 1, evidence of a shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from isthmus.cohort.cohort import Cohort
from isthmus.errors import CaseError

__all__ = ["FIRST", "acquisition_table"]

FIRST = (
    "vendor",
    "model",
    "field_strength_t",
    "kvp",
    "kernel",
    "slice_thickness_mm",
    "phase",
)
"""The facts that come first in the table; whatever else a scanner says follows, by name."""


def acquisition_table(cohort: Cohort, read: Callable[[str], Mapping[str, Any]] | None = None) -> pd.DataFrame:
    """One row for each case and image: patient, row, image, then what the scanner says.

    Parameters
    ----------
    cohort : Cohort
    read : function, optional
        From an image's path to its facts; by default `isthmus.image.io.read_acquisition`.

    Returns
    -------
    DataFrame
        Facts that no image has are left out, those that some lack are missing there. An image whose header cannot be read has
        no facts; why is said in the column `reason`, which is only there if it happened.
    """
    if read is None:
        from isthmus.image.io import read_acquisition

        read = read_acquisition
    lines: list[dict[str, Any]] = []
    for case in cohort.rows.to_dict("records"):
        for image in cohort.images:
            line: dict[str, Any] = {"patient": case["patient"], "row": case["row"], "image": image}
            try:
                line.update(read(case[f"image:{image}"]))
            except CaseError as error:
                line["reason"] = error.reason
            lines.append(line)
    keys = {key for line in lines for key in line} - {"patient", "row", "image", "reason"}
    ordered = [key for key in FIRST if key in keys] + sorted(keys - set(FIRST))
    last = ["reason"] if any("reason" in line for line in lines) else []
    return pd.DataFrame(lines, columns=["patient", "row", "image", *ordered, *last])
