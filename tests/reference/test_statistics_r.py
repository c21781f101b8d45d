"""Our statistics against R's, one test per key of `statistics_r/expected.json` (written by `reference.R` beside it).

Tolerances are those of that folder's README: closed forms 1e-9, iterative fits 1e-5, conditional odds ratios 2e-4,
Monte Carlo 2e-3; relative to max(1, |value|).

`CASES` goes from key to function; `ELSEWHERE` names the test of a key that needs more than a number; `NOT_YET` says why a key
has no function; `LEFT_OUT` says which numbers of a covered key are not compared, and why. Together they are every key and
every number R gave. A new method deletes its line of `NOT_YET` and adds one to `CASES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import special

from isthmus.stats import calibration, classification, combine_p, decision_curve, groups, roc, threshold
from isthmus.stats.firth import firth_regression
from isthmus.stats.logistic import LogisticFit, likelihood_ratio_test, logistic_regression
from isthmus.stats.pca import principal_components
from isthmus.stats.univariate import screen
from isthmus.stats.vif import model_vif, vif
from reference import repeated
from reference import survival_and_classes as outcomes

CLOSED, ITERATIVE, ODDS_RATIO, MONTE_CARLO, COMBAT = 1e-9, 1e-5, 2e-4, 2e-3, 1e-6

Values = dict[str, float]


class Case(NamedTuple):
    """How close, what to compute, from which table of the folder."""

    tolerance: float
    compute: Callable[[pd.DataFrame], Values | float]
    file: str = "binary.csv"


SCORES = {"clin": "p_clin", "rad": "p_rad", "comb": "p_comb", "grade": "grade1"}


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    """R's answers."""
    return json.loads((shared_data / "statistics_r" / "expected.json").read_text())


@pytest.fixture(scope="module")
def d(shared_data: Path) -> pd.DataFrame:
    """The 130 synthetic patients R saw."""
    return pd.read_csv(shared_data / "statistics_r" / "binary.csv")


def _auc(d: pd.DataFrame, name: str) -> Values:
    interval = roc.delong_interval(d.y, d[SCORES[name]])
    variance = roc.delong_covariance(d.y, d[SCORES[name]])[1][0, 0]
    return {"auc": roc.auc(d.y, d[SCORES[name]]), "lo": interval.lower, "hi": interval.upper, "var_delong": variance}


def _paired(d: pd.DataFrame, a: str, b: str) -> Values:
    test = roc.delong_test(d.y, d[SCORES[a]], d[SCORES[b]])
    return {
        "Z": test.statistic,
        "p": test.p,
        "auc1": roc.auc(d.y, d[SCORES[a]]),
        "auc2": roc.auc(d.y, d[SCORES[b]]),
    }


def _unpaired(d: pd.DataFrame) -> Values:
    a, b = d[d.site != 3], d[d.site == 3]
    test = roc.delong_test_unpaired(a.y, a.p_rad, b.y, b.p_rad)
    return {"D": test.statistic, "df": test.df or np.nan, "p": test.p}


def _youden(d: pd.DataFrame) -> tuple[float, classification.Counts]:
    cut = threshold.choose_threshold(d.y, d.p_rad, "youden")
    return cut, classification.count(d.y, d.p_rad >= cut)


def _youden_proc(d: pd.DataFrame) -> Values:
    cut, c = _youden(d)
    found = {k: float(getattr(classification, k)(c)) for k in ("sensitivity", "specificity", "ppv", "npv", "accuracy")}
    middle = (cut + d.p_rad[d.p_rad < cut].max()) / 2  # pROC's threshold lies between two observed values
    return found | {"threshold": middle, "youden": found["sensitivity"] + found["specificity"]}  # its field is J + 1


def _youden_cutpointr(d: pd.DataFrame) -> Values:
    cut, c = _youden(d)
    sens, spec = float(classification.sensitivity(c)), float(classification.specificity(c))
    return {
        "cut": cut,
        "youden": sens + spec - 1,
        "acc": float(classification.accuracy(c)),
        "sens": sens,
        "spec": spec,
        "auc": roc.auc(d.y, d.p_rad),
    }


def _folds(d: pd.DataFrame) -> Values:
    folds = [(f.y, f.p_rad) for _, f in d.groupby("fold")]
    areas = [roc.auc(y, s) for y, s in folds]
    curve = roc.averaged_roc(folds)
    heights = {f"vertical_mean_tpr_at.{x}": float(np.interp(x, curve.fpr, curve.tpr)) for x in (0.05, 0.1, 0.2, 0.5)}
    return {f"per_fold.{i}": a for i, a in enumerate(areas)} | {"mean": curve.area} | heights


