"""What the reference tables say of repeated measurements and of sites, from our functions."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.agreement import Icc, cohen_kappa, cosine_similarity, fleiss_kappa, icc, lin_ccc
from isthmus.stats.combat import apply_combat, fit_combat
from isthmus.stats.site_effect import site_effect

Values = dict[str, float]
FORMS = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")
_MODEL = {"oneway": "1", "agreement": "2", "consistency": "3"}


def _psych(form: str) -> str:
    """psych's name of a form: "2,k" is ICC2k."""
    return f"ICC{form[0]}{'k' if form[2] == 'k' else ''}"


def _one(found: Icc, *names: str) -> list[float]:
    return [float(getattr(found, name)[0]) for name in names]


def psych_icc(raters: pd.DataFrame) -> Values:
    """All forms as psych::ICC gives them."""
    values: Values = {}
    for form in FORMS:
        numbers = _one(icc(raters, form), "estimate", "statistic", "df1", "df2", "lower", "upper")
        keys = ("icc", "F", "df1", "df2", "lo", "hi")
        values |= {f"{_psych(form)}.{key}": number for key, number in zip(keys, numbers, strict=True)}
    return values


def published_icc(folder: Path) -> Values:
    """Shrout and Fleiss' table, by psych."""
    raters = pd.read_csv(folder / "icc_shrout_fleiss.csv").drop(columns="subject")
    values: Values = {}
    for form in FORMS:
        numbers = _one(icc(raters, form), "estimate", "statistic", "p", "lower", "upper")
        keys = ("icc", "F", "p", "lower_bound", "upper_bound")
        values |= {f"{_psych(form)}_{key}": number for key, number in zip(keys, numbers, strict=True)}
    return values


def irr_icc(raters: pd.DataFrame, model: str, unit: str) -> Values:
    """One form as irr::icc gives it; irr ignores the type of a one-way model."""
    form = f"{_MODEL[model]},{'1' if unit == 'single' else 'k'}"
    found = _one(icc(raters, form, limits="mcgraw-wong"), "estimate", "lower", "upper", "p")
    return dict(zip(("icc", "lo", "hi", "p"), found, strict=True))


def irr_anxiety(folder: Path) -> Values:
    """The anxiety ratings, by irr."""
    raters = pd.read_csv(folder / "irr_anxiety.csv").drop(columns="subject")
    named = {"icc": "icc", "lo": "low", "hi": "high", "p": "p"}
    values: Values = {}
    for unit in ("single", "average"):
        for ways, kind in product(("oneway", "twoway"), ("consistency", "agreement")):
            found = irr_icc(raters, "oneway" if ways == "oneway" else kind, unit)
            values |= {f"{ways}_{kind}_{unit}_{named[key]}": number for key, number in found.items()}
    return values


def published_kappa(folder: Path) -> Values:
    """Fleiss' diagnoses and the anxiety ratings, by irr (which weighs the grades that occur)."""
    diagnoses = pd.read_csv(folder / "irr_diagnoses.csv").drop(columns="subject")
    anxiety = pd.read_csv(folder / "irr_anxiety.csv")
    fleiss = fleiss_kappa(diagnoses.to_numpy())
    cohen = cohen_kappa(diagnoses["rater1"], diagnoses["rater2"])
    return {
        "fleiss_diagnoses": fleiss.estimate,
        "fleiss_diagnoses_z": fleiss.z,
        "cohen_diagnoses_r1_r2": cohen.estimate,
        "cohen_diagnoses_r1_r2_z": cohen.z,
        "weighted_squared_anxiety_r1_r2": cohen_kappa(
            anxiety["rater1"], anxiety["rater2"], weights="quadratic"
        ).estimate,
        "weighted_linear_anxiety_r1_r2": cohen_kappa(anxiety["rater1"], anxiety["rater2"], weights="linear").estimate,
    }


def readers_kappa(d: pd.DataFrame) -> Values:
    """irr's kappa and test, psych's limits."""
    found = cohen_kappa(d["reader1"], d["reader2"])
    return {
        "kappa": found.estimate,
        "z": found.z,
        "p": found.p,
        "psych_ci.lower": found.interval.lower,
        "psych_ci.estimate": found.interval.estimate,
        "psych_ci.upper": found.interval.upper,
    }


def grades_kappa(d: pd.DataFrame, weights: Any) -> Values:
    found = cohen_kappa(d["grade1"], d["grade2"], weights=weights)
    return {"kappa": found.estimate, "z": found.z}


def first_two(raters: pd.DataFrame, how: str) -> float:
    pair = raters["r1"], raters["r2"]
    return float((lin_ccc(*pair) if how == "lin" else cosine_similarity(*pair))[0])


def harmonised(m: pd.DataFrame, *, covariates: bool, **settings: Any) -> np.ndarray[Any, Any]:
    """ComBat of the twelve features over the three sites; with y and age kept, or without."""
    values, sites = m.filter(regex=r"^f\d").to_numpy(dtype=float), m["site"].astype(str).to_numpy()
    kept = m[["y", "age"]].to_numpy(dtype=float) if covariates else None
    fitted = fit_combat(values, sites, kept, **settings)
    return apply_combat(fitted, values, np.searchsorted(fitted.sites, sites), kept)


def combat(m: pd.DataFrame, *, covariates: bool, **settings: Any) -> Values:
    out = harmonised(m, covariates=covariates, **settings)
    first = {f"f1_first3.{i}": float(value) for i, value in enumerate(out[:3, 0])}
    last = {f"f12_last3.{i}": float(value) for i, value in enumerate(out[-3:, 11])}
    return first | last | {"frob": float(np.linalg.norm(out)), "mean": float(out.mean())}


def cohens_f(m: pd.DataFrame, *, after: bool) -> Values:
    """F, p and Cohen's f of features 1, 5 and 12, before or after ComBat."""
    values = harmonised(m, covariates=True) if after else m.filter(regex=r"^f\d").to_numpy(dtype=float)
    found = site_effect(values[:, [0, 4, 11]], m["site"])
    rows = (found.f, found.p, found.cohens_f)
    return {f"{row}.{i}": float(value) for row, array in enumerate(rows) for i, value in enumerate(array)}
