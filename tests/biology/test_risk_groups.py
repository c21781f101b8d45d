"""Risk groups come from models that had not seen the patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.biology.risk_groups import risk_groups
from isthmus.errors import LeakageError, TableError

NAN = np.nan
PREDICTIONS = pd.DataFrame(
    [
        ("a", "m", "cv", 0, 0, 0.6), ("a", "m", "cv", 1, 1, 0.2), ("b", "m", "cv", 0, 1, 0.4), ("b", "m", "cv", 1, 0, 0.3),
        ("c", "m", "external", NAN, NAN, 0.45), ("a", "m", "train", NAN, NAN, 0.9), ("b", "m", "train", NAN, NAN, 0.9),
        ("d", "m", "train", NAN, NAN, 0.9), ("a", "n", "cv", 0, 0, 0.1),
    ],
    columns=["patient", "model", "split", "repeat", "fold", "probability"],
)  # fmt: skip
THRESHOLDS = pd.DataFrame(
    [
        ("m", 0, 0, 0.5),
        ("m", 0, 1, 0.5),
        ("m", 1, 0, 0.5),
        ("m", 1, 1, 0.1),
        ("m", NAN, NAN, 0.46),
        ("n", NAN, NAN, 0.5),
    ],
    columns=["model", "repeat", "fold", "threshold"],
)


def test_out_of_fold_risks_meet_the_threshold_of_their_fold() -> None:
    """a reaches its folds' thresholds, b none; c, external, does not reach the final one; apparent risks do not count."""
    found = risk_groups(PREDICTIONS, THRESHOLDS, "m", ["a", "b", "c"])
    assert found["group"].to_dict() == {"a": "high", "b": "low", "c": "low"}
    assert found.loc["a", "risk"] == pytest.approx(0.4)


def test_an_apparent_risk_is_refused() -> None:
    """d was only ever predicted by the model that was trained on it."""
    with pytest.raises(LeakageError, match="trained on d"):
        risk_groups(PREDICTIONS, THRESHOLDS, "m", ["a", "d"])


def test_a_patient_outside_the_run_is_refused() -> None:
    """By name."""
    with pytest.raises(TableError, match="no prediction of model 'm' for z"):
        risk_groups(PREDICTIONS, THRESHOLDS, "m", ["z"])


def test_an_unknown_model_is_refused() -> None:
    """With those there are."""
    with pytest.raises(TableError, match="no model 'k'.*Known: m, n"):
        risk_groups(PREDICTIONS, THRESHOLDS, "k")
