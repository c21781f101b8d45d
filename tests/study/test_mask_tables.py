"""Many masks in tables: definitions, groups, patients with several cases, what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.stats.agreement import bland_altman
from isthmus.study.mask_tables import agreement_limits, detection, groups_compared, modifications, summary

HOW = {"draws": 200, "seed": 1}


def cases(n: int = 12, *, groups: bool = True, twice: bool = False) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    dice = draw.uniform(0.65, 1, n)
    dice[0] = 1
    reference = draw.lognormal(2, 0.5, n)
    volume = reference * draw.lognormal(0.05, 0.1, n)
    return pd.DataFrame(
        {
            "case": [f"c{k}" for k in range(n)],
            "patient": [f"p{k // 2 if twice else k}" for k in range(n)],
            "group": [("A", "B")[k >= n // 2] if groups else "" for k in range(n)],
            "dice": dice, "jaccard": dice / (2 - dice), "hd95_mm": np.where(np.arange(n) == 3, np.nan, 10 * (1 - dice)),
            "assd_mm": 1 - dice, "surface_dice": dice, "volume_reference_ml": reference, "volume_ml": volume,
            "volume_difference_ml": volume - reference, "volume_difference_percent": 100 * (volume - reference) / reference,
            "volume_log_ratio": np.log(volume / reference),
            "modification": np.select([dice >= 1, dice > 0.9, dice > 0.7], [0.0, 1.0, 2.0], 3.0),
            "acceptable": (dice >= 0.9).astype(float), "lesions_detected": 1.0, "lesions_missed": (np.arange(n) % 3 == 0) * 1.0,
            "lesions_false": (np.arange(n) % 4 == 0) * 2.0,
        }
    )  # fmt: skip


def test_a_summary_counts_what_is_missing() -> None:
    """Means of what is there, and how many cases have none; every group and all together."""
    table, found = cases(), summary(cases(), **HOW).set_index(["group", "metric"])
    assert list(found.index.unique("group")) == ["A", "B", "all"]
    row = found.loc["all", "hd95_mm"]
    assert (row["n"], row["missing"], row["mean"]) == (11, 1, pytest.approx(table["hd95_mm"].mean()))
    assert row["mean_lower"] < row["mean"] < row["mean_upper"]
    assert found.loc[("A", "dice"), "median"] == pytest.approx(table["dice"][:6].median())


def test_limits_of_agreement_are_bland_and_altmans() -> None:
    """In ml and percent; as a ratio the limits of the logarithm, back from it."""
    table, found = cases(groups=False), agreement_limits(cases(groups=False), **HOW).set_index("scale")
    expected = bland_altman(table["volume_reference_ml"], table["volume_ml"])
    row = found.loc["ml"]
    assert (row["bias"], row["lower_limit"], row["upper_limit"]) == pytest.approx(
        (expected.bias[0], expected.lower[0], expected.upper[0])
    )
    assert row["upper_limit_upper"] == pytest.approx(expected.upper_limits[1][0])
    logs = table["volume_log_ratio"]
    assert found.loc["ratio", "upper_limit"] == pytest.approx(np.exp(logs.mean() + 1.959964 * logs.std()), rel=1e-6)
    assert found.loc["percent", "bias"] == pytest.approx(table["volume_difference_percent"].mean())


def test_patients_with_several_cases_are_drawn_whole() -> None:
    """Then the limits' intervals and the shares' come from the bootstrap, and say so."""
    table = cases(groups=False, twice=True)
    assert agreement_limits(table, **HOW)["method"].str.contains("bootstrap over patients").all()
    found = modifications(table, **HOW).set_index("grade")
    assert "bootstrap over patients" in found.loc["major", "method"]
    assert modifications(cases(groups=False), **HOW)["method"].iloc[0] == "Wilson"


def test_grades_are_counted() -> None:
    """Shares of the four grades, of masks changed at all, of acceptable ones."""
    table, found = cases(), modifications(cases(), **HOW)
    every = found[found["group"] == "all"].set_index("grade")
    assert every.loc[["none", "minor", "moderate", "major"], "n"].sum() == len(table)
    assert every.loc["modified", "n"] == len(table) - 1
    assert every.loc["acceptable", "share"] == pytest.approx((table["dice"] >= 0.9).mean())


def test_lesions_are_pooled() -> None:
    """Sensitivity and precision over all lesions, false ones a case."""
    row = detection(cases(groups=False), **HOW).iloc[0]
    assert (row["detected"], row["missed"], row["false"]) == (12, 4, 6)
    assert (row["sensitivity"], row["precision"], row["false_per_case"]) == pytest.approx((12 / 16, 12 / 18, 0.5))
    assert row["sensitivity_lower"] < 0.75 < row["sensitivity_upper"]


def test_groups_are_compared_unpaired() -> None:
    """A clear difference is found in Dice, none in a metric that is the same; patients count once."""
    table = cases(20)
    table.loc[10:, "dice"] = np.linspace(0.3, 0.7, 10)
    found = groups_compared(table, **HOW, metrics=["dice", "assd_mm"]).set_index("metric")
    row = found.loc["dice"]
    assert row["difference"] == pytest.approx(table["dice"][10:].mean() - table["dice"][:10].mean())
    assert row["p_permutation"] < 0.01
    assert row["p_holm"] >= row["p"]
    assert row["difference_upper"] < 0
    assert found.loc["assd_mm", "p_permutation"] > 0.05
    twice = groups_compared(cases(20, twice=True), **HOW, metrics=["dice"]).iloc[0]
    assert (twice["n_first"], twice["n_second"]) == (5, 5)


def test_one_group_has_nothing_to_compare() -> None:
    """No table."""
    assert not len(groups_compared(cases(groups=False), **HOW))