def _calibration(d: pd.DataFrame) -> Values:
    slope, intercept = calibration.calibration_slope(d.y, d.p_comb)
    return {
        "slope": slope.estimate,
        "intercept_joint": intercept.estimate,
        "slope_se": (slope.upper - slope.lower) / (2 * 1.959963984540054),
        "citl": calibration.calibration_in_the_large(d.y, d.p_comb).estimate,
        "brier": calibration.brier(d.y, d.p_comb),
        "scaled_brier": calibration.scaled_brier(d.y, d.p_comb),
        "O_E": calibration.observed_expected(d.y, d.p_comb).estimate,
    }


def _val_prob(d: pd.DataFrame) -> Values:
    slope, intercept = calibration.calibration_slope(d.y, d.p_comb)
    return {
        "C (ROC)": roc.auc(d.y, d.p_comb),
        "Brier": calibration.brier(d.y, d.p_comb),
        "Intercept": intercept.estimate,
        "Slope": slope.estimate,
    }


def _ici(d: pd.DataFrame) -> Values:
    e = calibration.calibration_errors(d.y, d.p_comb)
    return {"ICI": e.ici, "E50": e.e50, "E90": e.e90, "Emax": e.emax}


def _hosmer(d: pd.DataFrame, column: str) -> Values:
    test = calibration.hosmer_lemeshow(d.y, d[column])
    return {"X2": test.statistic, "df": test.df or np.nan, "p": test.p}


def _dca(d: pd.DataFrame) -> Values:
    at = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
    found = {}
    for name in ("p_rad", "p_comb"):
        table = decision_curve.net_benefit(d.y, d[name], at)
        for column, label in (("treat_all", "all"), ("treat_none", "none"), ("model", name)):
            found |= {f"{label}@{t}": v for t, v in zip(at, table[column], strict=True)}
    return found


def _wilcoxon(d: pd.DataFrame) -> Values:
    a, b = d.rad_score[d.y == 0], d.rad_score[d.y == 1]
    normal = groups.mann_whitney(a, b, method="asymptotic")
    exact = groups.mann_whitney(a, b, method="exact")
    return {"W": normal.statistic, "p_asymptotic_cc": normal.p, "p_exact": exact.p}


def _wilcoxon_ties(d: pd.DataFrame) -> Values:
    test = groups.mann_whitney(d.grade1[d.y == 0], d.grade1[d.y == 1])
    return {"W": test.statistic, "p": test.p}


def _fisher(d: pd.DataFrame) -> Values:
    table = pd.crosstab(d.invasion, d.y)
    ratio = groups.conditional_odds_ratio(table)
    return {
        "p": groups.fisher_exact(table).p,
        "or_conditional": ratio.estimate,
        "lo": ratio.lower,
        "hi": ratio.upper,
    }


def _chisq(d: pd.DataFrame) -> Values:
    site = groups.chi_square(pd.crosstab(d.site, d.y))
    return {
        "stat": site.statistic,
        "p": site.p,
        "yates_invasion_p": groups.chi_square(pd.crosstab(d.invasion, d.y)).p,
    }


def _by_site(d: pd.DataFrame) -> list[pd.Series]:
    return [g.rad_score for _, g in d.groupby("site")]


P_VALUES = [0.0001, 0.004, 0.019, 0.0095, 0.02, 0.028, 0.03, 0.034, 0.046, 0.32, 0.426, 0.57, 0.65, 0.76, 1]


def _p_adjust(d: pd.DataFrame) -> Values:
    ways = {"BH": "benjamini-hochberg", "BY": "benjamini-yekutieli", "holm": "holm", "hommel": "hommel"}
    return {
        f"{k}.{i}": v
        for k, m in {"p": None, **ways}.items()
        for i, v in enumerate(groups.adjust_p(P_VALUES, m) if m else P_VALUES)
    }


def _fit(d: pd.DataFrame, *columns: str) -> LogisticFit:
    return logistic_regression(d[list(columns)], d.y)


