"""Table 1 against R, and its footnote against what ran."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats.groups import adjust_p
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.reading import read_frame
from isthmus.table.table_one import table_one, table_one_footnote, table_one_within


@pytest.fixture(scope="module")
def example(shared_data: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The made-up cohort of the R reference, and R's numbers."""
    folder = shared_data / "statistics_r"
    return read_frame(folder / "binary.csv").frame, json.loads((folder / "expected.json").read_text())


def row(table: pd.DataFrame, name: str) -> Any:
    return table[table["variable"] == name].iloc[0]


@pytest.mark.parametrize(
    ("column", "settings", "key", "place"),
    [
        ("age", {}, ("t_age", "welch"), "p"),
        ("age", {}, ("smd_age",), "smd"),
        ("male", {}, ("smd_male",), "smd"),
        ("invasion", {}, ("chisq_site", "yates_invasion_p"), "p"),
        ("site", {"categorical_columns": ["site"]}, ("chisq_site", "stat"), "statistic"),
        ("site", {"categorical_columns": ["site"]}, ("chisq_site", "p"), "p"),
        ("rad_score", {"median": ["rad_score"]}, ("wilcoxon_rad_score", "p_asymptotic_cc"), "p"),
    ],
)
def test_numbers_equal_r(
    example: tuple[pd.DataFrame, dict[str, Any]],
    column: str,
    settings: dict[str, Any],
    key: tuple[str, ...],
    place: str,
) -> None:
    """Tests and standardised differences are those of R."""
    frame, expected = example
    for part in key:
        expected = expected[part]
    table = table_one(frame[[column]], groups=frame["y"], **settings)
    assert row(table, column)[place] == pytest.approx(expected, rel=1e-9)


FRAME = pd.DataFrame(
    {
        "age": ["40", "50", "60", "70", None, "55"],
        "psa": ["1", "1", "2", "2", "3", "900"],
        "sex": ["f", "m", "f", None, "f", "m"],
        "remark": list("abcdef"),
    },
    dtype="str",
)
GROUPS = pd.Series(["0", "0", "0", "1", "1", None], dtype="str")


def test_means_are_shown() -> None:
    """A number is shown as mean and standard deviation of whom it is known for."""
    assert row(table_one(FRAME, groups=GROUPS), "age")[["overall", "0", "1"]].tolist() == [
        "55.0 (11.2)",
        "50.0 (10.0)",
        "70.0 (-)",
    ]


def test_skewed_numbers_are_shown_as_medians() -> None:
    """A skewed number is shown as median and quartiles, and compared by rank."""
    shown = row(table_one(FRAME, groups=GROUPS), "psa")
    assert (shown["overall"], shown["test"][:12]) == ("2.00 [1.25, 2.75]", "Mann-Whitney")


def test_shares_are_of_the_known() -> None:
    """Percentages refer to the patients in whom the category is known; the others are counted as missing."""
    shown = row(table_one(FRAME, groups=GROUPS), "sex")
    assert (shown["overall"], shown["missing"]) == ("3 (60.0)", 1)


def test_free_text_is_left_out() -> None:
    """Columns of free text make no row."""
    assert "remark" not in set(table_one(FRAME)["variable"])


def test_first_row_counts_patients() -> None:
    """The first row holds the number of patients of each column."""
    assert table_one(FRAME, groups=GROUPS).loc[0, ["variable", "overall", "0", "1"]].tolist() == ["n", "6", "3", "2"]


def test_small_counts_use_fisher() -> None:
    """Where a small count is expected, Fisher's test runs and is named."""
    assert row(table_one(FRAME, groups=GROUPS), "sex")["test"] == "Fisher's exact test"


def test_cohorts_get_their_own_columns_and_tests() -> None:
    """A second grouping adds its columns and tests beside the first."""
    cohort = pd.Series(["train", "train", "external", "external", "train", "external"], dtype="str")
    table = table_one(FRAME, groups=GROUPS, cohort=cohort)
    assert [name for name in table.columns if "cohort" in name] == [
        "cohort: train",
        "cohort: external",
        "test_cohort",
        "statistic_cohort",
        "p_cohort",
        "smd_cohort",
    ]


def test_footnote_names_what_ran() -> None:
    """The footnote names the tests with their variables, the summaries, and the missing counts."""
    note = table_one_footnote(table_one(FRAME, groups=GROUPS))
    assert all(part in note for part in ("mean (sd): age", "Welch t-test", "Mann-Whitney", "Missing: age 1, sex 1"))


def test_footnote_of_a_plain_table_names_no_test() -> None:
    """Without groups there is no test, and the footnote claims none."""
    assert "Test" not in table_one_footnote(table_one(FRAME))


