"""Two blocks of measurements as wholes."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.cross_block import cross_block


def _blocks(strength: float, n: int = 50, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    return strength * common + rng.normal(size=(n, 8)), strength * common + rng.normal(size=(n, 5)), common


@pytest.mark.parametrize("shrinkage", [0.2, 1.0])
def test_a_common_cause_is_found(shrinkage: float) -> None:
    """And every column of both blocks loads on it with one sign."""
    x, y, _ = _blocks(1.0)
    found = cross_block(x, y, shrinkage=shrinkage, permutations=199, rng=np.random.default_rng(1))
    assert found.p == pytest.approx(1 / 200)
    assert found.statistic > found.expected
    assert (np.sign(np.concatenate([found.left, found.right])) == 1).all()


def test_what_is_given_is_taken_out() -> None:
    """Freed of the common cause the blocks have nothing left."""
    x, y, common = _blocks(1.0)
    assert cross_block(x, y, given=common, permutations=199, rng=np.random.default_rng(1)).p > 0.05


def test_null_blocks_have_uniform_p() -> None:
    """Over 200 pairs of blocks with nothing in common."""
    p = [
        cross_block(*_blocks(0.0, 25, seed)[:2], permutations=99, rng=np.random.default_rng(seed)).p
        for seed in range(200)
    ]
    assert 0.015 < np.mean(np.array(p) <= 0.05) < 0.1


def test_without_shrinkage_it_is_the_canonical_correlation() -> None:
    """The largest correlation of any two combinations of rank columns, from regression."""
    from scipy import stats

    x, y, _ = _blocks(0.7)
    x, y = x[:, :2], y[:, :1]
    ranks = stats.rankdata(y[:, 0])
    design = np.column_stack([np.ones(50), stats.rankdata(x, axis=0)])
    fitted = design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    found = cross_block(x, y, shrinkage=0.0, permutations=19, rng=np.random.default_rng(1))
    assert found.statistic == pytest.approx(np.corrcoef(fitted, ranks)[0, 1])


def test_too_few_patients_are_refused() -> None:
    """Eight complete ones at least."""
    x, y, _ = _blocks(1.0, 9)
    x[:3] = np.nan
    with pytest.raises(TableError, match="6 patients have every value"):
        cross_block(x, y, rng=np.random.default_rng(1))
