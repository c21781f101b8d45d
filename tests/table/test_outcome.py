"""The outcome keeps patients and codes together."""

from __future__ import annotations

import pandas as pd

from isthmus.table import Outcome

OUTCOME = Outcome("y", "binary", pd.Series([1, 0, 1], index=pd.Index(["a", "b", "c"], name="patient")))


def test_events_are_counted() -> None:
    """The number of events is the number of patients coded 1."""
    assert OUTCOME.n_events == 2


def test_array_follows_the_patients_asked_for() -> None:
    """Codes come in the order of the patients asked for."""
    assert OUTCOME.array(pd.Index(["b", "c"])).tolist() == [0, 1]