def test_several_groups() -> None:
    """Three groups are compared by analysis of variance or Kruskal-Wallis."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=60), "b": rng.lognormal(sigma=2, size=60)})
    table = table_one(frame, groups=pd.Series(["x", "y", "z"] * 20))
    assert (row(table, "a")["test"], row(table, "b")["test"]) == ("one-way ANOVA", "Kruskal-Wallis")


def test_group_names_cannot_overwrite_columns() -> None:
    """A group called 'missing' gets a column of its own."""
    table = table_one(FRAME[["age"]], groups=pd.Series(["missing", "overall"] * 3))
    assert {"group: missing", "group: overall"} <= set(table.columns)


def test_order_of_rows_changes_nothing() -> None:
    """Reordering the patients leaves every cell of the table as it is, Monte Carlo tests included."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"a": rng.normal(size=40), "c": rng.choice(list("uvwxyz"), size=40)})
    groups = pd.Series(rng.choice(["0", "1"], size=40))
    order = rng.permutation(40)
    pd.testing.assert_frame_equal(
        table_one(frame, groups=groups), table_one(frame.iloc[order], groups=groups.iloc[order]), rtol=1e-12
    )


def test_unknown_column_is_refused() -> None:
    """A column that the table lacks is named."""
    with pytest.raises(TableError, match="Table 1: unknown column 'aeg'"):
        table_one(FRAME, columns=["aeg"])


def test_text_in_a_numeric_column_is_refused() -> None:
    """A cell of text in a numeric variable is an error, not a category."""
    with pytest.raises(TableError, match="text in a numeric column, 'age': row 2, '5O'"):
        table_one(FRAME.assign(age=["40", "5O", "60", "70", "1", "2"]))


def test_thyroid(shared_data: Path) -> None:
    """The real thyroid table makes a Table 1 with 159 and 183 patients."""
    frame = read_frame(shared_data / "thyroid" / "tcga_thca_clinical.csv").frame
    table = table_one(frame, groups=frame["lymph_node_metastasis"], columns=["age_years", "sex", "length_cm"])
    assert table.loc[0, ["overall", "0", "1"]].tolist() == ["375", "159", "183"]


def _cancers() -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """Ninety patients of three types, two of which are also taken together."""
    rng = np.random.default_rng(3)
    kind = pd.Series(["ATC"] * 30 + ["PTC"] * 35 + ["FTC"] * 25)
    frame = pd.DataFrame(
        {
            "age": rng.normal(50, 10, 90) + 12 * (kind == "ATC"),
            "nodes": rng.choice(["N0", "N1"], 90),
            "stage": rng.choice(["I", "II", "III"], 90),
        }
    )
    groups = {"ATC": kind == "ATC", "DTC": kind != "ATC", "PTC": kind == "PTC", "FTC": kind == "FTC"}
    return frame, groups


PAIRS = [("ATC", "DTC"), ("ATC", "PTC"), ("ATC", "FTC")]


def test_overlapping_groups_have_no_common_test() -> None:
    """A type and its subtypes share patients, so only pairs are tested."""
    frame, groups = _cancers()
    assert "p" not in table_one(frame, groups=groups, pairs=PAIRS).columns


def test_pairwise_p_is_that_of_the_two_groups() -> None:
    """The p-value of a pair is what a table of these two groups alone says."""
    frame, groups = _cancers()
    two = pd.Series(np.where(groups["ATC"], "1", np.where(groups["FTC"], "2", None)))
    pair = row(table_one(frame, groups=groups, pairs=PAIRS, median=[]), "age")["p: ATC vs FTC"]
    assert pair == pytest.approx(row(table_one(frame, groups=two, median=[]), "age")["p"], rel=1e-12)


def test_pairwise_p_is_adjusted_over_the_pairs_of_a_variable() -> None:
    """Holm's correction runs over the three pairs of one variable, and the column says so."""
    frame, groups = _cancers()
    line = row(table_one(frame, groups=groups, pairs=PAIRS), "nodes")
    raw = [line[f"p: {a} vs {b}"] for a, b in PAIRS]
    assert [line[f"p_holm: {a} vs {b}"] for a, b in PAIRS] == adjust_p(raw, "holm").tolist()


def test_all_pairs_of_disjoint_groups() -> None:
    """pairs = "all" compares every two groups, beside the test of all."""
    frame, groups = _cancers()
    kind = pd.Series(np.select([groups["ATC"], groups["PTC"]], ["ATC", "PTC"], "FTC"))
    table = table_one(frame, groups=kind, pairs="all", correction="none")
    assert [name for name in table.columns if name == "p" or name.startswith("p: ")] == [
        "p",
        "p: ATC vs FTC",
        "p: ATC vs PTC",
        "p: FTC vs PTC",
    ]


