"""Pairwise comparisons: which test, on which rows, corrected for how many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats import reclassification, roc
from isthmus.stats.corrected import corrected_resampled_t
from isthmus.stats.decision_curve import net_benefit
from isthmus.stats.groups import adjust_p
from isthmus.stats.logistic import likelihood_ratio_test, logistic_regression
from isthmus.stats.mcnemar import mcnemar
from isthmus.validate.compare import compare
from isthmus.validate.settings import ValidateSettings

SETTINGS = ValidateSettings(bootstrap=200, risk_categories=[0.3, 0.6])
N, FOLDS, REPEATS = 60, 3, 2


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    """Three models of rising strength on the same patients and folds, and on an external centre."""
    rng = np.random.default_rng(9)
    y = (rng.uniform(size=N) < 0.4).astype(int)
    assignment = [rng.permutation(np.arange(N) % FOLDS) for _ in range(REPEATS)]
    rows = []
    for k, name in enumerate(["clinical", "radiomics", "both"]):
        for r in range(REPEATS):
            p = 1 / (1 + np.exp(-(k * y + rng.normal(size=N))))
            rows += [(f"P{i}", name, "cv", r, assignment[r][i], y[i], p[i]) for i in range(N)]
        for split in ("train", "external"):
            p = 1 / (1 + np.exp(-(k * y + rng.normal(size=N))))
            rows += [(f"{split}{i}", name, split, np.nan, np.nan, y[i], p[i]) for i in range(N)]
    return pd.DataFrame(rows, columns=["patient", "model", "split", "repeat", "fold", "outcome", "probability"])


def thresholds(models: list[str]) -> pd.DataFrame:
    """One threshold per fold and a final one, all 0.5."""
    rows = [(m, r, f, 0.5) for m in models for r in range(REPEATS) for f in range(FOLDS)]
    rows += [(m, np.nan, np.nan, 0.5) for m in models]
    return pd.DataFrame(rows, columns=["model", "repeat", "fold", "threshold"])


def compared(predictions: pd.DataFrame, settings: ValidateSettings = SETTINGS) -> pd.DataFrame:
    return compare(predictions, thresholds(list(dict.fromkeys(predictions["model"]))), settings=settings, seed=1)


@pytest.fixture(scope="module")
def table(predictions: pd.DataFrame) -> pd.DataFrame:
    return compared(predictions)


def row_of(table: pd.DataFrame, split: str, test: str, a: str = "clinical", b: str = "both") -> pd.Series:
    rows = table[(table["split"] == split) & (table["test"] == test)]
    return rows[(rows["model_a"] == a) & (rows["model_b"] == b)].iloc[0]


def wide(predictions: pd.DataFrame, split: str, *keys: str) -> pd.DataFrame:
    """One column per model."""
    part = predictions[predictions["split"] == split]
    return part.pivot_table(index=[*keys, "outcome"], columns="model", values="probability").reset_index()


def test_columns(table: pd.DataFrame) -> None:
    """The promised columns come first, in the promised order."""
    assert list(table.columns[:7]) == ["model_a", "model_b", "split", "test", "statistic", "p", "p_adjusted"]


ALSO = (
    "bootstrap of the AUC difference", "net benefit at 0.05", "net benefit at 0.325", "net benefit at 0.6",
    "McNemar on correct decisions", "added value of A over B", "added value of B over A", "NRI of A over B, any change",
    "NRI of A over B, categories", "IDI of A over B",
)  # fmt: skip


def test_every_pair_once_per_test(table: pd.DataFrame) -> None:
    """Three pairs, each once in every test of its split."""
    own = {"cv": ("DeLong on probabilities averaged over repeats", "corrected resampled t"), "external": ("DeLong",)}
    wanted = {(split, test): 3 for split, tests in own.items() for test in (*tests, *ALSO)}
    assert table.groupby(["split", "test"]).size().to_dict() == wanted


def test_training_rows_are_never_compared(table: pd.DataFrame) -> None:
    """Models are not compared on the patients they were fitted on."""
    assert "train" not in set(table["split"])


def test_external_is_paired_delong(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """The external test is DeLong's on the same patients."""
    rows = wide(predictions, "external", "patient")
    wanted = roc.delong_test(rows["outcome"], rows["clinical"], rows["both"])
    row = row_of(table, "external", "DeLong")
    np.testing.assert_allclose([row["statistic"], row["p"]], [wanted.statistic, wanted.p])