def _logistic(d: pd.DataFrame) -> Values:
    fit = _fit(d, "age", "size_cm", "invasion", "rad_score")
    names = {
        "coef": "coefficient",
        "se": "se",
        "or": "odds_ratio",
        "wald_lo": "lower",
        "wald_hi": "upper",
    }
    table = fit.table.set_index(fit.table.term.replace("(intercept)", "(Intercept)"))
    found = {f"{k}.{term}": v for k, column in names.items() for term, v in table[column].items()}
    reduced = _fit(d, "age", "size_cm", "invasion")
    return found | {
        "deviance": fit.deviance,
        "aic": fit.aic,
        "lr_p_rad": likelihood_ratio_test(fit, reduced).p,
    }


def _fisher_sumlog(d: pd.DataFrame) -> Values:
    test = combine_p.fisher_combined(P_VALUES)
    return {"chisq": test.statistic, "p": test.p}


def _vif(d: pd.DataFrame) -> Values:
    names = ["age", "size_cm", "invasion", "rad_score"]
    covariance = _fit(d, *names).covariance
    assert covariance is not None
    return dict(zip(names, model_vif(covariance[1:, 1:], [[j] for j in range(4)]), strict=True))


def _vif_lm(d: pd.DataFrame) -> Values:
    names = ["age", "size_cm", "deep_score", "p_clin"]
    return dict(zip(names, vif(d[names]), strict=True))


def _pca(d: pd.DataFrame) -> Values:
    found = principal_components(d.iloc[:, 2:])
    first = {f"abs_loading1.x{j + 1}": abs(float(found.loadings[j, 0])) for j in range(5)}
    return (
        first
        | {f"sdev.{j}": float(found.sdev[j]) for j in range(6)}
        | {f"prop.{j}": float(found.share[j]) for j in range(6)}
    )


def _anova_f(d: pd.DataFrame) -> Values:
    return {str(j): f for j, f in enumerate(screen(d.iloc[:, 2:7], d.y, "anova").statistic)}


def _pearson(d: pd.DataFrame) -> Values:
    related = np.corrcoef(d.iloc[:, 2:], rowvar=False)
    return {"x1_x2": related[0, 1], "x1_x8": related[0, 7]}


def _imbalanced(d: pd.DataFrame) -> Values:
    c = classification.count(d.y, d.p_rad >= d.y.mean())
    return {
        "threshold": threshold.choose_threshold(d.y, d.p_rad, "prevalence"),
        "sens": float(classification.sensitivity(c)),
        "spec": float(classification.specificity(c)),
        "gmean": float(classification.g_mean(c)),
        "prec": float(classification.ppv(c)),
        "F1": float(classification.f1(c)),
        "auc": roc.auc(d.y, d.p_rad),
        "misclass": 1 - float(classification.accuracy(c)),
        "iratio": float((1 - d.y.mean()) / d.y.mean()),
        "brier": calibration.brier(d.y, d.p_rad),
    }


