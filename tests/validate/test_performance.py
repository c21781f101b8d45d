"""The table of metrics: complete, honest about what cannot be computed, and independent of the order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats import calibration, roc
from isthmus.validate.performance import performance
from isthmus.validate.settings import IntervalSettings, ValidateSettings

SETTINGS = ValidateSettings(bootstrap=200)
Study = tuple[pd.DataFrame, pd.DataFrame]

PROMISED = {
    "auc", "pr_auc", "prevalence", "sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1",
    "f2", "f3", "kappa", "likelihood_ratio_positive", "likelihood_ratio_negative", "diagnostic_odds_ratio", "partial_auc",
    "g_mean", "mcc", "brier", "scaled_brier", "log_loss", "calibration_slope", "calibration_intercept",
    "calibration_in_the_large", "o_e", "ici", "hosmer_lemeshow_p", "n", "n_events", "threshold",
}  # fmt: skip
ON_CV = {"auc_pooled", "auc_corrected_t", "auc_fold_sd", "auc_repeat_sd"}


def study(
    n: int = 80, external: int = 40, repeats: int = 3, folds: int = 4, models: int = 1, signal: float = 1.5
) -> Study:
    """Predictions of a study with known outcomes, and its thresholds."""
    rng = np.random.default_rng(20)
    y, y_out = (rng.uniform(size=n) < 0.35).astype(int), (rng.uniform(size=external) < 0.35).astype(int)
    assignment = [rng.permutation(np.arange(n) % folds) for _ in range(repeats)]
    rows, cuts = [], []
    for k in range(models):
        name = f"model {k}"
        base = -1 + (signal + k) * y + rng.normal(size=n)
        for r in range(repeats):
            p = 1 / (1 + np.exp(-base - 0.3 * rng.normal(size=n)))
            rows += [(f"P{i}", name, "cv", r, assignment[r][i], y[i], p[i]) for i in range(n)]
            cuts += [(name, r, f, 0.3 + 0.02 * f) for f in range(folds)]
        cuts.append((name, np.nan, np.nan, 0.35))
        p = 1 / (1 + np.exp(-(-1 + (signal + k) * y_out + rng.normal(size=external))))
        rows += [(f"E{i}", name, "external", np.nan, np.nan, y_out[i], p[i]) for i in range(external)]
    columns = ["patient", "model", "split", "repeat", "fold", "outcome", "probability"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(cuts, columns=["model", "repeat", "fold", "threshold"])


@pytest.fixture(scope="module")
def data() -> Study:
    return study()


@pytest.fixture(scope="module")
def table(data: Study) -> pd.DataFrame:
    return performance(*data, settings=SETTINGS, seed=1)


def value(table: pd.DataFrame, split: str, metric: str) -> pd.Series:
    return table[(table["split"] == split) & (table["metric"] == metric)].iloc[0]


def cv(data: Study) -> pd.DataFrame:
    return data[0][data[0]["split"] == "cv"]


@pytest.mark.parametrize(("split", "metrics"), [("cv", PROMISED | ON_CV), ("external", PROMISED)])
def test_every_promised_metric_is_there_once(split: str, metrics: set[str], table: pd.DataFrame) -> None:
    """Each split has each of its metrics exactly once."""
    assert sorted(table[table["split"] == split]["metric"]) == sorted(metrics)


def test_every_number_has_an_interval_or_says_why_not(table: pd.DataFrame) -> None:
    """A missing limit is explained: a count, a fixed number, partition noise, or a reason."""
    bare = table[table["lower"].isna()]
    explained = bare["method"].str.contains("count|fixed on|partition noise|not computed|no interval")
    assert explained.all()


def test_every_interval_holds_its_estimate(table: pd.DataFrame) -> None:
    """Every estimate lies within its limits."""
    there = table[table["lower"].notna() & (table["metric"] != "ici")]  # the bootstrap of the ICI is biased upwards
    assert ((there["lower"] <= there["estimate"]) & (there["estimate"] <= there["upper"])).all()


def test_cv_auc_is_the_mean_of_the_fold_aucs(data: Study, table: pd.DataFrame) -> None:
    """`auc` on cv is what statistics.md says it is."""
    folds = [roc.auc(f["outcome"], f["probability"]) for _, f in cv(data).groupby(["repeat", "fold"])]
    assert value(table, "cv", "auc")["estimate"] == pytest.approx(np.mean(folds), abs=1e-12)


def test_cv_pooled_auc_is_averaged_over_repeats(data: Study, table: pd.DataFrame) -> None:
    """`auc_pooled` pools the folds of a repeat, then averages the repeats."""
    repeats = [roc.auc(f["outcome"], f["probability"]) for _, f in cv(data).groupby("repeat")]
    assert value(table, "cv", "auc_pooled")["estimate"] == pytest.approx(np.mean(repeats), abs=1e-12)


def test_cv_slope_is_averaged_over_repeats(data: Study, table: pd.DataFrame) -> None:
    """The calibration slope is fitted per repeat, then averaged."""
    slopes = [
        calibration.calibration_slope(f["outcome"], f["probability"])[0].estimate for _, f in cv(data).groupby("repeat")
    ]
    assert value(table, "cv", "calibration_slope")["estimate"] == pytest.approx(np.mean(slopes), rel=1e-8)


def test_cv_ici_is_averaged_over_repeats(data: Study, table: pd.DataFrame) -> None:
    """The calibration index is smoothed per repeat, then averaged."""
    errors = [calibration.calibration_errors(f["outcome"], f["probability"]).ici for _, f in cv(data).groupby("repeat")]
    assert value(table, "cv", "ici")["estimate"] == pytest.approx(np.mean(errors), rel=1e-9)


def test_cv_decisions_use_the_threshold_of_their_own_fold(data: Study, table: pd.DataFrame) -> None:
    """Sensitivity on cv: each row against its own fold's threshold, averaged over repeats."""
    rows = cv(data).merge(data[1], on=["model", "repeat", "fold"])
    events = rows[rows["outcome"] == 1]
    assert value(table, "cv", "sensitivity")["estimate"] == pytest.approx(
        (events["probability"] >= events["threshold"]).mean(), abs=1e-12
    )