def test_cv_is_the_corrected_t_of_the_fold_differences(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """The cross-validated test takes fold differences and n_test / n_train = 1 / (folds - 1)."""
    rows = wide(predictions, "cv", "patient", "repeat", "fold")
    d = [
        roc.auc(f["outcome"], f["clinical"]) - roc.auc(f["outcome"], f["both"])
        for _, f in rows.groupby(["repeat", "fold"])
    ]
    wanted = corrected_resampled_t(d, test_train_ratio=1 / (FOLDS - 1))
    row = table.query("model_a == 'clinical' and model_b == 'both' and test == 'corrected resampled t'").iloc[0]
    np.testing.assert_allclose([row["statistic"], row["p"], row["df"]], [wanted.statistic, wanted.p, 5])


def test_cv_delong_averages_a_patients_repeats(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """DeLong on cv sees each patient once."""
    rows = wide(predictions, "cv", "patient")
    wanted = roc.delong_test(rows["outcome"], rows["clinical"], rows["radiomics"])
    row = row_of(table, "cv", "DeLong on probabilities averaged over repeats", b="radiomics")
    assert row["statistic"] == pytest.approx(wanted.statistic)


def test_holm_within_split_and_test(table: pd.DataFrame) -> None:
    """p-values are adjusted over the pairs of one split and test, not over everything."""
    for _, part in table.groupby(["split", "test"]):
        np.testing.assert_allclose(part["p_adjusted"], adjust_p(part["p"], "holm"))


def test_order_of_rows_changes_nothing(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """Shuffled patients give the identical table."""
    shuffled = pd.concat([g.sample(frac=1, random_state=1) for _, g in predictions.groupby("model", sort=False)])
    pd.testing.assert_frame_equal(compared(shuffled), table, check_exact=True)


def test_a_model_equals_itself(predictions: pd.DataFrame) -> None:
    """A copy of a model differs by nothing: p is 1 in every test."""
    one = predictions[predictions["model"] == "both"]
    table = compared(pd.concat([one, one.assign(model="copy")]))
    assert set(table["p"]) == {1.0}


def test_one_model_has_nothing_to_compare(predictions: pd.DataFrame) -> None:
    """One model gives an empty table with the same columns."""
    table = compared(predictions[predictions["model"] == "both"])
    assert (len(table), "p_adjusted" in table.columns) == (0, True)


@pytest.mark.parametrize("how", ["row absent", "probability missing"])
@pytest.mark.parametrize("model", ["clinical", "both"])
def test_patients_of_one_model_take_no_part(how: str, model: str, predictions: pd.DataFrame) -> None:
    """A patient only one model predicted leaves the pair, and the method counts who is left."""
    gone = (predictions["model"] == model) & (predictions["patient"] == "external7")
    masked = predictions.assign(probability=predictions["probability"].mask(gone))
    fewer = predictions[~gone] if how == "row absent" else masked
    table = compared(fewer).query("split == 'external'")
    told = table["method"].str.endswith("on the 59 of 60 patients predicted by both models")
    assert list(told) == list((table["model_a"] == model) | (table["model_b"] == model))


def test_other_folds_are_refused(predictions: pd.DataFrame) -> None:
    """Fold differences of different folds mean nothing."""
    moved = predictions.assign(fold=predictions["fold"].where(predictions["model"] != "both", predictions["fold"] + 1))
    with pytest.raises(
        TableError, match=r"cv: patient P.* lies in fold . of model clinical and in fold . of model both"
    ):
        compared(moved)


def test_one_class_outside_has_a_reason(predictions: pd.DataFrame) -> None:
    """Without events outside there is no test, and the method says why."""
    none = predictions.assign(outcome=predictions["outcome"].where(predictions["split"] != "external", 0))
    rows = compared(none).query("split == 'external'")
    rows = rows[~rows["test"].str.contains("McNemar|net benefit")]  # these need no second class
    assert (rows["p"].isna().all(), rows["method"].str.contains("not computed").all()) == (True, True)


def test_mcnemar_is_of_the_right_decisions(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """Outside, a decision is right where probability >= threshold agrees with the outcome."""
    rows = wide(predictions, "external", "patient")
    first, second = ((rows[m] >= 0.5) == (rows["outcome"] == 1) for m in ("clinical", "both"))
    row = row_of(table, "external", "McNemar on correct decisions")
    assert (row["p"], row["difference"]) == pytest.approx((mcnemar(first, second).p, first.mean() - second.mean()))


def test_net_benefit_difference_is_that_of_the_curves(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """The difference at a declared threshold is that of the two decision curves, on cv averaged over repeats."""
    part = predictions[predictions["split"] == "cv"]
    curve = {
        m: net_benefit(rows["outcome"], rows["probability"], [0.325])["model"].iloc[0]
        for m, rows in part.groupby("model")
    }
    row = row_of(table, "cv", "net benefit at 0.325")
    assert row["difference"] == pytest.approx(curve["clinical"] - curve["both"])


def test_added_value_is_the_likelihood_ratio(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """What B adds is the drop in deviance when its logit joins that of A, on one degree of freedom."""
    rows = wide(predictions, "external", "patient")
    logits = np.log(rows[["clinical", "both"]] / (1 - rows[["clinical", "both"]]))
    wanted = likelihood_ratio_test(
        logistic_regression(logits, rows["outcome"]), logistic_regression(logits[["clinical"]], rows["outcome"])
    )
    row = row_of(table, "external", "added value of B over A")
    np.testing.assert_allclose([row["statistic"], row["p"], row["df"]], [wanted.statistic, wanted.p, 1])


def test_nri_and_idi_carry_the_caution(table: pd.DataFrame) -> None:
    """Neither number travels without the sentence on what it can hide."""
    rows = table[table["test"].str.contains("NRI|IDI")]
    assert rows["method"].str.contains(reclassification.CAUTION, regex=False).all()


def test_bootstrap_interval_is_near_delong(predictions: pd.DataFrame) -> None:
    """The paired bootstrap of the AUC difference has about the width DeLong's variance gives."""
    table = compared(predictions, ValidateSettings(bootstrap=2000))
    row = row_of(table, "external", "bootstrap of the AUC difference")
    rows = wide(predictions, "external", "patient")
    _, v = roc.delong_covariance(rows["outcome"], rows["clinical"], rows["both"])
    width = 2 * 1.96 * np.sqrt(v[0, 0] + v[1, 1] - 2 * v[0, 1])
    assert row["upper"] - row["lower"] == pytest.approx(width, rel=0.12)


def test_five_by_two_design_adds_its_test() -> None:
    """Five repeats of two folds are also compared by the combined F test."""
    rng = np.random.default_rng(3)
    y = (np.arange(40) % 2).astype(int)
    rows, cuts = [], []
    for name in ("a", "b"):
        cuts += [(name, r, f, 0.5) for r in range(5) for f in range(2)]
        for r in range(5):
            fold = np.random.default_rng(r).permutation(np.arange(40) // 2 % 2)
            rows += [(f"P{i}", name, "cv", r, fold[i], y[i], rng.uniform()) for i in range(40)]
    predictions = pd.DataFrame(rows, columns=["patient", "model", "split", "repeat", "fold", "outcome", "probability"])
    cut = pd.DataFrame(cuts, columns=["model", "repeat", "fold", "threshold"])
    table = compare(predictions, cut, settings=SETTINGS, seed=1)
    assert table.set_index("test").loc["5 x 2 cv F", "p"] > 0


def test_the_adjustment_is_the_plans(predictions: pd.DataFrame) -> None:
    """Another adjustment than Holm's where the plan names one."""
    table = compared(predictions, SETTINGS.model_copy(update={"adjust": "bonferroni"}))
    rows = table[(table["split"] == "external") & (table["test"] == "DeLong")]
    np.testing.assert_allclose(rows["p_adjusted"], adjust_p(rows["p"], "bonferroni"))
