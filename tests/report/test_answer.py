"""The answer first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isthmus.report.answer import answer
from isthmus.study.result import Result
from report.quiet_result import with_metric, without_split


def test_verdict_when_all_is_well(quiet: Result) -> None:
    """Better than chance everywhere is said so."""
    text = (
        "The final model (one) predicts lymph nodes better than chance, in cross-validation and in the external centre."
    )
    assert answer(quiet).verdict == text


@pytest.mark.parametrize(
    ("lower", "text"),
    [
        ({"external": 0.45}, "the external centre does not confirm it"),
        ({"cv": 0.45}, "treat this as unproven"),
        ({"cv": 0.45, "external": 0.45}, "do not show that the final model"),
    ],
)
def test_verdict_when_an_interval_reaches_chance(quiet: Result, lower: dict[str, float], text: str) -> None:
    """The verdict follows the lower limits, not the estimates."""
    for split, value in lower.items():
        quiet = with_metric(quiet, split, "auc", lower=value)
    assert text in answer(quiet).verdict


def test_verdict_without_external(quiet: Result) -> None:
    """A model never tried outside is not praised for it."""
    assert "has not been tried on outside patients" in answer(without_split(quiet, "external")).verdict


def test_a_threshold_of_the_plan_was_fixed_on_nobody(quiet: Result) -> None:
    """A risk that the plan names is not said to come from training patients."""
    plan = {**quiet.plan, "validate": {**quiet.plan.get("validate", {}), "threshold": 0.5}}
    assert any("threshold fixed in the plan" in text for text in answer(replace(quiet, plan=plan)).meaning)


def test_the_outcome_has_the_words_of_the_plan(quiet: Result) -> None:
    """An expression is no noun; [report] outcome is."""
    plan = {**quiet.plan, "report": {**quiet.plan.get("report", {}), "outcome": "ductal carcinoma"}}
    assert "predicts ductal carcinoma better" in answer(replace(quiet, plan=plan)).verdict


def test_no_interval_is_not_better_than_chance(quiet: Result) -> None:
    """Without limits nothing is claimed."""
    for split in ("cv", "external"):
        quiet = with_metric(quiet, split, "auc", lower=np.nan, upper=np.nan)
    assert "do not show" in answer(quiet).verdict


def test_cards_carry_limits_and_method(quiet: Result) -> None:
    """No headline number without its interval and method."""
    assert {(card.limits != "", card.method) for card in answer(quiet).cards} == {(True, "a method")}


def test_sensitivity_is_taken_outside(quiet: Result) -> None:
    """Sensitivity and specificity come from the strictest split, at the threshold carried there."""
    cards = [(card.title, card.where) for card in answer(quiet).cards[2:]]
    assert cards == [
        ("Sensitivity at risk ≥ 0.50", "External centre"),
        ("Specificity at risk ≥ 0.50", "External centre"),
    ]
