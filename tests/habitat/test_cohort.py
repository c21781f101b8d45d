"""Cohort habitats: learned from training patients, frozen for everybody else."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from isthmus.errors import LeakageError, PlanError, TableError
from isthmus.habitat import NAMES, SUPERVOXELS, Habitats, SupervoxelTable
from isthmus.habitat.cohort import hill_number, interaction, prediction_strength
from isthmus.table.steps import check_order

TISSUES = np.random.default_rng(0).normal(0, 3, (3, len(NAMES)))
ROW = np.column_stack([np.arange(29), np.arange(1, 30), np.full(29, 4)])  # 30 supervoxels in a row


def patient(number: int, tissues: list[int] | None = None) -> SupervoxelTable:
    """30 supervoxels of three tissues that lie side by side; the voxels differ."""
    rng = np.random.default_rng(number)
    kinds = (
        np.sort(rng.choice(3, 30, p=rng.dirichlet([2, 2, 2])))
        if tissues is None
        else np.repeat(tissues, 30 // len(tissues))
    )
    values = 20 + TISSUES[kinds] + rng.normal(0, 0.5, (30, len(NAMES)))
    return SupervoxelTable(f"p{number}", values, rng.integers(100, 500, 30).astype(float), contacts=ROW)


def frame_of(tables: list[SupervoxelTable | None]) -> pd.DataFrame:
    names = [f"p{n}" for n in range(len(tables))]
    return pd.DataFrame(
        {"age": np.arange(float(len(tables))), SUPERVOXELS: pd.Series(tables, names, dtype=object)}, names
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return frame_of([patient(n) for n in range(10)])


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Habitats:
    return Habitats(splits=3, starts=4).fit(frame.iloc[:8])


def test_it_finds_as_many_habitats_as_there_are_tissues(fitted: Habitats) -> None:
    """Prediction strength near 1 up to three, and far lower beyond."""
    assert (len(fitted.centres_), fitted.strength_[2] > 0.95, fitted.strength_[3] < 0.8) == (3, True, True)


def test_a_new_patient_goes_to_the_frozen_habitats(fitted: Habitats) -> None:
    """Thirds of three tissues, never seen: three runs of ten, each in the habitat of its tissue."""
    one, two = fitted.assign(patient(50, [0, 1, 2])), fitted.assign(patient(51, [2, 1, 0]))
    assert (len(set(one.tolist())), [len(set(one[10 * n : 10 * n + 10])) for n in range(3)]) == (3, [1, 1, 1])
    np.testing.assert_array_equal(one[::10], two[::10][::-1])


def test_what_is_counted(fitted: Habitats) -> None:
    """Two tissues in the order 0 1 0: fractions by voxels, pieces, diversity, and the shared boundary."""
    given = patient(60, [0, 1, 0])
    row = fitted.transform(frame_of([given])).iloc[0]
    habitats = fitted.assign(given)
    first, second = (int(habitats[n]) for n in (0, 10))
    share = given.voxels[10:20].sum() / given.voxels.sum()
    third = ({1, 2, 3} - {first, second}).pop()
    assert [row[f"habitat_{h}_fraction"] for h in (first, second, third)] == pytest.approx([1 - share, share, 0])
    assert [row[f"habitat_{h}_pieces"] for h in (first, second, third)] == [2, 1, 0]
    assert (row["habitat_hill_0"], row["habitat_border"]) == pytest.approx((2, 2 / 29))
    assert row["habitat_hill_2"] == pytest.approx(1 / (share**2 + (1 - share) ** 2))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_equal_habitats_count_as_many_as_there_are(order: int) -> None:
    """Four of a quarter each, and an empty fifth: 4 in every order."""
    assert hill_number(np.array([0.25] * 4 + [0.0]), order) == pytest.approx(4)


def test_interaction_of_a_small_row() -> None:
    """Habitats 1 1 2 in a row, 4 and 2 faces: two thirds of the boundary are within habitat 1."""
    found = interaction(np.array([1, 1, 2]), np.array([[0, 1, 4], [1, 2, 2]]), 2)
    p, q = 4 / 6, 1 / 6  # the symmetric matrix is [[p, q], [q, 0]]
    mean = q
    variance = mean**2 * (p + q) + (1 - mean) ** 2 * q
    covariance = mean**2 * p - 2 * mean * (1 - mean) * q
    expected = (2 * q, 2 * q, p + q, p**2 + 2 * q**2, covariance / variance)
    assert found == pytest.approx(expected)


def test_interaction_without_neighbours_is_nan() -> None:
    """Nothing shares a face: not known, not 0."""
    assert np.isnan(interaction(np.array([1, 2]), np.array([[0, 1, 0]]), 2)).all()


def test_prediction_strength_of_one_tissue_is_low_for_two() -> None:
    """Points without structure: halves disagree on where to cut."""
    rng = np.random.default_rng(3)
    found = prediction_strength([rng.normal(0, 1, (30, 3)) for _ in range(10)], 3, splits=4, starts=4, seed=1)
    assert (found[0], found[1] < 0.8) == (1.0, True)


def test_a_row_alone_has_the_bits_of_the_batch(fitted: Habitats, frame: pd.DataFrame) -> None:
    """Each patient on his own."""
    pd.testing.assert_frame_equal(
        fitted.transform(frame.iloc[[9]]).drop(columns=SUPERVOXELS),
        fitted.transform(frame).drop(columns=SUPERVOXELS).iloc[[9]],
        check_exact=True,
    )


def test_it_comes_back_from_its_state(fitted: Habitats, frame: pd.DataFrame) -> None:
    """JSON there and back: the same names and bits."""
    again = Habitats.from_state(json.loads(json.dumps(fitted.to_state())))
    assert list(again.get_feature_names_out()) == list(fitted.get_feature_names_out())
    pd.testing.assert_frame_equal(
        again.transform(frame).drop(columns=SUPERVOXELS),
        fitted.transform(frame).drop(columns=SUPERVOXELS),
        check_exact=True,
    )


def test_it_learns_from_training_rows_only(fitted: Habitats, frame: pd.DataFrame) -> None:
    """Other training rows, other centres; transforming changes nothing."""
    before = json.dumps(fitted.to_state())
    fitted.transform(frame)
    other = json.dumps(Habitats(splits=3, starts=4).fit(frame).to_state())
    assert json.dumps(fitted.to_state()) == before != other


def test_rows_that_cannot_be_assigned_are_nan(fitted: Habitats) -> None:
    """No table, or fewer supervoxels with enough features than asked for."""
    holes = patient(70)
    holes.values[4:, :60] = np.nan
    out = fitted.transform(frame_of([None, holes, patient(71)])).drop(columns=["age", SUPERVOXELS])
    assert out.isna().all(axis=1).tolist() == [True, True, False]


def test_it_may_not_run_before_the_split() -> None:
    """It is unsupervised: fitted in the fold."""
    with pytest.raises(LeakageError):
        check_order([Habitats()], where="before the split")


def test_settings_and_rows_that_cannot_be() -> None:
    """Said by name."""
    assert clone(Habitats(clusters=4)).clusters == 4
    with pytest.raises(PlanError, match="explained = 2"):
        Habitats(explained=2).check_settings()
    with pytest.raises(TableError, match="no habitat can be learned"):
        Habitats().fit(frame_of([None, None]))
