"""The logistic tables: against R where R was asked, and against the flaws of published tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.stats.groups import adjust_p
from isthmus.stats.logistic import likelihood_ratio_test, logistic_regression
from isthmus.table.clinical_settings import InferenceSettings
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.regression import logistic_footnote, logistic_tables

RACE = ColumnSettings(type="category", levels=["1", "2", "3"], reference="1")
NAMES = ["age", "lwt", "race", "smoke", "ptl", "ht", "ui"]


@pytest.fixture(scope="module")
def births(shared_data: Path) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """189 births (Hosmer and Lemeshow), and R's numbers for low birth weight."""
    folder = shared_data / "statistics"
    data = pd.read_csv(folder / "birthwt.csv")
    values = data[NAMES].astype("float64").assign(race=data["race"].astype(str))
    expected = pd.read_csv(folder / "expected.csv")
    return values, data["low"].to_numpy(), expected


@pytest.fixture(scope="module")
def tables(births: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables of the births by maximum likelihood (59 events for 8 parameters would be Firth's), odds ratios per unit."""
    values, low, _ = births
    return logistic_tables(values, low, {"race": RACE}, InferenceSettings(firth_below=0))


def _expected(births: Any, test: str) -> dict[str, float]:
    part = births[2][births[2]["test"] == test]
    return dict(zip(part["item"], part["value"].astype(float), strict=True))


def test_multivariable_odds_ratios_equal_r(births: Any, tables: Any) -> None:
    """Coefficients of R's glm, the category against its declared reference."""
    wanted = _expected(births, "logistic_birthwt")
    rows = tables[1][tables[1]["step"] != "reference"]
    ours = {f"{row['variable']}{row['level']}_coef": row["coefficient"] for row in rows.to_dict("records")}
    theirs = {name.replace("smoke", "smoke1"): v for name, v in wanted.items()}
    found = {name: ours[name] for name in ours if name in theirs}
    assert len(found) >= 5
    assert found == pytest.approx({name: theirs[name] for name in found}, rel=2e-5)


def test_generalised_vif_equals_car(births: Any, tables: Any) -> None:
    """The VIF of the fitted model is car's, generalised for the category (R's standard errors are one step before the maximum)."""
    wanted = _expected(births, "vif_generalised")
    found = tables[1].dropna(subset=["vif"]).set_index("variable")["vif"].to_dict()
    assert found == pytest.approx(wanted, rel=2e-5)


def test_p_of_a_category_is_joint(births: Any, tables: Any) -> None:
    """The p of a variable with three levels is the likelihood-ratio test on two degrees of freedom."""
    values, low, _ = births
    coded = values.drop(columns="race").assign(two=values["race"] == "2", three=values["race"] == "3").astype(float)
    full = logistic_regression(coded, low, profile=False)
    test = likelihood_ratio_test(full, logistic_regression(coded.drop(columns=["two", "three"]), low, profile=False))
    found = tables[1].set_index("variable")["p_variable"].dropna()["race"]
    assert found == pytest.approx(test.p, rel=1e-8)


def test_univariable_levels_are_against_the_reference(births: Any, tables: Any) -> None:
    """The reference study's flaw, a level against all other patients: ours is level 2 against level 1 only."""
    values, low, _ = births
    counts = pd.crosstab(values["race"], low)
    wanted = counts.loc["2", 1] * counts.loc["1", 0] / (counts.loc["2", 0] * counts.loc["1", 1])
    row = tables[0][(tables[0]["variable"] == "race") & (tables[0]["level"] == "2")].iloc[0]
    assert row["odds_ratio"] == pytest.approx(wanted, rel=1e-6)


def test_limits_are_profile_limits(births: Any, tables: Any) -> None:
    """The limits of a number are the roots of the deviance drop, not a bootstrap's percentiles."""
    values, low, _ = births
    fit = logistic_regression(values[["lwt"]], low).table.iloc[1]
    row = tables[0].set_index("variable").loc["lwt"]
    assert (row["lower"], row["upper"]) == pytest.approx((fit["profile_lower"], fit["profile_upper"]), rel=1e-9)


def test_odds_ratio_per_declared_step(births: Any, tables: Any) -> None:
    """per = 10 gives the odds ratio of ten units."""
    values, low, _ = births
    ten = logistic_tables(values[["lwt"]], low, {"lwt": ColumnSettings(unit="lb", per=10)}, InferenceSettings())[
        0
    ].iloc[0]
    assert (ten["odds_ratio"], ten["step"]) == (
        pytest.approx(tables[0].set_index("variable").loc["lwt", "odds_ratio"] ** 10),
        "per 10 lb",
    )


def test_odds_ratio_per_sd(births: Any) -> None:
    """per = "sd" says how much that is."""
    values, low, _ = births
    row = logistic_tables(values[["lwt"]], low, {}, InferenceSettings(per="sd"))[0].iloc[0]
    assert row["step"] == f"per sd ({values['lwt'].std():.3g})"


def test_q_is_over_the_variables(tables: Any) -> None:
    """Benjamini and Hochberg over seven variables, not over their levels."""
    first = tables[0][~tables[0]["variable"].duplicated()]
    assert first["q"].tolist() == adjust_p(first["p_variable"], "benjamini-hochberg").tolist()


def _few(events: int = 12, n: int = 120, seed: int = 2) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.r_[np.ones(events), np.zeros(n - events)].astype(int)
    return pd.DataFrame({"a": rng.normal(size=n) + y, "b": rng.normal(size=n), "c": rng.normal(size=n)}), y


def test_few_events_are_firths() -> None:
    """Four events per parameter: Firth's method, and the table says why."""
    values, y = _few()
    row = logistic_tables(values, y, {}, InferenceSettings())[1].iloc[0]
    assert (row["method"][:5], row["note"]) == ("Firth", "Firth's method: 4.0 events per parameter, fewer than 10")


def test_separation_is_firths() -> None:
    """A predictor that only events have gets a finite odds ratio and its reason."""
    values, y = _few(events=40)
    row = logistic_tables(values[["a"]].assign(only=y * (np.arange(120) % 2)), y, {}, InferenceSettings())[0]
    only = row[row["variable"] == "only"].iloc[-1]
    assert (np.isfinite(only["odds_ratio"]), "separated by only" in only["note"]) == (True, True)


def test_no_class_weights(births: Any, tables: Any) -> None:
    """The reference study weighted classes: ours reproduces the observed number of events (the intercept is not distorted)."""
    values, low, _ = births
    alone = tables[0].set_index("variable").loc["lwt"]
    fit = logistic_regression(values[["lwt"]], low)
    assert alone["coefficient"] == pytest.approx(fit.table["coefficient"].iloc[1], rel=1e-9)


def test_screening_is_labelled(births: Any) -> None:
    """As published, by univariable p: possible, named in the table, and its footnote warns."""
    values, low, _ = births
    first, second = logistic_tables(values, low, {"race": RACE}, InferenceSettings(screening=0.05))
    kept = first[first["p_variable"] < 0.05]["variable"].tolist()
    assert list(dict.fromkeys(second["variable"])) == kept
    assert set(second["selection"]) == {"as published: univariable p < 0.05"}
    assert "intervals too narrow" in logistic_footnote(first, second)


def test_no_screening_by_default(tables: Any) -> None:
    """Everything declared enters the multivariable model."""
    assert list(dict.fromkeys(tables[1]["variable"])) == NAMES


def test_variables_named_in_advance(births: Any) -> None:
    """columns = [...] is the multivariable model."""
    values, low, _ = births
    second = logistic_tables(values, low, {"race": RACE}, InferenceSettings(columns=["age", "smoke"]))[1]
    assert list(dict.fromkeys(second["variable"])) == ["age", "smoke"]


def test_a_constant_is_left_out_with_a_reason(births: Any) -> None:
    """One column that says nothing does not cost the table."""
    values, low, _ = births
    second = logistic_tables(values[["age", "lwt"]].assign(same=1.0), low, {}, InferenceSettings())[1].set_index(
        "variable"
    )
    assert (second.loc["same", "note"], second["odds_ratio"].notna().sum()) == (
        "left out: does not vary among the complete patients",
        2,
    )


def test_columns_that_repeat_one_another_are_a_reason(births: Any) -> None:
    """A combination of others: no numbers, and the message of why."""
    values, low, _ = births
    second = logistic_tables(values[["age"]].assign(twice=2 * values["age"]), low, {}, InferenceSettings())[1]
    assert second["odds_ratio"].isna().all()
    assert second["note"].str.contains("twice are combinations").all()


def test_multiple_imputation_uses_everybody(births: Any) -> None:
    """With gaps, complete cases lose patients; imputation keeps them, and the table says how many copies."""
    values, low, _ = births
    gaps = values.assign(lwt=values["lwt"].mask(np.random.default_rng(1).random(len(values)) < 0.2))
    complete = logistic_tables(gaps, low, {"race": RACE}, InferenceSettings(columns=["age", "lwt"]))[1].iloc[0]
    many = InferenceSettings(columns=["age", "lwt"], missing="multiple", imputations=5, iterations=3)
    imputed = logistic_tables(gaps, low, {"race": RACE}, many)[1].iloc[0]
    assert (complete["patients"] < 189, imputed["patients"], "5 imputed copies" in imputed["method"]) == (
        True,
        189,
        True,
    )


def test_footnote_names_methods_and_vifs(tables: Any) -> None:
    """Which likelihood, which limits, which VIF."""
    note = logistic_footnote(*tables)
    assert all(
        part in note for part in ("maximum likelihood, profile limits", "VIF: of the fitted model", "8 parameters")
    )


def test_order_of_patients_changes_nothing(births: Any) -> None:
    """The table is of patients, not of rows."""
    values, low, _ = births
    order = np.random.default_rng(0).permutation(len(values))
    one = logistic_tables(values[["age", "race"]], low, {"race": RACE}, InferenceSettings())[1]
    two = logistic_tables(values[["age", "race"]].iloc[order], low[order], {"race": RACE}, InferenceSettings())[1]
    pd.testing.assert_frame_equal(one, two, rtol=1e-7)
