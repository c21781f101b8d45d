"""Our statistics against R's, one test per key of `statistics_r/expected.json` (written by `reference.R` beside it).

Tolerances are those of that folder's README: closed forms 1e-9, iterative fits 1e-5, conditional odds ratios 2e-4,
Monte Carlo 2e-3; relative to max(1, |value|).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from isthmus.stats import calibration, classification, combine_p, decision_curve, groups, roc, threshold
from isthmus.stats.firth import firth_regression
from isthmus.stats.logistic import LogisticFit, likelihood_ratio_test, logistic_regression
from isthmus.stats.vif import model_vif, vif

CLOSED, ITERATIVE, ODDS_RATIO, MONTE_CARLO = 1e-9, 1e-5, 2e-4, 2e-3

Values = dict[str, float]
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
    _, c = _youden(d)
    found = {k: float(getattr(classification, k)(c)) for k in ("sensitivity", "specificity", "ppv", "npv", "accuracy")}
    return found | {"youden": found["sensitivity"] + found["specificity"]}  # pROC's field is J + 1


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
    return {f"{k}.{i}": v for k, m in ways.items() for i, v in enumerate(groups.adjust_p(P_VALUES, m))}


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
    }


CASES: dict[str, tuple[float, Callable[[pd.DataFrame], Values | float]]] = {
    **{f"auc_{name}": (CLOSED, lambda d, name=name: _auc(d, name)) for name in SCORES},
    "delong_rad_vs_clin": (CLOSED, lambda d: _paired(d, "rad", "clin")),
    "delong_comb_vs_rad": (CLOSED, lambda d: _paired(d, "comb", "rad")),
    "delong_comb_vs_clin": (CLOSED, lambda d: _paired(d, "comb", "clin")),
    "delong_unpaired_site12_vs_site3": (CLOSED, _unpaired),
    "cov_delong_rad_clin": (1e-15, lambda d: roc.delong_covariance(d.y, d.p_rad, d.p_clin)[1][0, 1]),
    "youden_pROC_rad": (CLOSED, _youden_proc),
    "youden_cutpointr_rad": (CLOSED, _youden_cutpointr),
    "partial_auc_spec_90_100": (CLOSED, lambda d: roc.partial_auc(d.y, d.p_rad, lowest_specificity=0.9)),
    "partial_auc_spec_90_100_corrected": (
        CLOSED,
        lambda d: roc.partial_auc(d.y, d.p_rad, lowest_specificity=0.9, standardised=True),
    ),
    "fold_auc_rad": (CLOSED, _folds),
    "val_prob_comb": (CLOSED, _val_prob),
    "calibration_comb": (ITERATIVE, _calibration),
    "ICI_loess_comb": (CLOSED, _ici),
    "hosmer_lemeshow_comb_g10": (CLOSED, lambda d: _hosmer(d, "p_comb")),
    "hosmer_lemeshow_rad_g10": (CLOSED, lambda d: _hosmer(d, "p_rad")),
    "dca": (CLOSED, _dca),
    "wilcoxon_rad_score": (CLOSED, _wilcoxon),
    "wilcoxon_grade_ties": (CLOSED, _wilcoxon_ties),
    "t_age": (
        CLOSED,
        lambda d: {
            "student": groups.student_t(d.age[d.y == 0], d.age[d.y == 1]).p,
            "welch": groups.welch_t(d.age[d.y == 0], d.age[d.y == 1]).p,
        },
    ),
    "fisher_invasion": (ODDS_RATIO, _fisher),
    "fisher_grade_rxc": (
        MONTE_CARLO,
        lambda d: groups.fisher_exact(pd.crosstab(d.grade1, d.y), rng=np.random.default_rng(1), resamples=60_000).p,
    ),
    "chisq_site": (CLOSED, _chisq),
    "kruskal_site": (
        CLOSED,
        lambda d: {"H": groups.kruskal(*_by_site(d)).statistic, "p": groups.kruskal(*_by_site(d)).p},
    ),
    "anova_site": (CLOSED, lambda d: {"F": groups.anova(*_by_site(d)).statistic, "p": groups.anova(*_by_site(d)).p}),
    "p_adjust": (CLOSED, _p_adjust),
    "geometric_mean_p": (CLOSED, lambda d: combine_p.geometric_mean_p(P_VALUES).value),
    "fisher_sumlog": (CLOSED, _fisher_sumlog),
    "stouffer_sumz": (CLOSED, lambda d: combine_p.stouffer_combined(P_VALUES).p),
    "vif": (ITERATIVE, _vif),
    "vif_lm": (CLOSED, _vif_lm),
    "smd_age": (CLOSED, lambda d: groups.standardised_difference(d.age[d.y == 0], d.age[d.y == 1])),
    "smd_male": (
        CLOSED,
        lambda d: groups.standardised_difference_share(d.male[d.y == 0].mean(), d.male[d.y == 1].mean()),
    ),
    "logistic": (ITERATIVE, _logistic),
    "imbalanced_performance_formula_check": (1e-6, _imbalanced),  # R rounded these to six digits
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


@pytest.mark.parametrize("key", CASES)
def test_equals_r(key: str, expected: dict[str, Any], d: pd.DataFrame) -> None:
    """Every number we compute under this key is R's, within the tolerance R's own precision allows."""
    tolerance, compute = CASES[key]
    found = compute(d)
    if not isinstance(found, dict):
        found = {"": float(found)}
    wanted = _flat(expected[key])
    wrong = {
        name: (value, wanted[name])
        for name, value in found.items()
        if not abs(value - wanted[name]) <= tolerance * max(1.0, abs(wanted[name]))
    }
    assert not wrong


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
