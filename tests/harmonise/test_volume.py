"""The step volume_adjust: what the volume says of a feature is learned on training rows and taken off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from isthmus.errors import IsthmusWarning, PlanError, TableError
from isthmus.harmonise.volume import VolumeAdjustment


def frame(n: int = 400, seed: int = 3) -> pd.DataFrame:
    """Volumes over more than a tenfold range; features that follow them, in part, not at all, and with gaps."""
    rng = np.random.default_rng(seed)
    volume = np.exp(rng.uniform(0, 3, n))
    noise = rng.normal(size=(n, 3))
    return pd.DataFrame(
        {
            "follows": 2 * np.log(volume) + noise[:, 0],
            "bends": np.log(volume) ** 2 + noise[:, 1],
            "free": noise[:, 2],
            "gaps": np.where(np.arange(n) % 2, np.nan, np.log(volume)),
            "@lesion_ml": volume,
        }
    )


def test_in_new_patients_the_volume_says_nothing_any_more() -> None:
    """|rho| below 0.1 in rows it was not fitted on, where it was 0.85."""
    new = frame(seed=4)
    out = VolumeAdjustment().fit(frame()).transform(new)
    before, after = (spearmanr(table["follows"], new["@lesion_ml"]).statistic for table in (new, out))
    assert (before > 0.8, abs(after) < 0.1) == (True, True)


def test_a_bent_relation_needs_a_higher_degree() -> None:
    """Of degree 2 nothing of the square is left: what remains varies as the noise does."""
    straight, bent = (VolumeAdjustment(degree=d).fit(frame()).transform(frame(seed=4))["bends"] for d in (1, 2))
    assert bent.std() == pytest.approx(1, abs=0.1)
    assert straight.std() > 1.1


def test_the_lesion_of_mean_volume_keeps_its_value() -> None:
    """And what has no relation hardly changes."""
    table = frame()
    mean = float(np.exp(np.log(table["@lesion_ml"]).mean()))
    step = VolumeAdjustment().fit(table)
    row = table.iloc[[0]].assign(**{"@lesion_ml": mean})
    assert step.transform(row)["follows"].iloc[0] == pytest.approx(row["follows"].iloc[0])
    assert (step.transform(table)["free"] - table["free"]).abs().max() < 0.25


def test_beyond_the_training_volumes_nothing_is_extrapolated() -> None:
    """A lesion ten times the largest is adjusted as the largest."""
    table = frame()
    step = VolumeAdjustment(degree=3).fit(table)
    largest = table["@lesion_ml"].max()
    rows = pd.concat([table.iloc[[0]]] * 2).assign(**{"@lesion_ml": [largest, 10 * largest]})
    assert step.transform(rows)["bends"].nunique() == 1


def test_gaps_stay_gaps_and_a_row_without_volume_gets_them() -> None:
    """A missing value is not predicted."""
    table = frame()
    step = VolumeAdjustment().fit(table)
    out = step.transform(table.assign(**{"@lesion_ml": table["@lesion_ml"].where(table.index != 0)}))
    assert out["gaps"].isna().equals(table["gaps"].isna() | (table.index == 0))
    assert out.loc[0, ["follows", "bends", "free"]].isna().all()


def test_too_little_to_learn_from() -> None:
    """Few volumes are refused; a feature with few values is left as it is, and said."""
    with pytest.raises(TableError, match="4 training rows with a volume"):
        VolumeAdjustment().fit(frame(4))
    table = frame(8)
    with pytest.warns(IsthmusWarning, match="fewer than 5 values in gaps"):
        step = VolumeAdjustment().fit(table)
    assert step.transform(table)["gaps"].equals(table["gaps"])


@pytest.mark.parametrize(
    ("change", "match"), [({"@lesion_ml": "large"}, "is text"), ({"@lesion_ml": 0.0}, "0 or less")]
)
def test_volumes_that_cannot_be(change: dict, match: str) -> None:
    """By name."""
    with pytest.raises(TableError, match=match):
        VolumeAdjustment().fit(frame().assign(**change))


def test_settings_that_cannot_be() -> None:
    """A degree that is not offered."""
    with pytest.raises(PlanError, match="degree = 4"):
        VolumeAdjustment(degree=4).check_settings()
