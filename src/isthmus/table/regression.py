"""Univariable and multivariable logistic tables: odds ratios against the declared reference, with what makes them trustworthy or not.

Unpenalised maximum likelihood with profile-likelihood limits and likelihood-ratio tests; Firth's penalised likelihood where there are fewer
than ten events per parameter or the outcome is separated, and the table says so. With multiple imputation every copy is fitted and the
results are pooled by Rubin's rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from isthmus.errors import TableError
from isthmus.stats.firth import firth_regression, penalised_ratio_test
from isthmus.stats.groups import adjust_p
from isthmus.stats.logistic import logistic_regression
from isthmus.stats.multiple_imputation import impute_multiply, number_of_imputations
from isthmus.stats.rubin import pool, pooled_wald
from isthmus.stats.vif import model_vif
from isthmus.table.clinical_settings import InferenceSettings
from isthmus.table.coding import Term, code, terms_of
from isthmus.table.dictionary import ColumnSettings

__all__ = ["COLUMNS", "logistic_footnote", "logistic_tables"]

Floats = NDArray[np.float64]

COLUMNS = [
    "variable", "level", "step", "n", "events", "odds_ratio", "lower", "upper", "p", "p_variable", "q", "vif", "vif_linear",
    "coefficient", "se", "patients", "patients_events", "parameters", "events_per_parameter", "method", "selection", "note",
]  # fmt: skip
_OUTCOME = "@outcome"


@dataclass(frozen=True)
class _Options:
    """Level of the intervals, and the events per parameter below which Firth's method is used."""

    confidence: float
    firth_below: float


@dataclass(frozen=True, eq=False)
class _Fit:
    """One regression: a row a coded column, and a p-value and VIFs a variable."""

    rows: pd.DataFrame
    p: dict[str, float]
    vif: dict[str, float]
    vif_linear: dict[str, float]
    facts: dict[str, Any]


