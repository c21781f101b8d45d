"""The step volume_correlation, and the core set of [select.reliability]."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.select.settings import ReliabilitySettings
from isthmus.select.volume import VolumeFilter


def frame(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    volume = rng.lognormal(2, 0.8, n)
    return pd.DataFrame(
        {
            "ct.energy": volume**2,
            "ct.compactness": 1 / (volume + 0.5),
            "ct.loose": np.log(volume) + rng.normal(0, 1, n),
            "ct.gaps": np.where(np.arange(n) % 3, np.nan, rng.normal(size=n)),
            "mr.energy": volume,
            "word": "a",
            "@lesion_ml": volume,
        }
    )


def test_what_is_the_volume_in_other_words_goes() -> None:
    """Rising and falling alike; what is only related stays, and so do gaps and words."""
    step = VolumeFilter().fit(frame())
    assert set(step.dropped_) == {"ct.energy", "ct.compactness", "mr.energy"}
    assert step.rho_["ct.compactness"] == pytest.approx(-1)
    assert "with the volume (lesion_ml)" in step.dropped_["ct.energy"]


def test_only_the_blocks_it_is_told() -> None:
    """`blocks`: columns of others stay."""
    assert set(VolumeFilter().on_blocks(["mr"]).fit(frame()).dropped_) == {"mr.energy"}


def test_only_training_rows_count() -> None:
    """Test rows in which a feature equals the volume change nothing."""
    table = frame()
    changed = table.copy()
    changed.loc[40:, "ct.loose"] = changed.loc[40:, "@lesion_ml"]
    assert VolumeFilter().fit(table.iloc[:40]).to_state() == VolumeFilter().fit(changed.iloc[:40]).to_state()
    assert VolumeFilter().fit(table).to_state() != VolumeFilter().fit(changed).to_state()


def test_a_volume_in_words_is_refused() -> None:
    """With the column's name."""
    with pytest.raises(TableError, match="'lesion_ml' is text"):
        VolumeFilter().fit(frame().assign(**{"@lesion_ml": "large"}))


def test_settings_that_cannot_be() -> None:
    """A limit outside 0 to 1."""
    with pytest.raises(PlanError, match="below = 2"):
        VolumeFilter(below=2).check_settings()


def test_the_core_set_is_reliability_then_volume() -> None:
    """[select.reliability] with volume_below puts both steps in, the second for the repeated blocks only."""
    said = ReliabilitySettings(repeats="again.csv", volume_below=0.9)
    first, second = said.steps(["ct"])
    assert (first["name"], second) == (
        "reliability", {"name": "volume_correlation", "below": 0.9, "volume": "lesion_ml", "blocks": ["ct"]},
    )  # fmt: skip
    assert [step["name"] for step in ReliabilitySettings(repeats="again.csv").steps(None)] == ["reliability"]
