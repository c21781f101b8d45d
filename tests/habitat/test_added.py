"""What iTED says beyond its simple comparators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from habitat.making import table
from isthmus.habitat import NAMES, ItedSettings, SupervoxelTable, ited, ited_added
from isthmus.habitat.added import ADDED
from isthmus.stats.correlation import partial_correlation

MEAN = "ited_firstorder_Mean"


def cohort(*, split: bool) -> tuple[list[SupervoxelTable], np.ndarray, np.ndarray]:
    """Forty patients, every spread between 1 and 3; the target is whether the supervoxels fall into two groups (`split`), or follows
    the spread, and all do."""
    rng = np.random.default_rng(4)
    tables, spreads, groups = [], np.linspace(1, 3, 40), np.arange(40) % 2
    for patient in range(40):
        n = int(rng.integers(30, 60))
        apart = np.where(np.arange(n) < n / 2, -1.0, 1.0) + rng.normal(0, rng.uniform(0.1, 0.4), n)
        x = apart if groups[patient] or not split else rng.normal(size=n)
        values = np.repeat((x / x.std() * spreads[patient])[:, None], len(NAMES), axis=1)
        tables.append(SupervoxelTable(f"p{patient}", values, np.full(n, 300.0)))
    return tables, (groups if split else spreads + rng.normal(0, 0.3, 40)), rng.lognormal(2, 0.7, 40)


@pytest.fixture(scope="module")
def groups() -> pd.DataFrame:
    """What iTED adds where the target is whether there are two groups."""
    return ited_added(*cohort(split=True))


def test_sub_populations_add_to_spread(groups: pd.DataFrame) -> None:
    """Two groups in half of the patients, of the same spread as the others: plain spread says nothing of it, iTED all."""
    found = groups.set_index("feature").loc[MEAN]
    assert (found["partial"] > 0.9, abs(found["rho_sd"]) < 0.2, found["q"] < 1e-6) == (True, True, True)
    assert found["above_zero"] == pytest.approx(0.5, abs=0.05)


def test_spread_in_other_words_adds_nothing() -> None:
    """Where the target follows the spread, and all have sub-populations, iTED goes with it and has nothing to add."""
    found = ited_added(*cohort(split=False)).set_index("feature").loc[MEAN]
    assert min(found["rho_sd"], found["rho"]) > 0.7
    assert found["lower"] < 0 < found["upper"]


def test_the_columns_are_what_they_say(groups: pd.DataFrame) -> None:
    """The partial correlation of the row of iTED itself, given plain spread, log volume and number of supervoxels."""
    tables, target, volume = cohort(split=True)
    rows = pd.DataFrame([ited(one, ItedSettings(resamples=0)) for one in tables])
    given = np.column_stack([rows[f"{MEAN}_sd"], np.log(volume), [len(one.voxels) for one in tables]])
    expected, p = partial_correlation(rows[MEAN], target, given)
    first = groups.set_index("feature").loc[MEAN]
    assert list(groups.columns) == ADDED
    assert first[["partial", "lower", "upper", "p"]].tolist() == [expected.estimate, expected.lower, expected.upper, p]


def test_patients_without_supervoxels_do_not_count() -> None:
    """None: left out, and the number says so; a feature without sub-populations anywhere has no correlation."""
    tables, target, volume = cohort(split=True)
    found = ited_added([None, *tables[1:12]], target[:12], volume[:12])
    assert set(found["n"]) == {11}
    flat = [table(np.full(20, 1.0 + n), f"p{n}") for n in range(12)]
    assert ited_added(flat, np.arange(12) % 2, np.arange(1, 13))[["rho", "partial", "p", "q"]].isna().all(axis=None)
