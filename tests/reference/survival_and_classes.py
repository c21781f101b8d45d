"""What the two parity tables compute of time to event and of three classes: key -> our numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.stats import multiclass
from isthmus.stats.survival.at_time import auc_at, brier_at, null_brier_at
from isthmus.stats.survival.concordance import concordance_error, harrell_c, uno_c
from isthmus.stats.survival.cox import CoxFit, cox_regression, proportional_hazards_test
from isthmus.stats.survival.cox_lasso import cox_lambda_sequence, fit_cox_path
from isthmus.stats.survival.kaplan_meier import KaplanMeier, kaplan_meier
from isthmus.stats.survival.log_rank import log_rank

Values = dict[str, float]
FOUR = ["z1", "z2", "z4", "arm"]


def _at(curve: KaplanMeier, times: list[float], item: str) -> np.ndarray:
    return getattr(curve, item)[np.searchsorted(curve.time, times, side="right") - 1]


def _concordance(fit: CoxFit, X: pd.DataFrame, time: pd.Series, event: pd.Series) -> tuple[float, float]:
    risk = fit.linear_predictor(X)
    return harrell_c(time, event, risk), concordance_error(time, event, risk)


# ---- statistics_r/expected.json -----------------------------------------------------------------------------------


def cox_efron(s: pd.DataFrame) -> Values:
    fit = cox_regression(s[FOUR], s.time, s.event)
    table = fit.table().set_index("term")
    c, se = _concordance(fit, s[FOUR], s.time, s.event)
    names = {"coef": "coefficient", "se": "se", "hr": "hazard_ratio"}
    found = {f"{k}.{term}": float(v) for k, column in names.items() for term, v in table[column].items()}
    return found | {
        "loglik.0": fit.null_loglik,
        "loglik.1": fit.loglik,
        "concordance": c,
        "concordance_se": se,
    }


def cox_breslow(s: pd.DataFrame) -> Values:
    fit = cox_regression(s[FOUR], s.time, s.event, ties="breslow")
    return dict(zip(FOUR, fit.coefficients.tolist(), strict=True))


def harrell(s: pd.DataFrame) -> float:
    return harrell_c(s.time, s.event, s.z1)


def uno(s: pd.DataFrame) -> float:
    return uno_c(s.time, s.event, s.z1, tau=40)


def km(s: pd.DataFrame) -> Values:
    curve = kaplan_meier(s.time, s.event)
    names = {"surv": "survival", "se": "standard_error", "lo": "lower", "hi": "upper"}
    found = {f"{k}.{i}": float(v) for k, item in names.items() for i, v in enumerate(_at(curve, [10, 20, 30], item))}
    found |= {f"t.{i}": float(t) for i, t in enumerate((10, 20, 30))}
    return found | {"median": curve.median, "rmst30": curve.restricted_mean(30)}


def log_rank_arm(s: pd.DataFrame) -> Values:
    test = log_rank(s.time, s.event, s.arm)
    return {"chisq": test.statistic, "p": test.p}


def cox_zph(s: pd.DataFrame) -> Values:
    fit = cox_regression(s[FOUR], s.time, s.event)
    table = proportional_hazards_test(fit, s[FOUR], s.time, s.event).set_index("term")
    return {f"{k}.{term}": float(v) for k in ("chisq", "p") for term, v in table[k].items()}


def glmnet_cox(s: pd.DataFrame) -> Values:
    names = [f"z{j}" for j in range(1, 9)]
    Z = s[names].to_numpy()
    largest = cox_lambda_sequence(Z, s.time, s.event, count=2)[0]
    path = fit_cox_path(Z, s.time, s.event, [largest, 0.08])
    return {name: float(b) for name, b in zip(names, path.coefficients[-1], strict=True) if b}


def score_ipcw(s: pd.DataFrame) -> Values:
    X = s[["z1", "z4"]]
    fit = cox_regression(X, s.time, s.event)
    p = fit.baseline.event_probability(fit.linear_predictor(X), [15, 30])
    found: Values = {}
    for i, t in enumerate((15, 30)):
        found |= {f"AUC.{i}.times": t, f"AUC.{i}.AUC": auc_at(s.time, s.event, p[:, i], t)}
        found |= {f"Brier.{i}.times": t, f"Brier.{i}.Brier": null_brier_at(s.time, s.event, t)}
        found |= {f"Brier.{i + 2}.times": t, f"Brier.{i + 2}.Brier": brier_at(s.time, s.event, p[:, i], t)}
    return found


def hand_till(m: pd.DataFrame) -> float:
    return multiclass.hand_till(m.y, m[["p0", "p1", "p2"]])


def one_against_rest(m: pd.DataFrame) -> Values:
    p = m[["p0", "p1", "p2"]].to_numpy()
    found = {f"per_class.{k}": area.estimate for k, area in enumerate(multiclass.class_aucs(m.y, p))}
    return found | {
        "macro": multiclass.macro_auc(m.y, p),
        "weighted": multiclass.macro_auc(m.y, p, by_size=True),
        "micro": multiclass.micro_auc(m.y, p),
    }


# ---- statistics/expected.csv --------------------------------------------------------------------------------------


def _lung(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    table = pd.read_csv(folder / "lung.csv")
    return table, (table["status"] == 2).astype(int)


def _lung_cox(folder: Path, ties: str = "efron") -> tuple[CoxFit, pd.DataFrame, pd.Series, pd.Series]:
    table, event = _lung(folder)
    whole = table[["age", "sex", "ph.ecog"]].notna().all(axis=1)
    X = table.loc[whole, ["age", "sex", "ph.ecog"]]
    time, event = table.loc[whole, "time"], event[whole]
    return cox_regression(X, time, event, ties=ties), X, time, event  # type: ignore[arg-type]


def cox_efron_lung(folder: Path) -> Values:
    fit, X, time, event = _lung_cox(folder)
    table = fit.table().set_index("term")
    names = {"coef": "coefficient", "se": "se", "p": "p"}
    c, se = _concordance(fit, X, time, event)
    found = {f"{term}_{k}": float(v) for k, column in names.items() for term, v in table[column].items()}
    return found | {"concordance": c, "concordance_se": se, "loglik": fit.loglik}


def cox_breslow_lung(folder: Path) -> Values:
    fit = _lung_cox(folder, "breslow")[0]
    return {f"{term}_coef": float(v) for term, v in zip(fit.terms, fit.coefficients, strict=True)}


def cox_zph_lung(folder: Path) -> Values:
    table = proportional_hazards_test(*_lung_cox(folder)).set_index("term")
    return {f"{term}_{k}": float(v) for k in ("chisq", "p") for term, v in table[k].items()}


def log_rank_lung(folder: Path) -> Values:
    table, event = _lung(folder)
    test = log_rank(table["time"], event, table["sex"])
    return {"chisq": test.statistic, "p": test.p}


def kaplan_meier_lung(folder: Path) -> Values:
    table, event = _lung(folder)
    found: Values = {}
    for sex in (1, 2):
        own = table["sex"] == sex
        curve = kaplan_meier(table["time"][own], event[own])
        found[f"median_sex{sex}"] = curve.median
        for k, item in {"surv": "survival", "se": "standard_error", "low95log": "lower"}.items():
            for t, v in zip((180, 365, 730), _at(curve, [180, 365, 730], item), strict=True):
                found[f"sex={sex}_t{t}_{k}"] = float(v)
    return found
