"""Numbers in print."""

from __future__ import annotations

import pytest

from isthmus.report.wording import interval_text, metric_name, number, p_value, share, shorten
from isthmus.stats.interval import Interval

NAN = float("nan")


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0132, "0.013"),
        (0.0009, "<0.001"),
        (0.0, "<0.001"),
        (0.001, "0.001"),
        (1.0, ">0.999"),
        (NAN, "–"),
        (None, "–"),
    ],
)
def test_p_value(p: float | None, text: str) -> None:
    """A p-value has three digits and is never printed as nought or one."""
    assert p_value(p) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.123, "0.12"), (-1.5, "−1.50"), (-0.001, "0.00"), (NAN, "–"), (None, "–"), ("x", "x")]
)
def test_number(value: object, text: str) -> None:
    """A number has a true minus sign, and no minus before nought."""
    assert number(value) == text


def test_interval() -> None:
    """An estimate comes with its limits."""
    assert interval_text(Interval(0.8, 0.7, 0.9, "DeLong")) == "0.80 (0.70 to 0.90)"


def test_interval_without_limits() -> None:
    """Where limits are missing the text says so."""
    assert interval_text(Interval(0.8, NAN, NAN, "one class")) == "0.80 (no interval)"


def test_share_of_nothing() -> None:
    """A share of nothing does not divide by it."""
    assert share(0, 0) == "0 of 0"


def test_shorten_keeps_both_ends() -> None:
    """Names that differ at the end stay different."""
    assert shorten("original_glcm_Correlation", 15) == "origina…elation"


def test_unknown_metric_keeps_its_name() -> None:
    """A metric nobody has named yet is printed under its own name."""
    assert metric_name("new_score") == "New score"