def logistic_tables(
    values: pd.DataFrame,
    y: Any,
    dictionary: Mapping[str, ColumnSettings],
    settings: InferenceSettings,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    per_sd: Collection[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The univariable and the multivariable table.

    Parameters
    ----------
    values : DataFrame, one row a patient
        Typed values as the clinical block gives them (codes of ordinal and yes/no columns), and scores of models.
    y : array of 0 and 1
    dictionary : mapping
        Reference levels, units and steps of the columns.
    settings : InferenceSettings
        The section [clinical.inference].
    seed : int
        Of the imputations.
    per_sd : collection of str
        Columns whose odds ratio is for one standard deviation (risks of models).

    Returns
    -------
    two DataFrames of `COLUMNS`
        A row a level, the reference with odds ratio 1. `n` and `events` are of the level, `patients` and `patients_events` of the
        regression; `p` is of the row, `p_variable` joint; `q` is Benjamini and Hochberg's over the variables (univariable only).
    """
    outcome = np.asarray(y, dtype=np.int64)
    terms = terms_of(values, dictionary, per=settings.per, per_sd=per_sd)
    copies = _copies(values, outcome, settings, seed)
    options = _Options(confidence, settings.firth_below)
    single = [_regression([term], values, copies, outcome, options, "") for term in terms]
    univariable = pd.concat(single, ignore_index=True) if single else pd.DataFrame(columns=COLUMNS)
    first = ~univariable["variable"].duplicated()
    univariable.loc[first, "q"] = adjust_p(univariable.loc[first, "p_variable"].astype("float64"), "benjamini-hochberg")
    chosen = [term for term in terms if not settings.columns or term.name in settings.columns or term.name in per_sd]
    selection = "fixed in advance"
    if settings.screening is not None:
        selection = f"as published: univariable p < {settings.screening:g}"
        small = univariable.loc[first & (univariable["p_variable"] < settings.screening), "variable"]
        chosen = [term for term in chosen if term.name in set(small)]
    multivariable = (
        _regression(chosen, values, copies, outcome, options, selection) if chosen else pd.DataFrame(columns=COLUMNS)
    )
    return univariable, multivariable


def _copies(
    values: pd.DataFrame, outcome: NDArray[np.int64], settings: InferenceSettings, seed: int
) -> list[pd.DataFrame]:
    """The table itself, or its imputed copies; the outcome takes part in the imputation and leaves it again."""
    if settings.missing == "complete" or not values.isna().to_numpy().any():
        return [values]
    known = values.loc[:, values.notna().any()]
    plain = known.assign(**{_OUTCOME: outcome.astype(np.float64)})
    m = settings.imputations or number_of_imputations(values)
    made = impute_multiply(plain, imputations=max(m, 2), seed=seed, iterations=settings.iterations)
    return [copy.reindex(columns=values.columns) for copy in made]


def _regression(
    terms: Sequence[Term],
    values: pd.DataFrame,
    copies: Sequence[pd.DataFrame],
    outcome: NDArray[np.int64],
    options: _Options,
    selection: str,
) -> pd.DataFrame:
    """One regression as rows of the table; what cannot be estimated has empty numbers and a reason."""
    usable, notes = _usable(terms, copies[0])
    names = [term.name for term in usable]
    same = not values[names].isna().to_numpy().any()  # nothing to impute: the table itself
    coded = [code(copy, usable) for copy in (copies[:1] if same else copies)]
    fit = None
    reason = ""
    if usable:
        try:
            fit = (
                _complete(coded[0], outcome, usable, options)
                if len(coded) == 1
                else _pooled(coded, outcome, usable, options)
            )
        except TableError as error:
            reason = f"not computed: {error}"
    rows = []
    for term in terms:
        rows += _rows(term, values[term.name], outcome, fit, notes.get(term.name) or reason)
    facts = fit.facts if fit is not None else {}
    table = pd.DataFrame(rows).assign(selection=selection)
    for name in ("patients", "patients_events", "parameters", "events_per_parameter", "method"):
        table[name] = facts.get(name, np.nan if name != "method" else "")
    said = facts.get("note", "")
    table["note"] = [note or said for note in table["note"]]
    return table.reindex(columns=COLUMNS)


def _usable(terms: Sequence[Term], values: pd.DataFrame) -> tuple[list[Term], dict[str, str]]:
    """The variables that vary among the complete patients, and why the others do not count."""
    kept = list(terms)
    notes: dict[str, str] = {}
    while kept:
        complete = code(values, kept).dropna()
        still = [
            t for t in kept if len(complete) and all(complete[name].nunique() > 1 for name in t.columns) and t.columns
        ]
        if len(still) == len(kept):
            break
        for term in kept:
            if term not in still:
                notes[term.name] = "left out: does not vary among the complete patients"
        kept = still
    return kept, notes


def _complete(x: pd.DataFrame, outcome: NDArray[np.int64], terms: Sequence[Term], options: _Options) -> _Fit:
    """Complete patients: maximum likelihood, or Firth's method where that cannot be trusted."""
    whole = x.notna().all(axis=1).to_numpy()
    x, y = x[whole], outcome[whole]
    facts = _facts(x, y)
    fit = logistic_regression(x, y, confidence=options.confidence)
    why = _why_firth(options, facts, fit.note)
    if not 0 < y.sum() < len(y):
        raise TableError(f"{int(y.sum())} events among {len(y)} complete patients")
    p: dict[str, float] = {}
    if why:
        table = firth_regression(x, y, confidence=options.confidence).set_index("term").iloc[1:]
        rows = table[["coefficient", "se", "odds_ratio", "lower", "upper", "p"]]
        for term in terms:
            p[term.name] = (
                float(rows["p"].loc[term.columns[0]])
                if len(term.columns) == 1
                else penalised_ratio_test(x, y, list(term.columns)).p
            )
        facts |= {"method": "Firth's penalised likelihood, profile limits", "note": why}
    else:
        table = fit.table.set_index("term").iloc[1:]
        rows = table[["coefficient", "se", "odds_ratio"]].assign(
            lower=table["profile_lower"], upper=table["profile_upper"]
        )
        drop = {name: _drop(x, y, [name], fit.deviance) for name in x.columns}
        rows = rows.assign(p=[drop[name] for name in rows.index])
        for term in terms:
            p[term.name] = (
                drop[term.columns[0]] if len(term.columns) == 1 else _drop(x, y, list(term.columns), fit.deviance)
            )
        facts |= {"method": "maximum likelihood, profile limits, likelihood-ratio tests", "note": ""}
    covariance = _covariance(x, rows["coefficient"].to_numpy(), y)
    return _Fit(rows, p, *_vifs(x, covariance, terms), facts)


def _pooled(
    copies: Sequence[pd.DataFrame], outcome: NDArray[np.int64], terms: Sequence[Term], options: _Options
) -> _Fit:
    """Every imputed copy fitted in the same way, then pooled."""
    facts = _facts(copies[0], outcome)
    if not 0 < outcome.sum() < len(outcome):
        raise TableError(f"{int(outcome.sum())} events among {len(outcome)} patients")
    why, tables = _why_firth(options, facts, ""), []
    if not why:
        plain = [logistic_regression(copy, outcome, confidence=options.confidence, profile=False) for copy in copies]
        why, tables = (
            _why_firth(options, facts, next((fit.note for fit in plain if fit.note), "")),
            [fit.table for fit in plain],
        )
    if why:
        tables = [firth_regression(copy, outcome, profile=False) for copy in copies]
    estimates = np.array([table["coefficient"].to_numpy()[1:] for table in tables])
    covariances = np.array([_covariance(copy, beta, outcome) for copy, beta in zip(copies, estimates, strict=True)])
    names = list(copies[0].columns)
    rows = []
    for j in range(len(names)):
        pooled = pool(
            estimates[:, j],
            [table["se"].to_numpy()[j + 1] ** 2 for table in tables],
            complete_df=len(outcome) - len(names) - 1,
        )
        low, high = pooled.limits(options.confidence)
        with np.errstate(over="ignore"):
            ratio, lower, upper = np.exp([pooled.estimate, low, high])
        rows.append((pooled.estimate, pooled.se, ratio, lower, upper, pooled.p))
    frame = pd.DataFrame(rows, index=names, columns=["coefficient", "se", "odds_ratio", "lower", "upper", "p"])
    p = {}
    for term in terms:
        at = [names.index(name) for name in term.columns]
        p[term.name] = (
            float(frame["p"].iloc[at[0]])
            if len(at) == 1
            else pooled_wald(estimates[:, at], covariances[:, at][:, :, at]).p
        )
    way = "Firth's penalised likelihood" if why else "maximum likelihood"
    method = f"{way} in {len(copies)} imputed copies, Rubin's rules, Wald limits and tests with Barnard and Rubin's degrees of freedom"
    facts |= {"method": method, "note": why}
    return _Fit(frame, p, *_vifs(copies[0], covariances.mean(axis=0), terms), facts)


def _facts(x: pd.DataFrame, y: NDArray[np.int64]) -> dict[str, Any]:
    k = len(x.columns)
    return {
        "patients": len(y),
        "patients_events": int(y.sum()),
        "parameters": k,
        "events_per_parameter": min(int(y.sum()), len(y) - int(y.sum())) / k,
    }


def _why_firth(options: _Options, facts: Mapping[str, Any], separation: str) -> str:
    """The reason for Firth's method, or nothing."""
    reasons = []
    if facts["events_per_parameter"] < options.firth_below:
        reasons.append(f"{facts['events_per_parameter']:.1f} events per parameter, fewer than {options.firth_below:g}")
    if separation:
        reasons.append(separation.removeprefix("no finite estimates: "))
    return "Firth's method: " + "; ".join(reasons) if reasons else ""


def _drop(x: pd.DataFrame, y: NDArray[np.int64], names: list[str], deviance: float) -> float:
    """Likelihood-ratio p of leaving these columns out."""
    rest = x.drop(columns=names)
    share = float(y.mean())
    null = float(-2 * (y.sum() * np.log(share) + (len(y) - y.sum()) * np.log1p(-share)))
    reduced = logistic_regression(rest, y, profile=False).deviance if len(rest.columns) else null
    return float(stats.chi2.sf(max(0.0, reduced - deviance), len(names)))


def _covariance(x: pd.DataFrame, beta: Floats, y: NDArray[np.int64]) -> Floats:
    """Inverse Fisher information of the coefficients without the intercept, at these coefficients."""
    values = x.to_numpy(dtype=np.float64)
    centre = values.mean(axis=0)
    eta = (values - centre) @ beta
    intercept = _intercept(eta, y)
    p = special.expit(eta + intercept)
    design = np.column_stack([np.ones(len(values)), values - centre])
    return np.asarray(np.linalg.pinv((design * (p * (1 - p))[:, None]).T @ design)[1:, 1:])


def _intercept(eta: Floats, y: NDArray[np.int64]) -> float:
    """The intercept under which the expected events are the observed ones."""
    from scipy.optimize import brentq

    reach = float(np.abs(eta).max(initial=0.0)) + 30
    return float(brentq(lambda b: float(special.expit(eta + b).sum() - y.sum()), -reach, reach))


def _vifs(x: pd.DataFrame, covariance: Floats, terms: Sequence[Term]) -> tuple[dict[str, float], dict[str, float]]:
    """VIF of the fitted model and of the columns (generalised for categories); none with one variable."""
    if len(terms) < 2:
        return {}, {}
    names = list(x.columns)
    places = [[names.index(name) for name in term.columns] for term in terms]
    found = []
    for matrix in (covariance, np.cov(x.to_numpy(dtype=np.float64), rowvar=False)):
        try:
            found.append(dict(zip((term.name for term in terms), map(float, model_vif(matrix, places)), strict=True)))
        except TableError:
            found.append({})
    return found[0], found[1]


def _rows(
    term: Term, column: pd.Series[Any], outcome: NDArray[np.int64], fit: _Fit | None, note: str
) -> list[dict[str, Any]]:
    """The rows of one variable; what belongs to the variable as a whole stands in its first."""
    known = fit is not None and not note and term.name in fit.p
    rows = []
    for place, level in enumerate(term.levels or ("",)):
        here = (column == term.codes[place]).to_numpy() if term.levels else column.notna().to_numpy()
        row: dict[str, Any] = {
            "variable": term.name, "level": level, "step": term.step, "n": int(here.sum()), "events": int(outcome[here].sum()),
            "note": note,
        }  # fmt: skip
        reference = bool(term.levels) and place == 0
        if reference:
            row |= {"odds_ratio": 1.0 if known else np.nan, "step": "reference"}
        elif known and fit is not None:
            row |= {str(k): v for k, v in fit.rows.loc[term.columns[place - 1 if term.levels else 0]].items()}
        if place == 0 and known and fit is not None:
            row |= {
                "p_variable": fit.p[term.name],
                "vif": fit.vif.get(term.name),
                "vif_linear": fit.vif_linear.get(term.name),
            }
        rows.append(row)
    return rows


def logistic_footnote(univariable: pd.DataFrame, multivariable: pd.DataFrame, confidence: float = 0.95) -> str:
    """What stands below the tables, made from what ran."""
    parts = [f"Odds ratios with {100 * confidence:.0f} % intervals; categories against the level called reference"]
    for name, table in (("Univariable", univariable), ("Multivariable", multivariable)):
        for method, part in table[table["method"].astype(str).str.len() > 0].groupby("method", sort=False):
            who = (
                ", ".join(dict.fromkeys(part["variable"]))
                if name == "Univariable" and table["method"].nunique() > 1
                else ""
            )
            parts.append(f"{name}{f' ({who})' if who else ''}: {method}")
    if len(multivariable) and multivariable["patients"].notna().any():
        first = multivariable.iloc[0]
        parts.append(
            f"Multivariable model: {int(first['patients'])} patients, {int(first['patients_events'])} events, "
            f"{int(first['parameters'])} parameters, {first['events_per_parameter']:.1f} events per parameter; "
            f"variables {first['selection']}"
        )
        if str(first["selection"]).startswith("as published"):
            parts.append(
                "Choosing variables by their univariable p makes the multivariable intervals too narrow and its p-values too small, "
                "and loses variables that matter only together (Sun 1996; Heinze and Dunkler 2017)"
            )
    parts.append("q: univariable p after Benjamini and Hochberg over the variables")
    if multivariable["vif"].notna().any() if len(multivariable) else False:
        parts.append(
            "VIF: of the fitted model, from the correlation of its coefficients (generalised for categories); "
            "vif_linear: of the columns, 1 / (1 - R2)"
        )
    said = pd.concat([univariable, multivariable])
    notes = {
        str(note): list(dict.fromkeys(part["variable"]))
        for note, part in said[said["note"].astype(str).str.len() > 0].groupby("note", sort=False)
    }
    parts += [f"{note} ({', '.join(names)})" for note, names in notes.items()]
    return ". ".join(parts) + "."