def test_a_pair_must_not_share_patients() -> None:
    """A group is not compared with a group it holds members of."""
    frame, groups = _cancers()
    with pytest.raises(TableError, match="DTC vs PTC: the two share patients"):
        table_one(frame, groups=groups, pairs=[("DTC", "PTC")])


def test_an_unknown_pair_is_refused() -> None:
    """A pair names groups of the table."""
    frame, groups = _cancers()
    with pytest.raises(TableError, match="no group 'MTC'; the groups are ATC, DTC, PTC, FTC"):
        table_one(frame, groups=groups, pairs=[("ATC", "MTC")])


def test_footnote_names_the_correction_of_pairs() -> None:
    """What was adjusted, for how many, and how."""
    frame, groups = _cancers()
    note = table_one_footnote(table_one(frame, groups=groups, pairs=PAIRS))
    assert "p_holm: adjusted for the 3 pairs compared on the same variable (Holm 1979)" in note


STAGES = {"stage": ColumnSettings(type="ordinal", levels=["I", "II", "III"])}


def test_ordered_levels_are_tested_for_trend() -> None:
    """An ordinal column of two groups gets the test for trend."""
    frame, groups = _cancers()
    table = table_one(frame, groups=groups["ATC"].astype(str), dictionary=STAGES)
    assert row(table, "stage")["test"] == "Cochran-Armitage trend"


def test_ordered_levels_of_several_groups_are_ranked() -> None:
    """An ordinal column of more groups is compared by the rank of its levels."""
    frame, groups = _cancers()
    kind = pd.Series(np.select([groups["ATC"], groups["PTC"]], ["ATC", "PTC"], "FTC"))
    assert row(table_one(frame, groups=kind, dictionary=STAGES), "stage")["test"] == "Kruskal-Wallis"


def test_declared_levels_stand_in_their_order() -> None:
    """Levels come in the order of the dictionary, also those nobody has."""
    frame, _ = _cancers()
    stages = ColumnSettings(type="ordinal", levels=["III", "II", "I", "0"])
    table = table_one(frame, columns=["stage"], dictionary={"stage": stages})
    assert table["level"].tolist() == ["", "III", "II", "I", "0"]


def test_yes_and_no_is_one_row() -> None:
    """Of a yes/no column the share of yes is shown."""
    frame = pd.DataFrame({"multifocal": ["yes", "no", "no", "no", None]})
    table = table_one(frame, dictionary={"multifocal": ColumnSettings(type="yes/no")})
    assert table.loc[1:, ["level", "overall", "missing"]].to_numpy().tolist() == [["yes", "1 (25.0)", 1]]


def test_units_are_said() -> None:
    """The table holds the unit of a declared column."""
    table = table_one(FRAME, dictionary={"age": ColumnSettings(type="number", unit="years")})
    assert row(table, "age")["unit"] == "years"


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("student", "Student t-test"),
        ("mann-whitney", "Mann-Whitney"),
        ("anova", "one-way ANOVA"),
        ("welch", "Welch t-test"),
    ],
)
def test_a_test_fixed_in_advance_is_the_one_that_runs(test: str, said: str) -> None:
    """A prespecified test goes before the rule."""
    frame, groups = _cancers()
    table = table_one(frame, groups=groups["ATC"].astype(str), tests={"age": test})
    assert row(table, "age")["test"].startswith(said)


def test_a_test_that_does_not_fit_is_refused() -> None:
    """A t-test of a category is an error."""
    frame, groups = _cancers()
    with pytest.raises(TableError, match="test 'welch' of 'nodes' does not fit a category"):
        table_one(frame, groups=groups["ATC"].astype(str), tests={"nodes": "welch"})


def test_outcome_within_centres() -> None:
    """Each centre has its own groups and its own test."""
    frame, groups = _cancers()
    centre = pd.Series(["A", "B"] * 45)
    table = table_one_within(frame, groups["ATC"].map({True: "M1", False: "M0"}), centre)
    alone = table_one(frame[centre == "A"], groups=groups["ATC"].map({True: "M1", False: "M0"}))
    assert (row(table, "nodes")["A: M1"], row(table, "nodes")["p: A"]) == (
        row(alone, "nodes")["M1"],
        row(alone, "nodes")["p"],
    )


def test_missing_values_of_each_group_have_a_row() -> None:
    """Below a variable with gaps stands how many each group lacks."""
    table = table_one(FRAME, groups=GROUPS, missing_rows=True)
    assert table.loc[table["level"] == "missing", ["variable", "overall", "0", "1"]].to_numpy().tolist() == [
        ["age", "1", "0", "1"],
        ["sex", "1", "0", "1"],
    ]