def test_repeats_do_not_count_as_patients(data: Study, table: pd.DataFrame) -> None:
    """The Wilson interval on cv has the number of patients in its denominator, not of rows."""
    row = value(table, "cv", "prevalence")
    n, x = 80, row["estimate"]
    half = 1.959963984540054 / (1 + 3.841458820694124 / n) * np.sqrt(x * (1 - x) / n + 3.841458820694124 / (4 * n**2))
    assert (row["upper"] - row["lower"]) / 2 == pytest.approx(half)


def test_more_repeats_of_the_same_predictions_change_nothing(data: Study) -> None:
    """Repeating identical predictions narrows no interval: the patient is the unit."""
    one = cv(data)[cv(data)["repeat"] == 0]
    again = pd.concat([one, one.assign(repeat=1.0)])
    cuts = data[1][data[1]["repeat"].isin([0]) | data[1]["repeat"].isna()]
    cuts = pd.concat([cuts, cuts[cuts["repeat"] == 0].assign(repeat=1.0)])
    first, second = (performance(p, cuts, settings=SETTINGS, seed=1) for p in (one, again))
    for metric in ("auc", "auc_pooled", "pr_auc", "sensitivity", "mcc", "brier"):
        a, b = (value(t, "cv", metric)[["estimate", "lower", "upper"]].astype(float) for t in (first, second))
        np.testing.assert_allclose(a, b, rtol=1e-9, err_msg=metric)


def test_external_auc_is_delong(data: Study, table: pd.DataFrame) -> None:
    """Outside cross-validation the AUC has DeLong's interval."""
    rows = data[0][data[0]["split"] == "external"]
    wanted = roc.delong_interval(rows["outcome"], rows["probability"])
    row = value(table, "external", "auc")
    np.testing.assert_allclose([row["lower"], row["upper"]], [wanted.lower, wanted.upper])


def test_external_threshold_is_the_final_models(table: pd.DataFrame) -> None:
    """The final model's threshold is carried over unchanged."""
    assert value(table, "external", "threshold")["estimate"] == 0.35


def test_order_of_rows_changes_no_digit(data: Study, table: pd.DataFrame) -> None:
    """Shuffled predictions and thresholds give the identical table."""
    shuffled = [frame.sample(frac=1, random_state=3) for frame in data]
    again = performance(*shuffled, settings=SETTINGS, seed=1)
    key = ["model", "split", "metric"]
    pd.testing.assert_frame_equal(
        again.sort_values(key, ignore_index=True), table.sort_values(key, ignore_index=True), check_exact=True
    )


