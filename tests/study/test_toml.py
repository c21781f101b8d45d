"""Writing TOML."""

from __future__ import annotations

import tomllib

from isthmus.study.toml import dump


def test_round_trip() -> None:
    """What is written reads back as the same document."""
    document = {
        "cohort": {"table": 'a "b" ü.csv', "include": {"size > 3 cm": "size_mm > 30"}, "positive": True},
        "features": [{"name": "mr", "spacing_mm": [1.0, 1.5, 2.0]}, {"name": "pet", "bin_width": 0.25}],
        "models": [{"name": "a", "steps": ["scale", {"name": "univariate", "k": 5}], "tuning": {}}],
        "validate": {"seed": 1, "small": 1e-12},
    }
    assert tomllib.loads(dump(document)) == document


def test_none_is_left_out() -> None:
    """A setting without a value does not appear."""
    assert "positive" not in dump({"cohort": {"positive": None, "table": "x"}})


def test_plain_values_come_before_the_first_section() -> None:
    """A top-level value after a section would belong to that section."""
    assert tomllib.loads(dump({"roi": {"label": 1}, "features": [], "seed": 3})) == {
        "roi": {"label": 1},
        "features": [],
        "seed": 3,
    }
