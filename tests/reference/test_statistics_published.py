"""Our statistics on public data sets, against R packages and printed results (`statistics/expected.csv`, `thyroid/`).

aSAH (pROC's example), low birth weight (Hosmer and Lemeshow), the decision curve of dcurves, 15 p-values of Benjamini and
Hochberg (1995), and lymph node metastasis in TCGA-THCA.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.stats import calibration, classification, decision_curve, groups, roc, threshold
from isthmus.stats.logistic import LogisticFit, logistic_regression
from isthmus.stats.vif import model_vif

Reference = dict[tuple[str, str], float]


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "statistics"


@pytest.fixture(scope="module")
def expected(folder: Path) -> Reference:
    """(test, item) -> value."""
    table = pd.read_csv(folder / "expected.csv")
    return {(t, i): float(v) for t, i, v in zip(table["test"], table["item"], table["value"], strict=True)}


@pytest.fixture(scope="module")
def asah(folder: Path) -> pd.DataFrame:
    """113 patients with subarachnoid haemorrhage; outcome Poor is the event."""
    table = pd.read_csv(folder / "asah.csv")
    return table.assign(y=(table["outcome"] == "Poor").astype(int))


@pytest.mark.parametrize("marker", ["wfns", "s100b", "ndka"])
@pytest.mark.parametrize("item", ["auc", "low", "high", "variance", "partial", "partial_corrected"])
def test_asah_area(marker: str, item: str, asah: pd.DataFrame, expected: Reference) -> None:
    """AUC, its DeLong interval and variance, and the partial AUC are pROC's."""
    y, s = asah["y"], asah[marker]
    interval = roc.delong_interval(y, s)
    ours, key = {
        "auc": (interval.estimate, ("auc", marker)),
        "low": (interval.lower, ("auc_ci95_delong", f"{marker}_low")),
        "high": (interval.upper, ("auc_ci95_delong", f"{marker}_high")),
        "variance": (roc.delong_covariance(y, s)[1][0, 0], ("auc_variance_delong", marker)),
        "partial": (roc.partial_auc(y, s, lowest_specificity=0.9), ("partial_auc_spec_1_to_0.9", marker)),
        "partial_corrected": (
            roc.partial_auc(y, s, lowest_specificity=0.9, standardised=True),
            ("partial_auc_spec_1_to_0.9_corrected", marker),
        ),
    }[item]
    assert ours == pytest.approx(expected[key], rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("marker", ["wfns", "s100b", "ndka"])
@pytest.mark.parametrize("rate", ["sensitivity", "specificity", "ppv", "npv", "accuracy"])
def test_asah_youden_point(marker: str, rate: str, asah: pd.DataFrame, expected: Reference) -> None:
    """At Youden's threshold every rate is pROC's."""
    cut = threshold.choose_threshold(asah["y"], asah[marker], "youden")
    table = classification.count(asah["y"], asah[marker] >= cut)
    ours = float(getattr(classification, rate)(table))
    assert ours == pytest.approx(expected["youden_best", f"{marker}_{rate}"], abs=1e-11)


@pytest.mark.parametrize(("a", "b"), [("wfns", "s100b"), ("wfns", "ndka"), ("s100b", "ndka")])
def test_asah_paired_delong(a: str, b: str, asah: pd.DataFrame, expected: Reference) -> None:
    """Z, p and the covariance of two AUCs of the same patients are pROC's (printed: Z = 2.209, p = 0.02718)."""
    test = roc.delong_test(asah["y"], asah[a], asah[b])
    covariance = roc.delong_covariance(asah["y"], asah[a], asah[b])[1][0, 1]
    wanted = [expected["delong_paired", f"{a}_vs_{b}_{k}"] for k in ("z", "p")]
    wanted.append(expected["covariance_delong", f"{a}_vs_{b}"])
    np.testing.assert_allclose([test.statistic, test.p, covariance], wanted, rtol=1e-10)


def test_asah_unpaired_delong(asah: pd.DataFrame, expected: Reference) -> None:
    """D, df and p of two separate groups are pROC's."""
    men, women = (asah[asah["gender"] == g] for g in ("Male", "Female"))
    test = roc.delong_test_unpaired(men["y"], men["s100b"], women["y"], women["s100b"])
    wanted = [expected["delong_unpaired", f"s100b_male_vs_female_{k}"] for k in ("D", "df", "p")]
    np.testing.assert_allclose([test.statistic, test.df, test.p], wanted, rtol=1e-10)


def test_asah_mann_whitney(asah: pd.DataFrame, expected: Reference) -> None:
    """W and p with ties are R's wilcox.test."""
    test = groups.mann_whitney(asah["s100b"][asah["y"] == 0], asah["s100b"][asah["y"] == 1])
    wanted = [expected["mann_whitney_cc", f"s100b_{k}"] for k in ("W", "p")]
    np.testing.assert_allclose([test.statistic, test.p], wanted, rtol=1e-10)


def test_asah_welch(asah: pd.DataFrame, expected: Reference) -> None:
    """t, df and p are R's t.test."""
    test = groups.welch_t(asah["ndka"][asah["y"] == 0], asah["ndka"][asah["y"] == 1])
    wanted = [expected["welch_t", f"ndka_{k}"] for k in ("t", "df", "p")]
    np.testing.assert_allclose([test.statistic, test.df, test.p], wanted, rtol=1e-10)


def test_asah_student(asah: pd.DataFrame, expected: Reference) -> None:
    """t and p with equal variances are R's t.test."""
    test = groups.student_t(asah["age"][asah["y"] == 0], asah["age"][asah["y"] == 1])
    wanted = [expected["student_t", f"age_{k}"] for k in ("t", "p")]
    np.testing.assert_allclose([test.statistic, test.p], wanted, rtol=1e-10)


@pytest.mark.parametrize(("key", "continuity"), [("chi2_yates", True), ("chi2", False)])
def test_asah_chi_square(key: str, continuity: bool, asah: pd.DataFrame, expected: Reference) -> None:
    """Chi-square with and without Yates' correction is R's chisq.test."""
    test = groups.chi_square(pd.crosstab(asah["gender"], asah["outcome"]), continuity=continuity)
    wanted = [expected[key, f"gender_outcome_{k}"] for k in ("X2", "p")]
    np.testing.assert_allclose([test.statistic, test.p], wanted, rtol=1e-10)


def test_asah_fisher(asah: pd.DataFrame, expected: Reference) -> None:
    """Fisher's p and the conditional odds ratio are R's fisher.test."""
    table = pd.crosstab(asah["gender"], asah["outcome"]).loc[["Male", "Female"]]  # the order of R's levels
    ours = [groups.fisher_exact(table).p, groups.conditional_odds_ratio(table).estimate]
    wanted = [expected["fisher", f"gender_outcome_{k}"] for k in ("p", "oddsratio")]
    np.testing.assert_allclose(ours, wanted, rtol=2e-4)


@pytest.fixture(scope="module")
def birthwt_fit(folder: Path) -> LogisticFit:
    table = pd.read_csv(folder / "birthwt.csv")
    predictors = table[["age", "lwt"]].assign(race2=table["race"] == 2, race3=table["race"] == 3)
    predictors = predictors.join(table[["smoke", "ptl", "ht", "ui"]]).astype(float)
    return logistic_regression(predictors, table["low"])


@pytest.mark.parametrize("item", ["coef", "se", "p"])
def test_birthwt_logistic(item: str, birthwt_fit: LogisticFit, expected: Reference) -> None:
    """Coefficients, standard errors and p-values of the low-birth-weight model are R's glm.

    R stops when the deviance changes by less than 1e-8 and reports the information of the step before, which leaves its
    standard errors 1e-5 (relative) from the maximum; ours are taken at the maximum.
    """
    table = birthwt_fit.table
    terms = table["term"].replace("(intercept)", "(Intercept)")
    wanted = [expected["logistic_birthwt", f"{term}_{item}"] for term in terms]
    np.testing.assert_allclose(
        table["coefficient" if item == "coef" else item], wanted, rtol=1e-4 if item == "p" else 2e-5
    )


@pytest.mark.parametrize("item", ["deviance", "aic", "null_deviance"])
def test_birthwt_deviance(item: str, birthwt_fit: LogisticFit, expected: Reference) -> None:
    """Deviance, null deviance and AIC of the low-birth-weight model are R's glm."""
    assert getattr(birthwt_fit, item) == pytest.approx(expected["logistic_birthwt", item], rel=1e-9)


def test_birthwt_generalised_vif(birthwt_fit: LogisticFit, expected: Reference) -> None:
    """The generalised variance inflation of the model's seven terms (race has two indicators) is car's.

    R takes its covariance one step before the maximum, as above.
    """
    assert birthwt_fit.covariance is not None
    terms = {"age": [0], "lwt": [1], "race": [2, 3], "smoke": [4], "ptl": [5], "ht": [6], "ui": [7]}
    found = model_vif(birthwt_fit.covariance[1:, 1:], list(terms.values()))
    np.testing.assert_allclose(found, [expected["vif_generalised", term] for term in terms], rtol=2e-5)


@pytest.mark.parametrize("g", [10, 8, 5])
def test_birthwt_hosmer_lemeshow(g: int, folder: Path, expected: Reference) -> None:
    """Hosmer-Lemeshow with 10, 8 and 5 groups is ResourceSelection's."""
    table = pd.read_csv(folder / "birthwt_predicted.csv")
    test = calibration.hosmer_lemeshow(table["low"], table["predicted"], groups=g)
    wanted = [expected["hosmer_lemeshow", f"birthwt_g{g}_{k}"] for k in ("X2", "df", "p")]
    np.testing.assert_allclose([test.statistic, test.df, test.p], wanted, rtol=1e-9)


@pytest.mark.parametrize(
    ("key", "a", "b"), [("val_prob_birthwt", 1.0, 0.0), ("val_prob_birthwt_distorted_1.5x+0.3", 1.5, 0.3)]
)
def test_birthwt_calibration(key: str, a: float, b: float, folder: Path, expected: Reference) -> None:
    """Slope, intercept and Brier score are rms' val.prob, on good and on distorted probabilities.

    rms stops iterating at 1e-8, hence 1e-7 here.
    """
    table = pd.read_csv(folder / "birthwt_predicted.csv")
    lp, _ = calibration.linear_predictor(table["predicted"])
    p = 1 / (1 + np.exp(-(a * lp + b)))
    slope, intercept = calibration.calibration_slope(table["low"], p)
    ours = [slope.estimate, intercept.estimate, calibration.brier(table["low"], p)]
    np.testing.assert_allclose(ours, [expected[key, k] for k in ("Slope", "Intercept", "Brier")], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("variable", ["cancerpredmarker", "famhistory", "all", "none"])
def test_decision_curve(variable: str, folder: Path) -> None:
    """Net benefit at every threshold above 0 is that of R's dcurves (at 0 it calls p > 0, we call p >= 0)."""
    data = pd.read_csv(folder / "dca_df_binary.csv")
    wanted = pd.read_csv(folder / "dca_df_binary_expected.csv").query("variable == @variable and threshold > 0")
    column = {"all": "treat_all", "none": "treat_none"}.get(variable, "model")
    predictor = data[variable if column == "model" else "cancerpredmarker"]
    ours = decision_curve.net_benefit(data["cancer"], predictor, wanted["threshold"])
    np.testing.assert_allclose(ours[column], wanted["net_benefit"], atol=1e-12)


def test_interventions_avoided(folder: Path) -> None:
    """Net interventions avoided are those of R's dcurves (there per patient, here per 100)."""
    data = pd.read_csv(folder / "dca_df_binary.csv")
    wanted = pd.read_csv(folder / "dca_df_binary_net_intervention_expected.csv").query("variable == 'cancerpredmarker'")
    ours = decision_curve.net_benefit(data["cancer"], data["cancerpredmarker"], wanted["threshold"])
    np.testing.assert_allclose(ours["interventions_avoided"], wanted["net_intervention_avoided"] * 100, atol=1e-9)


@pytest.mark.parametrize(
    ("key", "method"),
    [
        ("p_adjust_BH", "benjamini-hochberg"),
        ("p_adjust_BY", "benjamini-yekutieli"),
        ("p_adjust_holm", "holm"),
        ("p_adjust_bonferroni", "bonferroni"),
    ],
)
def test_adjusted_p(key: str, method: str, expected: Reference) -> None:
    """The 15 p-values of Benjamini and Hochberg, adjusted four ways, are R's p.adjust."""
    items = sorted((item, value) for (test, item), value in expected.items() if test == key)
    p = [float(item.split("_")[1]) for item, _ in items]
    np.testing.assert_allclose(groups.adjust_p(p, method), [v for _, v in items], rtol=1e-10)  # type: ignore[arg-type]


def test_geometric_mean_of_rates(expected: Reference) -> None:
    """G-mean of 28/46 and 83/148 is the square root of their product."""
    table = classification.Counts(tp=28, fn=18, tn=83, fp=65)
    assert float(classification.g_mean(table)) == pytest.approx(
        expected["gmean_formula", "sens0.6087_spec0.5608"], abs=1e-11
    )


@pytest.fixture(scope="module")
def thyroid(shared_data: Path) -> tuple[LogisticFit, pd.DataFrame]:
    """Lymph node metastasis in TCGA-THCA: our fit and R's glm."""
    folder = shared_data / "thyroid"
    table = pd.read_csv(folder / "tcga_thca_clinical.csv")
    extension, focality = table["extrathyroidal_extension"], table["focality"]
    predictors = pd.DataFrame(
        {
            "age_years": table["age_years"],
            "sexmale": (table["sex"] == "male").where(table["sex"].notna()).astype(float),
            "length_cm": table["length_cm"],
            "multifocal": (focality == "multifocal").where(focality.notna()).astype(float),
            "extension": (extension != "none").where(extension.notna()).astype(float),
        }
    )
    fit = logistic_regression(predictors, table["lymph_node_metastasis"])
    return fit, pd.read_csv(folder / "tcga_thca_lnm_logistic_expected.csv", index_col="term")


@pytest.mark.parametrize(("ours", "theirs"), [("coefficient", "coef"), ("se", "se"), ("z", "z"), ("p", "p")])
def test_thyroid_logistic(ours: str, theirs: str, thyroid: tuple[LogisticFit, pd.DataFrame]) -> None:
    """Every coefficient of the TCGA-THCA model, with its standard error, z and p, is R's glm."""
    fit, expected = thyroid
    np.testing.assert_allclose(fit.table[ours], expected[theirs].iloc[: len(fit.table)], rtol=1e-5)


@pytest.mark.parametrize("item", ["n_used", "deviance", "aic"])
def test_thyroid_fit(item: str, thyroid: tuple[LogisticFit, pd.DataFrame]) -> None:
    """The same 317 complete patients, deviance and AIC as R's glm."""
    fit, expected = thyroid
    assert getattr(fit, item) == pytest.approx(expected.loc[item, "coef"], rel=1e-9)
