"""Which patients of a synthetic cohort two readers have drawn, and the table that says so."""

from __future__ import annotations

import pandas as pd

__all__ = ["EXTERNAL_CENTRE", "read_twice", "second_reader"]

EXTERNAL_CENTRE = "E"

_PER_CENTRE = 15


def read_twice(patient: str) -> bool:
    """Is this patient (centre and number: "A0007") one of the first fifteen of a centre for development?"""
    return not patient.startswith(EXTERNAL_CENTRE) and int(patient[1:]) <= _PER_CENTRE


def second_reader(cases: pd.DataFrame, mask: str) -> pd.DataFrame:
    """patient, repeat (1, 2), the image columns and the mask of each reader, of the patients whom both have drawn.

    Parameters
    ----------
    cases : DataFrame
        The case table.
    mask : str
        The column whose file has a second one beside it, `<name>_second.nii.gz`.
    """
    both = cases[cases["patient"].map(read_twice)]
    images = [name for name in cases.columns if name.startswith("image:")]
    again = both[mask].str.replace(".nii.gz", "_second.nii.gz", regex=False)
    readers = [
        both[["patient", *images]].assign(repeat=reader, **{mask: drawn})
        for reader, drawn in ((1, both[mask]), (2, again))
    ]
    return pd.concat(readers, ignore_index=True)[["patient", "repeat", *images, mask]]
