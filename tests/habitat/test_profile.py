"""What habitats look like, against slow twins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from isthmus.habitat import NAMES, SUPERVOXELS, Habitats, SupervoxelTable
from isthmus.habitat.profile import PROFILE_COLUMNS, habitat_profile


@pytest.fixture(scope="module")
def learned() -> tuple[Habitats, list[SupervoxelTable], pd.DataFrame]:
    """Six patients whose supervoxels are of two tissues that differ in a third of the features; one feature is missing in places."""
    rng, tables = np.random.default_rng(4), []
    shift = np.where(np.arange(len(NAMES)) % 3 == 0, 3.0, 0.0)
    for patient in range(6):
        tissue = rng.integers(0, 2, 20)
        values = rng.normal(size=(20, len(NAMES))) + tissue[:, None] * shift
        values[:, 1] = values[:, 0] + 0.01 * rng.normal(size=20)  # says the same as another
        values[rng.random(20) < 0.2, 5] = np.nan
        tables.append(SupervoxelTable(str(patient), values, rng.integers(50, 200, 20).astype(float)))
    read = pd.DataFrame({SUPERVOXELS: pd.Series(tables, dtype=object)})
    step = Habitats(clusters=2, starts=3).fit(read)
    return step, tables, habitat_profile(step, tables)


def test_a_row_a_habitat_and_feature(learned: tuple[Habitats, list[SupervoxelTable], pd.DataFrame]) -> None:
    """All 93 of both, counted over all supervoxels."""
    step, tables, found = learned
    assert (found.columns.tolist(), len(found)) == (PROFILE_COLUMNS, 2 * len(NAMES))
    where = np.concatenate([step.assign(table) for table in tables])
    voxels = np.concatenate([table.voxels for table in tables])
    heads = found.drop_duplicates("habitat")
    assert heads["supervoxels"].tolist() == np.bincount(where)[1:].tolist()
    assert heads["share"].tolist() == pytest.approx([voxels[where == h].sum() / voxels.sum() for h in (1, 2)])
    assert heads["patients"].tolist() == [6, 6]


def test_medians_and_eta_squared(learned: tuple[Habitats, list[SupervoxelTable], pd.DataFrame]) -> None:
    """Median of the scaled values; eta squared from the F of an ANOVA, missing values left out."""
    step, tables, found = learned
    where = np.concatenate([step.assign(table) for table in tables])
    values = np.concatenate([step.standardised(table) for table in tables])
    for column in (0, 5, 7):
        parts = [values[where == h, column][np.isfinite(values[where == h, column])] for h in (1, 2)]
        own = found[found["feature"] == NAMES[column]]
        assert own["median"].tolist() == pytest.approx([float(np.median(part)) for part in parts])
        f = stats.f_oneway(*parts).statistic
        n = sum(map(len, parts))
        assert own["eta_squared"].to_numpy() == pytest.approx(f / (f + n - 2))


def test_ranks(learned: tuple[Habitats, list[SupervoxelTable], pd.DataFrame]) -> None:
    """Mean intensity first, then falling eta squared; of two features that say the same one has a rank."""
    found = learned[2].drop_duplicates("feature").set_index("feature")
    ranked = found[found["rank"].notna()].sort_values("rank")
    assert (ranked.index[0], ranked["rank"].tolist()) == ("firstorder_Mean", list(range(1, 13)))
    assert ranked["eta_squared"].iloc[1:].is_monotonic_decreasing
    assert ranked.index.isin([NAMES[0], NAMES[1]]).sum() <= 1
