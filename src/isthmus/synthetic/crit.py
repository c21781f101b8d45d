"""A clinical table like that of the CRIT study: two centres, about one patient in ten with distant metastasis, gaps, and planted effects.

Nobody's data: every value is drawn. Centre A's laboratory and centre B's write units differently, as hospitals do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from isthmus.stats.roc import auc
from isthmus.stats.seeds import child_seed

__all__ = ["CRIT_EFFECTS", "SyntheticCrit", "as_written", "draw_crit", "make_crit"]

CRIT_EFFECTS = {
    "Age, per 10 years": 0.25,
    "Sex, male": 0.5,
    "Tumor_size, per 10 mm": 0.3,
    "TG, per log unit": 0.55,
    "Number_of_metastatic_lymph_nodes, per log1p unit": 0.6,
    "NLR, per log unit": 0.5,
}
"""Planted log odds ratios; everything else has none of its own."""

_GAPS = {
    "BMI": 0.05, "TSH": 0.06, "TG": 0.10, "TGAb": 0.12, "TPOAb": 0.12,
    "GLU": 0.38, "WBC": 0.04, "HGB": 0.04, "Benign_thyroid_lesions": 0.03,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SyntheticCrit:
    """Where the synthetic table lies, and what is true in it.

    Parameters
    ----------
    folder, plan, table : Path
    truth : DataFrame
        patient, centre, risk, outcome; no plan reads it.
    """

    folder: Path
    plan: Path
    table: Path
    truth: pd.DataFrame

    @property
    def oracle_auc(self) -> float:
        """AUC of the true risk in these patients."""
        return auc(self.truth["outcome"].to_numpy(), self.truth["risk"].to_numpy())


def draw_crit(
    patients: int,
    *,
    centre: str,
    seed: int,
    events: float | int = 0.1,
    signal: float = 1.0,
    size_mm: tuple[float, float] = (14.0, 0.6),
    seen: Any = 0.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Complete typed values of one centre (numbers in the units of the data dictionary), and the truth.

    Parameters
    ----------
    patients : int
    centre : str
    seed : int
    events : float or int
        Expected share of patients with metastasis; a whole number is how many there are exactly.
    signal : float
        Multiplies the planted effects; 0: the outcome depends on nothing.
    size_mm : (float, float)
        Median of the tumour size and the spread of its logarithm.
    seen : array, shape (patients,)
        What only the image shows adds this to the logit, before `signal`.
    """
    rng = np.random.default_rng(child_seed(seed, "crit", centre))
    n = patients

    def lognormal(median: float, spread: float) -> Any:
        return median * np.exp(spread * rng.standard_normal(n))

    age = np.clip(rng.normal(45, 14, n), 14, 90).round()
    male = rng.random(n) < 0.27
    size = np.clip(lognormal(*size_mm), 2, 120).round(1)
    burden = rng.random(n) < 0.22 + 0.002 * np.clip(size, 0, 60)
    nodes = np.where(burden, 1 + rng.negative_binomial(1, 0.25, n), 0)
    invasion = rng.random(n) < special.expit(-2.6 + 0.04 * size)
    stage = 1 + (size > 20).astype(int) + (size > 40) + (invasion & (rng.random(n) < 0.5))
    neutrophils, lymphocytes = lognormal(3.6, 0.32), lognormal(1.9, 0.28)
    monocytes, platelets = lognormal(0.42, 0.3), lognormal(235, 0.22)
    eosinophils, basophils = lognormal(0.12, 0.7), lognormal(0.03, 0.5)
    thyroglobulin = lognormal(22, 1.5) * (1 + size / 30)
    effects = list(CRIT_EFFECTS.values())
    drivers = np.column_stack(
        [
            (age - 45) / 10,
            male,
            size / 10,
            np.log(thyroglobulin / 30),
            np.log1p(nodes),
            np.log(neutrophils / lymphocytes),
        ]
    )
    linear = signal * (drivers @ effects + seen)
    share = events / n if isinstance(events, int) else events
    intercept = optimize.brentq(lambda b: float(special.expit(linear + b).mean()) - share, -40, 40)
    risk = special.expit(linear + intercept)
    luck = rng.random(n)
    outcome = (luck < risk).astype(int)
    if isinstance(events, int):  # the same logistic luck, cut where that many have the event
        outcome = (np.argsort(np.argsort(special.logit(luck) - linear)) < events).astype(int)
    values = pd.DataFrame(
        {
            "Sex": np.where(male, "Male", "Female"),
            "Age": age,
            "BMI": np.clip(rng.normal(24, 3.6, n), 15, 45).round(1),
            "Benign_thyroid_lesions": np.where(rng.random(n) < 0.4, "Yes", "No"),
            "Multifocal": np.where(rng.random(n) < 0.3, "Yes", "No"),
            "Tumor_size": size,
            "Infiltrated_the_adjacent_tissue": np.where(invasion, "Yes", "No"),
            "Number_of_metastatic_lymph_nodes": nodes,
            "T_stage": [f"T{min(s, 4)}" for s in stage],
            "N_stage": np.where(nodes > 0, "N1", "N0"),
            "WBC": (neutrophils + lymphocytes + monocytes + eosinophils + basophils).round(2),
            "RBC": rng.normal(4.5, 0.45, n).round(2),
            "PLT": platelets.round(),
            "HGB": (rng.normal(131, 11, n) + 14 * male).round(),
            "LYM": lymphocytes.round(2),
            "MONO": monocytes.round(2),
            "NE": neutrophils.round(2),
            "EOS": eosinophils.round(2),
            "BASO": basophils.round(2),
            "TSH": lognormal(2.0, 0.7).round(2),
            "TG": thyroglobulin.round(1),
            "TGAb": lognormal(18, 1.3).round(1),
            "TPOAb": lognormal(14, 1.4).round(1),
            "GLU": lognormal(5.3, 0.15).round(2),
        }
    )
    patient = [f"{centre}{i + 1:04d}" for i in range(n)]
    truth = pd.DataFrame({"patient": patient, "centre": centre, "risk": risk, "outcome": outcome})
    return values.set_axis(pd.Index(patient, name="patient"), axis=0), truth


