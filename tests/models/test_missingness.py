"""The drop rule looks at training rows only."""

from __future__ import annotations

import numpy as np
import pandas as pd

from isthmus.models.missingness import DropMissing


def _gappy(share: float) -> pd.Series:
    return pd.Series([np.nan if i < 100 * share else float(i) for i in range(100)])


def test_columns_above_the_share_go() -> None:
    """31 % missing goes, 30 % stays, and the reason says how much."""
    step = DropMissing().fit(pd.DataFrame({"a": _gappy(0.30), "b": _gappy(0.31)}))
    assert step.dropped_ == {"b": "31 % of the training values are missing, more than 30 %"}


def test_new_rows_do_not_decide() -> None:
    """A column that new patients lack stays where training patients have it."""
    step = DropMissing().fit(pd.DataFrame({"a": _gappy(0.0)}))
    assert list(step.transform(pd.DataFrame({"a": [np.nan, np.nan]})).columns) == ["a"]
