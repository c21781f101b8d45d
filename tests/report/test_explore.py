"""What the page's script is given: the numbers of the run, unseen patients only."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from isthmus.report import explore
from isthmus.study.result import Result
from report.quiet_result import with_metric


def test_only_unseen_patients(quiet: Result) -> None:
    """Cross-validation and the external centre are there; the training rows are not."""
    found = explore.data(quiet)
    assert found is not None
    assert [split["name"] for split in found["splits"]] == ["Cross-validation", "External centre"]


def test_other_outcomes_have_none(quiet: Result) -> None:
    """A time to event has no threshold to explore."""
    plan = quiet.plan | {"cohort": {"outcome": "death", "task": "survival"}}
    assert explore.data(replace(quiet, plan=plan)) is None


def test_large_splits_stay_out(quiet: Result) -> None:
    """A split of more patients than the page can carry is left to predictions.csv."""
    assert explore.data(replace(quiet, predictions=_many(quiet.predictions))) is None


def _many(table: pd.DataFrame) -> pd.DataFrame:
    copies = 1 + explore.MOST_PATIENTS // 200
    return pd.concat([table.assign(patient=table["patient"] + f"-{i}") for i in range(copies)], ignore_index=True)


def test_calls_of_repeats_are_shared_out(quiet: Result) -> None:
    """In cross-validation a call is made at the fold's own threshold; two repeats of different thresholds make a half."""
    cv = quiet.predictions[quiet.predictions["split"] == "cv"]
    folds = [
        (model, repeat, fold, cut)
        for model in ("one", "two")
        for repeat, cut in ((0, 0.5), (1, 0.8))
        for fold in range(5)
    ]
    cuts = pd.DataFrame(
        [*folds, ("one", None, None, 0.5), ("two", None, None, 0.5)], columns=list(quiet.thresholds.columns)
    )
    found = explore.data(replace(quiet, predictions=pd.concat([cv, cv.assign(repeat=1.0)]), thresholds=cuts))
    assert found is not None
    assert found["splits"][0]["called"][0][:4] == [0.0, 0.5, 0.0, 0.5]


def test_a_pair_the_other_way_round(quiet: Result) -> None:
    """A difference changes its sign and limits their places; the added value of one over the other is named for the other."""
    rows = [("one", "two", "cv", "DeLong", 0.013, 0.026, 0.1, 0.02, 0.18)]
    rows += [("one", "two", "cv", "added value of A over B", 0.5, 0.5, float("nan"), float("nan"), float("nan"))]
    columns = ["model_a", "model_b", "split", "test", "p", "p_adjusted", "difference", "lower", "upper"]
    found = explore.data(replace(quiet, comparisons=pd.DataFrame(rows, columns=columns)))
    assert found is not None
    first, second = found["splits"][0]["comparisons"]
    assert (first["difference"], first["reversed"], second["reversed_test"]) == (
        "0.100 (0.020 to 0.180)",
        "−0.100 (−0.180 to −0.020)",
        "added value of B over A",
    )


def test_metrics_are_those_of_the_run(quiet: Result) -> None:
    """Beside each other stand the estimates of metrics.csv, not the script's counts."""
    found = explore.data(with_metric(quiet, "cv", "auc", estimate=0.61, lower=0.51, upper=0.71))
    assert found is not None
    assert found["splits"][0]["metrics"][0] == ["AUC", "0.61 (0.51 to 0.71)", "0.85 (0.80 to 0.90)"]
