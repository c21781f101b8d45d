"""The synthetic CRIT table: what it promises, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.stats.logistic import logistic_regression
from isthmus.synthetic.crit import CRIT_EFFECTS, draw_crit, make_crit


def test_one_patient_in_ten_has_metastasis() -> None:
    """The expected share is met up to chance (three standard errors of 5,000 patients)."""
    _, truth = draw_crit(5000, centre="A", seed=3)
    assert truth["outcome"].mean() == pytest.approx(0.1, abs=3 * np.sqrt(0.09 / 5000))


def test_planted_effects_are_recovered() -> None:
    """A logistic regression on the drivers of 40,000 patients finds each planted log odds ratio within four standard errors."""
    values, truth = draw_crit(40_000, centre="A", seed=5)
    drivers = pd.DataFrame(
        {
            "Age": values["Age"] / 10,
            "Sex": (values["Sex"] == "Male").astype(float),
            "Tumor_size": values["Tumor_size"] / 10,
            "TG": np.log(values["TG"].clip(lower=0.05)),
            "nodes": np.log1p(values["Number_of_metastatic_lymph_nodes"]),
            "NLR": np.log(values["NE"] / values["LYM"]),
        }
    )
    fit = logistic_regression(drivers.reset_index(drop=True), truth["outcome"], profile=False).table.iloc[1:]
    z = (fit["coefficient"].to_numpy() - np.array(list(CRIT_EFFECTS.values()))) / fit["se"].to_numpy()
    assert np.abs(z).max() < 4


def test_without_signal_the_risk_is_flat() -> None:
    """signal = 0: everybody has the same risk."""
    _, truth = draw_crit(50, centre="A", seed=1, signal=0.0)
    assert truth["risk"].std() == pytest.approx(0.0, abs=1e-12)


def test_the_second_centre_writes_centimetres(tmp_path: Path) -> None:
    """Its cells carry the unit."""
    made = make_crit(tmp_path, patients=(20, 10))
    table = pd.read_csv(made.table, dtype=str)
    assert table.loc[table["centre"] == "B", "Tumor_size"].str.endswith(" cm").all()


def test_same_seed_same_table(tmp_path: Path) -> None:
    """To the last byte."""
    one, two = (make_crit(tmp_path / name, patients=(30, 10), seed=2).table.read_bytes() for name in "ab")
    assert one == two
