"""Leave one centre out: who is left out, and the summary on the logit scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from isthmus.errors import PlanError
from isthmus.stats import roc
from isthmus.stats.meta import random_effects
from isthmus.table import Outcome
from isthmus.validate.centres import centre_splits, summarise_centres
from isthmus.validate.results import FoldResult


def _outcome(centres: list[str]) -> tuple[Outcome, pd.Series]:
    patients = [f"P{i:03d}" for i in range(len(centres))]
    y = pd.Series(np.arange(len(centres)) % 2, index=patients)
    return Outcome("y", "binary", y), pd.Series(centres, index=patients)


def _result(y: np.ndarray, p: np.ndarray) -> FoldResult:
    return FoldResult(
        repeat=1, fold=1, patients=tuple(map(str, range(y.size))), outcome=tuple(int(v) for v in y),
        probability=tuple(float(v) for v in p), threshold=0.5, selected={}, weight_kind="coefficient",
    )  # fmt: skip


def test_each_centre_is_left_out_once() -> None:
    """The test part of every split is one whole centre, the training part all others."""
    outcome, centres = _outcome(["B", "A", "C", "A", "B", "C", "C"])
    names, splits = centre_splits(outcome, centres)
    assert [set(centres[list(split.test)]) for split in splits] == [{name} for name in names]
    assert all(len(split.train) + len(split.test) == 7 for split in splits)


@pytest.mark.parametrize("centres", [["A", "B", "A"], ["A", "B", "C", ""]])
def test_too_few_or_unknown_centres_are_refused(centres: list[str]) -> None:
    """Two centres, or a patient without one, cannot be left out centre by centre."""
    with pytest.raises(PlanError, match="at least 3 development centres"):
        centre_splits(*_outcome(centres))


def test_summary_is_the_random_effects_mean_of_logits() -> None:
    """The row of all centres is REML on logit AUC with delta-method variances, carried back."""
    rng = np.random.default_rng(1)
    results, logits, variances = [], [], []
    for shift in (0.6, 1.2, 1.8, 1.0):
        y = (np.arange(60) % 3 == 0).astype(int)
        p = special.expit(rng.normal(size=60) + shift * y)
        results.append(_result(y, p))
        area = roc.auc(y, p)
        logits.append(special.logit(area))
        variances.append(roc.delong_covariance(y, p)[1][0, 0] / (area * (1 - area)) ** 2)
    table = summarise_centres("m", list("ABCD"), results).set_index("centre")
    wanted = random_effects(logits, variances)
    found = table.loc["all centres", ["auc", "lower", "upper"]].to_numpy(dtype=float)
    np.testing.assert_allclose(found, special.expit([wanted.mean.estimate, wanted.mean.lower, wanted.mean.upper]))
    assert table.loc["a new centre", "lower"] == pytest.approx(special.expit(wanted.prediction.lower))


def test_a_centre_of_one_class_takes_no_part() -> None:
    """A centre without events has no AUC, the others are summarised, and the method counts it."""
    rng = np.random.default_rng(2)
    y = (np.arange(40) % 2).astype(int)
    results = [_result(y, special.expit(rng.normal(size=40) + y)) for _ in range(3)]
    results.append(_result(np.zeros(10, dtype=int), rng.uniform(size=10)))
    table = summarise_centres("m", list("ABCD"), results).set_index("centre")
    assert "1 centres without an interval left out" in table.loc["all centres", "method"]