def test_a_model_does_not_depend_on_its_company(data: Study) -> None:
    """A model's numbers are the same with and without another model beside it."""
    both = study(models=2)
    alone = [frame[frame["model"] == "model 1"] for frame in both]
    together = performance(*both, settings=SETTINGS, seed=1).query("model == 'model 1'").reset_index(drop=True)
    pd.testing.assert_frame_equal(performance(*alone, settings=SETTINGS, seed=1), together, check_exact=True)


def test_another_seed_draws_other_patients(data: Study, table: pd.DataFrame) -> None:
    """The seed matters to bootstrap limits and to nothing else."""
    other = performance(*data, settings=SETTINGS, seed=2)
    same = (other["estimate"] == table["estimate"]) | other["estimate"].isna()
    assert (same.all(), (other["lower"] != table["lower"]).any()) == (True, True)


def test_one_class_outside_has_reasons(data: Study) -> None:
    """An external centre without events: what compares the classes is missing with the reason, the rest is there."""
    predictions = data[0].assign(outcome=data[0]["outcome"].where(data[0]["split"] != "external", 0))
    table = performance(predictions, data[1], settings=SETTINGS, seed=1).query("split == 'external'")
    missing = set(table[table["estimate"].isna()]["metric"])
    assert missing == {
        "auc", "pr_auc", "partial_auc", "sensitivity", "balanced_accuracy", "f1", "f2", "f3", "g_mean", "kappa", "mcc",
        "scaled_brier", "likelihood_ratio_positive", "likelihood_ratio_negative", "diagnostic_odds_ratio",
        "calibration_slope", "calibration_intercept", "calibration_in_the_large", "o_e", "ici", "hosmer_lemeshow_p",
    }  # fmt: skip


def test_every_missing_number_says_why(data: Study) -> None:
    """No NaN without "not computed"."""
    predictions = data[0].assign(outcome=data[0]["outcome"].where(data[0]["split"] != "external", 0))
    table = performance(predictions, data[1], settings=SETTINGS, seed=1)
    assert table[table["estimate"].isna()]["method"].str.contains("not computed").all()


def test_hosmer_lemeshow_is_the_test_of_unseen_patients(data: Study, table: pd.DataFrame) -> None:
    """Outside as many degrees of freedom as groups; none on repeated predictions, and two less in training."""
    outside = data[0][data[0]["split"] == "external"]
    expected = calibration.hosmer_lemeshow(outside["outcome"], outside["probability"], external=True)
    trained = performance(
        data[0][data[0]["split"] == "external"].assign(split="train"), data[1], settings=SETTINGS, seed=1
    )
    assert value(table, "external", "hosmer_lemeshow_p")["estimate"] == pytest.approx(expected.p, rel=1e-12)
    assert "one prediction a patient" in value(table, "cv", "hosmer_lemeshow_p")["method"]
    assert "on 8 degrees of freedom" in value(trained, "train", "hosmer_lemeshow_p")["method"]


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_constant_predictions(p: float, data: Study) -> None:
    """A model that says the same of everybody: AUC 0.5 everywhere, no interval, a reason."""
    table = performance(data[0].assign(probability=p), data[1], settings=SETTINGS, seed=1)
    areas = table[table["metric"].isin(["auc", "auc_pooled"])]
    assert ((areas["estimate"] == 0.5).all(), areas["lower"].isna().all()) == (True, True)


def test_perfect_predictions(data: Study) -> None:
    """A model that knows the outcome: AUC 1 without an interval, no finite slope, and no warning."""
    table = performance(
        data[0].assign(probability=data[0]["outcome"].astype(float)), data[1], settings=SETTINGS, seed=1
    )
    assert "slope is infinite" in value(table, "external", "calibration_slope")["method"]


def test_two_patients() -> None:
    """Two patients, one of each class: a table with reasons, not a crash."""
    predictions, cuts = study(n=2, external=2, repeats=1, folds=2)
    predictions["outcome"] = [0, 1, 0, 1]
    table = performance(predictions, cuts, settings=SETTINGS, seed=1)
    assert "no fold holds both classes" in value(table, "cv", "auc")["method"]


def test_folds_with_one_class_are_counted(data: Study) -> None:
    """Folds without an AUC are left out of the mean, and the method counts them."""
    predictions = data[0].copy()
    predictions["fold"] = np.where((predictions["outcome"] == 0) & (predictions["fold"] == 0), 1, predictions["fold"])
    predictions.loc[predictions["split"] == "external", "fold"] = np.nan
    table = performance(predictions, data[1], settings=SETTINGS, seed=1)
    assert "mean of 9 fold AUCs (3 more folds hold one class)" in value(table, "cv", "auc")["method"]