CASES: dict[str, Case] = {
    **{f"auc_{name}": Case(CLOSED, lambda d, name=name: _auc(d, name)) for name in SCORES},
    "delong_rad_vs_clin": Case(CLOSED, lambda d: _paired(d, "rad", "clin")),
    "delong_comb_vs_rad": Case(CLOSED, lambda d: _paired(d, "comb", "rad")),
    "delong_comb_vs_clin": Case(CLOSED, lambda d: _paired(d, "comb", "clin")),
    "delong_unpaired_site12_vs_site3": Case(CLOSED, _unpaired),
    "cov_delong_rad_clin": Case(1e-15, lambda d: roc.delong_covariance(d.y, d.p_rad, d.p_clin)[1][0, 1]),
    "youden_pROC_rad": Case(CLOSED, _youden_proc),
    "youden_cutpointr_rad": Case(CLOSED, _youden_cutpointr),
    "partial_auc_spec_90_100": Case(CLOSED, lambda d: roc.partial_auc(d.y, d.p_rad, lowest_specificity=0.9)),
    "partial_auc_spec_90_100_corrected": Case(
        CLOSED,
        lambda d: roc.partial_auc(d.y, d.p_rad, lowest_specificity=0.9, standardised=True),
    ),
    "fold_auc_rad": Case(CLOSED, _folds),
    "val_prob_comb": Case(CLOSED, _val_prob),
    "calibration_comb": Case(ITERATIVE, _calibration),
    "ICI_loess_comb": Case(CLOSED, _ici),
    "hosmer_lemeshow_comb_g10": Case(CLOSED, lambda d: _hosmer(d, "p_comb")),
    "hosmer_lemeshow_rad_g10": Case(CLOSED, lambda d: _hosmer(d, "p_rad")),
    "dca": Case(CLOSED, _dca),
    "wilcoxon_rad_score": Case(CLOSED, _wilcoxon),
    "wilcoxon_grade_ties": Case(CLOSED, _wilcoxon_ties),
    "t_age": Case(
        CLOSED,
        lambda d: {
            "student": groups.student_t(d.age[d.y == 0], d.age[d.y == 1]).p,
            "welch": groups.welch_t(d.age[d.y == 0], d.age[d.y == 1]).p,
        },
    ),
    "fisher_invasion": Case(ODDS_RATIO, _fisher),
    "fisher_grade_rxc": Case(CLOSED, lambda d: groups.fisher_exact(pd.crosstab(d.grade1, d.y)).p),
    "chisq_site": Case(CLOSED, _chisq),
    "kruskal_site": Case(
        CLOSED,
        lambda d: {"H": groups.kruskal(*_by_site(d)).statistic, "p": groups.kruskal(*_by_site(d)).p},
    ),
    "anova_site": Case(
        CLOSED, lambda d: {"F": groups.anova(*_by_site(d)).statistic, "p": groups.anova(*_by_site(d)).p}
    ),
    "p_adjust": Case(CLOSED, _p_adjust),
    "geometric_mean_p": Case(CLOSED, lambda d: combine_p.geometric_mean_p(P_VALUES).value),
    "fisher_sumlog": Case(CLOSED, _fisher_sumlog),
    "stouffer_sumz": Case(CLOSED, lambda d: combine_p.stouffer_combined(P_VALUES).p),
    "vif": Case(ITERATIVE, _vif),
    "vif_lm": Case(CLOSED, _vif_lm),
    "pca": Case(CLOSED, _pca, "lasso.csv"),
    "anova_F_first5": Case(CLOSED, _anova_f, "lasso.csv"),
    "pearson_cor_pairs": Case(CLOSED, _pearson, "lasso.csv"),
    "smd_age": Case(CLOSED, lambda d: groups.standardised_difference(d.age[d.y == 0], d.age[d.y == 1])),
    "smd_male": Case(
        CLOSED,
        lambda d: groups.standardised_difference_share(d.male[d.y == 0].mean(), d.male[d.y == 1].mean()),
    ),
    "logistic": Case(ITERATIVE, _logistic),
    "imbalanced_performance_formula_check": Case(1e-6, _imbalanced),  # R rounded these to six digits
    "kappa_readers": Case(CLOSED, repeated.readers_kappa),
    "kappa_grade_equal": Case(CLOSED, lambda d: repeated.grades_kappa(d, "linear")),
    "kappa_grade_squared": Case(CLOSED, lambda d: repeated.grades_kappa(d, "quadratic")),
    "icc_shrout_fleiss": Case(CLOSED, repeated.psych_icc, "shrout_fleiss.csv"),
    "icc_raters": Case(CLOSED, repeated.psych_icc, "raters.csv"),
    "irr_icc_oneway_single": Case(
        CLOSED,
        lambda d: {k: v for k, v in repeated.irr_icc(d, "oneway", "single").items() if k != "p"},
        "raters.csv",
    ),
    **{
        f"irr_icc_twoway_{model}_{unit}": Case(
            CLOSED, lambda d, model=model, unit=unit: repeated.irr_icc(d, model, unit), "raters.csv"
        )
        for model in ("consistency", "agreement")
        for unit in ("single", "average")
    },
    "lin_ccc_r1_r2": Case(CLOSED, lambda d: repeated.first_two(d, "lin"), "raters.csv"),
    "cosine_r1_r2": Case(CLOSED, lambda d: repeated.first_two(d, "cosine"), "raters.csv"),
    "combat_param_nocov": Case(COMBAT, lambda d: repeated.combat(d, covariates=False), "multisite.csv"),
    "combat_param_cov": Case(COMBAT, lambda d: repeated.combat(d, covariates=True), "multisite.csv"),
    "combat_nonparam_cov": Case(
        COMBAT, lambda d: repeated.combat(d, covariates=True, prior="nonparametric"), "multisite.csv"
    ),
    "combat_meanonly": Case(COMBAT, lambda d: repeated.combat(d, covariates=False, mean_only=True), "multisite.csv"),
    "combat_ref1_cov": Case(COMBAT, lambda d: repeated.combat(d, covariates=True, reference="1"), "multisite.csv"),
    "anova_cohens_f_before_f1_f5_f12": Case(CLOSED, lambda d: repeated.cohens_f(d, after=False), "multisite.csv"),
    "anova_cohens_f_after": Case(CLOSED, lambda d: repeated.cohens_f(d, after=True), "multisite.csv"),
    "cohens_f_effectsize_f1": Case(CLOSED, lambda d: repeated.cohens_f(d, after=False)["2.0"], "multisite.csv"),
    "hand_till_M": Case(CLOSED, outcomes.hand_till, "multiclass.csv"),
    "multiclass_ovr": Case(CLOSED, outcomes.one_against_rest, "multiclass.csv"),
    "km": Case(CLOSED, outcomes.km, "survival.csv"),
    "logrank_arm": Case(CLOSED, outcomes.log_rank_arm, "survival.csv"),
    "cox_efron": Case(ITERATIVE, outcomes.cox_efron, "survival.csv"),
    "cox_breslow_coef": Case(ITERATIVE, outcomes.cox_breslow, "survival.csv"),
    "cox_zph": Case(ITERATIVE, outcomes.cox_zph, "survival.csv"),
    "harrell_c_single_z1": Case(CLOSED, outcomes.harrell, "survival.csv"),
    "uno_c_z1_tau40": Case(CLOSED, outcomes.uno, "survival.csv"),
    "score_ipcw": Case(1e-7, outcomes.score_ipcw, "survival.csv"),
    "glmnet_cox_l0.08": Case(2e-6, outcomes.glmnet_cox, "survival.csv"),
}


