"""McNemar's test: which form when, and nothing to compare."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.mcnemar import mcnemar, mcnemar_counts


def test_few_discordant_pairs_are_exact() -> None:
    """Fewer than 25 discordant pairs: the binomial test."""
    assert "exact" in mcnemar_counts(3, 9).method


def test_exact_by_hand() -> None:
    """One against five: twice the probability of at most one head in six throws."""
    assert mcnemar_counts(1, 5).p == pytest.approx(2 * 7 / 64)


def test_many_are_chi_square() -> None:
    """25 or more: chi-square with continuity correction."""
    assert mcnemar_counts(10, 20).statistic == pytest.approx(81 / 30)


def test_equal_judgements_do_not_differ() -> None:
    """No discordant pair: p is 1."""
    assert mcnemar(np.array([True, False]), np.array([True, False])).p == 1.0


def test_unpaired_judgements_are_refused() -> None:
    """One judgement per patient of each kind."""
    with pytest.raises(TableError, match="pairs"):
        mcnemar([True], [True, False])
