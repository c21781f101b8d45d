"""The model card: every number from the study, and text from a table that stays text."""

from __future__ import annotations

import pandas as pd
import pytest

from isthmus.study.card import model_card, plain_text
from study.model_files import small_model

TABLES = {
    "sample_size": pd.DataFrame(
        {"model": ["m"], "n": [60], "events_per_candidate": [3.2], "candidates": [10], "needed": [384]}
    ),
    "null_study": pd.DataFrame(
        {
            "model": ["m"], "auc": [0.8], "null_mean": [0.51], "null_lower": [0.4], "null_upper": [0.6], "p": [0.0476],
            "permutations": [20], "verdict": ["no leak seen; above what permuted outcomes give"],
        }
    ),
}  # fmt: skip


def card(**changes) -> str:
    model = small_model()
    performance = [
        {"model": "m", "split": "cv", "metric": "auc", "estimate": 0.812, "lower": 0.7, "upper": 0.9, "method": "x"},
        {"model": "m", "split": "cv", "metric": "calibration_slope", "estimate": 0.5, "lower": 0.3, "upper": 0.7, "method": "x"},
        {"model": "m", "split": "external", "metric": "n_events", "estimate": 12, "lower": None, "upper": None, "method": "x"},
    ]  # fmt: skip
    manifest = {**model.manifest, "performance": performance, **changes}
    return model_card(manifest, TABLES, model.used, {"python": "3.11", "xgboost": "not installed"})


@pytest.mark.parametrize(
    "said",
    [
        "Research use only. Not a medical device.",
        "| AUC | 0.81 (0.70 to 0.90) |",
        "60 patients",
        "20 permuted outcomes reached 0.51",
        "p = 0.0476",
        "3.2 events for each of 10 candidate predictors",
        "60 patients, where 384 would have been needed",
        "rests on 12 patients with the event",
        "too extreme (calibration slope 0.50)",
        "Built in one centre",
        "python 3.11",
        "quantiles with the smallest and largest training value",
    ],
)
def test_what_a_reader_needs(said):
    """Use, performance with intervals, what threatens it, versions."""
    assert said in card()


def test_every_input_that_plays_a_part_has_its_range():
    """The table of inputs names them all, with the range of training."""
    text = card()
    assert [name for name in small_model().used if f"| {name} |" not in text] == []


def test_a_model_that_keeps_patients_says_so():
    """Nearest neighbours are patients: the card warns that the file is their data."""
    model = small_model("knn")
    text = model_card(model.manifest, {}, model.used, {})
    assert "share it only as you may share those patients' data" in text


def test_text_of_a_table_is_only_text():
    """Names with markup, table borders, line breaks or terminal escapes are shown, not obeyed."""
    outcome = {"name": "x\n# Heading | <script>alert(1)</script> \x1b[31m", "task": "binary", "classes": ["0", "1"]}
    text = card(outcome=outcome)
    lines = text.splitlines()
    assert ("\x1b" in text, "<script>" in text, any(line.startswith("# Heading") for line in lines)) == (
        False,
        False,
        False,
    )
    assert plain_text("a\x1b]0;title\x07b\x9b31m") == "a?]0;title?b?31m"