ELSEWHERE = {
    "firth": "test_firth",
    "versions": "not a result: the versions of R and its packages",
}

NOT_YET: dict[str, str] = {
    **dict.fromkeys(
        ("glmnet_path", "cv_glmnet_deviance", "cv_glmnet_auc", "glmnet_enet_a0.5_l0.05", "glmnet_ridge_l0.1"),
        "helper classifiers (glmnet parity, elastic net)",
    ),
    "rfsrc_imbalanced": "helper forest (random forest quantile classifier)",
    **dict.fromkeys(
        ("lrm_stats", "brglm2_AS_mean", "spearman", "shapiro_size"), "helper clinical (Table 1, regression)"
    ),
    "rubin_pool": "helper clinical (multiple imputation)",
    "nomogram": "helper explain (later)",
    **dict.fromkeys(("continuous_nri_idi_rad_to_comb", "categorical_nri_cut_.2_.5"), "helper evaluate: soon"),
    **dict.fromkeys(("categorical_nri_predictabel_text", "mcnemar_readers", "limma"), "helper evaluate: soon"),
    **dict.fromkeys(("pmsampsize_binary_cstat.80_prev.25_p10", "pmsampsize_survival"), "helper evaluate: soon"),
    "pmsampsize_binary_r2.288_prev.174_p24": "helper evaluate: soon",
    "optimism_bootstrap_harrell_B200": "helper evaluate: soon",
}

_TERMS = ("(Intercept)", "age", "size_cm", "invasion", "rad_score")
LEFT_OUT: dict[str, dict[str, str]] = {
    "km": {"conf_type": "a word: the scale of the interval, which is our default too"},
    "score_ipcw": {f"Brier.{i}.model": "a word: which model" for i in range(4)},
    "val_prob_comb": {
        **dict.fromkeys(("Emax", "E90", "Eavg"), "another smoother than the loess of the ICI (README: not for parity)"),
        **dict.fromkeys(
            ("Dxy", "R2", "D", "D:Chi-sq", "D:p", "U", "U:Chi-sq", "U:p", "Q", "S:z", "S:p"), "evaluate: soon"
        ),
    },
    "ICI_loess_comb": {"note": "a sentence"},
    "wilcoxon_rad_score": {"p_nocc": "ours always corrects for continuity"},
    "logistic": {
        f"profile_{side}.{term}": "R interpolates the profile by a spline: see test_profile_limits_are_near_r"
        for side in ("lo", "hi")
        for term in _TERMS
    },
    "imbalanced_performance_formula_check": {
        "pr.auc": "randomForestSRC interpolates between the points of the precision-recall curve; ours is average precision"
    },
}


def _flat(value: Any, prefix: str = "") -> Values:
    """Nested JSON as `a.b` -> number; lists by position; the decision curve by variable and threshold."""
    if isinstance(value, dict):
        return {k: v for name, inner in value.items() for k, v in _flat(inner, f"{prefix}{name}.").items()}
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and "net_benefit" in value[0]:
            return {f"{v['variable']}@{v['threshold']}": v["net_benefit"] for v in value}
        return {k: v for i, inner in enumerate(value) for k, v in _flat(inner, f"{prefix}{i}.").items()}
    return {prefix.rstrip("."): value}


