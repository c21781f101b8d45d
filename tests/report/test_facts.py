"""Questions the report asks of a result."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.report import facts
from isthmus.study.result import Result
from report.quiet_result import with_metric


def test_final_model_is_the_first_without_a_name(quiet: Result) -> None:
    """Without [report] final, the first declared model is final."""
    assert facts.final_model(replace(quiet, plan={})) == "one"


def test_unknown_final_model_is_an_error(quiet: Result) -> None:
    """A final model the run does not have is refused by name."""
    with pytest.raises(TableError, match=r"final = 'ghost', but metrics\.csv has only one, two"):
        facts.final_model(replace(quiet, plan={"report": {"final": "ghost"}}))


def test_no_metrics_is_an_error(quiet: Result) -> None:
    """A run without metrics has no report."""
    with pytest.raises(TableError, match="no rows"):
        facts.final_model(replace(quiet, metrics=quiet.metrics[:0], plan={}))


def test_estimate_that_could_not_be_computed_is_absent(quiet: Result) -> None:
    """A missing estimate is None, not NaN."""
    spoilt = with_metric(quiet, "cv", "auc", estimate=float("nan"))
    assert facts.estimate(spoilt, "one", "cv", "auc") is None


def test_candidates_counts_the_blocks_of_the_model(quiet: Result) -> None:
    """A model that names no blocks can choose from all of them."""
    more = replace(quiet, blocks=quiet.blocks | {"clinical": pd.DataFrame({"column": ["age"]})})
    assert (facts.candidates(more, "one"), facts.candidates(more, "two")) == (2, 3)


def test_patient_predictions_average_repeats(quiet: Result) -> None:
    """A patient predicted twice has the mean of the two probabilities."""
    again = quiet.predictions.assign(repeat=1.0, probability=quiet.predictions["probability"] - 0.1)
    both = replace(quiet, predictions=pd.concat([quiet.predictions, again], ignore_index=True))
    rows = facts.patient_predictions(both, "one", "cv")
    assert rows.loc[rows["patient"] == "P001", "probability"].item() == pytest.approx(0.70)


def test_patient_with_one_good_image_is_included(quiet: Result) -> None:
    """Two images of a patient, one excluded: the patient is in."""
    extra = quiet.cases.iloc[[0]].assign(row=400, status="excluded", step="read", reason="truncated")
    everyone = facts.patients(replace(quiet, cases=pd.concat([extra, quiet.cases], ignore_index=True)))
    assert everyone.loc[everyone["patient"] == "P000", "status"].tolist() == ["included"]


def test_another_site_is_an_unseen_split(quiet: Result) -> None:
    """Numbers another site sent stand beside the run's own, after its external centre."""
    sent = quiet.metrics[quiet.metrics["split"] == "external"].assign(split="external (north)")
    merged = replace(quiet, metrics=pd.concat([quiet.metrics, sent], ignore_index=True))
    assert facts.unseen_splits(merged) == ["cv", "external", "external (north)"]


def test_another_site_has_a_name() -> None:
    """The split of another site is printed in words."""
    assert facts.split_name("external (north)") == "External: north"
