"""`isthmus extract --profile aview131` and the other counts of the literature: as many columns, and their facts beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Cli = Callable[..., int]


@pytest.mark.parametrize(("profile", "count"), [("aview131", 131), ("sera215", 215), ("lvlnm1357", 1357)])
def test_extract_by_name(good_cohort: Path, cli: Cli, tmp_path: Path, profile: str, count: int) -> None:
    """One value and one row of facts per column."""
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    image, mask = (good_cohort / case[name] for name in ("image:ct", "mask:ct"))
    assert cli("extract", "--profile", profile, "--image", image, "--mask", mask, "--out", tmp_path / "f.csv") == 0
    values = pd.read_csv(tmp_path / "f.csv", dtype={"patient": "str"})
    facts = pd.read_csv(tmp_path / "f.columns.csv", dtype="str", keep_default_na=False)
    assert len(facts) == count
    assert list(values.columns[-count:]) == list(facts["column"])


def test_the_filters_are_no_setting(
    good_cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--set filters is refused by name."""
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    image, mask = (good_cohort / case[name] for name in ("image:ct", "mask:ct"))
    args = ["--profile", "pyr1561", "--set", 'filters=["none"]', "--image", image, "--mask", mask]
    assert cli("extract", *args, "--out", tmp_path / "f.csv") == 2
    assert "(profile pyr1561): unknown key 'filters'" in capsys.readouterr().err
