"""Pairwise comparisons: which test, on which rows, corrected for how many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats import roc
from isthmus.stats.corrected import corrected_resampled_t
from isthmus.stats.groups import adjust_p
from isthmus.validate.compare import compare
from isthmus.validate.settings import ValidateSettings

SETTINGS = ValidateSettings()
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


@pytest.fixture(scope="module")
def table(predictions: pd.DataFrame) -> pd.DataFrame:
    return compare(predictions, settings=SETTINGS)


def wide(predictions: pd.DataFrame, split: str, *keys: str) -> pd.DataFrame:
    """One column per model."""
    part = predictions[predictions["split"] == split]
    return part.pivot_table(index=[*keys, "outcome"], columns="model", values="probability").reset_index()


def test_columns(table: pd.DataFrame) -> None:
    """The promised columns come first, in the promised order."""
    assert list(table.columns[:7]) == ["model_a", "model_b", "split", "test", "statistic", "p", "p_holm"]


def test_every_pair_once_per_test(table: pd.DataFrame) -> None:
    """Three pairs: two tests on cv, one outside."""
    assert table.groupby(["split", "test"]).size().to_dict() == {
        ("cv", "DeLong on probabilities averaged over repeats"): 3,
        ("cv", "corrected resampled t"): 3,
        ("external", "DeLong"): 3,
    }


def test_training_rows_are_never_compared(table: pd.DataFrame) -> None:
    """Models are not compared on the patients they were fitted on."""
    assert "train" not in set(table["split"])


def test_external_is_paired_delong(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """The external test is DeLong's on the same patients."""
    rows = wide(predictions, "external", "patient")
    wanted = roc.delong_test(rows["outcome"], rows["clinical"], rows["both"])
    row = table.query("model_a == 'clinical' and model_b == 'both' and split == 'external'").iloc[0]
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
    row = table.query("model_b == 'radiomics' and split == 'cv'").iloc[1]
    assert row["statistic"] == pytest.approx(wanted.statistic)


def test_holm_within_split_and_test(table: pd.DataFrame) -> None:
    """p-values are adjusted over the pairs of one split and test, not over everything."""
    for _, part in table.groupby(["split", "test"]):
        np.testing.assert_allclose(part["p_holm"], adjust_p(part["p"], "holm"))


def test_order_of_rows_changes_nothing(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """Shuffled patients give the identical table."""
    shuffled = pd.concat([g.sample(frac=1, random_state=1) for _, g in predictions.groupby("model", sort=False)])
    pd.testing.assert_frame_equal(compare(shuffled, settings=SETTINGS), table, check_exact=True)


def test_a_model_equals_itself(predictions: pd.DataFrame) -> None:
    """A copy of a model differs by nothing: p is 1 in every test."""
    one = predictions[predictions["model"] == "both"]
    table = compare(pd.concat([one, one.assign(model="copy")]), settings=SETTINGS)
    assert set(table["p"]) == {1.0}


def test_one_model_has_nothing_to_compare(predictions: pd.DataFrame) -> None:
    """One model gives an empty table with the same columns."""
    table = compare(predictions[predictions["model"] == "both"], settings=SETTINGS)
    assert (len(table), "p_holm" in table.columns) == (0, True)


@pytest.mark.parametrize("how", ["row absent", "probability missing"])
@pytest.mark.parametrize("model", ["clinical", "both"])
def test_patients_of_one_model_take_no_part(how: str, model: str, predictions: pd.DataFrame) -> None:
    """A patient only one model predicted leaves the pair, and the method counts who is left."""
    gone = (predictions["model"] == model) & (predictions["patient"] == "external7")
    masked = predictions.assign(probability=predictions["probability"].mask(gone))
    fewer = predictions[~gone] if how == "row absent" else masked
    table = compare(fewer, settings=SETTINGS).query("split == 'external'")
    told = table["method"].str.endswith("on the 59 of 60 patients predicted by both models")
    assert list(told) == list((table["model_a"] == model) | (table["model_b"] == model))


def test_other_folds_are_refused(predictions: pd.DataFrame) -> None:
    """Fold differences of different folds mean nothing."""
    moved = predictions.assign(fold=predictions["fold"].where(predictions["model"] != "both", predictions["fold"] + 1))
    with pytest.raises(
        TableError, match=r"cv: patient P.* lies in fold . of model clinical and in fold . of model both"
    ):
        compare(moved, settings=SETTINGS)


def test_one_class_outside_has_a_reason(predictions: pd.DataFrame) -> None:
    """Without events outside there is no test, and the method says why."""
    none = predictions.assign(outcome=predictions["outcome"].where(predictions["split"] != "external", 0))
    rows = compare(none, settings=SETTINGS).query("split == 'external'")
    assert (rows["p"].isna().all(), rows["method"].str.contains("not computed").all()) == (True, True)