def as_written(values: pd.DataFrame, truth: pd.DataFrame, *, centre: str, seed: int) -> pd.DataFrame:
    """What `draw_crit` gave as the centre's spreadsheet has it: patient, centre, M_stage and text, with gaps.

    Gaps depend on nothing but the centre: thyroglobulin is measured less often in B. Centre B writes sizes in centimetres with the unit
    in the cell, and its spreadsheet writes TRUE and FALSE.
    """
    rng = np.random.default_rng(child_seed(seed, "crit gaps", centre))
    text = values.astype("object").map(str)
    if centre == "B":
        text["Tumor_size"] = [f"{value / 10:g} cm" for value in values["Tumor_size"]]
        words = {"Yes": "TRUE", "No": "FALSE"}
        for name in ("Multifocal", "Benign_thyroid_lesions", "Infiltrated_the_adjacent_tissue"):
            text[name] = values[name].map(words)
    for name, share in _GAPS.items():
        text.loc[rng.random(len(text)) < share * (2.0 if (centre, name) == ("B", "TG") else 1.0), name] = ""
    text.insert(0, "M_stage", np.where(truth["outcome"] == 1, "M1", "M0"))
    text.insert(0, "centre", centre)
    return text.reset_index()


def make_crit(
    folder: str | Path,
    *,
    patients: tuple[int, int] = (420, 145),
    seed: int = 1,
    events: float = 0.1,
    signal: float = 1.0,
) -> SyntheticCrit:
    """`cases.csv` (24 measured columns of the 28; the four ratios are the plan's), `plan.toml` and `truth.csv` in a folder.

    Parameters
    ----------
    patients : (int, int)
        Of centre A (development) and B (external).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables, truths = [], []
    for centre, n in zip("AB", patients, strict=True):
        values, truth = draw_crit(n, centre=centre, seed=seed, events=events, signal=signal)
        tables.append(as_written(values, truth, centre=centre, seed=seed))
        truths.append(truth)
    table, plan = folder / "cases.csv", folder / "plan.toml"
    pd.concat(tables, ignore_index=True).to_csv(table, index=False)
    truth = pd.concat(truths, ignore_index=True)
    truth.to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    plan.write_text(_plan(list(tables[0].columns[3:]), seed), encoding="utf-8")
    return SyntheticCrit(folder, plan, table, truth)


def _plan(columns: list[str], seed: int) -> str:
    named = ", ".join(f'"{name}"' for name in columns)
    return f"""\
# The clinical half of CRIT on a synthetic table: distant metastasis of differentiated thyroid cancer, before and after surgery.

[cohort]
table = "cases.csv"
outcome = "M_stage"
positive = "M1"

[clinical]
dictionary = "crit"                     # types, units, levels, plausible ranges and times of the 28 named predictors
columns = [{named}]
ratios = ["NLR", "PLR", "LMR", "SII"]   # they stand for their parts

[clinical.inference]
columns = ["Age", "Sex", "Tumor_size", "TG"]   # the multivariable table, fixed in advance
models = ["pre-operative"]              # and the out-of-fold risk of this model
missing = "multiple"

[select]
steps = [
  {{ name = "drop_missing", share = 0.3 }},
  {{ name = "log", columns = ["TG", "TGAb", "TPOAb", "TSH", "SII", "PLR"] }},
  "winsorise",
  {{ name = "impute", method = "iterative", indicators = true }},
  {{ name = "encode", drop_first = true }},
  "variance",
  "scale",
]

[[models]]
name = "pre-operative"
when = "pre-operative"
estimator = "lasso"

[[models]]
name = "post-operative"                 # with what the pathologist found
when = "post-operative"
estimator = "lasso"
steps = [
  {{ name = "drop_missing", share = 0.3 }},
  {{ name = "log", columns = ["TG", "TGAb", "TPOAb", "TSH", "SII", "PLR", "Number_of_metastatic_lymph_nodes"] }},
  "winsorise",
  {{ name = "impute", method = "iterative", indicators = true }},
  {{ name = "encode", drop_first = true }},
  "variance",
  "scale",
]

[validate]
folds = 5
repeats = 5
seed = {seed}
external = {{ centre = ["B"] }}

[report]
title = "Distant metastasis of thyroid cancer, clinical models (synthetic)"
final = "pre-operative"
"""
