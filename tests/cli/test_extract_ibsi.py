"""`isthmus extract --profile ibsi-C`: a file of features and the facts of its columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Cli = Callable[..., int]


@pytest.mark.parametrize("profile", ["ibsi", "ibsi-C"])
def test_extract_by_name(good_cohort: Path, cli: Cli, tmp_path: Path, profile: str) -> None:
    """One row; the facts beside it name every column with its code."""
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    image, mask = (good_cohort / case[name] for name in ("image:ct", "mask:ct"))
    assert cli("extract", "--profile", profile, "--image", image, "--mask", mask, "--out", tmp_path / "f.csv") == 0
    values = pd.read_csv(tmp_path / "f.csv", dtype={"patient": "str"})
    facts = pd.read_csv(tmp_path / "f.columns.csv", dtype="str", keep_default_na=False).set_index("column")
    assert list(values.columns[-len(facts) :]) == list(facts.index)
    binned = {"ibsi": "FBN 32", "ibsi-C": "FBS 25"}[profile]
    assert facts.loc["cm_joint_max_3d_mrg", ["ibsi_code", "aggregation", "discretisation"]].tolist() == [
        "GYBY",
        "IAZD",
        binned,
    ]


def test_settings_by_the_command_line(good_cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """A table of settings is written as in a plan."""
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    image, mask = (good_cohort / case[name] for name in ("image:ct", "mask:ct"))
    fbs = 'discretisation={ method = "fbs", bin_width = 10 }'
    args = ["--set", fbs, "--set", 'families=["intensity_histogram"]', "--image", image, "--mask", mask]
    assert cli("extract", "--profile", "ibsi", *args, "--out", tmp_path / "f.csv") == 0
    facts = pd.read_csv(tmp_path / "f.columns.csv")
    assert set(facts["discretisation"]) == {"FBS 10"}
    assert len(facts) == 23
