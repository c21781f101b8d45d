"""When there is a calculator, and why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from browser.calculators import make

REASONS: dict[str, tuple[dict[str, Any], str]] = {
    "forest": ({"estimator": "random_forest", "steps": ("impute", "encode")}, "'random_forest' is no weighted sum"),
    "components": (
        {"steps": ("impute", "encode", "scale", "pca")},
        "the step 'pca' makes a value from more than one input",
    ),
    "several rows": ({"rows": 2}, "mean over several rows"),
    "nothing": ({"estimator": "lasso", "settings": {"penalty": 1e3}}, "uses no predictor"),
}


@pytest.mark.parametrize("name", REASONS)
def test_no_page_but_the_reason(tmp_path: Path, name: str) -> None:
    """A model that is no arithmetic on single values has no page; what an earlier model left is removed."""
    settings, reason = REASONS[name]
    (tmp_path / "calculator.html").write_text("of another model")
    made = make(tmp_path, **settings)
    assert reason in made.reason
    assert not made.page.exists()


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    """A page holds no date and no path."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert make(tmp_path / "a").page.read_bytes() == make(tmp_path / "b").page.read_bytes()


def test_no_patient_is_in_the_page(tmp_path: Path) -> None:
    """The page holds coefficients, ranges and quantiles, no training row: it is small."""
    assert make(tmp_path).page.stat().st_size < 80_000
