"""Agreement of two partitions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, mutual_info_score

from isthmus.errors import TableError
from isthmus.stats.agreement import adjusted_rand_index, variation_of_information


@pytest.mark.parametrize("seed", range(5))
def test_against_scikit_learn(seed: int) -> None:
    """The index itself; the variation of information as H(a) + H(b) - 2 I(a, b)."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 5, 300)
    b = np.where(rng.random(300) < 0.6, a, rng.integers(0, 7, 300))
    information = mutual_info_score(a, a) + mutual_info_score(b, b) - 2 * mutual_info_score(a, b)
    assert (adjusted_rand_index(a, b), variation_of_information(a, b)) == pytest.approx(
        (adjusted_rand_score(a, b), information)
    )


def test_names_of_the_parts_do_not_matter() -> None:
    """The same parts under other labels: 1 and 0."""
    a = np.array([3, 3, 1, 1, 2])
    assert (adjusted_rand_index(a, -a * 7), variation_of_information(a, -a * 7)) == (1.0, pytest.approx(0.0, abs=1e-12))


def test_one_part_twice_agrees() -> None:
    """Nothing is left to chance: 1, not 0 / 0."""
    assert (adjusted_rand_index([1, 1, 1], [4, 4, 4]), adjusted_rand_index([1, 2, 3], [3, 1, 2])) == (1.0, 1.0)


def test_halves_against_a_whole() -> None:
    """Two halves against one part: nothing agrees beyond chance, and ln 2 is what one says more."""
    halves, whole = [1, 1, 2, 2], [1, 1, 1, 1]
    assert (adjusted_rand_index(halves, whole), variation_of_information(halves, whole)) == pytest.approx(
        (0, np.log(2))
    )


def test_different_things_are_refused() -> None:
    """Other numbers of labels, or none."""
    with pytest.raises(TableError, match="same things"):
        adjusted_rand_index([1, 2], [1, 2, 3])