def test_missing_probabilities_are_counted(data: Study) -> None:
    """A patient whose probability is missing is left out, and `n` says so."""
    predictions = data[0].copy()
    predictions.loc[predictions["patient"] == "E3", "probability"] = np.nan
    row = value(performance(predictions, data[1], settings=SETTINGS, seed=1), "external", "n")
    assert (row["estimate"], "1 rows without a probability left out" in row["method"]) == (39, True)


def test_a_split_without_any_probability(data: Study) -> None:
    """If the model could predict nobody there, the split says so."""
    predictions = data[0].assign(probability=data[0]["probability"].where(data[0]["split"] == "cv"))
    row = value(performance(predictions, data[1], settings=SETTINGS, seed=1), "external", "auc")
    assert row["method"] == "not computed: no patients with a prediction"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.drop(columns="fold"), "predictions lack the columns fold"),
        (lambda p: p.assign(outcome=2), "expected only 0"),
        (lambda p: p.assign(probability=1.2), r"patient P0: probability 1\.2 lies outside"),
        (lambda p: p.assign(split="test"), "unknown splits test. Known: train, cv, internal, external"),
        (lambda p: pd.concat([p, p.tail(1)]), "patient E39 has two predictions in one repeat"),
        (lambda p: p.assign(fold=np.nan), "patient P0: a cross-validated prediction without repeat or fold"),
        (lambda p: p.assign(outcome=p["outcome"] ^ (p["repeat"] == 1)), "has two different outcomes"),
    ],
)
def test_malformed_predictions_are_refused(change: object, message: str, data: Study) -> None:
    """Malformed predictions are named at the door."""
    with pytest.raises(TableError, match=message):
        performance(change(data[0]), data[1], settings=SETTINGS, seed=1)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (lambda t: t[t["repeat"].notna()], "0 thresholds of the final model"),
        (lambda t: t[~((t["repeat"] == 1) & (t["fold"] == 2))], "no threshold for repeat 1, fold 2"),
    ],
)
def test_missing_thresholds_are_refused(keep: object, message: str, data: Study) -> None:
    """A decision without its threshold is never invented."""
    with pytest.raises(TableError, match=message):
        performance(data[0], keep(data[1]), settings=SETTINGS, seed=1)  # type: ignore[operator]


def test_draws_without_anyone_are_counted_not_divided_by() -> None:
    """Tiny folds with gaps: a draw may hold nobody of a repeat; it is left out, without a warning (an error here)."""
    predictions, thresholds = study(n=6, external=6, repeats=2, folds=2)
    gaps = (predictions["repeat"] == 1) & ~predictions["patient"].isin(["P0", "P1"])
    predictions["probability"] = predictions["probability"].mask(gaps)
    row = value(performance(predictions, thresholds, settings=SETTINGS, seed=1), "cv", "brier")
    assert np.isfinite(row["estimate"])


def test_intervals_are_those_the_plan_names(data: Study) -> None:
    """Another way for each kind of interval says so in the method."""
    named = {"auc": "delong-logit", "proportion": "clopper-pearson", "bootstrap": "bca"}
    settings = SETTINGS.model_copy(update={"intervals": IntervalSettings.model_validate(named)})
    found = performance(*data, settings=settings, seed=1)
    words = [value(found, "external", metric)["method"] for metric in ("auc", "sensitivity", "f1")]
    assert ["logit scale" in words[0], "Clopper-Pearson" in words[1], "BCa" in words[2]] == [True] * 3


def test_predictive_values_at_a_stated_prevalence(data: Study) -> None:
    """With a prevalence in the plan, PPV and NPV are given there too."""
    found = performance(*data, settings=SETTINGS.model_copy(update={"prevalence": 0.1}), seed=1)
    assert value(found, "external", "ppv_at_prevalence")["estimate"] < value(found, "external", "ppv")["estimate"]


def test_partial_auc_outside_is_that_of_the_predictions(data: Study, table: pd.DataFrame) -> None:
    """The partial AUC is McClish's over specificities of at least 0.9."""
    outside = data[0][data[0]["split"] == "external"]
    wanted = roc.partial_auc(outside["outcome"], outside["probability"], lowest_specificity=0.9, standardised=True)
    assert value(table, "external", "partial_auc")["estimate"] == pytest.approx(wanted)