def _found(key: str, folder: Path) -> Values:
    """Our numbers under a key."""
    case = CASES[key]
    found = case.compute(pd.read_csv(folder / case.file))
    return found if isinstance(found, dict) else {"": float(found)}


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "statistics_r"


@pytest.mark.parametrize("key", CASES)
def test_equals_r(key: str, expected: dict[str, Any], folder: Path) -> None:
    """Every number we compute under this key is R's, within the tolerance R's own precision allows."""
    wanted = _flat(expected[key])
    tolerance = CASES[key].tolerance
    wrong = {
        name: (value, wanted[name])
        for name, value in _found(key, folder).items()
        if not abs(value - wanted[name]) <= tolerance * max(1.0, abs(wanted[name]))
    }
    assert not wrong


@pytest.mark.parametrize("key", CASES)
def test_no_number_is_passed_over(key: str, expected: dict[str, Any], folder: Path) -> None:
    """Every number R gave under this key is compared, or `LEFT_OUT` says why not."""
    passed_over = set(_flat(expected[key])) - set(_found(key, folder))
    assert passed_over == set(LEFT_OUT.get(key, {}))


def test_every_key_has_a_test_or_a_reason(expected: dict[str, Any]) -> None:
    """The keys with a function, those tested elsewhere and those not yet possible are exactly R's keys, none twice."""
    assert sorted([*CASES, *ELSEWHERE, *NOT_YET]) == sorted(expected)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("coefficient", "coef"), ("se", "se"), ("lower", "pl_lo"), ("upper", "pl_hi"), ("p", "p")]
)
def test_firth(ours: str, theirs: str, expected: dict[str, Any], shared_data: Path) -> None:
    """Firth's estimates, errors, profile limits and p-values of a separated table are logistf's (which stops at 1e-5)."""
    s = pd.read_csv(shared_data / "statistics_r" / "separation.csv")
    column = firth_regression(s[["meta", "x"]], s["y"])[ours]
    found = np.log(column) if ours in {"lower", "upper"} else column
    np.testing.assert_allclose(found, list(expected["firth"][theirs].values()), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("side", ["profile_lo", "profile_hi"])
def test_profile_limits_are_near_r(side: str, expected: dict[str, Any], d: pd.DataFrame) -> None:
    """Profile-likelihood limits lie near R's, on the log scale (R interpolates the profile by a spline, ours are roots)."""
    table = _fit(d, "age", "size_cm", "invasion", "rad_score").table
    ours = np.log(table["profile_lower" if side == "profile_lo" else "profile_upper"].to_numpy())
    wanted = expected["logistic"][side]
    theirs = np.log(np.array(list(wanted.values()) if isinstance(wanted, dict) else wanted, dtype=float))
    np.testing.assert_allclose(ours, theirs, rtol=5e-4, atol=5e-4)


@pytest.mark.parametrize("term", ["age", "size_cm", "invasion", "rad_score"])
def test_profile_limits_are_roots_of_the_deviance_drop(term: str, d: pd.DataFrame) -> None:
    """Fixing a coefficient at its profile limit and refitting the others raises the deviance by exactly 3.8415."""
    from scipy import optimize

    names = ["age", "size_cm", "invasion", "rad_score"]
    fit = _fit(d, *names)
    row = fit.table.set_index("term").loc[term]
    rest = np.column_stack([np.ones(len(d)), ((v := d[[n for n in names if n != term]]) - v.mean()) / v.std()])
    sign = np.where(d.y == 1, 1.0, -1.0)
    for limit in (row.profile_lower, row.profile_upper):
        fixed = d[term].to_numpy() * np.log(limit)

        def deviance(b: np.ndarray, fixed: np.ndarray = fixed) -> float:
            return float(2 * np.logaddexp(0, -sign * (fixed + rest @ b)).sum())

        def gradient(b: np.ndarray, fixed: np.ndarray = fixed) -> np.ndarray:
            return 2 * rest.T @ (special.expit(fixed + rest @ b) - (sign > 0))

        best = optimize.minimize(deviance, np.zeros(rest.shape[1]), jac=gradient, method="BFGS", options={"gtol": 1e-8})
        assert best.fun - fit.deviance == pytest.approx(3.841458820694124, abs=1e-6)
